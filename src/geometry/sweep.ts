import { EdgeOrder } from './edge-order.js';
import { orient } from './predicates.js';

const NONE = -1;

/**
 * Closed rings laid out flat: ring r has the vertices `starts[r] .. starts[r + 1]`, without the closing one and without
 * two equal ones in a row; vertex i is (xs[i], ys[i]), and edge i leads from it to the next vertex of its ring.
 */
export interface Rings {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** One entry more than there are rings. */
  readonly starts: Uint32Array;
}

/**
 * How two edges offend: `crosses` at one point; `overlaps` along a stretch; `touches` at one point without crossing,
 * which only edges of different rings may do.
 */
export interface Clash {
  readonly kind: 'crosses' | 'overlaps' | 'touches';
  /** Edge numbers, the smaller first. */
  readonly edges: readonly [number, number];
  /** Where, as near as a double can say it. */
  readonly at: readonly [x: number, y: number];
}

export interface Sweep {
  /** One clash for each pair of rings (or ring with itself) that has any. */
  readonly clashes: readonly Clash[];
  /** The rings that meet at a point without crossing there, for every such point. Holds when nothing clashes. */
  readonly touches: readonly (readonly number[])[];
  /** For each ring the smallest one around it, -1 for none. Holds when nothing clashes. */
  readonly parents: Int32Array;
}

/** One passage of a ring through a point: the far ends of the edges by which it comes and goes. */
interface Passage {
  readonly ring: number;
  readonly edge: number;
  readonly ends: readonly [number, number];
}

/**
 * Sweeps a line over the edges of all rings (Shamos and Hoey, 1976): O(n log n) whatever the rings look like, which
 * an index of bounding boxes is not (a diagonal comb makes all of them overlap). Every decision is the sign of an
 * exact orientation of input points; no intersection point is ever computed to decide.
 *
 * Points are ordered by x, then y, as if the line leant a little, so vertical edges need no case of their own. Two
 * edges found to cross are both taken out and the sweep goes on: what is left is still free of known crossings.
 */
export function sweepRings(rings: Rings): Sweep {
  return new RingSweep(rings).run();
}

/** The ring of every edge. */
export function toRingOfEdge(starts: Uint32Array): Uint32Array {
  const ringOf = new Uint32Array(starts.at(-1) ?? 0);
  for (let ring = 0; ring + 1 < starts.length; ring++) ringOf.fill(ring, starts[ring], starts[ring + 1]);
  return ringOf;
}

class RingSweep {
  readonly #xs: Float64Array;
  readonly #ys: Float64Array;
  readonly #starts: Uint32Array;
  readonly #ringOf: Uint32Array;
  readonly #order: EdgeOrder;
  /** Both ends of each edge, the left (smaller by x, then y) first. */
  readonly #lefts: Uint32Array;
  readonly #rights: Uint32Array;

  readonly #clashes: Clash[] = [];
  readonly #clashing = new Set<number>();
  readonly #touches: number[][] = [];
  readonly #parents: Int32Array;
  /** 1: the ring runs counterclockwise, 0: clockwise, 2: not reached yet. */
  readonly #direction: Uint8Array;

  constructor({ xs, ys, starts }: Rings) {
    this.#xs = xs;
    this.#ys = ys;
    this.#starts = starts;
    this.#ringOf = toRingOfEdge(starts);
    this.#order = new EdgeOrder(xs.length);
    this.#lefts = new Uint32Array(xs.length);
    this.#rights = new Uint32Array(xs.length);
    this.#parents = new Int32Array(starts.length - 1).fill(NONE);
    this.#direction = new Uint8Array(starts.length - 1).fill(2);
  }

  run(): Sweep {
    for (let edge = 0; edge < this.#xs.length; edge++) {
      const to = this.#next(edge);
      const isRightward = this.#compare(edge, to) < 0;
      this.#lefts[edge] = isRightward ? edge : to;
      this.#rights[edge] = isRightward ? to : edge;
    }
    const sorted = new Uint32Array(this.#xs.length);
    for (let vertex = 0; vertex < sorted.length; vertex++) sorted[vertex] = vertex;
    sorted.sort((a, b) => this.#compare(a, b));
    for (let from = 0; from < sorted.length; ) {
      let to = from + 1;
      while (to < sorted.length && this.#compare(sorted[from] as number, sorted[to] as number) === 0) to++;
      this.#visit(sorted, from, to);
      from = to;
    }
    return { clashes: this.#clashes, touches: this.#touches, parents: this.#parents };
  }

  /** One point of the plane, with every vertex that lies on it: those from `from` on, before `to`. */
  #visit(sorted: Uint32Array, from: number, to: number): void {
    const point = sorted[from] as number;
    const starting: number[] = [];
    let hasEnded = false;
    for (let i = from; i < to; i++) {
      const vertex = sorted[i] as number;
      if (this.#reach(vertex, vertex, starting)) hasEnded = true;
      if (this.#reach(this.#previous(vertex), vertex, starting)) hasEnded = true;
    }
    const { below, through } = this.#place(point, hasEnded);
    if (starting.length > 0) this.#start(point, starting, below, through);
    if (to - from > 1 || through !== NONE) this.#meet(point, sorted.subarray(from, to), through);
  }

  /** An edge of which the vertex is one end: it is to be started, or it ends. @returns whether it has ended */
  #reach(edge: number, vertex: number, starting: number[]): boolean {
    if (this.#lefts[edge] === vertex) starting.push(edge);
    else if (this.#order.has(edge)) {
      this.#order.remove(edge);
      return true;
    }
    return false;
  }

  /** Where the point lies among the edges: the one just below it and the one it lies on, crossings cleared away. */
  #place(point: number, hasEnded: boolean): { below: number; through: number } {
    for (;;) {
      const { edge, isOn } = this.#order.locate((e) => this.#side(e, point));
      const below = isOn ? this.#order.below(edge) : edge;
      const through = isOn ? edge : NONE;
      const isCleared = isOn
        ? this.#part(below, through) || this.#part(through, this.#order.above(through))
        : hasEnded && this.#part(below, this.#order.above(below));
      if (!isCleared) return { below, through };
    }
  }

  /** Takes two neighbours that cross out of the order, and tells whether they did. */
  #part(below: number, above: number): boolean {
    if (below === NONE || above === NONE || !this.#isCrossing(below, above)) return false;
    this.#clash('crosses', below, above, this.#crossingPoint(below, above));
    this.#order.remove(below);
    this.#order.remove(above);
    return true;
  }

  /** As `#part`, and goes on with the neighbours left behind. */
  #partAll(from: number, to: number): void {
    let [below, above] = [from, to];
    while (below !== NONE && above !== NONE) {
      const [next, last] = [this.#order.below(below), this.#order.above(above)];
      if (!this.#part(below, above)) return;
      below = next;
      above = last;
    }
  }

  /** Lets the edges that start at the point into the order, above `below` and around `through`. */
  #start(point: number, starting: number[], below: number, through: number): void {
    if (starting.length > 1) starting.sort((a, b) => -this.#turn(point, this.#right(a), this.#right(b)));
    let last = below;
    let previous = NONE;
    let isPassed = through === NONE;
    for (const edge of starting) {
      const side = isPassed ? 1 : this.#side(through, this.#right(edge));
      if (side === 0) this.#overlap(point, through, edge);
      else if (previous !== NONE && this.#turn(point, this.#right(previous), this.#right(edge)) === 0)
        this.#overlap(point, previous, edge);
      else {
        if (side > 0 && !isPassed) {
          last = through;
          isPassed = true;
        }
        this.#order.insertAbove(last, edge);
        this.#begin(edge);
        last = edge;
        previous = edge;
      }
    }
    if (!isPassed) last = through;
    if (last === below) return;
    // Only the outermost edges of this point have new neighbours that do not pass through it too.
    const above = this.#order.above(last);
    this.#partAll(below, this.#order.above(below));
    if (this.#order.has(last)) this.#partAll(last, above);
  }

  /** At the first point of a ring: its direction and, from the edge below, the ring around it. */
  #begin(edge: number): void {
    const ring = this.#ring(edge);
    if (this.#direction[ring] !== 2) return;
    // Of the two edges at a ring's first point this is the lower: counterclockwise it is the one that leaves.
    this.#direction[ring] = this.#lefts[edge] === edge ? 1 : 0;
    const below = this.#order.below(edge);
    if (below === NONE) return;
    const neighbour = this.#ring(below);
    const isInside = (this.#direction[neighbour] === 1) === (this.#lefts[below] === below);
    this.#parents[ring] = isInside ? neighbour : (this.#parents[neighbour] as number);
  }

  /** Several passages through one point: of one ring they clash, of several rings they must not cross. */
  #meet(point: number, vertices: Uint32Array, through: number): void {
    const passages: Passage[] = Array.from(vertices, (vertex) => ({
      ring: this.#ring(vertex),
      edge: vertex,
      ends: [this.#previous(vertex), this.#next(vertex)],
    }));
    if (through !== NONE) {
      const ends = [this.#lefts[through] as number, this.#right(through)] as const;
      passages.push({ ring: this.#ring(through), edge: through, ends });
    }
    const at = [this.#xs[point] as number, this.#ys[point] as number] as const;
    const firstOf = new Map<number, Passage>();
    for (const passage of passages) {
      const first = firstOf.get(passage.ring);
      if (first) this.#clash('touches', first.edge, passage.edge, at);
      else firstOf.set(passage.ring, passage);
    }
    if (firstOf.size < 2) return;
    const crossing = this.#toCrossing(point, passages);
    if (crossing) this.#clash('crosses', crossing[0], crossing[1], at);
    else this.#touches.push([...firstOf.keys()]);
  }

  /** Two passages that cross at the point: going around it, passages that do not are nested like parentheses. */
  #toCrossing(point: number, passages: readonly Passage[]): readonly [number, number] | undefined {
    const ways = passages.flatMap((passage) => passage.ends.map((end) => ({ passage, end })));
    ways.sort((a, b) => this.#compareAround(point, a.end, b.end));
    const open: Passage[] = [];
    const seen = new Set<Passage>();
    for (const { passage } of ways) {
      const innermost = open.at(-1);
      if (innermost === passage) open.pop();
      else if (innermost && seen.has(passage)) return [passage.edge, innermost.edge];
      else open.push(passage);
      seen.add(passage);
    }
    return undefined;
  }

  #overlap(point: number, one: number, other: number): void {
    this.#clash('overlaps', one, other, [this.#xs[point] as number, this.#ys[point] as number]);
  }

  #clash(kind: Clash['kind'], one: number, other: number, at: Clash['at']): void {
    const edges = one < other ? ([one, other] as const) : ([other, one] as const);
    const pair = this.#ring(edges[0]) * this.#starts.length + this.#ring(edges[1]);
    if (this.#clashing.has(pair)) return;
    this.#clashing.add(pair);
    this.#clashes.push({ kind, edges, at });
  }

  #isCrossing(one: number, other: number): boolean {
    const [a, b] = [this.#side(one, this.#lefts[other] as number), this.#side(one, this.#right(other))];
    if (a === 0 || b === 0 || a > 0 === b > 0) return false;
    const [c, d] = [this.#side(other, this.#lefts[one] as number), this.#side(other, this.#right(one))];
    return c !== 0 && d !== 0 && c > 0 !== d > 0;
  }

  /** For messages only: rounded, where every decision is exact. */
  #crossingPoint(one: number, other: number): readonly [number, number] {
    const [from, to] = [this.#lefts[one] as number, this.#right(one)];
    const a = Math.abs(this.#side(other, from));
    const b = Math.abs(this.#side(other, to));
    const part = a / (a + b);
    const [x, y] = [this.#xs[from] as number, this.#ys[from] as number];
    return [x + part * ((this.#xs[to] as number) - x), y + part * ((this.#ys[to] as number) - y)];
  }

  /** Positive where the vertex lies above the edge, negative below, 0 on its line. */
  #side(edge: number, vertex: number): number {
    return this.#turn(this.#lefts[edge] as number, this.#rights[edge] as number, vertex);
  }

  #turn(a: number, b: number, c: number): number {
    const xs = this.#xs;
    const ys = this.#ys;
    return orient(
      xs[a] as number,
      ys[a] as number,
      xs[b] as number,
      ys[b] as number,
      xs[c] as number,
      ys[c] as number,
    );
  }

  /** By x, then y. */
  #compare(a: number, b: number): number {
    return (
      (this.#xs[a] as number) - (this.#xs[b] as number) || (this.#ys[a] as number) - (this.#ys[b] as number)
    );
  }

  /** Counterclockwise around the point, from straight down. */
  #compareAround(point: number, a: number, b: number): number {
    const [isRightA, isRightB] = [this.#compare(a, point) > 0, this.#compare(b, point) > 0];
    if (isRightA !== isRightB) return isRightA ? -1 : 1;
    return -this.#turn(point, a, b);
  }

  #ring(edge: number): number {
    return this.#ringOf[edge] as number;
  }

  #right(edge: number): number {
    return this.#rights[edge] as number;
  }

  #next(vertex: number): number {
    const ring = this.#ring(vertex);
    return vertex + 1 === this.#starts[ring + 1] ? (this.#starts[ring] as number) : vertex + 1;
  }

  #previous(vertex: number): number {
    const ring = this.#ring(vertex);
    return (vertex === this.#starts[ring] ? (this.#starts[ring + 1] as number) : vertex) - 1;
  }
}
