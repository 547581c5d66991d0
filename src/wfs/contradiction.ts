import { type Bbox, type GeoJsonGeometry, type Geometry, toBbox } from '../geometry/index.js';
import { readFeatureText } from './feature-text.js';

/** An answer that cannot be meant: what was learnt of the layer does not hold any more. Never leaves this folder. */
export class Contradiction extends Error {
  /** @param isSwapped the feature would lie where it can, read in the other order */
  constructor(readonly isSwapped: boolean) {
    super('a feature lies where it cannot');
  }
}

/** How far a feature may lie outside, in degrees: boxes are out of date, and servers round. A swapped one is far away. */
const MARGIN = 0.1;

/**
 * A feature that lies outside what was asked for, or outside the layer's box where swapped it would lie inside: the order
 * of the axes, or the CRS, is not the one that was learnt. One feature tells; an empty answer tells nothing.
 * @returns called with a feature, and whether it answers a spatial filter; throws Contradiction
 */
export function createCheck(
  unions: readonly (readonly Geometry[])[],
  layerBox: Bbox,
): (feature: Uint8Array, isSpatial: boolean) => void {
  const asked = unions.map((union) => union.map((geometry) => toBbox(geometry)));
  return (feature, isSpatial) => {
    const { geometry } = readFeatureText(Buffer.from(feature).toString());
    if (geometry === 'null') return;
    const box = toBbox(JSON.parse(geometry) as GeoJsonGeometry);
    const isAskedFor = !isSpatial || asked.every((boxes) => boxes.some((one) => isNear(box, one)));
    const isSwapped = !isNear(box, layerBox) && isNear(toSwapped(box), layerBox);
    if (!isAskedFor || isSwapped) throw new Contradiction(isSwapped);
  };
}

function isNear(one: Bbox, other: Bbox): boolean {
  return (
    one[0] <= other[2] + MARGIN &&
    one[2] >= other[0] - MARGIN &&
    one[1] <= other[3] + MARGIN &&
    one[3] >= other[1] - MARGIN
  );
}

function toSwapped([west, south, east, north]: Bbox): Bbox {
  return [south, west, north, east];
}
