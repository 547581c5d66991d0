import Flatbush from 'flatbush';
import { toBbox } from './bbox.js';
import type { Bbox, GeoJsonGeometry, Geometry, Position } from './model.js';
import { isSegmentMeeting, orient } from './predicates.js';

/**
 * Prepares geometries for the question whether another one shares a point with any of them (DE-9IM intersects of their
 * union; OGC 06-103r4 §6.1.15.3). Planar in lon/lat, edges straight as in RFC 7946 §3.1.1, and exact: touching counts, the inside
 * of a hole does not. Null and empty geometries intersect nothing.
 *
 * Preparing costs O(n log n); a question about a small geometry O(log n + k), k being the edges nearby. Polygons are
 * expected to be valid; the inside of one that is not follows the even-odd rule.
 */
export function createIntersects(
  geometries: readonly GeoJsonGeometry[],
): (other: GeoJsonGeometry | null) => boolean {
  const mine = toShape(geometries);
  if (mine.edges.count === 0) return () => false;
  const index = new EdgeIndex(mine);
  const bbox = toBbox(geometries);
  return (other) => {
    if (other === null) return false;
    const box = toBbox(other);
    if (!isBoxMeeting(bbox, box)) return false;
    const theirs = toShape([other]);
    return (
      hasPointIn(theirs, index) ||
      hasMeetingEdges(index, theirs, box) ||
      // With no edges that meet, all that is left is that something of ours is inside one of their polygons.
      (theirs.polygons > 0 && index.hasAnchorIn(theirs, box))
    );
  };
}

/** Any point, line or ring begins inside ours: the cheapest way to yes. */
function hasPointIn(theirs: Shape, index: EdgeIndex): boolean {
  const { anchors, edges } = theirs;
  return anchors.some((edge) => index.isInside(edges.at(edge, 0), edges.at(edge, 1)));
}

function hasMeetingEdges(index: EdgeIndex, theirs: Shape, box: Bbox): boolean {
  const { edges } = theirs;
  const nearby = index.search(box);
  if (nearby.length === 0) return false;
  for (let edge = 0; edge < edges.count; edge++) {
    const [ax, ay, bx, by] = edges.ends(edge);
    const isMeeting =
      nearby.length <= FEW_EDGES
        ? nearby.some((mine) => index.isMeeting(mine, ax, ay, bx, by))
        : index.hasMeeting(ax, ay, bx, by);
    if (isMeeting) return true;
  }
  return false;
}

/** Up to this many edges a plain loop beats asking the index again (measured on parcels against a department). */
const FEW_EDGES = 32;

/** Not part of a polygon's boundary. */
const NO_POLYGON = -1;

/** Edges laid out flat, four numbers each; a point is an edge from itself to itself. */
class EdgeList {
  readonly #numbers: number[] = [];
  /** The polygon whose boundary each edge is part of. */
  readonly polygons: number[] = [];

  get count(): number {
    return this.polygons.length;
  }

  add(from: Position, to: Position, polygon: number): void {
    this.#numbers.push(from[0], from[1], to[0], to[1]);
    this.polygons.push(polygon);
  }

  /** One of the numbers of an edge: 0 x and 1 y of its start, 2 x and 3 y of its end. */
  at(edge: number, which: 0 | 1 | 2 | 3): number {
    return this.#numbers[edge * 4 + which] as number;
  }

  ends(edge: number): [ax: number, ay: number, bx: number, by: number] {
    return [this.at(edge, 0), this.at(edge, 1), this.at(edge, 2), this.at(edge, 3)];
  }
}

/** Geometries taken apart. */
interface Shape {
  readonly edges: EdgeList;
  /** The first edge of each point, line and exterior: one point of every connected piece. */
  readonly anchors: readonly number[];
  readonly polygons: number;
}

function toShape(geometries: readonly GeoJsonGeometry[]): Shape {
  const edges = new EdgeList();
  const anchors: number[] = [];
  let polygons = 0;
  const addLine = (positions: readonly Position[], polygon: number) => {
    for (let i = 1; i < positions.length; i++)
      edges.add(positions[i - 1] as Position, positions[i] as Position, polygon);
    if (positions.length === 1) edges.add(positions[0] as Position, positions[0] as Position, polygon);
  };
  const addPart = (positions: readonly Position[], polygon = NO_POLYGON) => {
    if (positions.length > 0) anchors.push(edges.count);
    addLine(positions, polygon);
  };
  const addPolygon = ([exterior, ...holes]: readonly (readonly Position[])[]) => {
    const polygon = polygons++;
    if (exterior) addPart(exterior, polygon);
    for (const hole of holes) addLine(hole, polygon);
  };
  const add = (geometry: GeoJsonGeometry): void => {
    if (geometry.type === 'GeometryCollection') geometry.geometries.forEach(add);
    else addSimple(geometry, addPart, addPolygon);
  };
  geometries.forEach(add);
  return { edges, anchors, polygons };
}

function addSimple(
  geometry: Geometry,
  addPart: (positions: readonly Position[]) => void,
  addPolygon: (rings: readonly (readonly Position[])[]) => void,
): void {
  switch (geometry.type) {
    case 'Point':
      if (geometry.coordinates.length > 0) addPart([geometry.coordinates]);
      break;
    case 'MultiPoint':
      for (const position of geometry.coordinates) addPart([position]);
      break;
    case 'LineString':
      addPart(geometry.coordinates);
      break;
    case 'MultiLineString':
      for (const line of geometry.coordinates) addPart(line);
      break;
    case 'Polygon':
      addPolygon(geometry.coordinates);
      break;
    case 'MultiPolygon':
      for (const part of geometry.coordinates) addPolygon(part);
  }
}

/** The edges of a shape under a packed R-tree. */
class EdgeIndex {
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

function isBoxMeeting(one: Bbox, other: Bbox): boolean {
  return one[0] <= other[2] && other[0] <= one[2] && one[1] <= other[3] && other[1] <= one[3];
}
