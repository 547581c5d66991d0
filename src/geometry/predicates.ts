import { orient2d } from 'robust-predicates';

/**
 * On which side of the directed line a -> b the point c lies: positive left, negative right, 0 on it. The sign is
 * exact (Shewchuk's adaptive arithmetic), so no predicate of this room needs an epsilon.
 */
export function orient(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  // robust-predicates has its y axis pointing down: swapping a and b turns its sign.
  return orient2d(bx, by, ax, ay, cx, cy);
}

/**
 * Whether the closed segments a-b and c-d share a point; either may be a single point. Exact.
 */
export function isSegmentMeeting(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): boolean {
  // The box test also decides the collinear case: two collinear segments meet exactly when their boxes do.
  if (Math.max(ax, bx) < Math.min(cx, dx) || Math.max(cx, dx) < Math.min(ax, bx)) return false;
  if (Math.max(ay, by) < Math.min(cy, dy) || Math.max(cy, dy) < Math.min(ay, by)) return false;
  if (isSameSide(orient(ax, ay, bx, by, cx, cy), orient(ax, ay, bx, by, dx, dy))) return false;
  return !isSameSide(orient(cx, cy, dx, dy, ax, ay), orient(cx, cy, dx, dy, bx, by));
}

/** Signs compared, not multiplied: the product of two tiny orientations can underflow to 0. */
function isSameSide(one: number, other: number): boolean {
  return (one > 0 && other > 0) || (one < 0 && other < 0);
}
