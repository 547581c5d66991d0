import type { FaultList } from './faults.js';
import type { Position } from './model.js';
import { isSegmentMeeting, orient } from './predicates.js';
import { type Clash, type Rings, sweepRings, toRingOfEdge } from './sweep.js';

/** A polygon whose form has been checked: closed rings of at least three distinct positions, no two equal in a row. */
export interface PolygonDraft {
  /** Where its coordinates are in the document. */
  readonly pointer: string;
  readonly rings: readonly RingDraft[];
}

export interface RingDraft {
  readonly positions: readonly Position[];
  /** Where each position stood in the document; absent where none was left out. */
  readonly origins?: readonly number[];
}

/** One ring of one polygon, by its number in each. */
interface Place {
  readonly part: number;
  readonly ring: number;
}

/**
 * Checks polygons as OGC 06-103r4 §6.1.11 (Polygon) and §6.1.14 (MultiPolygon) want them: rings that are simple,
 * that meet each other in single points only, holes inside the exterior and not inside each other, an interior in
 * one piece, and parts that share no area and no stretch of boundary. The direction of rings does not matter.
 */
export function checkPolygons(parts: readonly PolygonDraft[], faults: FaultList): void {
  const before = faults.faults.length;
  for (const part of parts) {
    if (faults.isFull) return;
    checkPolygon(part, faults);
  }
  if (parts.length > 1 && faults.faults.length === before) checkParts(parts, faults);
}

function checkPolygon(part: PolygonDraft, faults: FaultList): void {
  const [exterior, ...holes] = part.rings;
  if (exterior !== undefined && holes.length === 0 && isSmallAndSimple(exterior.positions)) return;
  const { rings, places } = toRings([part]);
  const { clashes, touches, parents } = sweepRings(rings);
  if (clashes.length > 0) {
    const report = toReporter([part], rings, places, faults);
    for (const clash of clashes) report(clash);
    return;
  }
  for (let ring = 1; ring < parents.length; ring++) {
    const around = parents[ring] as number;
    if (around === -1) faults.add(`${part.pointer}/${ring}`, 'geometry.holeOutside', { ring });
    if (around > 0) faults.add(`${part.pointer}/${ring}`, 'geometry.holeInHole', { ring, other: around });
  }
  if (isInteriorCut(touches, parents.length)) faults.add(part.pointer, 'geometry.interiorCut');
}

/** Edges of a ring up to which all of them are sooner compared than swept over. */
const FEW_EDGES = 16;

/** Whether a closed ring is a small one that neither meets itself nor turns back on itself; exact. */
function isSmallAndSimple(ring: readonly Position[]): boolean {
  const edges = ring.length - 1;
  if (edges > FEW_EDGES) return false;
  for (let one = 0; one < edges; one++) {
    if (isTurningBack(ring, one)) return false;
    // the next edge shares a position with this one, and so does the last with the first
    const last = one === 0 ? edges - 1 : edges;
    for (let other = one + 2; other < last; other++) {
      if (isEdgeMeeting(ring, one, other)) return false;
    }
  }
  return true;
}

function isEdgeMeeting(ring: readonly Position[], one: number, other: number): boolean {
  const [a, b] = [ring[one] as Position, ring[one + 1] as Position];
  const [c, d] = [ring[other] as Position, ring[other + 1] as Position];
  return isSegmentMeeting(a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]);
}

/** Whether the edge behind this one runs back over it. */
function isTurningBack(ring: readonly Position[], edge: number): boolean {
  const from = ring[edge] as Position;
  const at = ring[edge + 1] as Position;
  const to = ring[edge + 2 < ring.length ? edge + 2 : 1] as Position;
  if (orient(from[0], from[1], at[0], at[1], to[0], to[1]) !== 0) return false;
  const axis = from[0] === at[0] ? 1 : 0;
  return from[axis] < at[axis] === to[axis] < at[axis];
}

/** Parts that are valid each by itself. */
function checkParts(parts: readonly PolygonDraft[], faults: FaultList): void {
  const { rings, places } = toRings(parts);
  const { clashes, parents } = sweepRings(rings);
  if (clashes.length > 0) {
    const report = toReporter(parts, rings, places, faults);
    const reported = new Set<string>();
    for (const clash of clashes) {
      const pair = clash.edges.map((edge) => report.toPlace(edge).part).join();
      if (!reported.has(pair)) report(clash);
      reported.add(pair);
    }
    return;
  }
  parents.forEach((parent, index) => {
    const around = places[parent];
    const { part, ring } = places[index] as Place;
    // An exterior directly inside another exterior, not inside one of its holes.
    if (ring !== 0 || around?.ring !== 0) return;
    faults.add((parts[part] as PolygonDraft).pointer, 'geometry.partInside', { part, other: around.part });
  });
}

function toRings(parts: readonly PolygonDraft[]): { rings: Rings; places: Place[] } {
  const places = parts.flatMap(({ rings }, part) => rings.map((_, ring) => ({ part, ring })));
  const drafts = parts.flatMap(({ rings }) => rings);
  const starts = new Uint32Array(drafts.length + 1);
  drafts.forEach(({ positions }, i) => {
    starts[i + 1] = (starts[i] as number) + positions.length - 1;
  });
  const xs = new Float64Array(starts[drafts.length] as number);
  const ys = new Float64Array(xs.length);
  let next = 0;
  for (const { positions } of drafts) {
    for (let i = 0; i + 1 < positions.length; i++) {
      const [x, y] = positions[i] as Position;
      xs[next] = x;
      ys[next++] = y;
    }
  }
  return { rings: { xs, ys, starts }, places };
}

/** Says a clash in the words of the document: which part, ring and position. */
function toReporter(parts: readonly PolygonDraft[], rings: Rings, places: Place[], faults: FaultList) {
  const ringOf = toRingOfEdge(rings.starts);
  const toPlace = (edge: number) => places[ringOf[edge] as number] as Place;
  const toIndex = (edge: number): number => {
    const index = edge - (rings.starts[ringOf[edge] as number] as number);
    const { part, ring } = toPlace(edge);
    return parts[part]?.rings[ring]?.origins?.[index] ?? index;
  };
  const report = ({ kind, edges, at }: Clash): void => {
    const [one, other] = edges.map(toPlace) as [Place, Place];
    const [edge, otherEdge] = edges.map(toIndex) as [number, number];
    const [lon, lat] = at.map((degrees) => Number(degrees.toFixed(6))) as [number, number];
    const pointer = `${parts[one.part]?.pointer}/${one.ring}/${edge}`;
    const where = { lon, lat, edge, otherEdge };
    if (one.part !== other.part)
      faults.add(pointer, partTexts[kind], { ...where, part: one.part, otherPart: other.part });
    else if (one.ring !== other.ring)
      faults.add(pointer, ringTexts[kind], { ...where, ring: one.ring, otherRing: other.ring });
    else faults.add(pointer, selfTexts[kind], { ...where, ring: one.ring });
  };
  return Object.assign(report, { toPlace });
}

const selfTexts = {
  crosses: 'geometry.ringCrossesItself',
  overlaps: 'geometry.ringOverlapsItself',
  touches: 'geometry.ringTouchesItself',
} as const;

/** Different rings clash by touching never: that is allowed. */
const ringTexts = {
  crosses: 'geometry.ringsCross',
  overlaps: 'geometry.ringsOverlap',
  touches: 'geometry.ringsCross',
} as const;

const partTexts = {
  crosses: 'geometry.partsCross',
  overlaps: 'geometry.partsOverlap',
  touches: 'geometry.partsCross',
} as const;

/** Rings and the points where they touch form a graph; a cycle in it encloses, and so cuts off, a piece of the interior. */
function isInteriorCut(touches: readonly (readonly number[])[], rings: number): boolean {
  const leaders = Array.from({ length: rings }, (_, ring) => ring);
  const toLeader = (ring: number): number => {
    let leader = ring;
    while (leaders[leader] !== leader) {
      leaders[leader] = leaders[leaders[leader] as number] as number;
      leader = leaders[leader] as number;
    }
    return leader;
  };
  for (const [first, ...others] of touches) {
    for (const other of others) {
      const [one, two] = [toLeader(first as number), toLeader(other)];
      if (one === two) return true;
      leaders[two] = one;
    }
  }
  return false;
}
