import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';

/** The beginning of a gzip file (RFC 1952): whatever follows can be put behind it. */
export interface Packed {
  readonly bytes: Buffer;
  /** Of what is in it. */
  readonly crc: number;
  readonly length: number;
}

const deflate = promisify(deflateRaw) as (
  bytes: Uint8Array,
  options: { level: number; finishFlush: number },
) => Promise<Buffer>;

/** RFC 1952 §2.3: deflate, no name, no time, quickest, Unix. */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3);
/** RFC 1951 §3.2.4. */
const MAX_STORED = 65_535;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** RFC 1952 §8, going on from what came before. Node has its own only since 20.15. */
function toCrc(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i += 1) {
    crc = (table[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Compresses what many answers begin with, once; it ends at a byte, and nothing behind it refers back into it. */
export async function pack(pieces: readonly Uint8Array[]): Promise<Packed> {
  const plain = Buffer.concat(pieces);
  const blocks = await deflate(plain, { level: 1, finishFlush: constants.Z_FULL_FLUSH });
  return { bytes: Buffer.concat([header, blocks]), crc: toCrc(plain), length: plain.length };
}

/** A gzip file of what was packed and an ending of its own, which is short and not worth compressing. */
export function unite({ bytes, crc, length }: Packed, ending: Uint8Array): Buffer[] {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(toCrc(ending, crc), 0);
  trailer.writeUInt32LE((length + ending.length) % 2 ** 32, 4);
  const blocks: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < ending.length; at += MAX_STORED) {
    const stored = ending.subarray(at, at + MAX_STORED);
    const head = Buffer.alloc(5);
    head.writeUInt8(at + MAX_STORED >= ending.length ? 1 : 0, 0); // the last block; stored
    head.writeUInt16LE(stored.length, 1);
    head.writeUInt16LE(~stored.length & 0xffff, 3);
    blocks.push(head, stored);
  }
  return [bytes, Buffer.concat([...blocks, trailer])];
}
