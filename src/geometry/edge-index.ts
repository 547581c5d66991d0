import Flatbush from 'flatbush';
import type { Bbox } from './model.js';
import { isSegmentMeeting, orient } from './predicates.js';
import { NO_POLYGON, type Shape } from './shape.js';

/** The edges of a shape under a packed R-tree. */
export class EdgeIndex {
  readonly #shape: Shape;
  readonly #tree: Flatbush;

  constructor(shape: Shape) {
    this.#shape = shape;
    this.#tree = new Flatbush(shape.edges.count);
    for (let edge = 0; edge < shape.edges.count; edge++) {
      const [ax, ay, bx, by] = shape.edges.ends(edge);
      this.#tree.add(Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by));
    }
    this.#tree.finish();
  }

  search(box: Bbox): number[] {
    return this.#tree.search(...box);
  }

  isMeeting(edge: number, ax: number, ay: number, bx: number, by: number): boolean {
    return isSegmentMeeting(ax, ay, bx, by, ...this.#shape.edges.ends(edge));
  }

  /** Whether any edge of ours shares a point with a-b. */
  hasMeeting(ax: number, ay: number, bx: number, by: number): boolean {
    return this.#tree.collides(
      Math.min(ax, bx),
      Math.min(ay, by),
      Math.max(ax, bx),
      Math.max(ay, by),
      (edge) => this.isMeeting(edge, ax, ay, bx, by),
    );
  }

  /** Whether a point lies inside one of our polygons or on one of our edges: the edges right of it are counted. */
  isInside(x: number, y: number): boolean {
    const { edges, polygons } = this.#shape;
    if (polygons === 0) return this.hasMeeting(x, y, x, y);
    const odd = new Set<number>();
    const isOn = this.#tree.collides(x, y, Infinity, y, (edge) => {
      const side = toRaySide(x, y, ...edges.ends(edge));
      const polygon = edges.polygons[edge] as number;
      if (side === CROSSED && polygon !== NO_POLYGON && !odd.delete(polygon)) odd.add(polygon);
      return side === ON;
    });
    return isOn || odd.size > 0;
  }

  /** Whether a piece of ours begins inside a polygon of theirs. */
  hasAnchorIn(theirs: Shape, [west, south, east, north]: Bbox): boolean {
    const { edges, anchors } = this.#shape;
    const nearby = anchors.filter((edge) => {
      const [x, y] = [edges.at(edge, 0), edges.at(edge, 1)];
      return x >= west && x <= east && y >= south && y <= north;
    });
    const index = nearby.length > MANY_ANCHORS ? new EdgeIndex(theirs) : undefined;
    return nearby.some((edge) => {
      const [x, y] = [edges.at(edge, 0), edges.at(edge, 1)];
      return index ? index.isInside(x, y) : isInsideShape(theirs, x, y);
    });
  }
}

/** From this many points on, an index of the other side's edges pays for itself. */
const MANY_ANCHORS = 16;

/** `EdgeIndex.isInside` without an index, for shapes asked once. */
function isInsideShape({ edges }: Shape, x: number, y: number): boolean {
  const odd = new Set<number>();
  for (let edge = 0; edge < edges.count; edge++) {
    const polygon = edges.polygons[edge] as number;
    if (polygon === NO_POLYGON) continue;
    const side = toRaySide(x, y, ...edges.ends(edge));
    if (side === ON) return true;
    if (side === CROSSED && !odd.delete(polygon)) odd.add(polygon);
  }
  return odd.size > 0;
}

const MISSED = 0;
const CROSSED = 1;
const ON = 2;

/** How the ray from (x, y) to the east meets the edge; of its ends the lower belongs to it, so no vertex counts twice. */
function toRaySide(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  if (Math.max(ax, bx) < x || (ay > y && by > y) || (ay < y && by < y)) return MISSED;
  const turn = orient(ax, ay, bx, by, x, y);
  if (turn === 0) return x >= Math.min(ax, bx) ? ON : MISSED;
  const isUpward = ay <= y && by > y;
  const isDownward = by <= y && ay > y;
  return (isUpward && turn > 0) || (isDownward && turn < 0) ? CROSSED : MISSED;
}
