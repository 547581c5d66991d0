import { toBbox } from './bbox.js';
import { EdgeIndex } from './edge-index.js';
import type { Bbox, GeoJsonGeometry } from './model.js';
import { type Shape, toShape } from './shape.js';

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

function isBoxMeeting(one: Bbox, other: Bbox): boolean {
  return one[0] <= other[2] && other[0] <= one[2] && one[1] <= other[3] && other[1] <= one[3];
}
