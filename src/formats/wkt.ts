import type { GeoJsonGeometry, Position } from '../geometry/index.js';
import { hasHeights, isEmpty } from './positions.js';

type Nested = readonly (number | Nested)[];

/**
 * Well-known text (OGC 06-103r4 §7.2); `Z` where every position has a height. Doubles are written as short as they are
 * read back the same, which is how they came.
 */
export function toWkt(geometry: GeoJsonGeometry): string {
  if (isEmpty(geometry)) return `${geometry.type.toUpperCase()} EMPTY`;
  return toTagged(geometry, hasHeights(geometry));
}

function toTagged(geometry: GeoJsonGeometry, hasZ: boolean): string {
  const tag = `${geometry.type.toUpperCase()}${hasZ ? ' Z' : ''}`;
  if (isEmpty(geometry)) return `${tag} EMPTY`;
  if (geometry.type === 'GeometryCollection') {
    return `${tag} (${geometry.geometries.map((part) => toTagged(part, hasZ)).join(',')})`;
  }
  const toPosition = (position: Position) => position.slice(0, hasZ ? 3 : 2).join(' ');
  const toText = (coordinates: Nested): string => {
    if (coordinates.length === 0) return 'EMPTY';
    if (!isPositions(coordinates)) return `(${(coordinates as Nested[]).map(toText).join(',')})`;
    return `(${coordinates.map(toPosition).join(',')})`;
  };
  switch (geometry.type) {
    case 'Point':
      return `${tag} (${toPosition(geometry.coordinates)})`;
    case 'MultiPoint':
      return `${tag} (${geometry.coordinates.map((position) => `(${toPosition(position)})`).join(',')})`;
    default:
      return `${tag} ${toText(geometry.coordinates)}`;
  }
}

const isPositions = (coordinates: Nested): coordinates is readonly Position[] =>
  typeof (coordinates[0] as Nested)[0] === 'number';
