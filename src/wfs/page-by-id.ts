import type { FeatureBatch, PageEnd } from '../query/index.js';
import { isException } from './exception.js';
import { type Filter, toOr } from './filter.js';
import { toLiteral } from './literal.js';
import { type PageRequest, readSorted, toFeatures } from './read.js';

const FEW_IDS = 8; // not too many for any server
const IDS_PER_REQUEST = 50; // QGIS Server 3.22 answers 90 and more with an empty 200

/** Features by their ids, as many requests as it takes, in the order the upstream gives them. */
export async function* readPageById(
  request: PageRequest,
  featureIds: readonly string[],
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { limit, count } = request.query;
  const missing = new Set(featureIds);
  let returned = 0;
  for await (const { bytes, id } of readByIds(request, featureIds, request.plan.propertyNames)) {
    missing.delete(id);
    returned += 1;
    yield { bytes, ends: [bytes.length] };
    if (returned === limit) break;
  }
  if (returned < limit || missing.size === 0) return { numberReturned: returned, numberMatched: returned };
  let left = 0;
  for await (const _ of readByIds(request, [...missing], [])) {
    left += 1;
    if (count !== 'always') break;
  }
  return {
    numberReturned: returned,
    ...(left > 0 && { next: { featureIds: [...missing] } }),
    ...((left === 0 || count === 'always') && { numberMatched: returned + left }),
  };
}

interface Found {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * Each feature that exists, once. Where ids are made of an attribute it is asked for first: MapServer 8.0 finds nothing
 * by two ids of text, and fails on one of digits in a text column. What it does not find is asked for by id: that ids
 * are made of the attribute was seen of some features only.
 */
async function* readByIds(
  request: PageRequest,
  featureIds: readonly string[],
  propertyNames: readonly string[] | undefined,
): AsyncGenerator<Found> {
  const missing = new Set(featureIds);
  const ways = request.learnt.id === undefined ? [toIdFilter] : [toAttributeFilter, toIdFilter];
  for (const toFilter of ways) {
    const ids = [...missing];
    for (let at = 0; at < ids.length; at += IDS_PER_REQUEST) {
      const some = ids.slice(at, at + IDS_PER_REQUEST);
      for await (const found of readParted(request, some, toFilter, propertyNames)) {
        if (missing.delete(found.id)) yield found; // else asked for wider, or sent twice
      }
    }
  }
}

type ToFilter = (featureIds: readonly string[], request: PageRequest) => Filter | undefined;

/** MapServer 8.0 over GeoPackage refuses some dozens of values in one filter: half of them are asked for, and the others. */
async function* readParted(
  request: PageRequest,
  ids: readonly string[],
  toFilter: ToFilter,
  propertyNames: readonly string[] | undefined,
): AsyncGenerator<Found> {
  const filter = toFilter(ids, request);
  if (filter === undefined) return;
  try {
    yield* readByFilter(request, filter, propertyNames);
  } catch (error) {
    if (!isException(error) || ids.length < FEW_IDS) throw error;
    const middle = Math.ceil(ids.length / 2);
    for (const half of [ids.slice(0, middle), ids.slice(middle)])
      yield* readParted(request, half, toFilter, propertyNames);
  }
}

async function* readByFilter(
  request: PageRequest,
  filter: Filter,
  propertyNames: readonly string[] | undefined,
): AsyncGenerator<Found> {
  const window = { filter, propertyNames, startIndex: 0, maxFeatures: IDS_PER_REQUEST };
  try {
    for await (const batch of readSorted(request, window)) {
      for (const bytes of toFeatures(batch)) {
        const id = readId(bytes);
        if (id !== undefined) yield { bytes, id };
      }
    }
  } catch (error) {
    // an id that cannot exist is an exception on MapServer: it is not there
    if (!isException(error) || filter.operator !== 'FeatureId') throw error;
  }
}

function toIdFilter(featureIds: readonly string[]): Filter {
  return { operator: 'FeatureId', featureIds };
}

/** @returns undefined where none of the ids can be made of the attribute */
function toAttributeFilter(featureIds: readonly string[], { learnt, type }: PageRequest): Filter | undefined {
  const { id } = learnt;
  const attribute = type.attributes.find(({ name }) => name === id?.attribute);
  if (id === undefined || attribute === undefined || !learnt.attributeFilters) return undefined;
  return toOr(
    featureIds.flatMap((featureId): Filter[] => {
      if (!featureId.startsWith(id.prefix)) return [];
      const read = toLiteral(featureId.slice(id.prefix.length), attribute);
      return 'fault' in read
        ? []
        : [{ operator: 'PropertyIsEqualTo', propertyName: attribute.name, literal: read.literal }];
    }),
  );
}

/** The id stands second in a feature, as the converter writes it. */
function readId(bytes: Uint8Array): string | undefined {
  const { id } = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as {
    id?: string;
  };
  return id;
}
