import fc from 'fast-check';
import type { Geometry, Position } from '../../src/geometry/index.js';

// Few grid points, so that touching, overlapping and collinear cases are common rather than rare.
const GRID = 7;

export const gridPosition: fc.Arbitrary<Position> = fc.tuple(
  fc.integer({ min: 0, max: GRID }),
  fc.integer({ min: 0, max: GRID }),
);

/** Any closed run of positions: mostly no valid ring. */
export const wildRing = fc
  .array(gridPosition, { minLength: 3, maxLength: 7 })
  .map((positions) => [...positions, positions[0]!]);

/** Different positions around their middle, in either direction: mostly a valid ring. */
export const tameRing = fc
  .uniqueArray(gridPosition, { minLength: 3, maxLength: 8, selector: String })
  .map((positions) => {
    const toMiddle = (axis: 0 | 1) => positions.reduce((sum, p) => sum + p[axis], 0) / positions.length;
    const [x, y] = [toMiddle(0), toMiddle(1)];
    const toAngle = (p: Position) => Math.atan2(p[1] - y, p[0] - x);
    const around = [...positions].sort((a, b) => toAngle(a) - toAngle(b));
    return [...around, around[0]!];
  });

export const polygonRings = fc.oneof(
  fc.array(tameRing, { minLength: 1, maxLength: 3 }),
  fc.array(tameRing, { minLength: 1, maxLength: 3 }).map((holes): Position[][] => [
    [
      [-1, -1],
      [GRID + 1, -1],
      [GRID + 1, GRID + 1],
      [-1, GRID + 1],
      [-1, -1],
    ],
    ...holes,
  ]),
);

/** Different positions in a row; turf stumbles over equal ones. */
const line = fc
  .array(gridPosition, { minLength: 2, maxLength: 5 })
  .filter((positions) => positions.every((p, i) => i === 0 || String(p) !== String(positions[i - 1])));

export const geometry: fc.Arbitrary<Geometry> = fc.oneof(
  fc.record({ type: fc.constant('Point' as const), coordinates: gridPosition }),
  fc.record({
    type: fc.constant('MultiPoint' as const),
    coordinates: fc.array(gridPosition, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('LineString' as const), coordinates: line }),
  fc.record({
    type: fc.constant('MultiLineString' as const),
    coordinates: fc.array(line, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ type: fc.constant('Polygon' as const), coordinates: polygonRings }),
  fc.record({
    type: fc.constant('MultiPolygon' as const),
    coordinates: fc.array(polygonRings, { minLength: 1, maxLength: 2 }),
  }),
);

/** The geometry with each of its positions changed. */
export function mapPositions<G extends { readonly coordinates: unknown }>(
  given: G,
  change: (position: Position) => Position,
): G {
  const map = (coordinates: unknown): unknown =>
    Array.isArray(coordinates) && typeof coordinates[0] !== 'number'
      ? coordinates.map(map)
      : change(coordinates as Position);
  return { ...given, coordinates: map(given.coordinates) };
}
