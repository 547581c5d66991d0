import type { GeoJsonGeometry, Position } from './model.js';

/**
 * Calls back with every position, closing ones too, in the order of the document. Each depth has a place of its own in the
 * code: where V8 sees lists of numbers and lists of lists in one, it boxes every number.
 */
export function forEachPosition(
  geometries: GeoJsonGeometry | readonly GeoJsonGeometry[],
  visit: (position: Position) => void,
): void {
  if (isList(geometries)) {
    for (const geometry of geometries) forEachPosition(geometry, visit);
    return;
  }
  switch (geometries.type) {
    case 'GeometryCollection':
      forEachPosition(geometries.geometries, visit);
      break;
    case 'Point':
      visitPosition(geometries.coordinates, visit);
      break;
    case 'MultiPoint':
    case 'LineString':
      visitLine(geometries.coordinates, visit);
      break;
    case 'MultiLineString':
    case 'Polygon':
      visitLines(geometries.coordinates, visit);
      break;
    case 'MultiPolygon':
      for (const rings of geometries.coordinates) visitLines(rings, visit);
  }
}

/** An empty one is none: that of an empty point. */
function visitPosition(position: Position, visit: (position: Position) => void): void {
  if ((position.length as number) > 0) visit(position);
}

function visitLine(line: readonly Position[], visit: (position: Position) => void): void {
  for (const position of line) visitPosition(position, visit);
}

function visitLines(lines: readonly (readonly Position[])[], visit: (position: Position) => void): void {
  for (const line of lines) visitLine(line, visit);
}

/** Every position, closing ones too, in the order of the document. */
export function toPositions(geometries: GeoJsonGeometry | readonly GeoJsonGeometry[]): Position[] {
  const positions: Position[] = [];
  forEachPosition(geometries, (position) => positions.push(position));
  return positions;
}

/** The geometry with each position mapped; what stands behind the second number is left out. */
export function mapPositions<G extends GeoJsonGeometry>(
  geometry: G,
  map: (x: number, y: number) => readonly [number, number],
): G {
  const mapPosition = (position: Position): Position =>
    (position.length as number) > 0 ? [...map(position[0], position[1])] : position;
  const mapLine = (line: readonly Position[]) => line.map(mapPosition);
  const mapLines = (lines: readonly (readonly Position[])[]) => lines.map(mapLine);
  switch (geometry.type) {
    case 'GeometryCollection':
      return { ...geometry, geometries: geometry.geometries.map((part) => mapPositions(part, map)) };
    case 'Point':
      return { ...geometry, coordinates: mapPosition(geometry.coordinates) };
    case 'MultiPoint':
    case 'LineString':
      return { ...geometry, coordinates: mapLine(geometry.coordinates) };
    case 'MultiLineString':
    case 'Polygon':
      return { ...geometry, coordinates: mapLines(geometry.coordinates) };
    case 'MultiPolygon':
      return { ...geometry, coordinates: geometry.coordinates.map(mapLines) };
  }
}

/** Positions, closing ones too. */
export function countVertices(geometries: GeoJsonGeometry | readonly GeoJsonGeometry[]): number {
  let count = 0;
  forEachPosition(geometries, () => {
    count++;
  });
  return count;
}

/** `Array.isArray` alone does not narrow a readonly array. */
function isList(value: GeoJsonGeometry | readonly GeoJsonGeometry[]): value is readonly GeoJsonGeometry[] {
  return Array.isArray(value);
}
