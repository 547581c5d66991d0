import { type AxisOrder, isGeographic, readSrsName } from '../crs/index.js';
import type { Bbox, Position } from '../geometry/index.js';
import type { FeatureType } from '../gml/index.js';
import type { Abilities, SpatialFilter } from './abilities.js';
import {
  type FilterForm,
  isTransformable,
  toCode,
  toFilterForms,
  toOfficialOrder,
  toProjection,
  WGS84,
} from './coordinates.js';
import type { Asker, Dialogue } from './dialogue.js';
import { isException, isPassing } from './exception.js';
import type { SortProperty } from './get-feature.js';
import { arePlentyToProbe, type Open, probe, type Reading, type Verdict } from './probe.js';
import { readSample, SAMPLE_SIZE, type SampleContext, type SampleFeature, type Wanted } from './sample.js';

/** What was found out about one feature type by asking for it. */
export interface Learnt {
  /** Whether answers are asked for in WGS84; else they come in the layer's own CRS. */
  readonly isAskedInWgs84: boolean;
  /** EPSG code of the CRS that answers come in. */
  readonly code: number;
  /** How coordinates of answers are written. */
  readonly axisOrderOut: AxisOrder;
  readonly axisOrderFrom: OrderFrom;
  /** How coordinates of filters are read; several where that could not be told. */
  readonly filterForms: readonly FilterForm[];
  readonly spatialFilter: SpatialFilter;
  readonly attributeFilters: boolean;
  /** Feature ids are `prefix` and the value of `attribute`: a unique one to sort by, where there is one. */
  readonly id: { readonly prefix: string; readonly attribute: string } | undefined;
  /** Features have ids: the upstream has a key of its own to tell them apart by, and to page by. */
  readonly hasIds: boolean;
  /** False: too little to go by (an empty layer, one around lon = lat); to be learnt again soon. */
  readonly isCertain: boolean;
  /** Filters found nothing, though there was something to find. */
  readonly isMisread?: boolean;
  /** The upstream would not sort by the attribute of the ids. */
  readonly isSortRefused?: boolean;
  /** Nothing has told whether it would: it is not asked to until the layer is learnt again. */
  readonly isSortUntold?: boolean;
  /** Of how filters are read, what is asked along with pages until one of them tells. */
  readonly open?: Open;
  /** A filter was refused, perhaps for a CRS of the answer that the layer is not offered in. */
  readonly isSrsDoubtful?: boolean;
  /** The first features have no geometry. */
  readonly isBlankAhead: boolean;
  /** Features that came in one answer meanwhile: the upstream caps its answers no lower. */
  readonly sampled: number;
}

/** What told the order of the axes; `either`: coordinates are the same both ways, or there are none. */
export type OrderFrom = 'setting' | 'features' | 'otherLayers' | 'standard' | 'either';

/** One feature type, and what its capabilities and schema say. */
export interface Subject {
  /** As the capabilities spell it. */
  readonly typeName: string;
  readonly type: FeatureType;
  /** WGS84BoundingBox: the hint that tells lat/lon from lon/lat. */
  readonly bbox: Bbox | undefined;
  /** DefaultSRS: what coordinates without an srsName are in. */
  readonly crs: string | undefined;
  /** What its answers are offered in, by the capabilities; empty: they say nothing. */
  readonly srsNames: readonly string[];
}

/** Whom, and with what known already. */
export interface Learning {
  readonly subject: Subject;
  /** WFS_AXIS_ORDER, both ways; absent: to be learnt. */
  readonly forced: AxisOrder | undefined;
  /** What is known from before, for where the first features do not tell. */
  readonly hint?: Hint | undefined;
  readonly abilities: Abilities;
  readonly dialogue: Dialogue;
  readonly asker: Asker;
}

export interface Hint {
  /** How answers are written: a feature of the layer lay where it could not, read the other way. */
  readonly axisOrderOut?: AxisOrder;
  /** How other layers of the upstream are written, by the EPSG code of their answers. */
  readonly elsewhere?: ReadonlyMap<number, AxisOrder>;
  /** The first features have no geometry: more are asked for at once. */
  readonly isBlankAhead?: boolean;
  /** An operator that found nothing where there was something: the next weaker one is tried. */
  readonly misread?: SpatialFilter;
  /** A sort was refused: the next filter is tried without. */
  readonly isSortRefused?: boolean;
  /** A CRS that the layer is not offered in was refused, or perhaps so: the next filter is tried without. */
  readonly isSrsDoubtful?: boolean;
}

export const WORLD: Bbox = [-180, -90, 180, 90];

/**
 * A wrong axis order is no error but an empty answer, so it is learnt, not assumed: the first features tell how answers
 * are written (held against the layer's box), and one filter around some of them how filters are read, and whether its
 * answer may be sorted, and come in a CRS that the layer is not offered in. Two requests, whatever is refused; both orders
 * can differ (QGIS Server 3.22: lon/lat in, lat/lon out).
 */
export async function learn(learning: Learning): Promise<Learnt> {
  const { subject, hint } = learning;
  const first = await readFirstFeatures(learning);
  const { sample, isBlankAhead } = first;
  const reading = toReading(sample, learning);
  const id = toIdRule(sample, subject.type);
  const isSortKnown = hint?.isSortRefused === true;
  const sortBy = id === undefined || isSortKnown ? [] : [{ propertyName: id.attribute, descending: false }];
  const { isProven, axisOrderInWgs84, ...verdict } = await learnFilters(learning, first, reading, sortBy);
  const isAskedInWgs84 = first.isInWgs84 || axisOrderInWgs84 !== undefined;
  return {
    isAskedInWgs84,
    code: axisOrderInWgs84 === undefined ? reading.code : WGS84,
    axisOrderOut: axisOrderInWgs84 ?? reading.axisOrder,
    axisOrderFrom: reading.from,
    id,
    hasIds: sample.some(({ id }) => id !== undefined),
    sampled: sample.length,
    isBlankAhead,
    ...(isSortKnown && isProven && { isSortRefused: true }),
    ...verdict,
    isCertain: isProven && (isTold(reading, subject) || reading.from === 'otherLayers'),
  };
}

/** What a page tells of how filters over the layer are read. */
export type Heard = FilterForm | 'passedOver' | 'misread' | 'boxesAlone';

export function toSettled({ open, ...known }: Learnt, heard: Heard): Learnt {
  const isCertain = known.axisOrderFrom !== 'standard' && known.isSortUntold !== true;
  switch (heard) {
    case 'passedOver':
      return { ...known, spatialFilter: 'none', attributeFilters: false, isCertain };
    case 'misread':
      return { ...known, spatialFilter: 'none', isMisread: true, isCertain: false };
    case 'boxesAlone':
      return { ...known, spatialFilter: 'BBOX', filterForms: open?.boxForms ?? open?.forms ?? [], isCertain };
    default:
      return { ...known, filterForms: [heard], isCertain };
  }
}

/** How filters over the layer are read. */
async function learnFilters(
  learning: Learning,
  { sample, requests, isInWgs84, isWgs84Untold, isBlankAhead }: First,
  reading: Told,
  sortBy: readonly SortProperty[],
): Promise<Verdict> {
  const { subject, forced, hint, abilities } = learning;
  const { spatialFilter, attributeFilters } = abilities;
  const forms = subject.type.geometries.length === 0 ? [] : toFormsOf(reading, forced);
  const said = { spatialFilter, attributeFilters };
  if (forms.length === 0) return { ...said, filterForms: forms, isProven: true };
  // a layer costs no more than three requests when it is first used: the filter is tried when it is learnt again
  if (isBlankAhead && requests > 1) {
    return { ...said, filterForms: forms, isProven: spatialFilter === 'none' };
  }
  const operator = hint?.misread === spatialFilter ? abilities.weakerThan(spatialFilter) : spatialFilter;
  const { typeName, type } = subject;
  const context = { ...learning, typeName, type, isInWgs84 };
  // or is left to a page, where the upstream is known to be one that reads filters as the standard says (MapServer)
  const verdict = await probe(context, sample, reading, forms, operator, {
    sortBy,
    isLeftOpen: requests > 1,
    isForWgs84: isWgs84Untold,
  });
  const { open } = verdict;
  return open === undefined ? verdict : { ...verdict, open: { ...open, codes: toCodes(reading, subject) } };
}

/** Some: an upstream may offer hundreds. */
const MAX_CODES = 5;

/** The CRSs that a layer may be stored in. */
function toCodes({ code }: Reading, { crs, srsNames }: Subject): number[] {
  const codes = [code, ...[crs, ...srsNames].flatMap((srsName) => toCode(srsName) ?? [])];
  return [...new Set(codes)].filter(isTransformable).slice(0, MAX_CODES);
}

/** Every form in which filters may be read; where the order of the axes is set, those in that. */
function toFormsOf({ code, axisOrder }: Reading, forced: AxisOrder | undefined): FilterForm[] {
  const forms = toFilterForms(code);
  if (forced === undefined) return forms;
  return forms.filter((form) => form.axisOrder === (form.code === code ? axisOrder : forced));
}

interface Told extends Reading {
  readonly from: OrderFrom;
}

function toReading(sample: readonly SampleFeature[], { subject, forced, hint }: Learning): Told {
  const code = toSampleCode(sample, subject);
  const told = toAxisOrderOut(sample, subject.bbox, code) ?? hint?.axisOrderOut;
  // what is set for WGS84 need not hold for a layer's own, projected CRS
  const isSet = told === undefined || isGeographic(code);
  if (forced !== undefined) return { code, axisOrder: isSet ? forced : told, from: 'setting' };
  if (told !== undefined) return { code, axisOrder: told, from: 'features' };
  const elsewhere = hint?.elsewhere?.get(code);
  const axisOrder = elsewhere ?? toNamedOrder(sample, code);
  if (sample.every(isSymmetric)) return { code, axisOrder, from: 'either' };
  return { code, axisOrder, from: elsewhere === undefined ? 'standard' : 'otherLayers' };
}

/** Whether the layer itself told it, or has nothing to tell it of. */
function isTold({ from }: Told, { type }: Subject): boolean {
  return from === 'setting' || from === 'features' || type.geometries.length === 0;
}

/** Coordinates that are the same in either order, for all that can be seen. */
function isSymmetric({ positions }: SampleFeature): boolean {
  return positions.every(([a, b]) => Math.abs(a - b) < 0.001);
}

/** The CRS the geometries name; else WGS84, which was asked for, unless the coordinates are no degrees. */
function toSampleCode(sample: readonly SampleFeature[], { crs }: Subject): number {
  const named = sample.map(({ srsName }) => toCode(srsName)).find((code) => code !== undefined);
  if (named !== undefined) return named;
  const isDegrees = sample.every(({ positions }) =>
    positions.every(([a, b]) => Math.abs(a) <= 180.001 && Math.abs(b) <= 180.001),
  );
  return isDegrees ? WGS84 : (toCode(crs) ?? WGS84);
}

/** The first features of the layer: enough to tell the order of the axes by, and to probe with. */
async function readFirstFeatures(learning: Learning): Promise<First> {
  const { subject, forced, hint, abilities } = learning;
  const isNothingToTell = subject.type.geometries.length === 0;
  const isUsable = (features: readonly SampleFeature[]) =>
    isNothingToTell || isTold(toReading(features, learning), subject);
  const isPlenty = (features: readonly SampleFeature[]) =>
    features.length > 1 && isUsable(features) && (isNothingToTell || arePlentyToProbe(features, abilities));
  // told along with the filter, where one is tried and its features are found in the layer's own CRS as well
  const isWgs84Untold =
    !isNothingToTell &&
    !isOffered(subject) &&
    abilities.unlistedSrs === undefined &&
    isTransformable(toCode(subject.crs) ?? WGS84);
  const isTransforming = abilities.unlistedSrs ?? (!isWgs84Untold && hint?.isSrsDoubtful !== true);
  const context = {
    ...learning,
    typeName: subject.typeName,
    type: subject.type,
    isInWgs84: isOffered(subject) ? abilities.srsName : isTransforming,
  };
  const usual = forced === undefined && isAmbiguous(subject) ? AMBIGUOUS_SIZE : SAMPLE_SIZE;
  const size = hint?.isBlankAhead === true ? FARTHER : usual;
  const asked = {
    ...(await readInWgs84OrNot(context, subject, { isUsable, isPlenty, size })),
    isWgs84Untold: isWgs84Untold && hint?.isSrsDoubtful !== true,
  };
  const { sample, requests } = asked;
  const isBlankAhead = sample.length === size && sample.every(({ positions }) => positions.length === 0);
  if (isNothingToTell || !isBlankAhead || requests > 1) return { ...asked, isBlankAhead };
  // features without a geometry tell nothing: farther down there may be others
  const wanted = { isUsable, isPlenty, size: FARTHER };
  return { ...asked, sample: await readSample(context, wanted), requests: requests + 1, isBlankAhead };
}

/** The first features, in which CRS, how many requests they took, and whether the very first had no geometry. */
interface First {
  readonly sample: SampleFeature[];
  readonly isInWgs84: boolean;
  /** It came in the layer's own CRS, which is all that is known to be offered. */
  readonly isWgs84Untold: boolean;
  readonly requests: number;
  readonly isBlankAhead: boolean;
}

const FARTHER = 1000;
/** Features to ask for where few of them may tell the order: reading stops as soon as one does. */
const AMBIGUOUS_SIZE = 200;

/** Whether features of the layer can lie in its box in either order. */
function isAmbiguous({ bbox: [west, south, east, north] = WORLD }: Subject): boolean {
  return west < north && south < east;
}

async function readInWgs84OrNot(
  context: SampleContext,
  subject: Subject,
  wanted: Wanted,
): Promise<Omit<First, 'isBlankAhead' | 'isWgs84Untold'>> {
  const { abilities, isInWgs84 } = context;
  try {
    return { sample: await readSample(context, wanted), isInWgs84, requests: 1 };
  } catch (error) {
    if (!isException(error) || isPassing(error) || !isInWgs84) throw error;
    // Opendatasoft refuses every parameter it does not know, MapServer a CRS that the layer is not offered in
    const sample = await readSample({ ...context, isInWgs84: false }, wanted);
    abilities.lack(isOffered(subject) ? 'srsName' : 'unlistedSrs');
    return { sample, isInWgs84: false, requests: 2 };
  }
}

/** Whether the layer is offered in WGS84, for all that is said. */
function isOffered({ srsNames }: Subject): boolean {
  const codes = srsNames.map(toCode).filter((code) => code !== undefined);
  return codes.length === 0 || codes.includes(WGS84);
}

/** The order under which the features lie in the layer's box; undefined where both do, or neither clearly. */
export function toAxisOrderOut(
  features: readonly { readonly positions: readonly Position[] }[],
  bbox: Bbox = WORLD,
  code = WGS84,
): AxisOrder | undefined {
  const positions = features.flatMap((feature) => feature.positions);
  const projection = toProjection(code);
  const toLonLat = (x: number, y: number) => projection?.toLonLat(x, y) ?? ([x, y] as const);
  let asLonLat = 0;
  let asLatLon = 0;
  for (const [a, b] of positions) {
    asLonLat += toDistance(toLonLat(a, b), bbox);
    asLatLon += toDistance(toLonLat(b, a), bbox);
  }
  const nearer = Math.min(asLonLat, asLatLon);
  const farther = Math.max(asLonLat, asLatLon);
  // a layer's box is often a little too small, or out of date; the wrong order is far away
  if (positions.length === 0 || farther < 0.01 * positions.length || nearer * 4 > farther) return undefined;
  return asLonLat < asLatLon ? 'lonLat' : 'latLon';
}

/** Degrees from a position to the box; beyond any where no such position exists. */
function toDistance([lon, lat]: readonly [number, number], [west, south, east, north]: Bbox): number {
  if (!(Math.abs(lat) <= 90.001 && Math.abs(lon) <= 180.001)) return 360;
  return Math.max(0, west - lon, lon - east) + Math.max(0, south - lat, lat - north);
}

/** What the srsName of the answer stands for; the short names mean what the URN does where that was asked for. */
function toNamedOrder(features: readonly SampleFeature[], code: number): AxisOrder {
  const srsName = features.find((feature) => feature.srsName !== undefined)?.srsName;
  return (srsName === undefined ? undefined : readSrsName(srsName)?.axisOrder) ?? toOfficialOrder(code);
}

/** The attribute whose value ends every id: `parcelle.28085000AA0001` is `parcelle.` and a parcel's own number. */
function toIdRule(features: readonly SampleFeature[], type: FeatureType): Learnt['id'] {
  const withId = features.filter((feature) => feature.id !== undefined);
  const [first] = withId;
  if (first?.id === undefined) return undefined;
  const prefix = first.id.slice(0, first.id.indexOf('.') + 1);
  const isMadeOf = (attribute: string) =>
    withId.every(({ id, properties }) => {
      const value = properties[attribute];
      return (typeof value === 'string' || typeof value === 'number') && id === `${prefix}${value}`;
    });
  const attribute = type.attributes.map(({ name }) => name).find(isMadeOf);
  return attribute === undefined ? undefined : { prefix, attribute };
}
