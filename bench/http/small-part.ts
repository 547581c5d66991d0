import { toMedian } from '../measure/median.js';
import type { ServerProcess } from '../measure/process.js';
import type { Options } from '../options.js';
import { toFigure } from '../report/figures.js';
import type { Section, Table } from '../report/section.js';
import { load } from './load.js';
import { MET_AT } from './questions.js';
import { type Contender, contenders, readBlockFeatures, startUpstream } from './servers.js';
import { transfer } from './transfer.js';

const CONNECTIONS = 16;
const SECONDS = 2;
const WARM_SECONDS = 1;

/** Requests a second of each contender (key: its name), run by run. */
type Rates = Map<string, number[]>;

/** Many small questions at once: two points, and the features they find. */
export async function runSmall(options: Options, tell: (progress: string) => void): Promise<Section> {
  const upstream = await startUpstream();
  const servers = new Map<Contender, ServerProcess>();
  const sizes = options.isQuick ? [1, 100] : Object.values(MET_AT);
  try {
    const blockFeatures = await readBlockFeatures(upstream.url);
    for (const contender of contenders) servers.set(contender, await contender.start(upstream.url));
    const rates = new Map(sizes.map((size): [number, Rates] => [size, new Map()]));
    const toUrl = (contender: Contender, features: number) =>
      servers.get(contender)?.url + contender.toPath({ features }, blockFeatures);
    for (const contender of contenders) {
      await checkAnswers(contender, sizes, toUrl);
      // a service that has seen the layer's size knows a short page from a capped one
      await transfer(servers.get(contender)?.url + contender.toPath({ blocks: 1 }, blockFeatures));
    }
    for (let run = 1; run <= options.runs; run++) {
      for (const size of sizes) {
        for (const contender of contenders) {
          tell(`${size} features: run ${run} of ${options.runs}, ${contender.name}`);
          const url = toUrl(contender, size);
          await load(url, CONNECTIONS, WARM_SECONDS);
          const rate = await load(url, CONNECTIONS, SECONDS);
          const known = rates.get(size) as Rates;
          known.set(contender.name, [...(known.get(contender.name) ?? []), rate]);
        }
      }
    }
    return toSection(rates, options);
  } finally {
    for (const server of [...servers.values(), upstream]) await server.stop();
  }
}

/** @throws Error where a contender answers with another number of features than were asked for */
async function checkAnswers(
  contender: Contender,
  sizes: readonly number[],
  toUrl: (contender: Contender, features: number) => string,
): Promise<void> {
  for (const size of sizes) {
    const text = await (await fetch(toUrl(contender, size))).text();
    const count = text.startsWith('<')
      ? (text.match(/<urba:zone_urba /g)?.length ?? 0)
      : (JSON.parse(text) as { features: unknown[] }).features.length;
    if (count !== size) throw new Error(`${contender.name}: ${count} features, not ${size}`);
  }
}

function toSection(rates: ReadonlyMap<number, Rates>, { runs }: Options): Section {
  const sizes = [...rates.keys()];
  const table: Table = {
    caption: `Requests a second, ${CONNECTIONS} connections, by the features of an answer`,
    columns: ['server', ...sizes.map(String)],
    rows: contenders.map(({ name, title }) => [
      title,
      ...sizes.map((size) => toFigure(toMedian(rates.get(size)?.get(name) ?? []))),
    ]),
  };
  return {
    title: 'Small questions',
    notes: [
      `Medians of ${runs === 1 ? 'one run' : `${runs} runs`} of ${SECONDS} s, interleaved, each after ${WARM_SECONDS} s to warm up; load by autocannon. Upstream, server and load share this machine's processors. The service reads and checks the question, asks the upstream with a filter, and converts the answer; the others pass on what they are asked for.`,
    ],
    tables: [table],
    demands: [],
    quoted: [table],
  };
}
