import geographiclib from 'geographiclib-geodesic';

// Lengths and areas on the WGS84 ellipsoid, edges being geodesics (Karney 2013).

const { Geodesic } = geographiclib;
const { WGS84 } = Geodesic;

/** Square of the first eccentricity, and the semi-minor axis in metres (EPSG:7030). */
const ECCENTRICITY_SQUARED = 0.006694379990141316;
const SEMI_MINOR_AXIS = 6356752.314245179;
const ECCENTRICITY = Math.sqrt(ECCENTRICITY_SQUARED);
const RADIANS = Math.PI / 180;

/** In metres. */
export function geodesicLength(ax: number, ay: number, bx: number, by: number): number {
  return WGS84.Inverse(ay, ax, by, bx, Geodesic.DISTANCE).s12 as number;
}

/**
 * The area between an edge and the equator in square metres, positive eastward in the north: summed over a ring, its area.
 *
 * Short edges are integrated along the straight line in lon/lat, exact to the digits even where a parcel lies 5,000 km
 * from the equator, quicker, and with less noise than the series behind `S12` (a few dm² at worst). Up to `SHORT_DEGREES`
 * the area between the line and the geodesic is less than a few cm².
 */
export function areaUnder(ax: number, ay: number, bx: number, by: number): number {
  const straight = straightAreaUnder(ax, ay, bx, by);
  if (Math.abs(bx - ax) <= SHORT_DEGREES || Math.abs(bx - ax) >= 180) return straight;
  return WGS84.Inverse(ay, ax, by, bx, Geodesic.AREA).S12 as number;
}

const SHORT_DEGREES = 0.0005;

/** By Gauss and Legendre's rule with three points, on pieces over which the integrand is all but a parabola. */
function straightAreaUnder(ax: number, ay: number, bx: number, by: number): number {
  const pieces = Math.max(1, Math.ceil(Math.abs(by - ay)));
  const height = (by - ay) / pieces;
  let sum = 0;
  for (let piece = 0; piece < pieces; piece++) {
    const middle = ay + height * (piece + 0.5);
    const reach = height * GAUSS_REACH;
    sum +=
      (5 * areaFromEquator(middle - reach) +
        8 * areaFromEquator(middle) +
        5 * areaFromEquator(middle + reach)) /
      18;
  }
  return (sum / pieces) * (bx - ax) * RADIANS;
}

const GAUSS_REACH = Math.sqrt(0.6) / 2;

/** Area between the equator and a parallel, a radian wide (Snyder 1987, 3-12, times b²/2 · 1/(1 - e²)). */
function areaFromEquator(latitude: number): number {
  const sin = Math.sin(latitude * RADIANS);
  const es = ECCENTRICITY * sin;
  return ((SEMI_MINOR_AXIS * SEMI_MINOR_AXIS) / 2) * (sin / (1 - es * es) + Math.atanh(es) / ECCENTRICITY);
}
