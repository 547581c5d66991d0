import { type Bbox, type GeoJsonGeometry, toBbox } from '../geometry/index.js';
import type { Abilities } from './abilities.js';
import { Contradiction } from './contradiction.js';
import { type FilterForm, toSwapped } from './coordinates.js';
import type { Heard } from './learning.js';
import type { Asking, Plan } from './plan.js';
import { type Asked, isMet, learnMulti, type Open, toAsked, toProbes, toQuestions } from './probe.js';

/** Hears, from the features of a page, that its filter is read, and in which of the forms it is written in. */
export interface Listener {
  /** Else nothing of the page may be given away, and its answer is to be read on, though the page is full. */
  readonly isEnough: boolean;
  /** Nothing speaks against what came: what may stand behind the answer need not be asked for to tell. */
  readonly isContent: boolean;
  hear(geometry: string): void;
  /**
   * @param read so much of what the filter finds; of a whole, and of an answer too, what did not come counts as well
   * @throws Contradiction for an answer that tells that its filter was neither read nor passed over
   */
  end(read: 'whole' | 'answer' | 'part'): void;
}

/** The page that is listened to. */
interface Page {
  readonly plan: Plan;
  readonly abilities: Abilities;
  readonly settle: (heard: Heard) => void;
}

/** Features outside the page, each asked for in another form: those that come tell which is read. */
export function toOpenQuestions(plan: Plan, { forms, places }: Open, { multiGeometry }: Abilities): Asked[] {
  const asked = toAskedBoxes(plan);
  const outside = places.filter(({ box }) => !isNear(box, asked) && !isNear(toSwapped(box), asked));
  const questions = toQuestions(forms, multiGeometry === undefined).filter(
    ({ form, isMulti }) => !isMulti || form === forms[0],
  );
  return toAsked(toProbes(outside.length > 0 ? outside : places, questions.length), questions);
}

/** @returns undefined where nothing is open */
export function createListener(
  { plan, abilities, settle }: Page,
  { spatialFilter, openQuestions, open }: Asking,
): Listener | undefined {
  if (open === undefined || openQuestions === undefined || spatialFilter === 'none') return undefined;
  const asked = toAskedBoxes(plan);
  const questions =
    spatialFilter === 'BBOX' ? openQuestions.filter(({ isMulti }) => !isMulti) : openQuestions;
  const toAnswered = (box: Bbox) => questions.filter((one) => isMet(box, one.box));
  const isFound = (box: Bbox) => isNear(box, asked) || toAnswered(box).length > 0;
  // who reads a form in the other order finds what lies there
  const isStray = (box: Bbox) => !isFound(box) && !isFound(toSwapped(box));
  /** Features that a filter keeps away, as far as they are known, and those of them that came. */
  const absent = open.places.map(({ box }) => box).filter(isStray);
  const come = new Set<Bbox>();
  /** Questions whose features a page does not find by itself, and those of them that were answered. */
  const telling = questions.filter(({ box }) => !isNear(box, asked) && !isNear(toSwapped(box), asked));
  const answered = new Set<Asked>();
  const count = { heard: 0, found: 0, stray: 0 };

  const isContent = () => count.found > 0 && count.stray === 0;

  /** The one form that is read: its question was answered; or the other form's was not, and something came all the same. */
  function toReadForm(isWhole: boolean): FilterForm | undefined {
    const read = open?.forms.filter((form) => [...answered].some((one) => one.form === form)) ?? [];
    if (read.length > 0 || !isWhole || count.found === 0) return read.length === 1 ? read[0] : undefined;
    const left = open?.forms.filter((form) => !telling.some((one) => one.form === form && !one.isMulti));
    return left?.length === 1 ? left[0] : undefined;
  }

  function hearMulti(form: FilterForm, isEnded: boolean): void {
    const multi = telling.find((one) => one.isMulti && one.form === form);
    if (multi !== undefined && (answered.has(multi) || isEnded)) learnMulti(abilities, answered.has(multi));
  }

  return {
    get isEnough() {
      return isContent() && count.heard >= MANY;
    },
    get isContent() {
      return isContent();
    },
    hear(geometry) {
      count.heard += 1;
      const box = geometry === 'null' ? undefined : toBbox(JSON.parse(geometry) as GeoJsonGeometry);
      if (box === undefined) return;
      if (isStray(box)) count.stray += 1;
      else count.found += 1;
      for (const one of absent) if (isMet(box, one)) come.add(one);
      const [only, ...others] = toAnswered(box);
      if (only !== undefined && others.length === 0 && telling.includes(only) && !isNear(box, asked))
        answered.add(only);
    },
    end(read) {
      const isWhole = read === 'whole';
      const isNothing = count.found === 0;
      if (isNothing && isWhole) settle('misread'); // the features that were asked for are there
      if (isNothing) throw new Contradiction(false);
      if (count.stray > 0) {
        // a box may find a little more; all that is known to be there comes only where the filter is passed over
        if ((isWhole || absent.length > 0) && come.size === absent.length) settle('passedOver');
        else if (spatialFilter === 'Intersects') throw new Contradiction(false);
        return;
      }
      const form = toReadForm(isWhole);
      // a page that nothing is known to be kept away from does not tell that filters are read at all
      const isKept = absent.length > 0 || telling.some((one) => !one.isMulti && !answered.has(one));
      if (form === undefined || !isKept || (read === 'part' && count.heard < MANY)) return;
      hearMulti(form, read !== 'part');
      settle(form);
    },
  };
}

/** So many features of a layer, and none that was not asked for: its filter is read. */
const MANY = 200;

/** As near as the questions are to their features, in degrees; more than servers round. */
const NEAR = 1e-4;

function isNear([west, south, east, north]: Bbox, asked: readonly Bbox[]): boolean {
  const wider: Bbox = [west - NEAR, south - NEAR, east + NEAR, north + NEAR];
  return asked.some((one) => isMet(one, wider));
}

function toAskedBoxes({ unions }: Plan): Bbox[] {
  return unions.flat().map((geometry) => toBbox(geometry));
}
