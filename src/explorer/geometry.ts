import type { Geom, Geometry, Position } from '../client/index.js';

/** A rectangle whose edges are meridians and parallels; west, south, east, north in degrees. */
export function toRectangle([west, south, east, north]: readonly [number, number, number, number]): Geometry {
  const ring: Position[] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return { type: 'Polygon', coordinates: [ring] };
}

const types = [
  'Point',
  'MultiPoint',
  'LineString',
  'MultiLineString',
  'Polygon',
  'MultiPolygon',
  'GeometryCollection',
  'Feature',
  'FeatureCollection',
];

function readJson(text: string): Geom | undefined {
  try {
    const value = JSON.parse(text) as { readonly type?: unknown } | null;
    return types.includes(String(value?.type)) ? (value as Geom) : undefined;
  } catch {
    return undefined;
  }
}

const number = /[+-]?\d+(?:\.\d+)?/g;

/** Two numbers are a point, four a rectangle, more of them a line, or a polygon where the last pair is the first. */
function readCoordinates(text: string): Geom | undefined {
  if (/[^\d\s.,;+-]/.test(text)) return undefined;
  const numbers = (text.match(number) ?? []).map(Number);
  const positions: Position[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) positions.push([numbers[i] ?? 0, numbers[i + 1] ?? 0]);
  if (numbers.length % 2 === 1 || positions.length === 0) return undefined;
  const [first, second] = positions;
  if (positions.length === 1 && first) return { type: 'Point', coordinates: first };
  if (positions.length === 2 && first && second)
    return toRectangle([first[0], first[1], second[0], second[1]]);
  const isClosed = positions.length > 3 && String(first) === String(positions.at(-1));
  return isClosed
    ? { type: 'Polygon', coordinates: [positions] }
    : { type: 'LineString', coordinates: positions };
}

/** What was pasted: GeoJSON, which the service checks, or coordinates. Undefined: neither. */
export const readGeometry = (text: string): Geom | undefined =>
  readJson(text) ?? readCoordinates(text.trim());

/** All positions of a GeoJSON object, however deep. */
function* toPositions(value: unknown): Generator<Position> {
  if (Array.isArray(value)) {
    if (typeof value[0] === 'number') yield value as Position;
    else for (const item of value) yield* toPositions(item);
  } else if (typeof value === 'object' && value !== null) {
    const { coordinates, geometries, geometry, features } = value as Record<string, unknown>;
    for (const part of [coordinates, geometries, geometry, features]) yield* toPositions(part);
  }
}

export function countPositions(geom: Geom): number {
  let count = 0;
  for (const _ of toPositions(geom)) count += 1;
  return count;
}

const toPair = ([x, y]: Position) => `${x} ${y}`;
const toList = (items: readonly string[]) => `(${items.join(', ')})`;
const toLine = (positions: readonly Position[]) => toList(positions.map(toPair));
const toRings = (rings: readonly Position[][]) => toList(rings.map(toLine));

/** Well-known text (OGC 06-103r4 §7), 2D. */
export function toWkt(geometry: Geometry): string {
  const name = geometry.type.toUpperCase();
  if (geometry.type === 'GeometryCollection') {
    return geometry.geometries.length === 0
      ? `${name} EMPTY`
      : `${name} ${toList(geometry.geometries.map(toWkt))}`;
  }
  if (geometry.coordinates.length === 0) return `${name} EMPTY`;
  switch (geometry.type) {
    case 'Point':
      return `${name} (${toPair(geometry.coordinates)})`;
    case 'MultiPoint':
      return `${name} ${toList(geometry.coordinates.map((position) => `(${toPair(position)})`))}`;
    case 'LineString':
      return `${name} ${toLine(geometry.coordinates)}`;
    case 'MultiLineString':
    case 'Polygon':
      return `${name} ${toRings(geometry.coordinates)}`;
    case 'MultiPolygon':
      return `${name} ${toList(geometry.coordinates.map(toRings))}`;
  }
}
