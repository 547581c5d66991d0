/** Set where rounding may decide what comes of a document. */
export const doubt = { isRaised: false };

/** What a segment's positions stand for. */
export type Curve = 'straight' | 'arcs' | 'circle' | 'centre' | 'bulges' | 'none';
type Point = number[];

/** 128 chords in a full circle, as the product says of itself; drawn with complex numbers. @returns undefined for what cannot be */
export function draw(kind: Curve, points: Point[], parameters: Map<string, number[]>): Point[] | undefined {
  const last = (name: string): number | undefined => parameters.get(name)?.at(-1);
  if (kind === 'arcs') return drawArcs(points);
  if (kind === 'circle') return drawCircle(points);
  if (kind === 'bulges') return drawBulges(points, parameters.get('bulge') ?? []);
  return drawAround(points, last('radius'), last('startAngle'), last('endAngle'));
}

function drawArcs(points: Point[]): Point[] | undefined {
  if (points.length < 3 || points.length % 2 === 0) return undefined;
  const out = [points[0] as Point];
  for (let i = 0; i + 2 < points.length; i += 2)
    out.push(...arc(points[i] as Point, points[i + 1] as Point, points[i + 2] as Point).slice(1));
  return out;
}

function drawCircle(points: Point[]): Point[] | undefined {
  const [a, b, c] = points as [Point, Point, Point];
  if (points.length !== 3) return undefined;
  const centre = centreOf(a, b, c);
  if (centre === undefined) return undefined;
  const turn = cross(a, b, c) > 0 ? 2 * Math.PI : -2 * Math.PI;
  return [a, ...spin(a, centre, turn).slice(1, -1), a];
}

function drawBulges(points: Point[], bulges: number[]): Point[] | undefined {
  if (points.length < 2 || bulges.length !== points.length - 1) return undefined;
  const out = [points[0] as Point];
  bulges.forEach((bulge, i) => {
    const [a, b] = [points[i] as Point, points[i + 1] as Point];
    const [dx, dy] = [b[0]! - a[0]!, b[1]! - a[1]!];
    const length = Math.hypot(dx, dy) || 1;
    const top = [(a[0]! + b[0]!) / 2 - (dy / length) * bulge, (a[1]! + b[1]!) / 2 + (dx / length) * bulge];
    out.push(...arc(a, top, b).slice(1));
  });
  return out;
}

function drawAround(points: Point[], radius = Number.NaN, start?: number, end?: number): Point[] | undefined {
  const [centre] = points;
  if (centre === undefined || points.length !== 1 || !(radius > 0)) return undefined;
  const [x, y, ...z] = centre as [number, number];
  const isCircle = start === undefined || end === undefined;
  const from = ((start ?? 0) * Math.PI) / 180;
  const turn = isCircle ? 2 * Math.PI : ((end - start) * Math.PI) / 180;
  if (!(Math.abs(turn) <= 2 * Math.PI * (1 + 1e-12))) return undefined;
  const first = [x + radius * Math.cos(from), y + radius * Math.sin(from), ...z];
  const around = spin(first, [x, y], turn);
  return isCircle ? [...around.slice(0, -1), first] : around;
}

function arc(a: Point, b: Point, c: Point): Point[] {
  const centre = centreOf(a, b, c);
  if (centre === undefined) return [a, b, c];
  const angle = (p: Point): number => Math.atan2(p[1]! - centre[1]!, p[0]! - centre[0]!);
  let turn = angle(c) - angle(a);
  if (cross(a, b, c) > 0) while (turn < 0) turn += 2 * Math.PI;
  else while (turn > 0) turn -= 2 * Math.PI;
  if (turn === 0) turn = cross(a, b, c) > 0 ? 0 : -2 * Math.PI;
  const around = spin(a, centre, turn);
  const hasZ = a[2] !== undefined && c[2] !== undefined;
  const inner = around.slice(1, -1).map(([x, y], i) => {
    const z = hasZ ? [a[2]! + ((c[2]! - a[2]!) * (i + 1)) / (around.length - 1)] : [];
    return [x!, y!, ...z];
  });
  return [a, ...inner, c];
}

/** About the centre by so much: each step is the same multiplication. */
function spin(start: Point, [cx, cy]: Point, turn: number): Point[] {
  const steps = Math.max(2, Math.ceil(Math.abs(turn) / (Math.PI / 64) - 1e-9));
  const [x, y, ...z] = start as [number, number];
  const radius = Math.hypot(x - cx!, y - cy!);
  const from = Math.atan2(y - cy!, x - cx!);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = from + (turn * i) / steps;
    return [cx! + radius * Math.cos(angle), cy! + radius * Math.sin(angle), ...z];
  });
}

const cross = (a: Point, b: Point, c: Point): number =>
  (b[0]! - a[0]!) * (c[1]! - a[1]!) - (b[1]! - a[1]!) * (c[0]! - a[0]!);

/** Where the perpendicular bisectors meet. */
function centreOf(a: Point, b: Point, c: Point): Point | undefined {
  const [bx, by, cx, cy] = [b[0]! - a[0]!, b[1]! - a[1]!, c[0]! - a[0]!, c[1]! - a[1]!];
  const area = 2 * (bx * cy - by * cx);
  if (area === 0 || Math.abs(area) < 1e-12 * Math.hypot(bx, by) * Math.hypot(cx, cy)) return undefined;
  // Of points nearly on a line the radius is mostly rounding.
  const lengths = [Math.hypot(bx, by), Math.hypot(cx, cy)] as const;
  if (Math.abs(area) < 1e-3 * lengths[0] * lengths[1]) doubt.isRaised = true;
  // So are points beside each other on a circle that is beyond all measure.
  if (Math.min(...lengths) < 1e-12 * Math.max(...lengths)) doubt.isRaised = true;
  const [b2, c2] = [bx * bx + by * by, cx * cx + cy * cy];
  return [a[0]! + (cy * b2 - by * c2) / area, a[1]! + (bx * c2 - cx * b2) / area];
}
