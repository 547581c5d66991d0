import type { Options } from '../options.js';
import { toMegabytes } from '../report/figures.js';
import type { Demand, Section, Table } from '../report/section.js';
import { type Contender, pipe, readBlockFeatures, service, startUpstream } from './servers.js';
import { transfer } from './transfer.js';

const SIZES = [1, 10, 100]; // blocks of 10 MB
const MOST_MORE = 16e6;

interface Measured {
  readonly contender: Contender;
  readonly idle: number;
  /** Largest so far, after each of the sizes. */
  readonly peaks: readonly number[];
}

/** Whether resident memory knows how large an answer is: from 10 MB to 1 GB, in one process each. */
export async function runMemory(_: Options, tell: (progress: string) => void): Promise<Section> {
  const upstream = await startUpstream();
  try {
    const blockFeatures = await readBlockFeatures(upstream.url);
    const measured: Measured[] = [];
    for (const contender of [pipe, service])
      measured.push(await watch(contender, upstream.url, blockFeatures, tell));
    return toSection(measured as [Measured, Measured]);
  } finally {
    await upstream.stop();
  }
}

async function watch(
  contender: Contender,
  upstream: string,
  blockFeatures: number,
  tell: (progress: string) => void,
): Promise<Measured> {
  const server = await contender.start(upstream);
  try {
    await transfer(server.url + contender.toPath({ features: 1, variant: 0 }, blockFeatures));
    const idle = server.memory().now;
    const peaks: number[] = [];
    for (const blocks of SIZES) {
      for (let time = 1; time <= 3; time++) {
        tell(`memory: ${blocks * 10} MB, ${contender.name}`);
        await transfer(server.url + contender.toPath({ blocks }, blockFeatures));
      }
      peaks.push(server.memory().peak);
    }
    return { contender, idle, peaks };
  } finally {
    await server.stop();
  }
}

const toGrowth = ({ peaks }: Measured) => (peaks.at(-1) as number) - (peaks[0] as number);

function toSection([ofPipe, ofService]: [Measured, Measured]): Section {
  const table: Table = {
    caption: 'Resident memory, MB',
    columns: ['server', 'idle', ...SIZES.map((blocks) => `peak, ${blocks * 10} MB`), 'growth from the first'],
    rows: [ofPipe, ofService].map((measured) => [
      measured.contender.title,
      toMegabytes(measured.idle),
      ...measured.peaks.map(toMegabytes),
      toMegabytes(toGrowth(measured)),
    ]),
  };
  const more = toGrowth(ofService) - toGrowth(ofPipe);
  const demand: Demand = {
    what: 'resident memory: growth from 10 MB to 1 GB, beyond the pipe’s',
    target: `≤ ${toMegabytes(MOST_MORE)} MB`,
    measured: `${toMegabytes(more)} MB`,
    isMet: more <= MOST_MORE,
  };
  return {
    title: 'Memory, by the size of the answer',
    notes: [
      'The largest resident memory of one process (VmHWM), after three answers of each size, one after the other; idle: after one answer of one feature.',
    ],
    tables: [table],
    demands: [demand],
    quoted: [],
  };
}
