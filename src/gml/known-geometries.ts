import { Lane, toUtf8 } from './bytes.js';

const SLOTS = 1 << 12;
/** Before each entry: type, two lengths, and the entry before it with the same hash. */
const HEAD = 13;

/** One half of what is kept: entries one behind the other, and a hash table of where they begin. */
class Generation {
  readonly lane = new Lane(0);
  readonly slots = new Int32Array(SLOTS);

  clear(): void {
    if (this.lane.length === 0) return;
    this.lane.length = 0;
    this.slots.fill(0);
  }
}

/** A geometry that was kept: its kind, and its coordinates as they are written. */
export interface KnownGeometry {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/**
 * Geometries by gml:id, for an xlink:href to one **before** it in the answer: the latest that fit a byte budget. Two
 * generations take turns, so that forgetting costs nothing.
 */
export class KnownGeometries {
  private current = new Generation();
  private previous = new Generation();

  constructor(private readonly budget: number) {}

  clear(): void {
    this.current.clear();
    this.previous.clear();
  }

  get room(): number {
    return this.current.lane.bytes.length + this.previous.lane.bytes.length;
  }

  keep(
    id: Uint8Array,
    idFrom: number,
    idTo: number,
    type: number,
    lane: Lane,
    from: number,
    to: number,
  ): void {
    const size = HEAD + (idTo - idFrom) + (to - from);
    if (size > this.budget / 2) return;
    if (this.current.lane.length + size > this.budget / 2) {
      [this.current, this.previous] = [this.previous, this.current];
      this.current.clear();
    }
    const target = this.current.lane;
    const slot = hash(id, idFrom, idTo);
    const before = this.current.slots[slot] as number;
    this.current.slots[slot] = target.length + 1;
    target.putByte(type);
    putLength(target, idTo - idFrom);
    putLength(target, to - from);
    putLength(target, before);
    target.put(id, idFrom, idTo);
    target.put(lane.bytes, from, to);
  }

  /** The type and the bytes of the coordinates of the geometry with this id. */
  find(id: string): KnownGeometry | undefined {
    const wanted = toUtf8(id);
    const slot = hash(wanted, 0, wanted.length);
    for (const { lane, slots } of [this.current, this.previous]) {
      for (let next = slots[slot] as number; next > 0; next = readLength(lane, next + 8)) {
        const at = next - 1;
        const from = at + HEAD + readLength(lane, at + 1);
        if (from - at - HEAD !== wanted.length) continue;
        if (!wanted.every((byte, i) => lane.bytes[at + HEAD + i] === byte)) continue;
        return {
          type: lane.bytes[at] as number,
          bytes: lane.bytes,
          from,
          to: from + readLength(lane, at + 5),
        };
      }
    }
    return undefined;
  }
}

function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = 0x811c9dc5;
  for (let at = from; at < to; at++) value = Math.imul(value ^ (bytes[at] as number), 0x01000193);
  return (value ^ (value >>> 15)) & (SLOTS - 1);
}

function putLength(lane: Lane, length: number): void {
  for (let shift = 0; shift < 32; shift += 8) lane.putByte((length >>> shift) & 0xff);
}

function readLength(lane: Lane, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = lane.bytes.subarray(at, at + 4);
  return a + b * 0x100 + c * 0x10000 + d * 0x1000000;
}
