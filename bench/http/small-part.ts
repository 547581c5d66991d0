import { toMedian } from '../measure/median.js';
import type { ServerProcess } from '../measure/process.js';
import type { Options } from '../options.js';
import { toFigure, toRatio } from '../report/figures.js';
import type { Demand, Section, Table } from '../report/section.js';
import { load } from './load.js';
import { MET_AT } from './questions.js';
import {
  apiCarto,
  type Contender,
  contenders,
  readBlockFeatures,
  service,
  startService,
  startUpstream,
} from './servers.js';
import { transfer } from './transfer.js';

const CONNECTIONS = 16;
const SECONDS = 2;
/** V8 has compiled what matters by then: the service costs three times as much at its thousandth request. */
const WARM_REQUESTS = 6000;
const WARM_AGAIN_SECONDS = 1;

/** Who answers, and what it is asked: each time another question, or the same again. */
interface Way {
  readonly title: string;
  readonly contender: Contender;
  readonly isRepeated: boolean;
}

const ANEW: Way = { title: '**carto-wfs**, asked anew', contender: service, isRepeated: false };
const AGAIN: Way = { title: '**carto-wfs**, asked again', contender: service, isRepeated: true };
const all = [...contenders, apiCarto];
const others = all
  .filter((contender) => contender !== service)
  .map((contender): Way => ({ title: contender.title, contender, isRepeated: false }));
const API_CARTO = others.find(({ contender }) => contender === apiCarto) as Way;
const ways = [...others, ANEW, AGAIN];

/** How much more often than API Carto, by the features of an answer. */
const TARGETS: ReadonlyMap<Way, Readonly<Record<number, number>>> = new Map([
  [ANEW, { 1: 1.5, 10: 1.8, 100: 4, 1000: 5 }],
  [AGAIN, { 1: 4, 10: 5, 100: 15, 1000: 60 }],
]);

/** Of each run. */
interface Figures {
  readonly perSecond: number[];
  readonly p99: number[];
  /** Milliseconds of the server's processor time a request. */
  readonly cpu: number[];
}

type Measured = ReadonlyMap<Way, ReadonlyMap<number, Figures>>;

/** Many small questions at once. */
export async function runSmall(options: Options, tell: (progress: string) => void): Promise<Section> {
  const upstream = await startUpstream();
  const servers = new Map<Contender, ServerProcess>();
  const sizes = options.isQuick ? [1, 100] : Object.values(MET_AT);
  try {
    const blockFeatures = await readBlockFeatures(upstream.url);
    for (const contender of all) {
      const isOurs = contender === service;
      servers.set(contender, await (isOurs ? startService(upstream.url, {}) : contender.start(upstream.url)));
    }
    const toServer = ({ contender }: Way) => servers.get(contender) as ServerProcess;
    let variant = 0;
    const toPath =
      ({ contender, isRepeated }: Way, features: number) =>
      () =>
        contender.toPath({ features, variant: isRepeated ? 0 : ++variant }, blockFeatures);
    const ask = (way: Way, features: number, seconds: number) =>
      load(toServer(way).url, toPath(way, features), { connections: CONNECTIONS, seconds });
    const warmUp = (way: Way, features: number) =>
      load(toServer(way).url, toPath(way, features), { connections: CONNECTIONS, requests: WARM_REQUESTS });

    for (const way of ways) {
      await checkAnswers(way, sizes, (size) => toServer(way).url + toPath(way, size)());
      // a service that has seen the layer's size knows a short page from a capped one
      if (way.contender === service)
        await transfer(toServer(way).url + service.toPath({ blocks: 1 }, blockFeatures));
      tell(`small questions: warm-up, ${way.contender.name}`);
      await warmUp(way, sizes[0] ?? 1);
    }
    const measured = new Map(
      ways.map((way) => [
        way,
        new Map(sizes.map((size): [number, Figures] => [size, { perSecond: [], p99: [], cpu: [] }])),
      ]),
    );
    for (let run = 1; run <= options.runs; run++) {
      for (const size of sizes) {
        for (const way of ways) {
          tell(`${size} features: run ${run} of ${options.runs}, ${way.contender.name}`);
          await ask(way, size, WARM_AGAIN_SECONDS);
          const before = toServer(way).cpuSeconds();
          const { requests, perSecond, p99 } = await ask(way, size, SECONDS);
          const figures = measured.get(way)?.get(size) as Figures;
          figures.perSecond.push(perSecond);
          figures.p99.push(p99);
          figures.cpu.push(((toServer(way).cpuSeconds() - before) / requests) * 1000);
        }
      }
    }
    return toSection(measured, sizes, options);
  } finally {
    for (const server of [...servers.values(), upstream]) await server.stop();
  }
}

/** @throws Error where an answer has another number of features than were asked for */
async function checkAnswers(
  way: Way,
  sizes: readonly number[],
  toUrl: (size: number) => string,
): Promise<void> {
  for (const size of sizes) {
    const text = await (await fetch(toUrl(size))).text();
    const count = text.startsWith('<')
      ? (text.match(/<urba:zone_urba /g)?.length ?? 0)
      : (JSON.parse(text) as { features: unknown[] }).features.length;
    if (count !== size) throw new Error(`${way.contender.name}: ${count} features, not ${size}`);
  }
}

function toSection(measured: Measured, sizes: readonly number[], { runs }: Options): Section {
  const toTable = (caption: string, toCell: (figures: Figures) => string): Table => ({
    caption,
    columns: ['server', ...sizes.map(String)],
    rows: ways.map((way) => [
      way.title,
      ...sizes.map((size) => toCell(measured.get(way)?.get(size) as Figures)),
    ]),
  });
  const rates = toTable(
    `Requests a second, ${CONNECTIONS} connections, by the features of an answer`,
    ({ perSecond }) => toFigure(toMedian(perSecond)),
  );
  const p99 = toTable('99 of 100 answered within, in ms', (figures) => toFigure(toMedian(figures.p99)));
  const cpu = toTable("The server's processor time a request, in ms", (figures) =>
    toFigure(toMedian(figures.cpu)),
  );
  return {
    title: 'Small questions',
    notes: [
      `Medians of ${runs === 1 ? 'one run' : `${runs} runs`} of ${SECONDS} s, interleaved, each after ${WARM_AGAIN_SECONDS} s, and ${toFigure(WARM_REQUESTS)} requests at first, to warm up. Upstream, server and load share this machine's processors. The service reads and checks the question, asks the upstream with a filter, converts the answer, and logs and counts it. API Carto is rebuilt of the libraries it uses (v2.10; @mapbox/geojsonhint 3.2, since 3.3 needs a package of GitHub): it checks and logs too, asks in CQL and gets GeoJSON; what it remembers of a layer is there from the start. The others pass on what they are asked for. "Asked anew": every question is another one; "asked again": the answer is kept.`,
    ],
    tables: [rates, p99, cpu],
    demands: toDemands(measured, sizes),
    quoted: [rates],
  };
}

function toDemands(measured: Measured, sizes: readonly number[]): Demand[] {
  const toRate = (way: Way, size: number) => toMedian(measured.get(way)?.get(size)?.perSecond ?? []);
  return [...TARGETS].flatMap(([way, targets]) =>
    sizes.flatMap((size) => {
      const target = targets[size];
      if (target === undefined) return [];
      const ratio = toRate(way, size) / toRate(API_CARTO, size);
      const what = way.isRepeated ? 'asked again' : 'asked anew';
      return {
        what: `answers of ${size} features, ${what}: requests a second, of API Carto’s`,
        target: `≥ ${target} ×`,
        measured: toRatio(ratio),
        isMet: ratio >= target,
      };
    }),
  );
}
