import type { AxisOrder } from '../crs/index.js';
import { type Bbox, type Geometry, type Position, toBbox, toBboxGeometries } from '../geometry/index.js';
import type { Abilities, BoxOperator, SpatialFilter } from './abilities.js';
import {
  type FilterForm,
  toCode,
  toFormBbox,
  toFormGeometry,
  toProjection,
  toSwapped,
  WGS84,
} from './coordinates.js';
import { isAboutSorting, isAboutSrs, isBehindSorting, isException, isPassing } from './exception.js';
import { type Filter, toOr } from './filter.js';
import type { SortProperty } from './get-feature.js';
import { readSample, SAMPLE_SIZE, type SampleContext, type SampleFeature } from './sample.js';

/** How coordinates of answers are read: their CRS (EPSG code) and order. */
export interface Reading {
  readonly code: number;
  readonly axisOrder: AxisOrder;
}

export interface Verdict {
  /** The form that was understood; where that could not be told, all that may be. */
  readonly filterForms: readonly FilterForm[];
  /** What may be asked of this layer; `none` where filters are passed over, or not understood. */
  readonly spatialFilter: SpatialFilter;
  readonly attributeFilters: boolean;
  /** False: too little to go by. */
  readonly isProven: boolean;
  /** The filter that was tried found nothing, in whatever form: a weaker operator may be understood. */
  readonly isMisread?: boolean;
  /** The filter was refused along with a sort that was asked for, for the sort's sake or perhaps so. */
  readonly isSortRefused?: boolean;
  /** A CRS was refused by who may not have looked at the sort. */
  readonly isSortUntold?: boolean;
  /** What remains to be asked: the filter was refused, or left to a page. */
  readonly open?: Open;
  /** The answer came in WGS84, which the layer is not offered in, written in this order. */
  readonly axisOrderInWgs84?: AxisOrder;
  /** The filter was refused along with a CRS that the layer is not offered in, and nothing said for which of them. */
  readonly isSrsDoubtful?: boolean;
}

type LonLat = readonly [lon: number, lat: number];

/** What a page is to tell: which of these forms is read. It asks for some of these features along with its own. */
export interface Open {
  readonly forms: readonly FilterForm[];
  /** In which boxes are asked for; absent: those. */
  readonly boxForms?: readonly FilterForm[];
  /** Of the CRSs that the layer may be stored in. */
  readonly codes?: readonly number[];
  readonly places: readonly Place[];
}

/** A feature's place on Earth, and a position of it; plain JSON. */
export interface Place {
  readonly at: LonLat;
  readonly box: Bbox;
}

export interface ProbeOptions {
  /** As pages are to be sorted: whether the upstream takes it is told along with the filter. */
  readonly sortBy: readonly SortProperty[];
  /** Nothing is asked: a page is to tell it. */
  readonly isLeftOpen: boolean;
  /** The sample came in the layer's own CRS: whether the upstream transforms into WGS84 is told along with the filter. */
  readonly isForWgs84: boolean;
}

/** Each of the features that are asked for, with its neighbours. */
const PROBE_SIZE = 40;
const PROBE_RADIUS = 0.0001; // degrees: 11 m, above the precision servers write

/** A feature asked for in one form of coordinates, by a polygon or by a geometry of several. */
export interface Question {
  readonly form: FilterForm;
  readonly isMulti: boolean;
  /** By its box alone, in every form that boxes are asked for in: it comes whichever of them is read. */
  readonly isByBox?: boolean;
}

/** How boxes are asked for along with polygons that are not known to be read. */
export interface ByBox {
  readonly operator: BoxOperator;
  readonly forms: readonly FilterForm[];
}

/** A question, and the box around the feature that answers it, in WGS84; plain JSON. */
export interface Asked extends Question {
  readonly box: Bbox;
}

/**
 * One filter that asks for several features, each in another form: the feature that comes back tells which form was
 * understood. A feature that was not asked for in any form tells that filters are passed over; none at all, though
 * every form was tried, that they are not understood: what they find must not be believed.
 */
export async function probe(
  context: SampleContext,
  sample: readonly SampleFeature[],
  reading: Reading,
  forms: readonly FilterForm[],
  spatialFilter: SpatialFilter,
  { sortBy, isLeftOpen, isForWgs84 }: ProbeOptions,
): Promise<Verdict> {
  const { abilities } = context;
  const { attributeFilters } = abilities;
  const unknown: Verdict = { filterForms: forms, spatialFilter, attributeFilters, isProven: false };
  if (spatialFilter === 'none') return { ...unknown, isProven: true };
  const withMulti = spatialFilter === 'Intersects' && abilities.multiGeometry === undefined;
  const askedForms = isForWgs84 ? forms.filter(({ code }) => code === WGS84) : forms;
  const questions = toQuestions(askedForms, withMulti);
  const all = toPlaces(sample, reading);
  const telling = all.filter((place) => !isSymmetric(place));
  const isTelling = telling.length > 0;
  const places = toProbes(isTelling ? telling : all.slice(0, 1), questions.length);
  if (places.length === 0) return unknown;
  const asked = toAsked(places, questions);
  const open = isTelling ? { open: toOpen(telling, forms) } : {};
  if (isLeftOpen) return { ...unknown, ...open };
  const filter = toProbeFilter(context.type.geometries[0]?.name ?? '', spatialFilter, asked);
  const hasMulti = asked.some(({ isMulti }) => isMulti);
  const found = await readFound(context, filter, { sortBy, isWhole: hasMulti, isForWgs84 });
  if (found === 'sortRefused') return { ...unknown, ...open, isSortRefused: true };
  if (found === 'srsRefused' || found === 'srsRefusedSorted') {
    abilities.lack('unlistedSrs');
    const isSortUntold = sortBy.length > 0 && found === 'srsRefused';
    return { ...unknown, ...open, ...(isSortUntold && { isSortUntold }) };
  }
  if (found === 'refused') {
    // not what its capabilities say: a page asks by the weaker operator, and compares what comes here
    if (hasMulti) abilities.lack('multiGeometry'); // perhaps it was that: the next probe goes without
    const isSorted = sortBy.length > 0; // or that
    const weaker = abilities.weakerThan(spatialFilter);
    return {
      ...unknown,
      ...(weaker !== 'none' && open),
      spatialFilter: weaker,
      isProven: !hasMulti && !isSorted && !isForWgs84,
      ...(isSorted && { isSortRefused: true }),
      ...(isForWgs84 && { isSrsDoubtful: true }),
    };
  }
  const answer = isForWgs84 ? toAnswerReading(found, asked, reading, askedForms) : reading;
  if (answer === undefined) return { ...unknown, ...open };
  const isInWgs84 = isForWgs84 && answer !== reading;
  if (isInWgs84) abilities.unlistedSrsWorks();
  const inWgs84 = isInWgs84 ? { axisOrderInWgs84: answer.axisOrder } : {};
  const understood = toUnderstood(asked, toPlaces(found, answer));
  if (understood === undefined) {
    return { ...unknown, ...inWgs84, spatialFilter: 'none', attributeFilters: false, isProven: true };
  }
  const only = understood.find(({ isMulti }) => !isMulti);
  if (only !== undefined && spatialFilter === 'Intersects') abilities.posListWorks();
  if (only !== undefined && isTelling) {
    const multi = asked.find(({ isMulti, form }) => isMulti && form === only.form);
    if (multi !== undefined) learnMulti(abilities, understood.includes(multi));
    return { ...unknown, ...inWgs84, filterForms: [only.form], isProven: true };
  }
  return found.length > 0
    ? { ...unknown, ...inWgs84 }
    : toVerdictOnNothing(unknown, sample, places, isTelling);
}

export function toAsked(places: readonly Place[], questions: readonly Question[]): Asked[] {
  return questions.slice(0, places.length).map((question, k) => ({
    ...question,
    box: toProbeBox((places[k] as Place).at),
  }));
}

const MAX_OPEN_PLACES = 20;

/** The likeliest CRS, in both orders of its axes. */
function toOpen(places: readonly Place[], forms: readonly FilterForm[]): Open {
  return {
    forms: forms.filter(({ code }) => code === forms[0]?.code),
    places: places.slice(0, MAX_OPEN_PLACES),
  };
}

/**
 * How an answer in WGS84 is written, by the features that were asked for; that of the layer's own CRS where it came in
 * that all the same.
 */
function toAnswerReading(
  found: readonly SampleFeature[],
  asked: readonly Asked[],
  own: Reading,
  forms: readonly FilterForm[],
): Reading | undefined {
  const isTold = (reading: Reading) =>
    toPlaces(found, reading).some(({ box }) => asked.some((one) => isMet(box, one.box)));
  const code = found.map(({ srsName }) => toCode(srsName)).find((one) => one !== undefined);
  const inWgs84 = forms.map(({ axisOrder }) => ({ code: WGS84, axisOrder }));
  const told = [own, ...inWgs84].filter(
    (reading) => (code ?? reading.code) === reading.code && isTold(reading),
  );
  return told.length === 1 ? told[0] : undefined;
}

export function learnMulti(abilities: Abilities, isUnderstood: boolean): void {
  if (isUnderstood) abilities.multiGeometryWorks();
  else abilities.lack('multiGeometry');
}

/** Every form by a polygon; the likeliest two, where that is not known yet, also by a geometry of several parts. */
export function toQuestions(forms: readonly FilterForm[], withMulti: boolean): Question[] {
  const multi = withMulti ? forms.slice(0, 2).map((form) => ({ form, isMulti: true })) : [];
  return [...forms.map((form) => ({ form, isMulti: false })), ...multi];
}

/** @returns the questions that were answered; undefined where features came that were not asked for */
function toUnderstood(asked: readonly Asked[], found: readonly Place[]): Asked[] | undefined {
  // a neighbour of two of the features, met by both boxes, tells nothing
  const met = found.map((place) => asked.filter(({ box }) => isMet(place.box, box)));
  const understood = asked.filter((one) => met.some((by) => by.length === 1 && by[0] === one));
  const isAskedFor = ({ box }: Place) =>
    asked.some((one) => isMet(box, one.box) || isMet(box, toSwapped(one.box)));
  const forms = new Set(understood.map(({ form }) => form));
  // who transforms what filters hold reads them in several CRSs, but in one order each
  const codes = new Set([...forms].map(({ code }) => code));
  return forms.size > codes.size || !found.every(isAskedFor) ? undefined : understood;
}

/** Nothing was found, though every feature that was asked for is there. */
function toVerdictOnNothing(
  unknown: Verdict,
  sample: readonly SampleFeature[],
  places: readonly Place[],
  isTelling: boolean,
): Verdict {
  const forms = unknown.filterForms;
  const misread: Verdict = { ...unknown, spatialFilter: 'none', isMisread: true };
  if (places.length >= forms.length || !isTelling) return misread;
  if (places.length > 1) {
    const others = forms.slice(places.length);
    const boxForms = toOpen(places, forms).forms;
    return { ...unknown, filterForms: others, open: { ...toOpen(places, others), boxForms } };
  }
  // one feature to go by: what is not read in the one order is read in the other, or not at all; a small layer is read
  const isSmall = sample.length < SAMPLE_SIZE;
  if (isSmall) return misread;
  const isOther = forms.length === 2 && forms[0]?.code === forms[1]?.code;
  return isOther ? { ...unknown, filterForms: forms.slice(1), isProven: true } : unknown;
}

/**
 * Whether more of the features than there are questions can be told apart by a filter, in whatever order it is read: those
 * that are not asked for must not come.
 */
export function arePlentyToProbe(features: readonly SampleFeature[], { multiGeometry }: Abilities): boolean {
  const count = multiGeometry === undefined ? 6 : 4;
  return toProbes(features.flatMap(toPlaceAsWritten), count).length === count;
}

interface Probing extends Pick<ProbeOptions, 'sortBy' | 'isForWgs84'> {
  /** What does not come counts too: the answer is waited for to its end. */
  readonly isWhole: boolean;
}

async function readFound(
  context: SampleContext,
  filter: Filter,
  { sortBy, isWhole, isForWgs84 }: Probing,
): Promise<SampleFeature[] | 'refused' | 'sortRefused' | 'srsRefused' | 'srsRefusedSorted'> {
  try {
    return await readSample(isForWgs84 ? { ...context, isInWgs84: true } : context, {
      filter,
      sortBy,
      isUsable: (features) => features.length > 0 && !isWhole,
      isPlenty: (features) => features.length === PROBE_SIZE,
      size: PROBE_SIZE,
    });
  } catch (error) {
    if (!isException(error) || isPassing(error)) throw error;
    if (sortBy.length > 0 && isAboutSorting(error)) return 'sortRefused';
    if (!isForWgs84 || !isAboutSrs(error)) return 'refused';
    return isBehindSorting(error) ? 'srsRefusedSorted' : 'srsRefused';
  }
}

/** Features each far from the others, in either order of the axes; as many as there are questions, or the most. */
export function toProbes(places: readonly Place[], count: number): Place[] {
  let most = places.slice(0, 1);
  for (const [k, first] of places.entries()) {
    const chosen = [first];
    for (const place of places.slice(k + 1)) {
      if (isFar(place, chosen) && chosen.push(place) === count) return chosen;
    }
    if (chosen.length > most.length) most = chosen;
  }
  return most;
}

export function isFar({ at, box }: Place, others: readonly Place[]): boolean {
  return others.every((other) => isApart(at, other.box) && isApart(other.at, box));
}

function isApart([a, b]: LonLat, [west, south, east, north]: Bbox): boolean {
  const margin = 4 * PROBE_RADIUS;
  const isIn = (x: number, y: number) =>
    x > west - margin && x < east + margin && y > south - margin && y < north + margin;
  return !isIn(a, b) && !isIn(b, a);
}

/** A place that is the same in either order does not tell the order. */
function isSymmetric({ at: [lon, lat] }: Place): boolean {
  return Math.abs(lon - lat) <= 4 * PROBE_RADIUS;
}

function toPlaces(features: readonly SampleFeature[], { code, axisOrder }: Reading): Place[] {
  const projection = toProjection(code);
  const toLonLat = ([a, b]: Position): [number, number] => {
    const [x, y] = axisOrder === 'lonLat' ? [a, b] : [b, a];
    return projection === undefined ? [x, y] : [...projection.toLonLat(x, y)];
  };
  return features.flatMap((feature) => toPlace(feature.positions.map(toLonLat)));
}

function toPlaceAsWritten({ positions }: SampleFeature): Place[] {
  return toPlace(positions);
}

function toPlace(positions: readonly Position[]): Place[] {
  const [first] = positions;
  if (first === undefined) return [];
  return [{ at: [first[0], first[1]], box: toBbox({ type: 'MultiPoint', coordinates: positions }) }];
}

export function toProbeFilter(
  propertyName: string,
  operator: SpatialFilter,
  asked: readonly Asked[],
  alsoByBox?: ByBox,
): Filter {
  const operands = asked.flatMap(({ form, box, isMulti, isByBox }): Filter[] => {
    if (operator === 'BBOX' && isMulti) return []; // a box has no parts
    const geometries = isMulti ? [toHalves(box)] : toBboxGeometries(box);
    const toBox = (one: FilterForm, as: BoxOperator): Filter => ({
      operator: 'BBOX',
      propertyName,
      bbox: toFormBbox(geometries, one),
      form: one,
      as,
    });
    if (operator === 'Intersects' && isByBox === true)
      return alsoByBox?.forms.map((one) => toBox(one, alsoByBox.operator)) ?? [];
    return operator === 'BBOX'
      ? [toBox(form, operator)]
      : geometries.map((geometry) => ({
          operator: 'Intersects',
          propertyName,
          geometry: toFormGeometry(geometry, form),
          form,
        }));
  });
  return toOr(operands) as Filter;
}

/** The box in two parts, the middle of it in the first: one part alone would be no Multi* at all. */
function toHalves([west, south, east, north]: Bbox): Geometry {
  const at = (share: number) => west + share * (east - west);
  const parts: Bbox[] = [
    [west, south, at(0.7), north],
    [at(0.8), south, east, north],
  ];
  const polygons = parts.flatMap(toBboxGeometries).flatMap((one) => (one.type === 'Polygon' ? [one] : []));
  return { type: 'MultiPolygon', coordinates: polygons.map(({ coordinates }) => coordinates) };
}

function toProbeBox([lon, lat]: LonLat): Bbox {
  return [
    Math.max(-180, lon - PROBE_RADIUS),
    Math.max(-90, lat - PROBE_RADIUS),
    Math.min(180, lon + PROBE_RADIUS),
    Math.min(90, lat + PROBE_RADIUS),
  ];
}

export function isMet(one: Bbox, other: Bbox): boolean {
  return one[0] <= other[2] && one[2] >= other[0] && one[1] <= other[3] && one[3] >= other[1];
}
