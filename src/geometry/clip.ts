import { bboxClip } from '@turf/bbox-clip';
import type { Bbox, Geometry } from './model.js';

/**
 * The part of a geometry inside a box; undefined where there is none. What is inside stays as it was; where an outline
 * leaves the box it follows its sides.
 */
export function clipToBox(geometry: Geometry, box: Bbox): Geometry | undefined {
  switch (geometry.type) {
    case 'Point':
      return isIn(geometry.coordinates, box) ? geometry : undefined;
    case 'MultiPoint': {
      const coordinates = geometry.coordinates.filter((position) => isIn(position, box));
      return coordinates.length > 0 ? { type: 'MultiPoint', coordinates } : undefined;
    }
    default: {
      const { geometry: clipped } = bboxClip(toMutable(geometry), [...box]);
      return clipped.coordinates.length > 0 ? (clipped as unknown as Geometry) : undefined;
    }
  }
}

function isIn([x, y]: readonly number[], [west, south, east, north]: Bbox): boolean {
  return x !== undefined && y !== undefined && x >= west && x <= east && y >= south && y <= north;
}

type Clippable = Parameters<typeof bboxClip>[0];

function toMutable(geometry: Geometry): Clippable {
  return geometry as unknown as Clippable;
}
