import type { FeatureBatch, PageEnd } from '../query/index.js';
import { isException } from './exception.js';
import { type Filter, toOr } from './filter.js';
import { toLiteral } from './literal.js';
import { type PageRequest, readSorted, toFeatures } from './read.js';

const IDS_PER_REQUEST = 50; // QGIS Server 3.22 answers 90 and more with an empty 200

/**
 * Features by their ids, as many requests as it takes, in the order the upstream gives them. Where ids are made of an
 * attribute it is asked for instead: MapServer 8.0 finds nothing by two ids of text, and fails on one of digits in a
 * text column.
 */
export async function* readPageById(
  request: PageRequest,
  featureIds: readonly string[],
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { limit } = request.query;
  const missing = new Set(featureIds);
  let returned = 0;
  for (let at = 0; at < featureIds.length && returned < limit; at += IDS_PER_REQUEST) {
    const filter = toIdFilter(featureIds.slice(at, at + IDS_PER_REQUEST), request);
    if (filter === undefined) continue;
    for await (const { bytes, id } of readByFilter(request, filter)) {
      if (returned === limit) break;
      if (id === undefined || !missing.delete(id)) continue; // asked for wider, or sent twice
      returned += 1;
      yield { bytes, ends: [bytes.length] };
    }
  }
  const left = [...missing];
  const isCut = returned === limit && left.length > 0 && (await isAny(request, left));
  return {
    numberReturned: returned,
    ...(isCut ? { next: { featureIds: left } } : { numberMatched: returned }),
  };
}

async function* readByFilter(
  request: PageRequest,
  filter: Filter,
): AsyncGenerator<{ bytes: Uint8Array; id: string | undefined }> {
  const { propertyNames } = request.plan;
  const window = { filter, propertyNames, startIndex: 0, maxFeatures: IDS_PER_REQUEST };
  try {
    for await (const batch of readSorted(request, window)) {
      for (const bytes of toFeatures(batch)) yield { bytes, id: readId(bytes) };
    }
  } catch (error) {
    // an id that cannot exist is an exception on MapServer: it is not there
    if (!isException(error) || filter.operator !== 'FeatureId') throw error;
  }
}

async function isAny(request: PageRequest, featureIds: readonly string[]): Promise<boolean> {
  for (let at = 0; at < featureIds.length; at += IDS_PER_REQUEST) {
    const filter = toIdFilter(featureIds.slice(at, at + IDS_PER_REQUEST), request);
    if (filter === undefined) continue;
    for await (const { id } of readByFilter(request, filter))
      if (id !== undefined && featureIds.includes(id)) return true;
  }
  return false;
}

/** @returns undefined where none of the ids can be one of this source */
function toIdFilter(featureIds: readonly string[], { learnt, type }: PageRequest): Filter | undefined {
  const { id } = learnt;
  const attribute = type.attributes.find(({ name }) => name === id?.attribute);
  if (id === undefined || attribute === undefined) return { operator: 'FeatureId', featureIds };
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
