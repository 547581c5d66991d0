import { fromUtf8, type Lane } from './bytes.js';
import type { Point } from './curves.js';
import { readNumber } from './numbers.js';

// Runs of positions as they stand on a lane: `[x,y],[x,y,z]`. What is rare (a ring the wrong way round, an arc, a
// joint of two segments) is done on the written text, so that the usual case keeps no list.

const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Where the last position of the run that ends at `to` begins. */
export function findLast(lane: Lane, to: number): number {
  const { bytes } = lane;
  let at = to - 1;
  while (bytes[at] !== OPEN) at--;
  return at;
}

/** The end of the position that begins at `from`. */
export function findEnd(lane: Lane, from: number): number {
  return lane.bytes.indexOf(CLOSE, from) + 1;
}

/** The numbers of the position that begins at `from`. */
export function readPosition(lane: Lane, from: number): Point {
  const point: number[] = [];
  let start = from + 1;
  for (let at = start; ; at++) {
    const byte = lane.bytes[at];
    if (byte !== COMMA && byte !== CLOSE) continue;
    point.push(readNumber(lane.bytes, start, at));
    if (byte === CLOSE) return point;
    start = at + 1;
  }
}

export function readPositions(lane: Lane, from: number, to: number): Point[] {
  const points: Point[] = [];
  for (let at = lane.bytes.indexOf(OPEN, from); at >= 0 && at < to; at = lane.bytes.indexOf(OPEN, at + 1)) {
    points.push(readPosition(lane, at));
  }
  return points;
}

/** Whether two positions are the same place: the same digits, or the same values. */
export function isSamePosition(lane: Lane, first: number, second: number): boolean {
  const [a, b] = [lane.bytes, lane.bytes];
  for (let i = 0; a[first + i] === b[second + i]; i++) if (a[first + i] === CLOSE) return true;
  const [p, q] = [toTexts(lane, first), toTexts(lane, second)];
  return p.length === q.length && p.every((text, i) => Number(text) === Number(q[i]));
}

/** Turns a run of positions round, in place. */
export function reversePositions(lane: Lane, from: number, to: number, spare: Lane): void {
  const size = to - from;
  // Eight bytes at a time, as what they are not, a double; what is written beyond an end is written over.
  lane.reserve(8);
  spare.length = 0;
  spare.reserve(size + 8);
  const { bytes, view } = lane;
  const target = spare.view;
  let out = 0;
  for (let end = to; end > from; ) {
    let start = end - 4;
    while (bytes[start] !== OPEN) start--;
    for (let at = start, i = out; at < end; at += 8, i += 8)
      target.setFloat64(i, view.getFloat64(at, true), true);
    out += end - start;
    target.setUint8(out++, COMMA);
    end = start - 1;
  }
  lane.bytes.set(spare.bytes.subarray(0, size), from);
}

/**
 * A ring whose positions begin at `from` is closed, where it is not, and turned the right way round (RFC 7946 §3.1.6):
 * only one the wrong way round costs more than its scan.
 */
export function finishRing(
  lane: Lane,
  from: number,
  run: { count: number },
  area: number,
  isInterior: boolean,
  spare: Lane,
): void {
  closeRing(lane, from, run);
  if (isInterior ? area > 0 : area < 0) reversePositions(lane, from, lane.length, spare);
}

function closeRing(lane: Lane, from: number, run: { count: number }): void {
  if (isSamePosition(lane, from, findLast(lane, lane.length))) return;
  lane.putByte(COMMA);
  lane.repeat(from, findEnd(lane, from));
  run.count++;
}

/** Twice the signed area; positive is counterclockwise. */
export function areaOf(points: readonly Point[]): number {
  const [x0 = 0, y0 = 0] = points[0] ?? [];
  let area = 0;
  for (let i = 2; i < points.length; i++) {
    const [a, b] = [points[i - 1] as Point, points[i] as Point];
    area += ((a[0] ?? 0) - x0) * ((b[1] ?? 0) - y0) - ((b[0] ?? 0) - x0) * ((a[1] ?? 0) - y0);
  }
  return area;
}

/** The numbers of a position as written. */
export function toTexts(lane: Lane, from: number): string[] {
  return fromUtf8(lane.bytes, from + 1, findEnd(lane, from) - 1).split(',');
}

/** How many parts the list of a collection has. */
export function countParts({ bytes, from, to }: { bytes: Uint8Array; from: number; to: number }): number {
  let depth = 0;
  let count = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte === OPEN || byte === BRACE) depth++;
    else if (byte === CLOSE || byte === CLOSING_BRACE) depth--;
    else if (byte === COMMA && depth === 1) count++;
  }
  return count + 1;
}
