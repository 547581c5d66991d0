import { readFeatureText } from '../formats/index.js';
import { type Bbox, type GeoJsonGeometry, type Geometry, toBbox } from '../geometry/index.js';

/** An answer that cannot be meant: what was learnt of the layer does not hold any more. Never leaves this folder. */
export class Contradiction extends Error {
  /** @param isSwapped the feature would lie where it can, read in the other order */
  constructor(readonly isSwapped: boolean) {
    super('a feature lies where it cannot');
  }
}

/** How far a feature may lie outside, in degrees: boxes are out of date, and servers round. A swapped one is far away. */
const MARGIN = 0.1;

export type Check = (features: Iterable<Uint8Array>, isSpatial: boolean, isTold: boolean) => void;

/** Of an answer so many features are looked at, where the first lies elsewhere: a row alone may be wrong in itself. */
const LOOKED_AT = 20;

/**
 * Features that lie outside what was asked for, or outside the layer's box where swapped they would lie inside: the order
 * of the axes, or the CRS, is not the one that was learnt. An empty answer tells nothing.
 * @returns called with the first features of an answer, whether it answers a spatial filter, and whether the order has
 * been told for certain, so that one feature alone does not refute it; throws Contradiction
 */
export function createCheck(unions: readonly (readonly Geometry[])[], layerBox: Bbox): Check {
  const asked = unions.map((union) => union.map((geometry) => toBbox(geometry)));
  const isAskedFor = (box: Bbox) => asked.every((boxes) => boxes.some((one) => isNear(box, one)));
  return (features, isSpatial, isTold) => {
    let [right, wrong, swapped] = [0, 0, 0];
    for (const feature of features) {
      const box = toFeatureBox(feature);
      if (box === undefined) continue;
      const isSwapped = !isNear(box, layerBox) && isNear(toSwapped(box), layerBox);
      if (isSwapped) swapped += 1;
      if (isSwapped || (isSpatial && !isAskedFor(box))) wrong += 1;
      else right += 1;
      if (wrong === 0 || !isTold || right + wrong === LOOKED_AT) break;
    }
    if (wrong > right) throw new Contradiction(swapped > right);
  };
}

function toFeatureBox(feature: Uint8Array): Bbox | undefined {
  const { geometry } = readFeatureText(Buffer.from(feature).toString());
  return geometry === 'null' ? undefined : toBbox(JSON.parse(geometry) as GeoJsonGeometry);
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
