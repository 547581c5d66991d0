import { toMedian } from '../measure/median.js';
import type { ServerProcess } from '../measure/process.js';
import type { Options } from '../options.js';
import { toFigure, toMegabytes, toRatio } from '../report/figures.js';
import type { Demand, Section, Table } from '../report/section.js';
import { BLOCK_BYTES } from './questions.js';
import { type Contender, contenders, readBlockFeatures, service, startUpstream } from './servers.js';
import { type Transfer, transfer } from './transfer.js';

const WARM_UP = 3;
/** Answers take a fraction of a second each: more of them than there are runs. */
const TRANSFERS_A_RUN = 5;
const MOST_RATIO = 3;
const MOST_LATER_MS = 5;
const MOST_DELAY_MS = 20;

interface Measured {
  readonly contender: Contender;
  readonly transfers: Transfer[];
  peakMemory: number;
  /** How long the service's event loop was held up at most while it answered, in seconds; NaN: not told. */
  loopDelay: number;
}

/** A large answer through the whole service, beside a pipe of the same upstream. */
export async function runTransfers(options: Options, tell: (progress: string) => void): Promise<Section> {
  const blocks = Math.max(1, Math.round((options.megabytes * 1e6) / BLOCK_BYTES));
  const upstream = await startUpstream();
  const servers = new Map<Contender, ServerProcess>();
  try {
    const blockFeatures = await readBlockFeatures(upstream.url);
    for (const contender of contenders) servers.set(contender, await contender.start(upstream.url));
    const all = contenders.map(
      (contender): Measured => ({ contender, transfers: [], peakMemory: 0, loopDelay: 0 }),
    );
    for (let i = -WARM_UP; i < options.runs * TRANSFERS_A_RUN; i++) {
      for (const measured of all) {
        const { contender, transfers } = measured;
        if (isSlow(contender) && i >= options.runs) continue;
        tell(`${blocks * 10} MB: ${i < 0 ? 'warm-up' : i + 1}, ${contender.name}`);
        const server = servers.get(contender) as ServerProcess;
        if (contender === service) await readLoopDelay(server); // from here on
        const done = await transfer(server.url + contender.toPath({ blocks }, blockFeatures));
        check(contender, done, blocks, blockFeatures);
        if (i < 0) continue;
        transfers.push(done);
        if (contender === service)
          measured.loopDelay = Math.max(measured.loopDelay, await readLoopDelay(server));
      }
    }
    for (const measured of all)
      measured.peakMemory = servers.get(measured.contender)?.memory().peak ?? Number.NaN;
    return toSection(all, blocks, options);
  } finally {
    for (const server of [...servers.values(), upstream]) await server.stop();
  }
}

/** So often Node looks at the loop: what it measures is from one look to the next. */
const LOOK_SECONDS = 0.01;

/** The longest since it was last read, as the service's metrics tell it, less what is no delay. */
async function readLoopDelay({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1] ?? Number.NaN) - LOOK_SECONDS;
}

const isSlow = ({ name }: Contender) => name === 'parse-and-send';

/** @throws Error where an answer is not all there */
function check({ name }: Contender, { bytes, end }: Transfer, blocks: number, blockFeatures: number): void {
  const count = blocks * blockFeatures;
  const isWhole =
    name === 'service'
      ? end.includes(`"numberReturned":${count},`)
      : name === 'parse-and-send'
        ? end.endsWith(']}') && bytes > blocks * BLOCK_BYTES * 0.5
        : end.endsWith('</wfs:FeatureCollection>') && bytes > blocks * BLOCK_BYTES;
  if (!isWhole) throw new Error(`${name}: not the answer asked for: ${end}`);
}

const toSeconds = ({ transfers }: Measured) => toMedian(transfers.map(({ seconds }) => seconds));
const toFirstByte = ({ transfers }: Measured) =>
  toMedian(transfers.map(({ firstByteSeconds }) => firstByteSeconds));

function toSection(all: readonly Measured[], blocks: number, { runs }: Options): Section {
  const [pipe, ours] = all as [Measured, Measured, ...Measured[]];
  const table: Table = {
    caption: `${blocks * 10} MB of GML through HTTP`,
    columns: ['server', 'wall, ms', 'of the pipe', 'first byte, ms', 'MB sent', 'peak MB'],
    rows: all.map((measured) => [
      measured.contender.title,
      toFigure(toSeconds(measured) * 1000),
      measured === pipe ? '' : toRatio(toSeconds(measured) / toSeconds(pipe)),
      toFigure(toFirstByte(measured) * 1000),
      toMegabytes(measured.transfers[0]?.bytes ?? Number.NaN),
      toMegabytes(measured.peakMemory),
    ]),
  };
  return {
    title: 'A large answer through the whole service',
    notes: [
      `Medians of ${runs * TRANSFERS_A_RUN} answers of each, interleaved and after ${WARM_UP} to warm up (${runs} of the way that parses). The upstream, in a process of its own, sends ${blocks === 1 ? '10 MB' : `the same 10 MB ${blocks} times, in one collection`}, from memory; it, the server and the client share this machine's processors. The service runs as it ships, but logs only warnings.`,
    ],
    tables: [table],
    demands: toDemands(pipe, ours, blocks),
    quoted: [table],
  };
}

function toDemands(pipe: Measured, ours: Measured, blocks: number): Demand[] {
  const ratio = toSeconds(ours) / toSeconds(pipe);
  const later = (toFirstByte(ours) - toFirstByte(pipe)) * 1000;
  return [
    {
      what: `${blocks * 10} MB through HTTP: wall time, of a plain Node pipe's`,
      target: `≤ ${MOST_RATIO} ×`,
      measured: toRatio(ratio),
      isMet: ratio <= MOST_RATIO,
    },
    {
      what: `${blocks * 10} MB through HTTP: first byte, after the pipe's, warm`,
      target: `≤ ${MOST_LATER_MS} ms`,
      measured: `${toFigure(later)} ms`,
      isMet: later <= MOST_LATER_MS,
    },
    {
      what: `${blocks * 10} MB through HTTP: longest delay of the service's event loop`,
      target: `≤ ${MOST_DELAY_MS} ms`,
      measured: `${toFigure(ours.loopDelay * 1000)} ms`,
      isMet: ours.loopDelay * 1000 <= MOST_DELAY_MS,
    },
  ];
}
