const NONE = -1;

/**
 * The edges a sweep line meets, ordered from below to above: a treap over edge numbers, threaded with the neighbour
 * links the sweep lives on. Edges go in next to a known neighbour, so that the only comparisons are those of
 * `locate`. Insertion, removal and location take O(log n) expected time; random priorities keep that out of the
 * reach of whoever draws the rings.
 */
export class EdgeOrder {
  readonly #above: Int32Array;
  readonly #below: Int32Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #parent: Int32Array;
  readonly #priority: Float64Array;
  readonly #isIn: Uint8Array;
  #root = NONE;
  #lowest = NONE;

  constructor(edges: number) {
    this.#above = new Int32Array(edges).fill(NONE);
    this.#below = new Int32Array(edges).fill(NONE);
    this.#left = new Int32Array(edges).fill(NONE);
    this.#right = new Int32Array(edges).fill(NONE);
    this.#parent = new Int32Array(edges).fill(NONE);
    this.#priority = new Float64Array(edges);
    this.#isIn = new Uint8Array(edges);
  }

  has(edge: number): boolean {
    return edge !== NONE && this.#isIn[edge] === 1;
  }

  /** The edge just above; -1 where there is none. The one above -1 is the lowest of all. */
  above(edge: number): number {
    return edge === NONE ? this.#lowest : (this.#above[edge] as number);
  }

  /** The edge just below; -1 where there is none. */
  below(edge: number): number {
    return this.#below[edge] as number;
  }

  /**
   * Finds a point among the edges. `side(edge)` is positive when the point lies above the edge, negative below, 0 on it.
   * Answers an edge the point lies on, else the edge just below it (-1: none), told apart by `isOn`.
   */
  locate(side: (edge: number) => number): { edge: number; isOn: boolean } {
    let below = NONE;
    let node = this.#root;
    while (node !== NONE) {
      const s = side(node);
      if (s === 0) return { edge: node, isOn: true };
      if (s > 0) below = node;
      node = (s > 0 ? this.#right[node] : this.#left[node]) as number;
    }
    return { edge: below, isOn: false };
  }

  /** Puts an edge in just above another one; above -1 = as the lowest. */
  insertAbove(below: number, edge: number): void {
    const above = this.above(below);
    this.#link(below, edge);
    this.#link(edge, above);
    this.#isIn[edge] = 1;
    this.#priority[edge] = Math.random();
    this.#left[edge] = NONE;
    this.#right[edge] = NONE;
    // One of the two neighbours always has the free place between them.
    if (below !== NONE && this.#right[below] === NONE) this.#attach(below, edge, this.#right);
    else if (above !== NONE) this.#attach(above, edge, this.#left);
    else this.#setRoot(edge);
    this.#rise(edge);
  }

  remove(edge: number): void {
    this.#sink(edge);
    const parent = this.#parent[edge] as number;
    if (parent === NONE) this.#root = NONE;
    else if (this.#left[parent] === edge) this.#left[parent] = NONE;
    else this.#right[parent] = NONE;
    this.#link(this.#below[edge] as number, this.#above[edge] as number);
    this.#isIn[edge] = 0;
  }

  #link(below: number, above: number): void {
    if (below === NONE) this.#lowest = above;
    else this.#above[below] = above;
    if (above !== NONE) this.#below[above] = below;
  }

  #attach(parent: number, edge: number, side: Int32Array): void {
    side[parent] = edge;
    this.#parent[edge] = parent;
  }

  #setRoot(edge: number): void {
    this.#root = edge;
    this.#parent[edge] = NONE;
  }

  #rise(edge: number): void {
    for (;;) {
      const parent = this.#parent[edge] as number;
      if (parent === NONE || (this.#priority[parent] as number) >= (this.#priority[edge] as number)) return;
      this.#lift(edge, parent);
    }
  }

  #sink(edge: number): void {
    for (;;) {
      const left = this.#left[edge] as number;
      const right = this.#right[edge] as number;
      if (left === NONE && right === NONE) return;
      const isLeft =
        right === NONE ||
        (left !== NONE && (this.#priority[left] as number) > (this.#priority[right] as number));
      this.#lift(isLeft ? left : right, edge);
    }
  }

  /** Rotates a child above its parent; the order from below to above stays. */
  #lift(child: number, parent: number): void {
    const isLeft = this.#left[parent] === child;
    const [near, far] = isLeft ? [this.#left, this.#right] : [this.#right, this.#left];
    const inner = far[child] as number;
    const grandparent = this.#parent[parent] as number;
    near[parent] = inner;
    if (inner !== NONE) this.#parent[inner] = parent;
    this.#attach(child, parent, far);
    if (grandparent === NONE) this.#setRoot(child);
    else this.#attach(grandparent, child, this.#left[grandparent] === parent ? this.#left : this.#right);
  }
}
