import type { GeoJsonGeometry, Position } from './model.js';

/** Calls back with every position, closing ones too, in the order of the document. */
export function forEachPosition(
  geometries: GeoJsonGeometry | readonly GeoJsonGeometry[],
  visit: (position: Position) => void,
): void {
  if (isList(geometries)) for (const geometry of geometries) forEachPosition(geometry, visit);
  else if (geometries.type === 'GeometryCollection') forEachPosition(geometries.geometries, visit);
  else visitCoordinates(geometries.coordinates, visit);
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
  const mapCoordinates = (coordinates: Coordinates): Coordinates =>
    isPosition(coordinates) ? [...map(coordinates[0], coordinates[1])] : coordinates.map(mapCoordinates);
  if (geometry.type === 'GeometryCollection') {
    return { ...geometry, geometries: geometry.geometries.map((part) => mapPositions(part, map)) };
  }
  return { ...geometry, coordinates: mapCoordinates(geometry.coordinates) };
}

/** Positions, closing ones too. */
export function countVertices(geometries: GeoJsonGeometry | readonly GeoJsonGeometry[]): number {
  let count = 0;
  forEachPosition(geometries, () => {
    count++;
  });
  return count;
}

type Coordinates = Position | readonly Coordinates[];

function visitCoordinates(coordinates: Coordinates, visit: (position: Position) => void): void {
  if (isPosition(coordinates)) visit(coordinates);
  else for (const part of coordinates) visitCoordinates(part, visit);
}

function isPosition(coordinates: Coordinates): coordinates is Position {
  return typeof coordinates[0] === 'number';
}

/** `Array.isArray` alone does not narrow a readonly array. */
function isList(value: GeoJsonGeometry | readonly GeoJsonGeometry[]): value is readonly GeoJsonGeometry[] {
  return Array.isArray(value);
}
