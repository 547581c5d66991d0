import { areaUnder } from './geodesic.js';
import type { Bbox } from './model.js';

/** An edge of a polygon's boundary from west to east, and which side of the question its polygon is on. */
export interface SlabEdge {
  readonly west: number;
  readonly east: number;
  readonly yWest: number;
  readonly yEast: number;
  /** Which of the polygons of all sides: the inside of each follows the even-odd rule. */
  readonly polygon: number;
  readonly side: number;
}

/** Thrown where a measure would take more work than it was given. */
export class OverBudget extends Error {}

/** Work that may still be done, in edges looked at; shared by the steps of one measure. */
export interface Budget {
  left: number;
}

/**
 * The area shared by all sides, each the union of its polygons, in square metres: edges straight in lon/lat where they cross,
 * geodesics as far as they bound the area.
 *
 * The plane is cut into slabs at each end and each crossing of edges; within a slab edges do not cross, so that their order
 * says what is between them. Unlike an overlay, nothing is put together from rounded points: edges that coincide, or
 * nearly, may be taken in the wrong order, and then enclose next to nothing. So neither shared boundaries nor invalid
 * polygons need a tolerance. Costs O(edges x edges side by side).
 *
 * @throws OverBudget
 */
export function sharedArea(edges: readonly SlabEdge[], sides: number, budget: Budget): number {
  const boundary = new Boundary(edges, sides);
  const sorted = edges.map((_, i) => i).sort((a, b) => at(edges, a).west - at(edges, b).west);
  const stops = toStops(edges);
  let active: number[] = [];
  let waiting = 0;
  for (let stop = 0; stop + 1 < stops.length; stop++) {
    const [west, east] = [stops[stop] as number, stops[stop + 1] as number];
    active = active.filter((edge) => at(edges, edge).east > west || boundary.end(edge, west));
    while (waiting < sorted.length && at(edges, sorted[waiting] as number).west <= west) {
      active.push(sorted[waiting++] as number);
    }
    budget.left -= active.length + 1;
    if (budget.left < 0) throw new OverBudget();
    cross(edges, active, west, east, budget, (from, to) => boundary.sweep(active, from, to));
  }
  return boundary.finish(stops.at(-1) ?? 0);
}

/** Each place where an edge begins or ends, once. */
function toStops(edges: readonly SlabEdge[]): Float64Array {
  const all = new Float64Array(edges.length * 2);
  edges.forEach(({ west, east }, i) => {
    all[2 * i] = west;
    all[2 * i + 1] = east;
  });
  all.sort();
  return all.filter((x, i) => i === 0 || x !== all[i - 1]);
}

const at = (edges: readonly SlabEdge[], i: number) => edges[i] as SlabEdge;

function toY({ west, east, yWest, yEast }: SlabEdge, x: number): number {
  return x === east ? yEast : yWest + ((yEast - yWest) * (x - west)) / (east - west);
}

/** Cuts a slab where its edges cross. */
function cross(
  edges: readonly SlabEdge[],
  active: readonly number[],
  west: number,
  east: number,
  budget: Budget,
  visit: (from: number, to: number) => void,
): void {
  const lines = active.map((edge) => ({ from: toY(at(edges, edge), west), to: toY(at(edges, edge), east) }));
  lines.sort((a, b) => a.from - b.from || a.to - b.to);
  const crossings: number[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as (typeof lines)[number];
    let j = i - 1;
    for (; j >= 0 && (lines[j] as typeof line).to > line.to; j--) {
      const other = lines[j] as typeof line;
      const [before, after] = [line.from - other.from, other.to - line.to];
      crossings.push(west + ((east - west) * before) / (before + after));
      lines[j + 1] = other;
    }
    lines[j + 1] = line;
    budget.left -= i - j;
    if (budget.left < 0) throw new OverBudget();
  }
  crossings.sort((a, b) => a - b);
  budget.left -= crossings.length * active.length;
  if (budget.left < 0) throw new OverBudget();
  let from = west;
  for (const x of [...crossings, east]) {
    if (x > from) visit(from, x);
    from = Math.max(from, x);
  }
}

const NONE = 0;
const LOWER = -1;
const UPPER = 1;

/** What the swept slabs make of each edge: the pieces of it that bound the shared area, measured once they end. */
class Boundary {
  readonly #edges: readonly SlabEdge[];
  readonly #sides: number;
  readonly #role: Int8Array;
  readonly #since: Float64Array;
  readonly #isOdd: Uint8Array;
  #area = 0;

  constructor(edges: readonly SlabEdge[], sides: number) {
    this.#edges = edges;
    this.#sides = sides;
    this.#role = new Int8Array(edges.length);
    this.#since = new Float64Array(edges.length);
    this.#isOdd = new Uint8Array(edges.reduce((most, { polygon }) => Math.max(most, polygon + 1), 0));
  }

  /** From below to above, through edges that do not cross between the two. */
  sweep(active: readonly number[], from: number, to: number): void {
    const middle = from + (to - from) / 2;
    const ordered = active
      .map((edge) => ({ edge, y: toY(at(this.#edges, edge), middle) }))
      .sort((a, b) => a.y - b.y);
    const insides = new Array<number>(this.#sides).fill(0);
    let isShared = false;
    for (const { edge } of ordered) {
      const { polygon, side } = at(this.#edges, edge);
      const isIn = (this.#isOdd[polygon] as number) ^ 1;
      this.#isOdd[polygon] = isIn;
      insides[side] = (insides[side] as number) + (isIn === 1 ? 1 : -1);
      const isSharedAbove = insides.every((count) => count > 0);
      this.#turn(edge, isShared === isSharedAbove ? NONE : isShared ? UPPER : LOWER, from);
      isShared = isSharedAbove;
    }
    for (const { edge } of ordered) this.#isOdd[at(this.#edges, edge).polygon] = 0;
  }

  /** Always false: the edge is no longer among the active. */
  end(edge: number, x: number): false {
    this.#turn(edge, NONE, x);
    return false;
  }

  finish(x: number): number {
    for (let edge = 0; edge < this.#edges.length; edge++) this.#turn(edge, NONE, x);
    return Math.max(0, this.#area);
  }

  #turn(edge: number, role: number, x: number): void {
    const before = this.#role[edge] as number;
    if (before === role) return;
    if (before !== NONE) {
      const line = at(this.#edges, edge);
      const since = this.#since[edge] as number;
      const until = Math.min(x, line.east);
      this.#area += before * areaUnder(since, toY(line, since), until, toY(line, until));
    }
    this.#role[edge] = role;
    this.#since[edge] = x;
  }
}

/** The edges of a ring that have a width, clipped to where they matter. */
export function addSlabEdges(
  edges: SlabEdge[],
  [ax, ay, bx, by]: readonly [number, number, number, number],
  owner: { readonly polygon: number; readonly side: number },
  [clipWest, , clipEast]: Bbox,
): void {
  if (ax === bx) return;
  const whole =
    ax < bx
      ? { west: ax, yWest: ay, east: bx, yEast: by, ...owner }
      : { west: bx, yWest: by, east: ax, yEast: ay, ...owner };
  const west = Math.max(whole.west, clipWest);
  const east = Math.min(whole.east, clipEast);
  if (west >= east) return;
  edges.push({ ...whole, west, yWest: toY(whole, west), east, yEast: toY(whole, east) });
}
