/** A position as numbers: x, y and, where given, z. */
export type Point = readonly number[];

/**
 * Chords of an arc span at most this angle: 128 for a full circle, so that no chord is further than 0.031 % of the
 * radius from the arc. README.md says so.
 */
const STEP = Math.PI / 64;

/** `gml:Arc` and `gml:ArcString` (GML 3.1.1 §10.2.1.4): each odd control point lies on the arc between its neighbours. */
export function toArcString(points: readonly Point[]): Point[] | undefined {
  if (points.length < 3 || points.length % 2 === 0) return undefined;
  const out: Point[] = [points[0] as Point];
  for (let i = 0; i + 2 < points.length; i += 2) {
    const [start, middle, end] = [points[i], points[i + 1], points[i + 2]] as [Point, Point, Point];
    out.push(...toArc(start, middle, end).slice(1));
  }
  return out;
}

/** `gml:Circle`: through three points, back to the first. */
export function toCircle(points: readonly Point[]): Point[] | undefined {
  const [first, second, third] = points as [Point, Point, Point];
  if (points.length !== 3) return undefined;
  const centre = toCentre(first, second, third);
  if (centre === undefined) return undefined;
  const sweep = isLeftTurn(first, second, third) ? 2 * Math.PI : -2 * Math.PI;
  const around = toSweep(first, centre, sweep);
  return [first, ...around.slice(1, -1), first];
}

/** `gml:ArcByCenterPoint`: angles in degrees, counterclockwise from the x axis; `gml:CircleByCenterPoint` has none. */
export function toArcByCentre(
  centre: Point,
  radius: number,
  startAngle: number | undefined,
  endAngle: number | undefined,
): Point[] | undefined {
  const isCircle = startAngle === undefined || endAngle === undefined;
  const degrees = isCircle ? 360 : endAngle - startAngle;
  // More than once around, or no number at all, is no arc.
  if (!(radius > 0 && Math.abs(degrees) <= 360)) return undefined;
  const from = ((startAngle ?? 0) * Math.PI) / 180;
  const [x = 0, y = 0, ...z] = centre;
  const start = [x + radius * Math.cos(from), y + radius * Math.sin(from), ...z];
  const around = toSweep(start, [x, y], (degrees * Math.PI) / 180);
  return isCircle ? [...around.slice(0, -1), start] : around;
}

/** `gml:ArcStringByBulge`: the height of each arc over its chord, to the left of it. */
export function toArcStringByBulge(points: readonly Point[], bulges: readonly number[]): Point[] | undefined {
  if (points.length < 2 || bulges.length !== points.length - 1) return undefined;
  const out: Point[] = [points[0] as Point];
  bulges.forEach((bulge, i) => {
    const [start, end] = [points[i], points[i + 1]] as [Point, Point];
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [start[0], start[1], end[0], end[1]];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const top = [(x1 + x2) / 2 - ((y2 - y1) / length) * bulge, (y1 + y2) / 2 + ((x2 - x1) / length) * bulge];
    out.push(...toArc(start, top, end).slice(1));
  });
  return out;
}

/** Three points on a line, or two that are the same, make straight edges. */
function toArc(start: Point, middle: Point, end: Point): Point[] {
  const centre = toCentre(start, middle, end);
  if (centre === undefined) return [start, middle, end];
  const [cx = 0, cy = 0] = centre;
  const angleOf = (point: Point): number => Math.atan2((point[1] ?? 0) - cy, (point[0] ?? 0) - cx);
  const from = angleOf(start);
  const turn = 2 * Math.PI;
  const forward = (((angleOf(end) - from) % turn) + turn) % turn;
  const sweep = isLeftTurn(start, middle, end) ? forward : forward - turn;
  const around = toSweep(start, centre, sweep);
  return [
    start,
    ...around.slice(1, -1).map((point, i) => withHeight(point, start, end, i, around.length)),
    end,
  ];
}

function withHeight(point: Point, start: Point, end: Point, index: number, count: number): Point {
  const [from, to] = [start[2], end[2]];
  const flat = point.slice(0, 2);
  return from === undefined || to === undefined
    ? flat
    : [...flat, from + ((to - from) * (index + 1)) / (count - 1)];
}

/** From `start` about `centre` by `sweep` radians. */
function toSweep(start: Point, centre: Point, sweep: number): Point[] {
  const [cx = 0, cy = 0] = centre;
  const [x = 0, y = 0, ...z] = start;
  const steps = Math.max(2, Math.ceil(Math.abs(sweep) / STEP - 1e-9));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (sweep * i) / steps;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos, ...z];
  });
}

/** The centre of the circle through three points; undefined where they lie on a line. */
function toCentre(a: Point, b: Point, c: Point): Point | undefined {
  const [ax = 0, ay = 0] = a;
  const [bx, by] = [(b[0] ?? 0) - ax, (b[1] ?? 0) - ay];
  const [cx, cy] = [(c[0] ?? 0) - ax, (c[1] ?? 0) - ay];
  const cross = 2 * (bx * cy - by * cx);
  if (Math.abs(cross) < 1e-12 * (Math.hypot(bx, by) * Math.hypot(cx, cy))) return undefined;
  if (cross === 0) return undefined;
  const [b2, c2] = [bx * bx + by * by, cx * cx + cy * cy];
  return [ax + (cy * b2 - by * c2) / cross, ay + (bx * c2 - cx * b2) / cross];
}

function isLeftTurn(a: Point, b: Point, c: Point): boolean {
  const [ax = 0, ay = 0] = a;
  return ((b[0] ?? 0) - ax) * ((c[1] ?? 0) - ay) - ((b[1] ?? 0) - ay) * ((c[0] ?? 0) - ax) > 0;
}
