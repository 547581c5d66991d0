import type { GeoJsonGeometry } from '../geometry/index.js';

type Nested = readonly (number | Nested)[];

const isPosition = (coordinates: Nested) => typeof coordinates[0] === 'number';

const isNothing = (coordinates: Nested): boolean =>
  !isPosition(coordinates) && (coordinates as readonly Nested[]).every(isNothing);

/** Whether there is no position in it. */
export const isEmpty = (geometry: GeoJsonGeometry): boolean =>
  geometry.type === 'GeometryCollection'
    ? geometry.geometries.every(isEmpty)
    : isNothing(geometry.coordinates);

const isHigh = (coordinates: Nested): boolean =>
  isPosition(coordinates) ? coordinates.length > 2 : (coordinates as readonly Nested[]).every(isHigh);

/** Whether the geometry has heights: all its positions, since a position without one would have to be given one. */
export const hasHeights = (geometry: GeoJsonGeometry): boolean =>
  geometry.type === 'GeometryCollection'
    ? geometry.geometries.every((part) => isEmpty(part) || hasHeights(part))
    : isHigh(geometry.coordinates);
