import type { Ellipsoid, Pair } from './ellipsoid.js';

/** Between two geographic CRSs: longitude and latitude in radians from Greenwich, heights taken as 0. */
export interface DatumShift {
  readonly forward: (lon: number, lat: number) => Pair;
  readonly inverse: (lon: number, lat: number) => Pair;
}

const ARC_SECOND = Math.PI / 180 / 3600;

/**
 * The Position Vector transformation in the geographic 2D domain: EPSG method 9606 (IOGP 373-7-2 §4.2.3), for small
 * rotations; with translations alone 9603, about a pivot Molodensky-Badekas' 1063. Its inverse is the transposed
 * rotation, as PROJ has it.
 * @param parameters translation (m), rotation (arc seconds), scale difference (ppm) and pivot (geocentric, m)
 */
export function createPositionVectorShift(
  source: Ellipsoid,
  target: Ellipsoid,
  parameters: readonly number[],
): DatumShift {
  const [tx = 0, ty = 0, tz = 0, rotX = 0, rotY = 0, rotZ = 0, ppm = 0, px = 0, py = 0, pz = 0] = parameters;
  const [rx, ry, rz] = [rotX * ARC_SECOND, rotY * ARC_SECOND, rotZ * ARC_SECOND];
  const scale = 1 + ppm * 1e-6;
  const toSource = createFromGeocentric(source);
  const toTarget = createFromGeocentric(target);
  return {
    forward: (lon, lat) => {
      const [x0, y0, z0] = toGeocentric(source, lon, lat);
      const [x, y, z] = [x0 - px, y0 - py, z0 - pz];
      return toTarget(
        px + tx + scale * (x - rz * y + ry * z),
        py + ty + scale * (rz * x + y - rx * z),
        pz + tz + scale * (-ry * x + rx * y + z),
      );
    },
    inverse: (lon, lat) => {
      const [x0, y0, z0] = toGeocentric(target, lon, lat);
      const [x, y, z] = [(x0 - px - tx) / scale, (y0 - py - ty) / scale, (z0 - pz - tz) / scale];
      return toSource(px + x + rz * y - ry * z, py - rz * x + y + rx * z, pz + ry * x - rx * y + z);
    },
  };
}

/** EPSG method 9602 (IOGP 373-7-2 §4.1.1), on the ellipsoid's surface. */
function toGeocentric({ a, e2 }: Ellipsoid, lon: number, lat: number): readonly [number, number, number] {
  const sin = Math.sin(lat);
  const cos = Math.cos(lat);
  const normal = a / Math.sqrt(1 - e2 * sin * sin);
  return [normal * cos * Math.cos(lon), normal * cos * Math.sin(lon), normal * (1 - e2) * sin];
}

/** The reverse, by Bowring's formula of the same clause: exact to a micrometre within kilometres of the surface. */
function createFromGeocentric({ a, e2 }: Ellipsoid): (x: number, y: number, z: number) => Pair {
  const b = a * Math.sqrt(1 - e2);
  const secondE2 = e2 / (1 - e2);
  return (x, y, z) => {
    const p = Math.sqrt(x * x + y * y);
    const [u, v] = [p * b, z * a];
    const norm = Math.sqrt(u * u + v * v);
    const [cos, sin] = [u / norm, v / norm];
    return [Math.atan2(y, x), Math.atan2(z + secondE2 * b * sin ** 3, p - e2 * a * cos ** 3)];
  };
}
