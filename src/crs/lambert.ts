import type { Conversion, Ellipsoid } from './ellipsoid.js';

/** Lambert Conic Conformal by two standard parallels, or by one and a scale factor; radians and metres. */
export interface LambertParameters {
  readonly latitudeOfOrigin: number;
  readonly longitudeOfOrigin: number;
  readonly standardParallels: readonly [number, number];
  readonly scale: number;
  readonly falseEasting: number;
  readonly falseNorthing: number;
}

/**
 * EPSG methods 9801 and 9802 (IOGP 373-7-2 §3.1.1.1 and §3.1.1.2, Snyder 1987 eq. 15-1 to 15-11), in isometric latitude
 * instead of its exponential. The latitude of a conformal one is by Krüger's series in the third flattening n (Karney
 * 2011, eq. 36), not by iteration: what n⁵ leaves out is under a nanometre.
 * @returns undefined where the cone has no apex (parallels on both sides of the equator, as far from it)
 */
export function createLambertConicConformal(
  ellipsoid: Ellipsoid,
  parameters: LambertParameters,
): Conversion | undefined {
  const { latitudeOfOrigin, longitudeOfOrigin, standardParallels, scale } = parameters;
  const { falseEasting, falseNorthing } = parameters;
  const e = Math.sqrt(ellipsoid.e2);
  const isometric = (lat: number) => Math.atanh(Math.sin(lat)) - e * Math.atanh(e * Math.sin(lat));
  const radiusOfParallel = (lat: number) => Math.cos(lat) / Math.sqrt(1 - ellipsoid.e2 * Math.sin(lat) ** 2);
  const [lat1, lat2] = standardParallels;
  const n =
    Math.abs(lat1 - lat2) < 1e-10
      ? Math.sin(lat1)
      : Math.log(radiusOfParallel(lat1) / radiusOfParallel(lat2)) / (isometric(lat2) - isometric(lat1));
  if (!(Math.abs(n) > 1e-10)) return undefined;
  const aF = (ellipsoid.a * scale * radiusOfParallel(lat1) * Math.exp(n * isometric(lat1))) / n;
  const originNorthing = falseNorthing + aF * Math.exp(-n * isometric(latitudeOfOrigin));
  const toLatitude = createLatitudeOfIsometric(ellipsoid);
  const sign = Math.sign(n);
  const aF2 = aF * aF;
  return {
    forward: (lon, lat) => {
      const r = aF * Math.exp(-n * isometric(lat));
      const theta = n * toHalfTurns(lon - longitudeOfOrigin);
      return [falseEasting + r * Math.sin(theta), originNorthing - r * Math.cos(theta)];
    },
    inverse: (x, y) => {
      const dx = x - falseEasting;
      const dy = originNorthing - y;
      const theta = Math.atan2(sign * dx, sign * dy);
      return [theta / n + longitudeOfOrigin, toLatitude((-0.5 / n) * Math.log((dx * dx + dy * dy) / aF2))];
    },
  };
}

/** The angle within half a turn of 0. */
function toHalfTurns(angle: number): number {
  if (angle > Math.PI) return angle - 2 * Math.PI;
  return angle < -Math.PI ? angle + 2 * Math.PI : angle;
}

/** From isometric to geodetic latitude. */
function createLatitudeOfIsometric({ e2 }: Ellipsoid): (isometric: number) => number {
  const n = (1 - Math.sqrt(1 - e2)) / (1 + Math.sqrt(1 - e2));
  const c1 = n * (2 + n * (-2 / 3 + n * (-2 + (n * 116) / 45)));
  const c2 = n ** 2 * (7 / 3 + n * (-8 / 5 - (n * 227) / 45));
  const c3 = n ** 3 * (56 / 15 - (n * 136) / 35);
  const c4 = (n ** 4 * 4279) / 630;
  return (isometric) => {
    if (Math.abs(isometric) > 300) return Math.sign(isometric) * (Math.PI / 2); // the apex
    const grown = Math.exp(isometric);
    const shrunk = 1 / grown;
    const sin = (grown - shrunk) / (grown + shrunk); // of the conformal latitude
    const cos = 2 / (grown + shrunk);
    // Clenshaw's sum of c_k sin 2kχ
    const twoCos2 = 2 - 4 * sin * sin;
    const b3 = c3 + twoCos2 * c4;
    const b2 = c2 + twoCos2 * b3 - c4;
    return Math.atan(0.5 * (grown - shrunk)) + 2 * sin * cos * (c1 + twoCos2 * b2 - b3);
  };
}
