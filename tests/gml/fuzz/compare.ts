import { createGmlConverter, type GmlConverter, type GmlEngine, GmlError } from '../../../src/gml/index.js';
import { doubt } from './curves.js';
import { type Document, toDocument } from './documents.js';
import { mutate } from './mutate.js';
import { type Answer, readSlowly } from './oracle.js';
import { Random } from './random.js';
import { Refused } from './tree.js';

/** What came of one document. */
export type Outcome = 'equal' | 'refused' | 'undecided';

/** The document of this seed, and how it is cut. */
export function toCase(seed: number): { bytes: Uint8Array; options: Document['options']; lengths: number[] } {
  const random = new Random(seed);
  const { xml, options } = toDocument(random);
  const bytes = mutate(xml, random);
  const size = random.pick([1, 7, 100, 100, 1000, 1000, 1 << 20, 1 << 20, 1 << 20, 1 << 20]);
  return { bytes, options, lengths: Array.from({ length: 7 }, () => 1 + random.below(size)) };
}

const ENGINES: readonly GmlEngine[] = ['simd', 'typescript'];

/** Reads the document of this seed slowly, and by each loop. @throws Error where they differ */
export function compare(seed: number): Outcome {
  const { bytes, options, lengths } = toCase(seed);
  doubt.isRaised = false;
  const slow = run(() => readSlowly(bytes, options));
  const [first, second] = ENGINES.map((engine) => {
    try {
      return toOutcome(
        run(() => readTwice(createGmlConverter({ ...options, engine }), bytes, lengths)),
        slow,
      );
    } catch (error) {
      throw new Error(`${engine}: ${(error as Error).message}`, { cause: error });
    }
  });
  return second === 'undecided' ? second : (first as Outcome);
}

/** @throws Error where a converter that has read the document reads it otherwise, cut elsewhere */
function readTwice(converter: GmlConverter, bytes: Uint8Array, lengths: number[]): Answer {
  const first = convert(converter, bytes, lengths);
  if (!converter.reuse()) return first;
  const again = convert(converter, bytes, lengths.toReversed());
  const [difference] = differences(toTexts(again), toTexts(first));
  if (difference !== undefined) throw new Error(`read again by the same converter: ${difference}`);
  return first;
}

function toOutcome(fast: Answer | undefined, slow: Answer | undefined): Outcome {
  if (slow === undefined && fast === undefined) return 'refused';
  if (slow === undefined) throw new Error('read, where saxes or the slow reader refuses it');
  if (fast === undefined) throw new Error('refused, where saxes and the slow reader read it');
  const [difference] = differences(toTexts(fast), toTexts(slow));
  if (difference === undefined) return 'equal';
  if (doubt.isRaised) return 'undecided';
  throw new Error(difference);
}

function toTexts({ features, warnings, declaredCount }: Answer): string[] {
  return [...features, JSON.stringify([warnings, declaredCount ?? null])];
}

function run<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GmlError || error instanceof Refused)) throw error;
    return undefined;
  }
}

function convert(converter: GmlConverter, bytes: Uint8Array, lengths: number[]): Answer {
  const features: string[] = [];
  const take = ({ bytes, ends }: { bytes: Uint8Array; ends: readonly number[] }): void => {
    if (ends.length === 0) return;
    const text = Buffer.from(bytes);
    ends.forEach((end, i) => {
      const feature = text.toString('utf8', i === 0 ? 0 : (ends[i - 1] as number) + 1, end);
      // Whatever comes of the document in the end, what has been handed on is JSON.
      JSON.parse(feature);
      features.push(feature);
    });
  };
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const to = at + (lengths[i % lengths.length] as number);
    take(converter.push(bytes.subarray(at, to)));
    at = to;
  }
  take(converter.end());
  const warnings = Object.values(converter.warnings).reduce((sum, count) => sum + count, 0);
  return { features, warnings, declaredCount: converter.declaredCount };
}

function differences(fast: string[], slow: string[]): string[] {
  if (fast.length !== slow.length) return [`${fast.length} features, and ${slow.length} by the slow reader`];
  return fast.flatMap((one, i) => {
    const other = slow[i] as string;
    return one === other || isNear(JSON.parse(one), JSON.parse(other))
      ? []
      : [`got      ${one}\nexpected ${other}`];
  });
}

/** Arcs are drawn by other steps: equal but for the last digits, in the geometry. */
function isNear(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (keys.join('\0') !== others.join('\0')) return false;
  return keys.every((key) =>
    isNear((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
