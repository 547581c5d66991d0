import { parseArgs } from 'node:util';
import type { Engine } from './convert/engine.js';

const USAGE = `usage: npm run bench -- [--only gml,crs,http,memory,small,workers] [--size MB] [--runs N] [--quick]
                        [--engines simd,typescript] [--note TEXT] [--quote]

Measures the converter and the service beside their peers on this machine, prints tables, and writes bench/results.md
and the figures in README.md: a quarter of an hour where nothing else runs. A run with --only, --size or --quick goes
to .cache/bench/results.md instead, unless it has --quote.

  --only    parts: gml (converters), crs (answers that are reprojected), http (100 MB through the service), memory (from 10 MB to 1 GB), small (requests a second), workers (what a second process costs)
  --size    megabytes of GML of each kind (100)
  --runs    runs of each, interleaved (3)
  --quick   10 MB, one run, fewer kinds: under two minutes
  --engines the converter's loops (both)
  --note    a sentence about the machine, for the head of the results
  --quote   write what README.md quotes, whatever was measured
`;

const PARTS = ['gml', 'crs', 'http', 'memory', 'small', 'workers'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  readonly parts: readonly Part[];
  readonly megabytes: number;
  readonly runs: number;
  readonly isQuick: boolean;
  readonly engines: readonly Engine[];
  readonly note: string | undefined;
  /** Everything at full size, or as if it were. */
  readonly isQuoted: boolean;
}

/** The converter's loops; the first is the one the others are compared with. */
const ENGINES: readonly Engine[] = ['simd', 'typescript'];

/** @returns a text to print instead, where no run is wanted */
export function readOptions(args: string[]): Options | string {
  try {
    return toOptions(args);
  } catch (error) {
    return `${(error as Error).message}\n${USAGE}`;
  }
}

function toOptions(args: string[]): Options | string {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      size: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      engines: { type: 'string' },
      note: { type: 'string' },
      quote: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  const parts = values.only === undefined ? PARTS : values.only.split(',').map(toPart);
  const isQuick = values.quick;
  return {
    parts: isQuick && values.only === undefined ? parts.filter((part) => part !== 'memory') : parts,
    megabytes: toCount('size', values.size, isQuick ? 10 : 100),
    runs: toCount('runs', values.runs, isQuick ? 1 : 3),
    isQuick,
    engines: values.engines?.split(',').map(toEngine) ?? ENGINES,
    note: values.note,
    isQuoted: values.quote || (values.only === undefined && values.size === undefined && !isQuick),
  };
}

function toPart(name: string): Part {
  const part = PARTS.find((one) => one === name);
  if (part === undefined) throw new Error(`--only takes ${PARTS.join(', ')}, not ${name}`);
  return part;
}

function toCount(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`--${option} must be an integer from 1 to 9999`);
  return Number(text);
}

function toEngine(name: string): Engine {
  const engine = ENGINES.find((one) => one === name);
  if (engine === undefined) throw new Error(`--engines takes ${ENGINES.join(', ')}, not ${name}`);
  return engine;
}
