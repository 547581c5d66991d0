import { readSrsName, WGS84_URN } from '../crs/index.js';
import { ServiceError, toMessage } from '../errors.js';
import type { Converted, CrsReading, FeatureType } from '../gml/index.js';
import type { SearchQuery } from '../query/index.js';
import type { Asker, Dialogue, FeatureStream } from './dialogue.js';
import type { Experience } from './experience.js';
import type { Filter } from './filter.js';
import type { GetFeature, SortProperty } from './get-feature.js';
import type { Learnt } from './learning.js';
import type { Plan } from './plan.js';

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

/** One GetFeature of a page: which features, and which of their attributes. */
export interface Window {
  readonly filter: Filter | undefined;
  readonly maxFeatures: number;
  readonly startIndex: number;
  /** Absent: all. */
  readonly propertyNames: readonly string[] | undefined;
}

/**
 * Features in an order that is the same for each page: pages of MapServer over PostGIS overlap and miss rows without a
 * unique sort. The sort the service adds is left out again where the upstream refuses it (FlatGeobuf cannot sort).
 */
export async function* readSorted(
  request: PageRequest,
  window: Window,
): AsyncGenerator<Converted, void, void> {
  const { experience, plan } = request;
  const added = toAddedSort(request);
  let isBegun = false;
  try {
    for await (const batch of readWindow(request, window, [...plan.sortBy, ...added])) {
      isBegun = true;
      yield batch;
    }
  } catch (error) {
    if (isBegun || !isException(error)) throw error;
    const other = added.length > 0 ? [...plan.sortBy] : toSortWithoutKey(error, request);
    if (other === undefined) throw error;
    yield* readWindow(request, window, other);
    if (added.length > 0) experience.sortRefused();
  }
}

/** Every feature of the filter up to `most`, past the caps of the upstream. */
export async function* readWhole(
  request: PageRequest,
  window: Omit<Window, 'startIndex' | 'maxFeatures'>,
  most: number,
): AsyncGenerator<Converted, void, void> {
  for (let startIndex = 0; startIndex < most; ) {
    let received = 0;
    for await (const batch of readSorted(request, {
      ...window,
      maxFeatures: most - startIndex,
      startIndex,
    })) {
      received += batch.ends.length;
      yield batch;
    }
    request.experience.delivered(received);
    if (received === 0 || !request.experience.mayBeCap(received)) return;
    startIndex += received;
  }
}

/** @returns the number a hits request gives; undefined where it says none */
export async function readHits(
  request: PageRequest,
  filter: Filter | undefined,
  asker: Asker,
): Promise<number | undefined> {
  const stream = request.dialogue.getFeature(
    { ...toGetFeature(request, filter, undefined), resultType: 'hits' },
    { featureType: request.type, crs: () => ({ swap: false }) },
    asker,
  );
  for await (const _ of stream) break; // a server that answers hits with features counts nothing
  return stream.declaredCount;
}

/** One request, sorted as given. */
function readWindow(request: PageRequest, window: Window, sortBy: readonly SortProperty[]): FeatureStream {
  const { type, learnt, asker, dialogue } = request;
  const { filter, propertyNames, maxFeatures, startIndex } = window;
  return dialogue.getFeature(
    { ...toGetFeature(request, filter, propertyNames), maxFeatures, startIndex, sortBy },
    {
      featureType: type,
      crs: (srsName) => toReading(srsName, learnt),
      ...(propertyNames !== undefined && { propertyNames }),
    },
    asker,
  );
}

function toGetFeature(
  { type, typeName }: PageRequest,
  filter: Filter | undefined,
  propertyNames: readonly string[] | undefined,
): GetFeature {
  const geometryNames = type.geometries.slice(0, 1).map(({ name }) => name);
  return {
    typeName,
    namespace: type.namespace,
    srsName: WGS84_URN,
    filter,
    propertyNames: propertyNames && [...geometryNames, ...propertyNames],
  };
}

function toAddedSort({ plan, learnt, experience }: PageRequest): SortProperty[] {
  const { id } = learnt;
  if (id === undefined || !experience.canSort) return [];
  if (plan.sortBy.some(({ propertyName }) => propertyName === id.attribute)) return [];
  return [{ propertyName: id.attribute, descending: false }];
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

/** The order learnt holds for WGS84, by whatever name; another CRS is not what was asked for. */
function toReading(srsName: string | undefined, { axisOrderOut }: Learnt): CrsReading {
  const crs = srsName === undefined ? undefined : readSrsName(srsName);
  if (crs !== undefined && crs.code !== 4326 && crs.code !== 4979) {
    throw new ServiceError('upstreamUnusable', toMessage('wfs.otherCrs', { srsName: `EPSG:${crs.code}` }));
  }
  return { swap: axisOrderOut === 'latLon' };
}

/** The upstream answered with an exception report: it may have been one part of the request that it would not have. */
export function isException(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.text.id === 'wfs.exceptionReport';
}

export function* toFeatures({ bytes, ends }: Converted): Generator<Uint8Array> {
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}
