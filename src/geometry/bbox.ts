import type { Bbox, GeoJsonGeometry, Geometry, Position } from './model.js';
import { forEachPosition } from './positions.js';

/**
 * The smallest box around everything given, in the numbers as they stand (a geometry across the antimeridian gives a
 * box around the world). Of nothing: `[Infinity, Infinity, -Infinity, -Infinity]`, which meets no other box.
 */
export function toBbox(geometries: GeoJsonGeometry | readonly GeoJsonGeometry[]): Bbox {
  const box: [west: number, south: number, east: number, north: number] = [
    Infinity,
    Infinity,
    -Infinity,
    -Infinity,
  ];
  forEachPosition(geometries, (position) => {
    if (position[0] < box[0]) box[0] = position[0];
    if (position[1] < box[1]) box[1] = position[1];
    if (position[0] > box[2]) box[2] = position[0];
    if (position[1] > box[3]) box[3] = position[1];
  });
  return box;
}

/**
 * The points of a bbox as geometries: a polygon, two where west > east crosses the antimeridian (RFC 7946 §5.2); a
 * line or a point where the box has no width or height.
 */
export function toBboxGeometries(bbox: Bbox): Geometry[] {
  const [west, south, east, north] = bbox;
  if (west <= east) return [toBox(west, south, east, north)];
  return [toBox(west, south, 180, north), toBox(-180, south, east, north)];
}

function toBox(west: number, south: number, east: number, north: number): Geometry {
  if (west === east && south === north) return { type: 'Point', coordinates: [west, south] };
  const corners: Position[] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  if (west !== east && south !== north) return { type: 'Polygon', coordinates: [corners] };
  return { type: 'LineString', coordinates: [corners[0] as Position, corners[2] as Position] };
}
