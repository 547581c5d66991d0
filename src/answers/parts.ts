import { ServiceError, toMessage } from '../errors.js';
import type { FeatureBatch } from '../query/index.js';

/** How much is stored in one piece: as little as it costs to fetch, and as much as it costs to hold. */
const PART_BYTES = 256 * 1024;
const WORD_BYTES = 4;

/** The bytes of whole features with a `,` between two, and where each ends, in one piece (little-endian). */
export function encodePart(batches: readonly FeatureBatch[]): Uint8Array {
  const filled = batches.filter(({ ends }) => ends.length > 0);
  const count = filled.reduce((sum, { ends }) => sum + ends.length, 0);
  const head = WORD_BYTES * (1 + count);
  const size = filled.reduce((sum, { bytes }) => sum + bytes.length, head + Math.max(0, filled.length - 1));
  const part = Buffer.allocUnsafe(size);
  part.writeUInt32LE(count, 0);
  let word = WORD_BYTES;
  let at = head;
  for (const { bytes, ends } of filled) {
    if (at > head) part[at++] = 0x2c;
    for (const end of ends) {
      part.writeUInt32LE(at - head + end, word);
      word += WORD_BYTES;
    }
    part.set(bytes, at);
    at += bytes.length;
  }
  return part;
}

/** @throws where it is not what `encodePart` gave */
export function readPart(part: Uint8Array): FeatureBatch {
  const view = new DataView(part.buffer, part.byteOffset, part.length);
  const count = part.length >= WORD_BYTES ? view.getUint32(0, true) : Number.NaN;
  const head = WORD_BYTES * (1 + count);
  if (!(head <= part.length)) throw damaged();
  const ends = Array.from({ length: count }, (_, i) => view.getUint32(WORD_BYTES * (1 + i), true));
  if ((ends.at(-1) ?? 0) !== part.length - head) throw damaged();
  return { bytes: part.subarray(head), ends };
}

const damaged = () => new ServiceError('unavailable', toMessage('answers.partMissing'));

/** Gathers batches into pieces of a size that is good to store. */
export function createGatherer(): {
  /** A piece, once there is enough for one. */
  add(batch: FeatureBatch): Uint8Array | undefined;
  /** What is left. */
  rest(): Uint8Array | undefined;
} {
  let batches: FeatureBatch[] = [];
  let bytes = 0;
  const take = () => {
    const part = bytes > 0 ? encodePart(batches) : undefined;
    batches = [];
    bytes = 0;
    return part;
  };
  return {
    add(batch) {
      batches.push(batch);
      bytes += batch.bytes.length;
      return bytes >= PART_BYTES ? take() : undefined;
    },
    rest: take,
  };
}
