import { readSrsName, WGS84_URN } from '../crs/index.js';
import { ServiceError, toMessage } from '../errors.js';
import { createIntersects, type GeoJsonGeometry } from '../geometry/index.js';
import type { Converted, CrsReading, FeatureType } from '../gml/index.js';
import type { FeatureBatch, PageEnd, SearchQuery } from '../query/index.js';
import type { Asker, Dialogue } from './dialogue.js';
import type { Experience } from './experience.js';
import type { GetFeature, SortProperty } from './get-feature.js';
import type { Learnt } from './learning.js';
import { type Plan, toFilter } from './plan.js';

/** Everything one page is made of. */
export interface PageRequest {
  readonly query: SearchQuery;
  readonly plan: Plan;
  readonly typeName: string;
  readonly type: FeatureType;
  readonly learnt: Learnt;
  readonly experience: Experience;
  readonly dialogue: Dialogue;
  readonly asker: Asker;
  readonly countTimeoutMs: number;
  readonly maxScanFeatures: number;
}

/**
 * A page of features, asked with one feature more than the page holds: that one tells that there is a next page. The
 * first step resolves with the first features, or throws.
 */
export function readPage(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const isExact = request.learnt.axisOrdersIn.length === 1 || request.plan.unions.length === 0;
  return isExact ? readExactPage(request) : readScannedPage(request);
}

async function* readExactPage(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { query, experience } = request;
  const wanted = query.limit;
  let received = 0;
  const featureIds = new Set(query.featureIds);
  const stream = readSorted(request, { maxFeatures: wanted + 1, startIndex: query.startIndex });
  for await (const batch of stream) {
    const left = wanted - received;
    received += batch.ends.length;
    const kept = toFirst(batch, left);
    if (query.featureIds !== undefined) dropFeatureIds(kept, featureIds);
    if (kept.ends.length > 0) yield kept;
    if (received > wanted) break; // the page is whole; what is left of the answer is its closing tags
  }
  const numberReturned = Math.min(received, wanted);
  experience.delivered(received);
  if (query.featureIds !== undefined) {
    const isMore = received > wanted && featureIds.size > 0;
    return {
      numberReturned,
      ...(isMore ? { next: { featureIds: [...featureIds] } } : { numberMatched: numberReturned }),
    };
  }
  return endPage(request, numberReturned, received > wanted);
}

/** What is known behind the last feature: whether there are more, and how many in all. */
async function endPage(request: PageRequest, numberReturned: number, isCut: boolean): Promise<PageEnd> {
  const { query, experience } = request;
  const behind = query.startIndex + numberReturned;
  const isMore = isCut || (await isCapped(request, numberReturned));
  if (!isMore) {
    const isKnown = numberReturned > 0 || query.startIndex === 0;
    const numberMatched = isKnown ? behind : await countWhere(request, query.count === 'always', 0);
    return { numberReturned, ...(numberMatched !== undefined && { numberMatched }) };
  }
  const isAsked = query.count === 'always' || (query.count === 'auto' && query.startIndex === 0);
  const numberMatched = await countWhere(request, isAsked, behind + 1);
  experience.more(numberReturned, isCut);
  return {
    numberReturned,
    next: { startIndex: behind },
    ...(numberMatched !== undefined && { numberMatched }),
  };
}

/**
 * A page shorter than asked for is the last one, unless the upstream caps its answers in silence. It cannot have been
 * capped at a number of features it was seen to exceed; else the feature behind the page is asked for.
 */
async function isCapped(request: PageRequest, numberReturned: number): Promise<boolean> {
  if (numberReturned === 0 || !request.experience.mayBeCap(numberReturned)) return false;
  const startIndex = request.query.startIndex + numberReturned;
  for await (const { ends } of readSorted(request, { maxFeatures: 1, startIndex })) {
    if (ends.length > 0) return true;
  }
  return false;
}

/** The count, where it is asked for and can be believed: at least `least`, and not the upstream's own cap. */
async function countWhere(
  request: PageRequest,
  isAsked: boolean,
  least: number,
): Promise<number | undefined> {
  const { query, countTimeoutMs, experience } = request;
  if (!isAsked) return undefined;
  const counting = count(request, experience);
  try {
    const number = await (query.count === 'always' ? counting : within(counting, countTimeoutMs));
    return number !== undefined && number >= least ? number : undefined;
  } catch {
    return undefined; // features are the answer; a count that fails is left out
  }
}

async function count(request: PageRequest, experience: Experience): Promise<number | undefined> {
  const controller = new AbortController();
  const asker = { ...request.asker, signal: AbortSignal.any([request.asker.signal, controller.signal]) };
  const stream = request.dialogue.getFeature(
    { ...toGetFeature(request), resultType: 'hits' },
    { featureType: request.type, crs: () => ({ swap: false }) },
    asker,
  );
  for await (const _ of stream) break; // a server that answers hits with features counts nothing
  const number = stream.declaredCount;
  if (number === undefined || experience.isTrustedCount(number)) return number;
  // hits can be capped too: the first large count of a layer is believed once nothing stands behind it
  for await (const { ends } of readSorted({ ...request, asker }, { maxFeatures: 1, startIndex: number })) {
    if (ends.length === 0) continue;
    experience.countIsCapped(number);
    return undefined;
  }
  experience.countIsTrue(number);
  return number;
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Where it could not be learnt how filters are read: asked in both orders, and intersected here. The page is then cut
 * out of what remains, so the layer is read from its start.
 */
async function* readScannedPage(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { query, plan, maxScanFeatures } = request;
  const predicates = plan.unions.map((union) => createIntersects(union));
  let scanned = 0;
  let matched = 0;
  let returned = 0;
  let isMore = false;
  scan: for await (const batch of readWhole(request, maxScanFeatures + 1)) {
    for (const feature of toFeatures(batch)) {
      scanned += 1;
      if (scanned > maxScanFeatures && returned === 0) throw tooManyToScan(request);
      const { geometry } = JSON.parse(Buffer.from(feature).toString()) as {
        geometry: GeoJsonGeometry | null;
      };
      if (!predicates.every((intersects) => intersects(geometry))) continue;
      matched += 1;
      if (matched <= query.startIndex) continue;
      isMore = returned === query.limit;
      if (isMore) break scan;
      returned += 1;
      yield { bytes: feature, ends: [feature.length] };
    }
  }
  if (!isMore && scanned > maxScanFeatures) throw tooManyToScan(request);
  if (isMore) return { numberReturned: returned, next: { startIndex: query.startIndex + returned } };
  return { numberReturned: returned, numberMatched: matched };
}

/** Every feature of the filter up to `most`, past the caps of the upstream. */
async function* readWhole(request: PageRequest, most: number): AsyncGenerator<Converted, void, void> {
  for (let startIndex = 0; startIndex < most; ) {
    let received = 0;
    for await (const batch of readSorted(request, { maxFeatures: most - startIndex, startIndex })) {
      received += batch.ends.length;
      yield batch;
    }
    request.experience.delivered(received);
    if (received === 0 || !request.experience.mayBeCap(received)) return;
    startIndex += received;
  }
}

function tooManyToScan({ query, maxScanFeatures }: PageRequest): ServiceError {
  const values = { source: query.source, count: maxScanFeatures };
  return new ServiceError('notAnswerable', toMessage('wfs.tooManyToScan', values));
}

/**
 * Features in an order that is the same for each page: pages of MapServer over PostGIS overlap and miss rows without a
 * unique sort. The sort the service adds is left out again where the upstream refuses it (FlatGeobuf cannot sort).
 */
async function* readSorted(
  request: PageRequest,
  window: { maxFeatures: number; startIndex: number },
): AsyncGenerator<Converted, void, void> {
  const { experience, plan } = request;
  const added = toAddedSort(request);
  let isBegun = false;
  try {
    for await (const batch of read(request, window, [...plan.sortBy, ...added])) {
      isBegun = true;
      yield batch;
    }
  } catch (error) {
    const mayBeTheSort = !isBegun && error instanceof ServiceError && error.text.id === 'wfs.exceptionReport';
    if (!mayBeTheSort) throw error;
    const other = added.length > 0 ? [...plan.sortBy] : toSortWithoutKey(error, request);
    if (other === undefined) throw error;
    yield* read(request, window, other);
    experience.sortRefused();
  }
}

function toAddedSort({ plan, learnt, experience, query }: PageRequest): SortProperty[] {
  const { idAttribute } = learnt;
  if (idAttribute === undefined || !experience.canSort || query.featureIds !== undefined) return [];
  if (plan.sortBy.some(({ propertyName }) => propertyName === idAttribute)) return [];
  return [{ propertyName: idAttribute, descending: false }];
}

/**
 * GeoServer (2.x, JDBC stores): "Cannot do natural order without a primary key" on layers without one, for any
 * startIndex; a sort by whatever attribute is enough for it.
 */
function toSortWithoutKey(error: ServiceError, { plan, type }: PageRequest): SortProperty[] | undefined {
  const [first] = type.attributes;
  if (!/natural order without a primary key/i.test(error.message) || plan.sortBy.length > 0 || !first)
    return undefined;
  return [{ propertyName: first.name, descending: false }];
}

function read(
  request: PageRequest,
  { maxFeatures, startIndex }: { maxFeatures: number; startIndex: number },
  sortBy: readonly SortProperty[],
) {
  const { plan, type, learnt, asker } = request;
  return request.dialogue.getFeature(
    { ...toGetFeature(request), maxFeatures, startIndex, sortBy },
    {
      featureType: type,
      crs: (srsName) => toReading(srsName, learnt),
      ...(plan.propertyNames !== undefined && { propertyNames: plan.propertyNames }),
    },
    asker,
  );
}

function toGetFeature({ plan, type, typeName, learnt }: PageRequest): GetFeature {
  const geometryNames = type.geometries.slice(0, 1).map(({ name }) => name);
  return {
    typeName,
    namespace: type.namespace,
    srsName: WGS84_URN,
    filter: toFilter(plan, learnt.axisOrdersIn),
    propertyNames: plan.propertyNames && [...geometryNames, ...plan.propertyNames],
  };
}

/** The order learnt holds for WGS84, by whatever name; another CRS is not what was asked for. */
function toReading(srsName: string | undefined, { axisOrderOut }: Learnt): CrsReading {
  const crs = srsName === undefined ? undefined : readSrsName(srsName);
  if (crs !== undefined && crs.code !== 4326 && crs.code !== 4979) {
    throw new ServiceError('upstreamUnusable', toMessage('wfs.otherCrs', { srsName: `EPSG:${crs.code}` }));
  }
  return { swap: axisOrderOut === 'latLon' };
}

function toFirst(batch: Converted, most: number): FeatureBatch {
  if (batch.ends.length <= most) return batch;
  const ends = batch.ends.slice(0, Math.max(0, most));
  return { bytes: batch.bytes.subarray(0, ends.at(-1) ?? 0), ends };
}

function* toFeatures({ bytes, ends }: Converted): Generator<Uint8Array> {
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

function dropFeatureIds(batch: FeatureBatch, featureIds: Set<string>): void {
  for (const feature of toFeatures(batch)) {
    const { id } = JSON.parse(Buffer.from(feature).toString()) as { id?: string };
    if (id !== undefined) featureIds.delete(id);
  }
}
