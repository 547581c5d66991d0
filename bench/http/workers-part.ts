import { toMedian } from '../measure/median.js';
import type { ServerProcess } from '../measure/process.js';
import type { Options } from '../options.js';
import { toFigure, toRatio } from '../report/figures.js';
import type { Demand, Section, Table } from '../report/section.js';
import { load } from './load.js';
import { readBlockFeatures, service, startService, startUpstream } from './servers.js';

const CONNECTIONS = 16;
const SECONDS = 2;
/** Of each way, in each process: V8 has compiled what matters by then. */
const WARM_REQUESTS = 8000;
const WARM_AGAIN_SECONDS = 1;
const FEATURES = 10;
const MOST_MORE = 1.1;

const WAYS = ['asked anew', 'asked again'] as const;
type Way = (typeof WAYS)[number];

interface Figures {
  readonly perSecond: number[];
  /** Milliseconds of all processes a request. */
  readonly cpu: number[];
  /** Processors in use. */
  readonly busy: number[];
}

/** What one more process costs a request: limits, leases and kept answers are asked for from one to another. */
export async function runWorkers(options: Options, tell: (progress: string) => void): Promise<Section> {
  const upstream = await startUpstream();
  const trees = new Map<number, ServerProcess>();
  try {
    const blockFeatures = await readBlockFeatures(upstream.url);
    for (const workers of [1, 2])
      trees.set(workers, await startService(upstream.url, { LOG_LEVEL: 'warn', WORKERS: String(workers) }));
    // a process that has seen the layer's size knows a short page from a capped one: each of them, by as many connections
    const toBlock = () => service.toPath({ blocks: 1 }, blockFeatures);
    for (const tree of trees.values()) await load(tree.url, toBlock, { connections: 4, requests: 4 });
    let variant = 0;
    const toPath = (way: Way) => () =>
      service.toPath({ features: FEATURES, variant: way === 'asked again' ? 0 : ++variant }, blockFeatures);
    const measured = new Map([...trees.keys()].map((workers) => [workers, toEmpty()]));
    for (let run = 0; run <= options.runs; run++) {
      for (const way of WAYS) {
        for (const [workers, tree] of trees) {
          tell(`workers: ${run === 0 ? 'warm-up' : `run ${run} of ${options.runs}`}, ${workers}, ${way}`);
          const bound = run === 0 ? { requests: WARM_REQUESTS * workers } : { seconds: SECONDS };
          if (run > 0)
            await load(tree.url, toPath(way), { connections: CONNECTIONS, seconds: WARM_AGAIN_SECONDS });
          const before = tree.cpuSeconds();
          const { requests, perSecond } = await load(tree.url, toPath(way), {
            connections: CONNECTIONS,
            ...bound,
          });
          const cpu = tree.cpuSeconds() - before;
          if (run === 0) continue;
          const figures = measured.get(workers)?.[way] as Figures;
          figures.perSecond.push(perSecond);
          figures.cpu.push((cpu / requests) * 1000);
          figures.busy.push((cpu / requests) * perSecond);
        }
      }
    }
    return toSection(measured, options);
  } finally {
    for (const server of [...trees.values(), upstream]) await server.stop();
  }
}

const toEmpty = () =>
  Object.fromEntries(WAYS.map((way) => [way, { perSecond: [], cpu: [], busy: [] }])) as unknown as Record<
    Way,
    Figures
  >;

function toSection(measured: ReadonlyMap<number, Record<Way, Figures>>, { runs }: Options): Section {
  const table: Table = {
    caption: `${FEATURES} features, ${CONNECTIONS} connections`,
    columns: [
      'WORKERS',
      'question',
      'requests a second',
      'processor time a request, ms',
      'processors in use',
    ],
    rows: [...measured].flatMap(([workers, ways]) =>
      WAYS.map((way) => [
        String(workers),
        way,
        ...[ways[way].perSecond, ways[way].cpu, ways[way].busy].map((all) => toFigure(toMedian(all))),
      ]),
    ),
  };
  const toCpu = (workers: number, way: Way) => toMedian(measured.get(workers)?.[way].cpu ?? []);
  return {
    title: 'Workers',
    notes: [
      `Medians of ${runs === 1 ? 'one run' : `${runs} runs`} of ${SECONDS} s, interleaved, each after ${WARM_AGAIN_SECONDS} s, and each tree warmed up. The time is that of all processes of the tree; upstream and load share the machine's processors with them. "Asked anew": every question is another one, and its answer is kept for all workers; "asked again": it is kept.`,
    ],
    tables: [table],
    demands: WAYS.map((way): Demand => {
      const ratio = toCpu(2, way) / toCpu(1, way);
      return {
        what: `WORKERS=2, ${way}: processor time a request, of one process’s`,
        target: `≤ ${MOST_MORE} ×`,
        measured: toRatio(ratio),
        isMet: ratio <= MOST_MORE,
      };
    }),
    quoted: [],
  };
}
