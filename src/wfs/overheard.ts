import { type Bbox, type GeoJsonGeometry, toBbox } from '../geometry/index.js';
import type { Abilities } from './abilities.js';
import { Contradiction, isElsewhere } from './contradiction.js';
import { type FilterForm, toSwapped } from './coordinates.js';
import type { Asking, Plan } from './plan.js';
import { type Asked, isMet, learnMulti } from './probe.js';

/** Hears, from the features of a page, that its filter is read in the form it is written in. */
export interface Listener {
  /** Nothing of the page may be given away before. */
  readonly isTold: boolean;
  /**
   * @returns whether the feature may have come for a question alone: what came for the page need not be compared here,
   * with coordinates that the upstream may have rounded
   * @throws Contradiction for a feature that was not asked for
   */
  hear(geometry: string): boolean;
  /** @param isWhole the answer was read to its end: what did not come counts too */
  end(isWhole: boolean): void;
}

/** The page that is listened to. */
interface Heard {
  readonly plan: Plan;
  readonly abilities: Abilities;
  readonly settle: (form: FilterForm) => void;
}

/** @returns undefined where nothing is open */
export function createListener(
  { plan, abilities, settle }: Heard,
  { spatialFilter, filterForms, openQuestions }: Asking,
): Listener | undefined {
  const [form] = filterForms;
  if (openQuestions === undefined || form === undefined || spatialFilter === 'none') return undefined;
  const asked = toAskedBoxes(plan);
  const isAnswer = (box: Bbox) => openQuestions.some((one) => isMet(box, one.box));
  const isOfPage = (box: Bbox) => asked.some((one) => isMet(box, toWider(one)));
  // what the other order would find as well tells nothing
  const isFoundSwapped = (box: Bbox) => isOfPage(toSwapped(box)) || isAnswer(toSwapped(box));
  const multi = spatialFilter === 'Intersects' ? openQuestions.find(({ isMulti }) => isMulti) : undefined;
  let isTold = false;
  let isMultiRead = false;
  return {
    get isTold() {
      return isTold;
    },
    hear(geometry) {
      const box = geometry === 'null' ? undefined : toBbox(JSON.parse(geometry) as GeoJsonGeometry);
      if (box === undefined) return true;
      const isTelling = !isFoundSwapped(box);
      if (isTelling && !isAnswer(box) && isElsewhere(box, asked, spatialFilter))
        throw new Contradiction(false);
      isTold ||= isTelling && (isAnswer(box) || isOfPage(box));
      const isOther = openQuestions.some((one) => one !== multi && isMet(box, one.box));
      if (multi !== undefined && isMet(box, multi.box) && !isOther && !isOfPage(box)) isMultiRead = true;
      return spatialFilter === 'BBOX' || isAnswer(box);
    },
    end(isWhole) {
      if (!isTold) throw new Contradiction(false);
      const isOpen = multi !== undefined && !isOfPage(multi.box);
      if (isOpen && (isMultiRead || isWhole)) learnMulti(abilities, isMultiRead);
      settle(form);
    },
  };
}

/**
 * Whether a page can tell in which order of the axes its filter is read: what it asks for lies elsewhere in the other,
 * and not where the questions' features are.
 */
export function isTelling(plan: Plan, openQuestions: readonly Asked[]): boolean {
  const asked = toAskedBoxes(plan);
  const found = [...asked, ...openQuestions.map(({ box }) => box)];
  return asked.length > 0 && !asked.some((one) => found.some((other) => isMet(toSwapped(one), other)));
}

const ROUNDING = 1e-5; // degrees: MapServer writes six decimals

function toWider([west, south, east, north]: Bbox): Bbox {
  return [west - ROUNDING, south - ROUNDING, east + ROUNDING, north + ROUNDING];
}

function toAskedBoxes({ unions }: Plan): Bbox[] {
  return unions.flat().map((geometry) => toBbox(geometry));
}
