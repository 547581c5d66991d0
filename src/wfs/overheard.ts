import {
  type Bbox,
  type GeoJsonGeometry,
  type Geometry,
  mapPositions,
  type Position,
  toBbox,
  toPositions,
} from '../geometry/index.js';
import type { Abilities } from './abilities.js';
import { Contradiction } from './contradiction.js';
import { type FilterForm, toFormBbox, toProjection, toSwapped, WGS84 } from './coordinates.js';
import { type Heard, WORLD } from './learning.js';
import { type Asking, type Plan, toBoxed } from './plan.js';
import { type Asked, isFar, isMet, learnMulti, type Open, toAsked, toProbes, toQuestions } from './probe.js';

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

/** Features outside the page are asked for along with it, each in another form: those that come tell which is read. */
export function toOpenAsking(plan: Plan, asking: Asking & { readonly open: Open }): Asking {
  const { open, multiGeometry, alsoByBox } = asking;
  const [first] = open.forms;
  const questions = toQuestions(open.forms, multiGeometry === undefined).filter(
    ({ form, isMulti }) => !isMulti || form === first,
  );
  const isAside = createAside(plan, asking);
  const outside = open.places.filter(({ box }) => isAside(box));
  const places = toProbes(outside.length > 0 ? outside : open.places, questions.length);
  // of two forms the other finds nothing; of one alone it is a feature that is not asked for that must stay away
  if (open.forms.length === 1 && places.length > 1 && places.length === outside.length) places.pop();
  if (alsoByBox === undefined || first === undefined)
    return { ...asking, openQuestions: toAsked(places, questions) };
  // whether polygons are read or not, something comes
  const others = open.places.filter((place) => isFar(place, places));
  const other = others.find(({ box }) => !isAside(box)) ?? others[0] ?? places.pop();
  const byBox = { form: first, isMulti: false, isByBox: true };
  const openQuestions = [
    ...toAsked(places, questions),
    ...toAsked(other === undefined ? [] : [other], [byBox]),
  ];
  return { ...asking, openQuestions };
}

/** @returns undefined where nothing is open */
export function createListener({ plan, abilities, settle }: Page, asking: Asking): Listener | undefined {
  const { spatialFilter, openQuestions, open, alsoByBox } = asking;
  if (open === undefined || openQuestions === undefined || spatialFilter === 'none') return undefined;
  const asked = toAskedBoxes(plan, asking);
  const isAside = createAside(plan, asking);
  const isIntersects = spatialFilter === 'Intersects';
  const boxed = alsoByBox?.operator;
  const questions = isIntersects ? openQuestions : openQuestions.filter(({ isMulti }) => !isMulti);
  const toAnswered = (box: Bbox) => questions.filter((one) => isMet(box, one.box));
  const isFound = (box: Bbox) => isNear(box, asked) || toAnswered(box).length > 0;
  // who reads a form in the other order finds what lies there
  const isStray = (box: Bbox) => !isFound(box) && !isFound(toSwapped(box));
  /** Features that a filter keeps away, as far as they are known; and of all that are known those that came. */
  const absent = open.places.map(({ box }) => box).filter(isStray);
  const come = new Set<Bbox>();
  /** Questions whose features a page does not find by itself, and those of them that were answered. */
  const telling = questions.filter(({ box }) => isAside(box));
  const answered = new Set<Asked>();
  const count = { heard: 0, found: 0, stray: 0 };

  const isContent = () => count.found > 0 && count.stray === 0;

  /** By what came for its polygon: who reads that reads the form. */
  const isTold = (form: FilterForm) => [...answered].some((one) => one.form === form && !isFoundByBox(one));
  const isFoundByBox = (one: Asked) => isIntersects && one.isByBox === true;

  /** Which of the forms polygons are asked for in, and are seen not to be read in. */
  const isSilent = (form: FilterForm) =>
    !isTold(form) && telling.some((one) => one.form === form && !one.isMulti && !isFoundByBox(one));

  /** The one form that is read: its question was answered; or the other form's was not, and something came all the same. */
  function toReadForm(isWhole: boolean): FilterForm | undefined {
    const read = open?.forms.filter(isTold) ?? [];
    if (read.length > 0 || !isWhole || count.found === 0) return read.length === 1 ? read[0] : undefined;
    if (alsoByBox !== undefined && isIntersects) return undefined; // it may have come by its box
    const left = open?.forms.filter((form) => !isSilent(form));
    return left?.length === 1 ? left[0] : undefined;
  }

  /** What was asked for came by its box alone. */
  function arePolygonsUnread(): boolean {
    const areAnswered = [...answered].some((one) => !isFoundByBox(one));
    return alsoByBox !== undefined && isIntersects && !areAnswered && open?.forms.every(isSilent) === true;
  }

  function hearForm(form: FilterForm, isEnded: boolean): void {
    if (isIntersects) abilities.posListWorks();
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
      for (const { box: one } of open.places) if (isMet(box, one)) come.add(one);
      const [only, ...others] = toAnswered(box);
      if (only !== undefined && others.length === 0 && telling.includes(only) && isAside(box))
        answered.add(only);
    },
    end(read) {
      const isWhole = read === 'whole';
      const isNothing = count.found === 0;
      if (isNothing && isWhole) settle('misread'); // the features that were asked for are there
      if (isNothing) throw new Contradiction(false);
      if (count.stray > 0) {
        // a box may find a little more; all that is known to be there comes only where the filter is passed over
        const isAllKnown = come.size === open.places.length && count.stray > SOME * count.found;
        const isTelling = isWhole || absent.length > 0 || isAllKnown;
        if (isTelling && absent.every((one) => come.has(one))) settle('passedOver');
        else if (isIntersects) throw new Contradiction(false);
        return;
      }
      const form = toReadForm(isWhole);
      // a page that nothing is known to be kept away from does not tell that filters are read at all
      const isKept = absent.length > 0 || telling.some((one) => !one.isMulti && !answered.has(one));
      if (!isKept || (read === 'part' && count.heard < MANY)) return;
      if (form === undefined) {
        if (isWhole && arePolygonsUnread()) settle(boxed === 'BBOX' ? 'boxesAlone' : 'misread');
        return;
      }
      hearForm(form, read !== 'part');
      settle(form);
    },
  };
}

/** So large a share of strays is not of those that lie beside what was asked for, in another datum. */
const SOME = 0.2;

/** So many features of a layer, and none that was not asked for: its filter is read. */
const MANY = 200;

/** As near as the questions are to their features, in degrees; more than servers round. */
const NEAR = 1e-4;

function isNear([west, south, east, north]: Bbox, asked: readonly Bbox[]): boolean {
  const wider: Bbox = [west - NEAR, south - NEAR, east + NEAR, north + NEAR];
  return asked.some((one) => isMet(one, wider));
}

/** Where that can lie which is asked for. */
function toAskedBoxes({ unions }: Plan, asking: Asking): Bbox[] {
  const isByBox = asking.spatialFilter === 'BBOX' || asking.alsoByBox !== undefined;
  if (!isByBox) return unions.flat().map((geometry) => toBbox(geometry));
  return unions.flatMap(toBoxed).map((group) => toReach(toPossible(toBbox(group)), asking.open?.codes ?? []));
}

/** Of the diagonal of a box: what it is turned by in a CRS that nobody has named, and for each degree of it, what its edges bend. */
const BEYOND = 0.01;
const BENT = Math.PI / 180 / 8;

/** What a box finds: the box around it in the CRS of the layer, which is turned against it. */
function toReach(box: Bbox, codes: readonly number[]): Bbox {
  const turned = codes.flatMap((code) => {
    const projection = toProjection(code);
    if (projection === undefined) return [];
    const inCrs = mapPositions(toCorners(box), (x, y) => [...projection.fromLonLat(x, y)]);
    const inLonLat = mapPositions(toCorners(toBbox(inCrs)), (x, y) => [...projection.toLonLat(x, y)]);
    // where the projection ends, so does all knowledge of what is found
    return [inCrs, inLonLat].every(isSomewhere) ? [inLonLat] : [toCorners(WORLD)];
  });
  const [west, south, east, north] = toBbox([toCorners(box), ...turned]);
  const diagonal = Math.hypot(east - west, north - south);
  const beyond = (BEYOND + BENT * diagonal) * diagonal;
  return [west - beyond, south - beyond, east + beyond, north + beyond];
}

/** Whether a place lies outside of all that is asked for, in whichever order of the axes that is read. */
function createAside(plan: Plan, asking: Asking): (box: Bbox) => boolean {
  const asked = toAskedBoxes(plan, asking);
  const projected = [...asking.filterForms, ...(asking.alsoByBox?.forms ?? [])].find(
    ({ code }) => code !== WGS84,
  );
  const inForms = (boxes: readonly Bbox[]) =>
    projected === undefined ? [] : boxes.map((box) => toFormBbox([toCorners(toPossible(box))], projected));
  const askedInForm = inForms(asked);
  const isMirrored = (box: Bbox) =>
    inForms([box]).some((one) => askedInForm.some((other) => isMet(other, toSwapped(one))));
  return (box) => !isNear(box, asked) && !isNear(toSwapped(box), asked) && !isMirrored(box);
}

function isSomewhere(geometry: Geometry): boolean {
  return toPositions(geometry).flat().every(Number.isFinite);
}

function toCorners([west, south, east, north]: Bbox): Geometry {
  const coordinates: Position[] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ];
  return { type: 'MultiPoint', coordinates };
}

/** On Earth, and where a projection has a place for it. */
function toPossible([west, south, east, north]: Bbox): Bbox {
  return [Math.max(-180, west), Math.max(-89, south), Math.min(180, east), Math.min(89, north)];
}
