import type { GeoJsonGeometry, Position } from './model.js';

type Point = readonly [x: number, y: number];

/** Sums of weighted points; of more dimensions only what has most counts, as in OGC 06-103r4 §6.1.10 and .13 and GEOS. */
interface Sums {
  dimension: number;
  weight: number;
  x: number;
  y: number;
}

function add(sums: Sums, dimension: number, weight: number, [x, y]: Point): void {
  if (weight === 0 || dimension < sums.dimension) return;
  if (dimension > sums.dimension) Object.assign(sums, { dimension, weight: 0, x: 0, y: 0 });
  sums.weight += weight;
  sums.x += weight * x;
  sums.y += weight * y;
}

type Move = (position: Position) => Point;

function addLine(sums: Sums, line: readonly Position[], move: Move): void {
  const points = line.map(move);
  for (const [i, [x, y]] of points.entries()) {
    const [nextX, nextY] = points[i + 1] ?? [x, y];
    add(sums, 1, Math.hypot(nextX - x, nextY - y), [(x + nextX) / 2, (y + nextY) / 2]);
    add(sums, 0, 1, [x, y]);
  }
}

/** Triangles from the origin to each edge: a hole turns the other way and takes away. */
function addPolygon(sums: Sums, rings: readonly (readonly Position[])[], move: Move): void {
  let [area, x, y] = [0, 0, 0];
  for (const [r, ring] of rings.entries()) {
    const points = ring.map(move);
    const triangles = points.slice(1).map(([bx, by], i) => {
      const [ax, ay] = points[i] as Point;
      const cross = ax * by - bx * ay;
      return [cross, ((ax + bx) / 3) * cross, ((ay + by) / 3) * cross] as const;
    });
    const signed = triangles.reduce((sum, [cross]) => sum + cross, 0);
    const turn = Math.sign(signed) * (r === 0 ? 1 : -1);
    area += turn * signed;
    x += turn * triangles.reduce((sum, [, part]) => sum + part, 0);
    y += turn * triangles.reduce((sum, [, , part]) => sum + part, 0);
  }
  if (area > 0) add(sums, 2, area, [x / area, y / area]);
  else for (const ring of rings) addLine(sums, ring, move);
}

function addGeometry(sums: Sums, geometry: GeoJsonGeometry, move: Move): void {
  switch (geometry.type) {
    case 'Point':
      if (geometry.coordinates.length >= 2) add(sums, 0, 1, move(geometry.coordinates));
      break;
    case 'MultiPoint':
      for (const position of geometry.coordinates) add(sums, 0, 1, move(position));
      break;
    case 'LineString':
      addLine(sums, geometry.coordinates, move);
      break;
    case 'MultiLineString':
      for (const line of geometry.coordinates) addLine(sums, line, move);
      break;
    case 'Polygon':
      addPolygon(sums, geometry.coordinates, move);
      break;
    case 'MultiPolygon':
      for (const rings of geometry.coordinates) addPolygon(sums, rings, move);
      break;
    default:
      for (const part of geometry.geometries) addGeometry(sums, part, move);
  }
}

/** Each part of its own, as what is cut at the antimeridian has them (RFC 7946 §3.1.9). */
function toParts(geometry: GeoJsonGeometry): Position[][] {
  switch (geometry.type) {
    case 'Point':
      return geometry.coordinates.length >= 2 ? [[geometry.coordinates]] : [];
    case 'MultiPoint':
      return geometry.coordinates.map((position) => [position]);
    case 'LineString':
      return [[...geometry.coordinates]];
    case 'MultiLineString':
      return geometry.coordinates.map((line) => [...line]);
    case 'Polygon':
      return [geometry.coordinates.flat()];
    case 'MultiPolygon':
      return geometry.coordinates.map((rings) => rings.flat());
    default:
      return geometry.geometries.flatMap(toParts);
  }
}

/**
 * Of what touches the antimeridian from both sides, parts that lie in the west go on in the east.
 * @returns a position's place, relative to the first one, so that small shapes far from 0, 0 keep their digits
 */
function toMove(geometry: GeoJsonGeometry): { move: Move; origin: Point } | undefined {
  const parts = toParts(geometry).filter((part) => part.length > 0);
  const first = parts[0]?.[0];
  if (first === undefined) return undefined;
  const spans = parts.map((part) => [
    part.reduce((least, [x]) => Math.min(least, x), 180),
    part.reduce((most, [x]) => Math.max(most, x), -180),
  ]);
  const isCut = spans.some(([west]) => west === -180) && spans.some(([, east]) => east === 180);
  const isWhole = spans.some(([west = 0, east = 0]) => west < 0 && east > 0);
  const shift = (x: number) => (isCut && !isWhole && x < 0 ? x + 360 : x);
  const origin: Point = [shift(first[0]), first[1]];
  return { move: ([x, y]) => [shift(x) - origin[0], y - origin[1]], origin };
}

/**
 * The centroid in longitude and latitude, planar, of the parts with most dimensions; it may lie outside of the geometry.
 * Undefined: the geometry is empty.
 */
export function toCentroid(geometry: GeoJsonGeometry): [lon: number, lat: number] | undefined {
  const placed = toMove(geometry);
  if (placed === undefined) return undefined;
  const sums: Sums = { dimension: -1, weight: 0, x: 0, y: 0 };
  addGeometry(sums, geometry, placed.move);
  const lon = placed.origin[0] + sums.x / sums.weight;
  return [lon > 180 ? lon - 360 : lon, placed.origin[1] + sums.y / sums.weight];
}
