import { toBbox } from './bbox.js';
import { EdgeIndex } from './edge-index.js';
import { geodesicLength } from './geodesic.js';
import type { Bbox, GeoJsonGeometry } from './model.js';
import { orient } from './predicates.js';
import { NO_POLYGON, type Shape, toShape } from './shape.js';
import { addSlabEdges, type Budget, OverBudget, type SlabEdge, sharedArea } from './slabs.js';

/**
 * What one geometry shares with others: square metres where both have an area, else metres where both have at least a
 * length, else an area of 0. The shares are parts of the whole from 0 to 1; 0 where the whole has more dimensions than
 * what is shared.
 */
export type Overlap =
  | { readonly area: number; readonly shareOfFeature: number; readonly shareOfGeom: number }
  | { readonly length: number; readonly shareOfFeature: number; readonly shareOfGeom: number };

export interface OverlapOptions {
  /** Edges looked at before a feature is given up; by default as many as take some 50 ms. */
  readonly budget?: number;
  /** Edges looked at for all features before every other one is given up. */
  readonly total?: number;
}

const DEFAULT_BUDGET = 300_000;
/** For what of the geometries is measured once for all features. */
const OWN_BUDGET = 10_000_000;

/**
 * Prepares geometries, of which the union counts, for the question what another one shares with them. On the WGS84
 * ellipsoid (geodesic areas and lengths); edges are straight in lon/lat where they cross (RFC 7946 §3.1.1). Invalid
 * polygons follow the even-odd rule. Undefined: the measure would take more than its budget.
 */
export function createOverlap(
  geometries: readonly GeoJsonGeometry[],
  { budget = DEFAULT_BUDGET, total = Number.POSITIVE_INFINITY }: OverlapOptions = {},
): (feature: GeoJsonGeometry) => Overlap | undefined {
  const geom = new Side(geometries);
  let totalLeft = total;
  return (feature) => {
    const own = Math.min(budget, totalLeft);
    const work = { left: own };
    try {
      return measure(new Side([feature]), geom, work);
    } catch (error) {
      if (error instanceof OverBudget) return undefined;
      throw error;
    } finally {
      totalLeft -= own - Math.max(0, work.left);
    }
  };
}

function measure(feature: Side, geom: Side, budget: Budget): Overlap {
  const dimension = Math.min(feature.dimension, geom.dimension);
  if (dimension === 2) {
    const area = feature.isMeeting(geom) ? toSharedArea(feature, geom, budget) : 0;
    return { area, ...toShares(area, feature.area(budget), geom.area({ left: OWN_BUDGET })) };
  }
  if (dimension === 1) {
    const [line, other] = feature.dimension === 1 ? [feature, geom] : [geom, feature];
    const length = feature.isMeeting(geom) ? toSharedLength(line, other, budget) : 0;
    const [ofFeature, ofGeom] = [feature, geom].map((one) => (one.dimension === 1 ? one.length : Infinity));
    return { length, ...toShares(length, ofFeature as number, ofGeom as number) };
  }
  return { area: 0, ...toPointShares(feature, geom) };
}

function toShares(shared: number, feature: number, geom: number) {
  return { shareOfFeature: toShare(shared, feature), shareOfGeom: toShare(shared, geom) };
}

const toShare = (part: number, whole: number) => (whole > 0 ? Math.min(1, part / whole) : 0);

/** Geometries of one side of the question, with what of them is measured more than once. */
class Side {
  readonly shape: Shape;
  readonly bbox: Bbox;
  /** The highest of its parts. */
  readonly dimension: 0 | 1 | 2;
  #index: EdgeIndex | undefined;
  #area: number | undefined;
  /** Measuring it took more than its budget: not to be tried again for each feature. */
  #isAreaOver = false;
  #length: number | undefined;

  constructor(geometries: readonly GeoJsonGeometry[]) {
    this.shape = toShape(geometries);
    this.bbox = toBbox(geometries);
    this.dimension = Math.max(0, ...geometries.map(toDimension)) as 0 | 1 | 2;
  }

  #indexed(): EdgeIndex {
    this.#index ??= new EdgeIndex(this.shape);
    return this.#index;
  }

  /** Of its polygons, without what is under several of them twice. */
  area(budget: Budget): number {
    if (this.#isAreaOver) throw new OverBudget();
    this.#isAreaOver = true;
    this.#area ??= sharedArea(toSlabEdges(this, 0, this.bbox), 1, budget);
    this.#isAreaOver = false;
    return this.#area;
  }

  /** Of its lines. */
  get length(): number {
    this.#length ??= this.linesIn(this.bbox).reduce((sum, edge) => sum + geodesicLength(...edge), 0);
    return this.#length;
  }

  /** The edges of its lines that meet a box. */
  linesIn(box: Bbox): [number, number, number, number][] {
    const { edges } = this.shape;
    return this.edgesIn(box)
      .filter((edge) => edges.polygons[edge] === NO_POLYGON)
      .map((edge) => edges.ends(edge));
  }

  /** The edges whose boxes meet a box. */
  edgesIn(box: Bbox): number[] {
    return this.shape.edges.count === 0 ? [] : this.#indexed().search(box);
  }

  /** Whether a point lies in one of its polygons, or on an edge. */
  isAt([x, y]: readonly [number, number]): boolean {
    return this.shape.edges.count > 0 && this.#indexed().isInside(x, y);
  }

  isMeeting({ bbox: [west, south, east, north] }: Side): boolean {
    return west <= this.bbox[2] && this.bbox[0] <= east && south <= this.bbox[3] && this.bbox[1] <= north;
  }
}

function toDimension(geometry: GeoJsonGeometry): number {
  switch (geometry.type) {
    case 'Point':
    case 'MultiPoint':
      return 0;
    case 'LineString':
    case 'MultiLineString':
      return 1;
    case 'GeometryCollection':
      return Math.max(0, ...geometry.geometries.map(toDimension));
    default:
      return 2;
  }
}

/** The edges of its polygons that cross or lie below the box: what is above says nothing of what is in it. */
function toSlabEdges(of: Side, side: number, box: Bbox, firstPolygon = 0): SlabEdge[] {
  const { shape } = of;
  const edges: SlabEdge[] = [];
  for (const edge of of.edgesIn([box[0], -Infinity, box[2], box[3]])) {
    const polygon = shape.edges.polygons[edge] as number;
    if (polygon === NO_POLYGON) continue;
    addSlabEdges(edges, shape.edges.ends(edge), { polygon: firstPolygon + polygon, side }, box);
  }
  return edges;
}

function toSharedArea(feature: Side, geom: Side, budget: Budget): number {
  const box: Bbox = [
    Math.max(feature.bbox[0], geom.bbox[0]),
    Math.max(feature.bbox[1], geom.bbox[1]),
    Math.min(feature.bbox[2], geom.bbox[2]),
    Math.min(feature.bbox[3], geom.bbox[3]),
  ];
  if (geom.edgesIn(feature.bbox).length === 0) return isInside(feature, geom) ? feature.area(budget) : 0;
  const mine = toSlabEdges(feature, 0, box);
  return sharedArea([...mine, ...toSlabEdges(geom, 1, box, feature.shape.polygons)], 2, budget);
}

/** Where no edge of `geom` is near: a single position tells. */
function isInside({ shape }: Side, geom: Side): boolean {
  return geom.isAt([shape.edges.at(0, 0), shape.edges.at(0, 1)]);
}

/** The length of the lines that is in the polygons or on the edges of the other side. */
function toSharedLength(lines: Side, other: Side, budget: Budget): number {
  let length = 0;
  for (const edge of lines.linesIn(other.bbox)) {
    for (const [from, to] of toPartsInside(edge, other, budget)) length += geodesicLength(...from, ...to);
  }
  return length;
}

type Edge = readonly [ax: number, ay: number, bx: number, by: number];
type Point = readonly [x: number, y: number];

/** The pieces of an edge between two meetings with the other side's edges that are inside it, or run along one. */
function toPartsInside(edge: Edge, other: Side, budget: Budget): [Point, Point][] {
  const near = other.edgesIn(toEdgeBox(edge));
  budget.left -= near.length + 1;
  if (budget.left < 0) throw new OverBudget();
  const along: [number, number][] = [];
  const stops = [0, 1];
  for (const one of near) {
    const meeting = toMeeting(edge, other.shape.edges.ends(one));
    if (meeting.length === 2) along.push(meeting as [number, number]);
    stops.push(...meeting);
  }
  stops.sort((a, b) => a - b);
  const parts: [Point, Point][] = [];
  for (let i = 1; i < stops.length; i++) {
    const [from, to] = [stops[i - 1] as number, stops[i] as number];
    if (to <= from) continue;
    const middle = from + (to - from) / 2;
    const isAlong = along.some(([begin, end]) => begin <= middle && middle <= end);
    const isIn = isAlong || (other.dimension === 2 && other.isAt(toPoint(edge, middle)));
    if (isIn) parts.push([toPoint(edge, from), toPoint(edge, to)]);
  }
  return parts;
}

/** Where on a-b, from 0 to 1, it meets c-d: once where they cross, from and to where they run along each other. */
function toMeeting([ax, ay, bx, by]: Edge, [cx, cy, dx, dy]: Edge): number[] {
  const c = orient(ax, ay, bx, by, cx, cy);
  const d = orient(ax, ay, bx, by, dx, dy);
  if (c === 0 && d === 0) {
    const isFlat = Math.abs(bx - ax) >= Math.abs(by - ay);
    const toPart = (x: number, y: number) => (isFlat ? (x - ax) / (bx - ax) : (y - ay) / (by - ay));
    const [first, last] = [toPart(cx, cy), toPart(dx, dy)].sort((p, q) => p - q) as [number, number];
    const [from, to] = [Math.max(0, first), Math.min(1, last)];
    return from < to ? [from, to] : [];
  }
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return [];
  const a = orient(cx, cy, dx, dy, ax, ay);
  const b = orient(cx, cy, dx, dy, bx, by);
  if ((a > 0 && b > 0) || (a < 0 && b < 0)) return [];
  return [a / (a - b)];
}

function toPoint([ax, ay, bx, by]: Edge, part: number): Point {
  return part === 1 ? [bx, by] : [ax + (bx - ax) * part, ay + (by - ay) * part];
}

function toEdgeBox([ax, ay, bx, by]: Edge): Bbox {
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
}

/** Of points, how many of them lie on the other side. */
function toPointShares(feature: Side, geom: Side) {
  const toShareIn = (one: Side, other: Side) => {
    if (one.dimension > 0) return 0;
    const { edges } = one.shape;
    const points = Array.from(
      { length: edges.count },
      (_, edge): Point => [edges.at(edge, 0), edges.at(edge, 1)],
    );
    return toShare(points.filter((point) => other.isAt(point)).length, points.length);
  };
  return { shareOfFeature: toShareIn(feature, geom), shareOfGeom: toShareIn(geom, feature) };
}
