import { WGS84_URN } from '../crs/index.js';
import { type Message, ServiceError, toMessage } from '../errors.js';
import { readFeatureText } from '../formats/index.js';
import type { Converted, FeatureType, GmlConverterOptions } from '../gml/index.js';
import type { SearchQuery } from '../query/index.js';
import type { Abilities, SpatialFilter } from './abilities.js';
import type { Check } from './contradiction.js';
import { toCrsReading } from './coordinates.js';
import type { Asker, Dialogue } from './dialogue.js';
import { isAboutSorting, isException, isPassing } from './exception.js';
import type { Experience } from './experience.js';
import { type Filter, toSpatialOperator } from './filter.js';
import { type Begun, begin, orElse } from './first-step.js';
import type { GetFeature, SortProperty } from './get-feature.js';
import type { Heard, Learnt } from './learning.js';
import { toOpenAsking } from './overheard.js';
import { type Asking, hasTooManyParts, type Plan } from './plan.js';
import { watched } from './steps.js';

/** Everything one page is made of. */
export interface PageRequest {
  readonly query: SearchQuery;
  readonly plan: Plan;
  readonly typeName: string;
  readonly type: FeatureType;
  readonly learnt: Learnt;
  readonly abilities: Abilities;
  readonly experience: Experience;
  readonly dialogue: Dialogue;
  readonly asker: Asker;
  readonly countTimeoutMs: number;
  readonly maxScanFeatures: number;
  /** Called with the first features of each answer. @throws Contradiction */
  readonly check: Check;
  /** How filters over the layer are read was told by an answer. */
  readonly settle: (heard: Heard) => void;
  /** Faults of geometries met in answers, by name: features that came without their geometry. */
  readonly faults: Map<string, number>;
  /** What the reader of the page should know; grows while it is made. */
  readonly warnings: Message[];
}

/** One GetFeature of a page: which features, and which of their attributes. */
export interface Window {
  readonly filter: Filter | undefined;
  readonly maxFeatures: number;
  readonly startIndex: number;
  /** Absent: all. */
  readonly propertyNames: readonly string[] | undefined;
  /** The first two features of all, where they are known; read only when they are needed. */
  readonly head?: (() => Head) | undefined;
  /** Whether features stand here is all that is asked: nothing comes from an upstream that cannot say. */
  readonly isGlance?: boolean;
}

/** The first two features but for their ids, which some servers make up anew each time. */
export type Head = readonly string[];

/**
 * Features in an order that is the same for each page: pages of MapServer over PostGIS overlap and miss rows without a
 * unique sort. The sort the service adds is left out again where the upstream refuses it (FlatGeobuf cannot sort).
 */
export function readSorted(request: PageRequest, window: Window): AsyncGenerator<Converted, void, void> {
  const { experience, plan } = request;
  const added = toAddedSort(request);
  const sortBy = [...plan.sortBy, ...added];
  return orElse(
    () => readWindow(request, window, sortBy),
    async (error) => {
      if (!isException(error) || isPassing(error)) throw error;
      if (isNaturalOrderRefused(error) && window.startIndex > 0)
        return beginWithoutNaturalOrder(request, window, sortBy);
      if (added.length === 0) throw error;
      const begun = await begin(readWindow(request, window, plan.sortBy));
      if (!begun.first.done) experience.sortRefused();
      return begun;
    },
  );
}

/**
 * GeoServer (2.x, JDBC stores): "Cannot do natural order without a primary key" on layers without one, for any
 * startIndex; a sort by whatever attribute is enough for it. Who refuses that too, or does not heed it, pages nothing.
 */
async function beginWithoutNaturalOrder(
  request: PageRequest,
  window: Window,
  refused: readonly SortProperty[],
): Promise<Begun<Converted, void>> {
  const { experience } = request;
  const read = (sortBy: readonly SortProperty[]) => begin(readWindow(request, window, sortBy));
  experience.naturalOrderRefused();
  const sortBy = refused.length === 0 ? toAddedSort(request) : [];
  if (sortBy.length === 0) {
    experience.startIndexRefused();
    return read(refused);
  }
  try {
    return await read(sortBy);
  } catch (error) {
    if (!isException(error) || isPassing(error)) throw error;
    if (!isNaturalOrderRefused(error)) experience.sortRefused();
    experience.startIndexRefused();
    return read([]);
  }
}

/** Whether pages come in an order that does not change: by a unique attribute. */
export function isStablySorted(request: PageRequest): boolean {
  const { plan, learnt, experience } = request;
  const sortBy = [...plan.sortBy, ...toAddedSort(request)];
  return experience.idHolds && sortBy.some(({ propertyName }) => propertyName === learnt.id?.attribute);
}

/** Every feature of the filter up to `most`, past the caps of the upstream, or until an answer ends after which it is done. */
export async function* readWhole(
  request: PageRequest,
  window: Omit<Window, 'startIndex' | 'maxFeatures'>,
  most: number,
  isDone: () => boolean = () => false,
): AsyncGenerator<Converted, void, void> {
  const first: Converted[] = [];
  const head = () => first.flatMap(toHead);
  for (let startIndex = 0; startIndex < most; ) {
    const isFirst = startIndex === 0;
    let received = 0;
    if (isFirst || canPage(request) !== false) {
      const shown = isFirst ? window : { ...window, head, isGlance: true };
      for await (const batch of readSorted(request, {
        ...shown,
        maxFeatures: most - startIndex,
        startIndex,
      })) {
        if (isFirst && received < 2) first.push(batch);
        received += batch.ends.length;
        yield batch;
      }
    }
    if (!isFirst && canPage(request) === false) return checkIsWhole(request, window.filter, startIndex);
    request.experience.delivered(received);
    if (received === 0 || !request.experience.mayBeCap(received) || isDone()) return;
    startIndex += received;
  }
}

/** What was read from the start, by an upstream that cannot be asked for what is behind it, must be all there is. */
async function checkIsWhole(
  request: PageRequest,
  filter: Filter | undefined,
  received: number,
): Promise<void> {
  const isAll = await isWhole(request, filter, received);
  if (isAll === false) throw cannotPage(request, 'wfs.cannotPage', received);
  if (isAll === undefined) request.warnings.push(toMessage('wfs.mayBeCut'));
}

function cannotPage(
  { query }: PageRequest,
  id: 'wfs.cannotPage' | 'wfs.mayNotPage',
  count: number,
): ServiceError {
  return new ServiceError('notAnswerable', toMessage(id, { source: query.source, count }));
}

/** @returns the number a hits request gives; undefined where it says none */
export async function readHits(
  request: PageRequest,
  filter: Filter | undefined,
  asker: Asker = request.asker,
): Promise<number | undefined> {
  const stream = request.dialogue.getFeature(
    { resultType: 'hits', ...toGetFeature(request, filter, undefined) },
    { featureType: request.type, crs: () => ({ swap: false }) },
    asker,
  );
  for await (const _ of stream) break; // a server that answers hits with features counts nothing
  return stream.declaredCount;
}

/** One window, sorted as given, by an upstream that pages or does not. */
function readWindow(
  request: PageRequest,
  window: Window,
  sortBy: readonly SortProperty[],
): AsyncGenerator<Converted, void, void> {
  if (window.startIndex === 0) return readAnswer(request, window, sortBy);
  switch (canPage(request)) {
    case true:
      return readAnswer(request, window, sortBy);
    case false:
      return readBehindHead(request, window, sortBy);
    default:
      return readPagedOrNot(request, window, sortBy);
  }
}

/** Whether the upstream knows startIndex; undefined: not seen yet. */
export function canPage({ abilities, experience }: PageRequest): boolean | undefined {
  return experience.canPage ? abilities.startIndex : false;
}

/** As many features are sooner read and skipped than it is found out whether the upstream can skip them. */
const FEW_SKIPPED = 1000;

/** Whether a page is asked for from the start, and what stands before it skipped here. */
export function isHeadSkipped(request: PageRequest): boolean {
  const { startIndex } = request.query;
  const isKnown = canPage(request);
  return startIndex > 0 && (isKnown === false || (isKnown === undefined && startIndex <= FEW_SKIPPED));
}

/**
 * startIndex is a vendor parameter in WFS 1.1.0: who does not know it passes over it or refuses it. The first feature of
 * the window must not be the first of all, which is asked for where no page has shown it.
 */
async function* readPagedOrNot(
  request: PageRequest,
  window: Window,
  sortBy: readonly SortProperty[],
): AsyncGenerator<Converted, void, void> {
  const { abilities } = request;
  const answer = readAnswer(request, window, sortBy);
  let first: IteratorResult<Converted, void>;
  try {
    first = await answer.next();
  } catch (error) {
    if (!isException(error) || isPassing(error)) throw error;
    if (isNaturalOrderRefused(error) || (sortBy.length > 0 && isAboutSorting(error))) throw error;
    if (window.isGlance === true) request.experience.startIndexRefused(); // without it, it was answered
    yield* readBehindHead(request, window, sortBy);
    request.experience.startIndexRefused();
    return;
  }
  if (first.done) {
    if (window.head !== undefined) abilities.startIndexWorks(); // there are features, and none of them came
    return;
  }
  try {
    const [veryFirst, second] = window.head?.() ?? (await readHead(request, window, sortBy));
    const [begins] = toHead(first.value);
    if (veryFirst !== undefined && begins !== veryFirst) {
      abilities.startIndexWorks();
      yield first.value;
      return yield* answer;
    }
    if (veryFirst !== second) abilities.lack('startIndex'); // of two that are alike either may have come
  } finally {
    await answer.return();
  }
  yield* readBehindHead(request, window, sortBy);
}

async function readHead(
  request: PageRequest,
  window: Window,
  sortBy: readonly SortProperty[],
): Promise<Head> {
  const head: string[] = [];
  for await (const batch of readAnswer(request, { ...window, startIndex: 0, maxFeatures: 2 }, sortBy)) {
    head.push(...toHead(batch));
  }
  return head;
}

export function toHead(batch: Converted): Head {
  const [one, other] = toFeatures(batch);
  return [one, other].flatMap((bytes) => {
    if (bytes === undefined) return [];
    const { geometry, properties } = readFeatureText(Buffer.from(bytes).toString());
    return JSON.stringify([geometry, [...properties]]);
  });
}

/** The window cut out of an answer from the start. @throws notAnswerable where the upstream caps its answers before it */
async function* readBehindHead(
  request: PageRequest,
  window: Window,
  sortBy: readonly SortProperty[],
): AsyncGenerator<Converted, void, void> {
  if (window.isGlance === true && canPage(request) === false) return;
  const maxFeatures = window.startIndex + window.maxFeatures;
  let received = 0;
  for await (const batch of readAnswer(request, { ...window, startIndex: 0, maxFeatures }, sortBy)) {
    const behind = toBehind(batch, window.startIndex - received);
    received += batch.ends.length;
    if (behind.ends.length > 0) yield behind;
  }
  if (received > window.startIndex) return;
  const isAll = await isWhole(request, window.filter, received);
  if (isAll === true) return;
  throw cannotPage(request, isAll === false ? 'wfs.cannotPage' : 'wfs.mayNotPage', received);
}

/**
 * Whether an answer from the start, shorter than asked for, is all there is, by an upstream that cannot be asked for what
 * is behind it. Undefined: a cap that holds for counts too could have cut it.
 */
export async function isWhole(
  request: PageRequest,
  filter: Filter | undefined,
  received: number,
): Promise<boolean | undefined> {
  if (received === 0 || !request.experience.mayBeCap(received)) return true;
  const hits = (one: Filter | undefined) => readHits(request, one).catch(() => undefined);
  const count = await hits(filter);
  if (count === undefined) return undefined;
  if (count > received) return false;
  if (!isRound(received)) return true;
  const all = filter === undefined ? count : await hits(undefined);
  return all !== undefined && all > received ? true : undefined;
}

/** Caps are set by people: 500, 5000, 1024. */
function isRound(count: number): boolean {
  return count % 10 === 0 || Number.isInteger(Math.log2(count));
}

/** The features behind the first `count`. */
export function toBehind({ bytes, ends }: Converted, count: number): Converted {
  if (count <= 0) return { bytes, ends };
  const from = (ends[count - 1] ?? bytes.length) + 1;
  return { bytes: bytes.subarray(from), ends: ends.slice(count).map((end) => end - from) };
}

/** One request, sorted as given. */
function readAnswer(
  request: PageRequest,
  window: Window,
  sortBy: readonly SortProperty[],
): AsyncGenerator<Converted, void, void> {
  const { type, learnt, asker, dialogue, faults } = request;
  const { filter, propertyNames } = window;
  const options: GmlConverterOptions = {
    featureType: type,
    crs: toReader(learnt),
    ...(propertyNames !== undefined && { propertyNames }),
  };
  const stream = dialogue.getFeature(toWindowRequest(request, window, sortBy), options, asker);
  let isChecked = false;
  return watched(stream, {
    look(batch) {
      if (!isChecked) checkPlaces(request, batch, filter);
      isChecked = true;
      checkId(request, batch);
    },
    end() {
      for (const [fault, count] of Object.entries(stream.warnings))
        faults.set(fault, (faults.get(fault) ?? 0) + count);
    },
  });
}

const readers = new WeakMap<Learnt, GmlConverterOptions['crs']>();

/** The same for all answers of a layer, as long as what was learnt of it holds: converters are used again by it. */
function toReader(learnt: Learnt): GmlConverterOptions['crs'] {
  const known = readers.get(learnt) ?? ((srsName) => toCrsReading(srsName, learnt));
  readers.set(learnt, known);
  return known;
}

/** @throws Contradiction */
function checkPlaces({ check, learnt }: PageRequest, batch: Converted, filter: Filter | undefined): void {
  // a filter in several forms asks in other places too, and so do questions
  const isElsewhereToo = learnt.filterForms.length > 1 || learnt.open !== undefined;
  const operator = filter === undefined || isElsewhereToo ? undefined : toSpatialOperator(filter);
  const isTold = learnt.axisOrderFrom === 'features' || learnt.axisOrderFrom === 'setting';
  check(batch, operator, isTold);
}

/** The GetFeature of a window; sorted as the first of its pages is, unless another sort is given. */
export function toWindowRequest(
  request: PageRequest,
  { filter, propertyNames, maxFeatures, startIndex }: Window,
  sortBy: readonly SortProperty[] = [...request.plan.sortBy, ...toAddedSort(request)],
): GetFeature {
  // what is spread stands last: an object that is spread first, and added to, has a hidden class of its own (V8 11.3)
  return { maxFeatures, startIndex, sortBy, ...toGetFeature(request, filter, propertyNames) };
}

/** What the first features of the layer said of ids need not hold for all: one feature in each batch is looked at. */
function checkId({ learnt, experience }: PageRequest, { bytes, ends }: Converted): void {
  if (learnt.id === undefined || !experience.idHolds) return;
  const feature = Buffer.from(bytes.buffer, bytes.byteOffset, ends[0] ?? 0);
  if (isSeenMadeOf(feature, learnt.id)) return;
  const { id, properties } = readFeatureText(feature.toString());
  const value = properties.get(learnt.id.attribute);
  if (value === undefined) return; // not asked for
  const text = value.startsWith('"') ? (JSON.parse(value) as string) : value;
  if (id !== JSON.stringify(`${learnt.id.prefix}${text}`)) experience.idRefuted();
}

const ID_START = '{"type":"Feature","id":"';
const MAX_ID = 200;
const isPlainText = (text: string) => /^[ !#-[\]-~]*$/.test(text);

/** Whether an id can be seen at once to be made of an attribute, as nearly all are; false: they have to be read. */
function isSeenMadeOf(feature: Buffer, { attribute, prefix }: NonNullable<Learnt['id']>): boolean {
  const start = `${ID_START}${prefix}`;
  const head = feature.toString('latin1', 0, start.length + MAX_ID);
  const end = head.indexOf('"', start.length);
  const value = head.slice(start.length, end);
  if (end < 0 || !head.startsWith(start) || !isPlainText(attribute) || !isPlainText(prefix + value))
    return false;
  const member = `"${attribute}":`;
  const at = feature.indexOf(member, end, 'latin1');
  if (at < 0) return false;
  const from = at + member.length;
  const given = feature.toString('latin1', from, from + value.length + 2);
  return given === `"${value}"` || given.startsWith(`${value},`) || given.startsWith(`${value}}`);
}

function toGetFeature(
  { type, typeName, learnt }: PageRequest,
  filter: Filter | undefined,
  propertyNames: readonly string[] | undefined,
): GetFeature {
  const geometryNames = type.geometries.slice(0, 1).map(({ name }) => name);
  return {
    typeName,
    namespace: type.namespace,
    srsName: learnt.isAskedInWgs84 ? WGS84_URN : undefined,
    filter,
    propertyNames: propertyNames && [...geometryNames, ...propertyNames],
  };
}

function toAddedSort(request: PageRequest): SortProperty[] {
  const { plan, learnt, experience } = request;
  const { id, attributeFilters } = learnt;
  if (!experience.canSort || learnt.isSortUntold === true) return [];
  // who reads no filter sorts nothing either (Opendatasoft)
  if (id === undefined || !attributeFilters || !experience.idHolds) return toSortWithoutKey(request);
  if (plan.sortBy.some(({ propertyName }) => propertyName === id.attribute)) return [];
  return [{ propertyName: id.attribute, descending: false }];
}

function isNaturalOrderRefused(error: ServiceError): boolean {
  return /natural order without a primary key/i.test(error.message);
}

function toSortWithoutKey({ plan, type, experience }: PageRequest): SortProperty[] {
  const [first] = type.attributes;
  const isOfUse = !experience.hasNaturalOrder && experience.canPage;
  if (!isOfUse || plan.sortBy.length > 0 || first === undefined) return [];
  return [{ propertyName: first.name, descending: false }];
}

export function* toFeatures({ bytes, ends }: Converted): Generator<Uint8Array> {
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

/** What was learnt of a layer is no stronger than what capabilities that were read since then say. */
function toWeaker(one: SpatialFilter, other: SpatialFilter): SpatialFilter {
  const fromWeakest: readonly SpatialFilter[] = ['none', 'BBOX', 'Intersects'];
  return fromWeakest.indexOf(one) < fromWeakest.indexOf(other) ? one : other;
}

/**
 * The strongest that may be asked, by what was learnt.
 * @param isDoubted whether polygons that nobody has seen to be read are asked for by their boxes, too
 */
export function toAsking({ plan, learnt, abilities }: PageRequest, isDoubted = true): Asking {
  const { filterForms, attributeFilters } = learnt;
  const { multiGeometry } = abilities;
  const strongest = toWeaker(learnt.spatialFilter, abilities.spatialFilter);
  const weaker = abilities.weakerThan(strongest);
  const spatialFilter = weaker === 'BBOX' && hasTooManyParts(plan, multiGeometry) ? weaker : strongest;
  const asking: Asking = { spatialFilter, filterForms, attributeFilters, multiGeometry };
  const { open } = learnt;
  if (open === undefined || plan.unions.length === 0) return asking;
  const { boxOperator: operator, isPosListRead } = abilities;
  const mayBeUnread = isDoubted && spatialFilter === 'Intersects' && !isPosListRead;
  const alsoByBox = mayBeUnread && operator && { operator, forms: open.boxForms ?? open.forms };
  return toOpenAsking(plan, { ...asking, filterForms: open.forms, open, ...(alsoByBox && { alsoByBox }) });
}
