/** An ellipsoid of revolution, or a sphere. */
export interface Ellipsoid {
  /** Semi-major axis, metres. */
  readonly a: number;
  /** First eccentricity squared. */
  readonly e2: number;
}

/** Two coordinates, easting or longitude first. */
export type Pair = readonly [number, number];

/** A map projection: longitude and latitude (radians) on an ellipsoid to easting and northing, and back. Nothing is thrown. */
export interface Conversion {
  readonly forward: (lon: number, lat: number) => Pair;
  readonly inverse: (x: number, y: number) => Pair;
}

/** @param inverseFlattening 0 for a sphere */
export function createEllipsoid(a: number, inverseFlattening: number): Ellipsoid {
  const f = inverseFlattening === 0 ? 0 : 1 / inverseFlattening;
  return { a, e2: f * (2 - f) };
}
