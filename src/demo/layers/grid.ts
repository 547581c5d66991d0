import type { Position } from '../../geometry/index.js';
import { toDegrees, toHash } from './random.js';

// The parcels and communes around Chartres stand on one jittered grid, so that their borders coincide exactly.
const WEST = 1.45;
const SOUTH = 48.431;
const CELL_WIDTH = 0.0005; // about 37 m
const CELL_HEIGHT = 0.0003; // about 33 m

export const COLUMNS = 160;
export const ROWS = 125;

/** A place given in cells, moved at random by up to a quarter of a cell; the same for whoever asks for the same place. */
function toCorner(column: number, row: number): Position {
  const shift = (axis: number) => (toHash(axis, Math.round(column * 4), Math.round(row * 4)) - 0.5) * 0.5;
  return [
    toDegrees(WEST + (column + shift(1)) * CELL_WIDTH),
    toDegrees(SOUTH + (row + shift(2)) * CELL_HEIGHT),
  ];
}

/** The position between two corners of a cell's side; some sides are straight. */
function toMiddle(column: number, row: number, isHorizontal: boolean): Position[] {
  const kink = toHash(isHorizontal ? 3 : 4, column, row);
  if (kink < 0.4) return [];
  const [a, b] = isHorizontal
    ? [toCorner(column, row), toCorner(column + 1, row)]
    : [toCorner(column, row), toCorner(column, row + 1)];
  const across = (kink - 0.7) * 0.2;
  return [
    isHorizontal
      ? [toDegrees((a[0] + b[0]) / 2), toDegrees((a[1] + b[1]) / 2 + across * CELL_HEIGHT)]
      : [toDegrees((a[0] + b[0]) / 2 + across * CELL_WIDTH), toDegrees((a[1] + b[1]) / 2)],
  ];
}

/** The exterior, anticlockwise and closed, of the cells `west` to `east`, `south` to `north` (the latter two excluded). */
export function toExterior(west: number, south: number, east: number, north: number): Position[] {
  const ring: Position[] = [];
  for (let c = west; c < east; c++) ring.push(toCorner(c, south), ...toMiddle(c, south, true));
  for (let r = south; r < north; r++) ring.push(toCorner(east, r), ...toMiddle(east, r, false));
  for (let c = east; c > west; c--) ring.push(toCorner(c, north), ...toMiddle(c - 1, north, true));
  for (let r = north; r > south; r--) ring.push(toCorner(west, r), ...toMiddle(west, r - 1, false));
  return [...ring, toCorner(west, south)];
}

/** A small closed square in the middle of a cell, anticlockwise: an enclave. */
export function toEnclave(column: number, row: number): Position[] {
  const [x, y] = [WEST + (column + 0.5) * CELL_WIDTH, SOUTH + (row + 0.5) * CELL_HEIGHT];
  const [dx, dy] = [CELL_WIDTH / 10, CELL_HEIGHT / 10];
  const at = (h: number, v: number): Position => [toDegrees(x + h * dx), toDegrees(y + v * dy)];
  return [at(-1, -1), at(1, -1), at(1, 1), at(-1, 1), at(-1, -1)];
}

/** Longitude and latitude of a place given in cells. */
export const toPlace = (column: number, row: number): Position => [
  toDegrees(WEST + column * CELL_WIDTH),
  toDegrees(SOUTH + row * CELL_HEIGHT),
];

/** Rough area in m², good enough for an attribute that looks like a contenance. */
export function toSquareMetres(ring: readonly Position[]): number {
  let twice = 0;
  for (let i = 1; i < ring.length; i++) {
    const [a, b] = [ring[i - 1], ring[i]];
    if (a !== undefined && b !== undefined) twice += a[0] * b[1] - b[0] * a[1];
  }
  return Math.round((Math.abs(twice) / 2) * 111_320 * 111_320 * Math.cos((48.45 * Math.PI) / 180));
}
