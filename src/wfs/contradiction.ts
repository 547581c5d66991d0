import { readFeatureBox } from '../formats/index.js';
import { type Bbox, type Geometry, toBbox } from '../geometry/index.js';
import type { Converted } from '../gml/index.js';
import { toSwapped } from './coordinates.js';

/** An answer that cannot be meant: what was learnt of the layer does not hold any more. Never leaves this folder. */
export class Contradiction extends Error {
  /** @param isSwapped the feature would lie where it can, read in the other order */
  constructor(readonly isSwapped: boolean) {
    super('a feature lies where it cannot');
  }
}

/** How far a feature may lie outside, in degrees: boxes are out of date, and bend. A swapped one is far away. */
const MARGIN = 0.1;
/** And outside what it intersects: servers round, and transform between datums without their grids. */
const EXACT_MARGIN = 0.01;

export type Check = (
  features: Converted,
  operator: 'Intersects' | 'BBOX' | undefined,
  isTold: boolean,
) => void;

/** Of an answer so many features are looked at, where one of three lies elsewhere: a row alone may be wrong in itself. */
const LOOKED_AT = 20;

/**
 * Features that lie outside what was asked for, or outside the layer's box where swapped they would lie inside: the order
 * of the axes, or the CRS, is not the one that was learnt, or the filter was passed over. An empty answer tells nothing.
 * @returns called with the first features of an answer, the spatial operator it answers, and whether the order has been
 * told for certain, so that one feature alone does not refute it; throws Contradiction
 */
export function createCheck(unions: readonly (readonly Geometry[])[], layerBox: Bbox): Check {
  const asked = unions.map((union) => union.map((geometry) => toBbox(geometry)));
  return ({ bytes, ends }, operator, isTold) => {
    const count = { right: 0, elsewhere: 0, swapped: 0 };
    const look = (k: number) => {
      const box = readFeatureBox(bytes, k === 0 ? 0 : (ends[k - 1] as number) + 1, ends[k]);
      if (box === undefined) return;
      if (!isNear(box, layerBox) && isNear(toSwapped(box), layerBox)) count.swapped += 1;
      else if (operator !== undefined && asked.some((boxes) => isElsewhere(box, boxes, operator)))
        count.elsewhere += 1;
      else count.right += 1;
    };
    spread(ends.length, 3).forEach(look);
    if (count.swapped + count.elsewhere === 0) return;
    if (isTold && ends.length > 3) {
      Object.assign(count, { right: 0, elsewhere: 0, swapped: 0 });
      spread(ends.length, LOOKED_AT).forEach(look);
    }
    const isSwapped = count.swapped > (isTold ? count.right : 0);
    const isRefuted = isSwapped || count.swapped + count.elsewhere > count.right;
    // Intersects finds nothing elsewhere where it is read; an Envelope in another CRS covers more than it did
    if (isRefuted || (operator === 'Intersects' && count.elsewhere > 1)) throw new Contradiction(isSwapped);
  };
}

/** So many of them, from the first to the last, by their numbers. */
function spread(all: number, count: number): number[] {
  const numbers: number[] = [];
  const most = Math.min(all, count);
  for (let k = 0; k < most; k += 1)
    numbers.push(all <= count ? k : Math.round((k * (all - 1)) / (count - 1)));
  return numbers;
}

/** Whether a feature lies farther from all that was asked for than what an operator finds. */
export function isElsewhere(box: Bbox, asked: readonly Bbox[], operator: 'Intersects' | 'BBOX'): boolean {
  const margin = operator === 'Intersects' ? EXACT_MARGIN : MARGIN;
  return !asked.some((one) => isNear(box, one, margin));
}

/** Whether they meet, or nearly so; whatever way around the Earth their longitudes are counted. */
function isNear(one: Bbox, other: Bbox, margin = MARGIN): boolean {
  const isBeside = one[1] <= other[3] + margin && one[3] >= other[1] - margin;
  return (
    isBeside &&
    (isAround(one, other, 0, margin) ||
      isAround(one, other, 360, margin) ||
      isAround(one, other, -360, margin))
  );
}

function isAround(one: Bbox, other: Bbox, turn: number, margin: number): boolean {
  return one[0] + turn <= other[2] + margin && one[2] + turn >= other[0] - margin;
}
