import type { Conversion } from './ellipsoid.js';

/**
 * Popular Visualisation Pseudo-Mercator, EPSG method 1024 (IOGP 373-7-2 §3.2.1.2): the sphere's formulas on the
 * ellipsoid's coordinates.
 */
export function createPseudoMercator(a: number): Conversion {
  return {
    forward: (lon, lat) => [a * lon, a * Math.atanh(Math.sin(lat))],
    inverse: (x, y) => {
      const grown = Math.exp(y / a);
      return [x / a, Math.atan(0.5 * (grown - 1 / grown))];
    },
  };
}
