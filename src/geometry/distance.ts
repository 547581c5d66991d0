import { EdgeIndex } from './edge-index.js';
import { createIntersects } from './intersects.js';
import type { Bbox, GeoJsonGeometry } from './model.js';
import { isSegmentMeeting } from './predicates.js';
import { type EdgeList, toShape } from './shape.js';

/**
 * Prepares geometries for the question whether another one is within a distance of any of them (OGC Filter 1.1
 * DWithin), in metres on the WGS84 ellipsoid.
 *
 * An approximation: each two edges are measured in a plane, equirectangular with the ellipsoid's radii at the mean
 * latitude of their nearest points. Up to 100 km it is within 0.1 % of the geodesic as far as 75° north or south. Edges are
 * straight in lon/lat; the antimeridian is no obstacle. Null and empty geometries are within no distance.
 */
export function createWithinDistance(
  geometries: readonly GeoJsonGeometry[],
  metres: number,
): (other: GeoJsonGeometry | null) => boolean {
  const shape = toShape(geometries);
  if (shape.edges.count === 0 || !(metres >= 0)) return () => false;
  const isIntersecting = createIntersects(geometries);
  const index = new EdgeIndex(shape);
  return (other) => {
    if (other === null) return false;
    if (isIntersecting(other)) return true;
    const { edges } = toShape([other]);
    for (let edge = 0; edge < edges.count; edge++) {
      if (isEdgeNear(edges.ends(edge), shape.edges, index, metres)) return true;
    }
    return false;
  };
}

/** `createWithinDistance` for two geometries asked about once. */
export function isWithinDistance(
  one: GeoJsonGeometry | null,
  other: GeoJsonGeometry | null,
  metres: number,
): boolean {
  return one !== null && createWithinDistance([one], metres)(other);
}

type Edge = readonly [ax: number, ay: number, bx: number, by: number];

function isEdgeNear(edge: Edge, mine: EdgeList, index: EdgeIndex, metres: number): boolean {
  const box = toReach(edge, metres);
  return toTurns(box).some((turn) => {
    const [ax, ay, bx, by] = edge;
    const turned = [ax + turn, ay, bx + turn, by] as const;
    return index
      .search([box[0] + turn, box[1], box[2] + turn, box[3]])
      .some((near) => toEdgeDistance(turned, mine.ends(near)) <= metres);
  });
}

/** The same place can be written 360° further: where the box leaves the map, it comes back on the other side. */
function toTurns([west, , east]: Bbox): number[] {
  return [0, ...(west < -180 ? [360] : []), ...(east > 180 ? [-360] : [])];
}

/** A box that holds everything within the distance of an edge, and a little more. */
function toReach([ax, ay, bx, by]: Edge, metres: number): Bbox {
  const height = (metres / METRES_PER_DEGREE) * 1.001;
  const south = Math.max(Math.min(ay, by) - height, -90);
  const north = Math.min(Math.max(ay, by) + height, 90);
  const [metresPerLon] = toScale(Math.max(-south, north));
  const width = Math.min((metres / metresPerLon) * 1.001, 360);
  return [Math.min(ax, bx) - width, south, Math.max(ax, bx) + width, north];
}

function toEdgeDistance(one: Edge, other: Edge): number {
  const [ax, ay, bx, by] = one;
  const [cx, cy, dx, dy] = other;
  if (isSegmentMeeting(ax, ay, bx, by, cx, cy, dx, dy)) return 0;
  return Math.min(
    toPointDistance(ax, ay, other),
    toPointDistance(bx, by, other),
    toPointDistance(cx, cy, one),
    toPointDistance(dx, dy, one),
  );
}

/** From a point to an edge, in metres: the nearest point tells the mean latitude, which tells the nearest point. */
function toPointDistance(x: number, y: number, [ax, ay, bx, by]: Edge): number {
  let nearestY = Math.min(Math.max(y, Math.min(ay, by)), Math.max(ay, by));
  let distance = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [kx, ky] = toScale((y + nearestY) / 2);
    const [ux, uy] = [(bx - ax) * kx, (by - ay) * ky];
    const [vx, vy] = [(x - ax) * kx, (y - ay) * ky];
    const square = ux * ux + uy * uy;
    const part = square === 0 ? 0 : Math.min(Math.max((ux * vx + uy * vy) / square, 0), 1);
    nearestY = ay + part * (by - ay);
    distance = Math.hypot(vx - part * ux, vy - part * uy);
  }
  return distance;
}

/** A third round changes nothing above a millimetre at 100 km. */
const ROUNDS = 2;

/** WGS84: semi-major axis in metres, and the square of the first eccentricity. */
const SEMI_MAJOR_AXIS = 6378137;
const ECCENTRICITY_SQUARED = 0.00669437999014;
/** Of latitude, where it is shortest: at the equator. */
const METRES_PER_DEGREE = 110574;

/** Metres to a degree of longitude and of latitude, from the radii of curvature N and M at a latitude. */
function toScale(latitude: number): [lon: number, lat: number] {
  const radians = (latitude * Math.PI) / 180;
  const w = 1 - ECCENTRICITY_SQUARED * Math.sin(radians) ** 2;
  const n = SEMI_MAJOR_AXIS / Math.sqrt(w);
  const m = (n * (1 - ECCENTRICITY_SQUARED)) / w;
  return [(n * Math.cos(radians) * Math.PI) / 180, (m * Math.PI) / 180];
}
