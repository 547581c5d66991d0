import type { GeoJsonGeometry, Position } from '../geometry/index.js';

type Nested = readonly (number | Nested)[];

/** The positions of anything coordinates may be. */
export function toFlatPositions(coordinates: Nested): Position[] {
  if (coordinates.length === 0) return [];
  if (typeof coordinates[0] === 'number') return [coordinates as unknown as Position];
  return (coordinates as readonly Nested[]).flatMap(toFlatPositions);
}

export const isEmpty = (geometry: GeoJsonGeometry): boolean =>
  geometry.type === 'GeometryCollection'
    ? geometry.geometries.every(isEmpty)
    : toFlatPositions(geometry.coordinates).length === 0;

/** Whether the geometry has heights: all its positions, since a position without one would have to be given one. */
export const hasHeights = (geometry: GeoJsonGeometry): boolean =>
  geometry.type === 'GeometryCollection'
    ? geometry.geometries.every((part) => isEmpty(part) || hasHeights(part))
    : toFlatPositions(geometry.coordinates).every((position) => position.length > 2);
