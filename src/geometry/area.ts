import type { Position } from './model.js';

/**
 * The area of a closed ring in square degrees: positive when it runs counterclockwise, as RFC 7946 §3.1.6 wants an
 * exterior, negative clockwise. A plane measure, in doubles: for telling directions, not for hectares.
 */
export function signedArea(ring: readonly Position[]): number {
  const origin = ring[0];
  if (!origin) return 0;
  let twice = 0;
  for (let i = 1; i + 1 < ring.length; i++) {
    const [a, b] = [ring[i] as Position, ring[i + 1] as Position];
    // From the first position, so that small rings far from 0, 0 keep their digits.
    twice += (a[0] - origin[0]) * (b[1] - origin[1]) - (b[0] - origin[0]) * (a[1] - origin[1]);
  }
  return twice / 2;
}
