import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { AttributeFilter, Credentials, SearchQuery } from '../query/index.js';

/** Any order will do that is always the same. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Any of the values will do, in whatever order; as JSON, so that `"1"` and `1` stay apart. */
function toCanonicalFilter({ name, values, parameter }: AttributeFilter): [string, string, string[]] {
  const distinct = new Set(values.map((value) => JSON.stringify(value)));
  return [name, parameter, [...distinct].sort(compare)];
}

const toSorted = (names: readonly string[] | undefined) =>
  names === undefined ? null : [...new Set(names)].sort(compare);

const keys = new WeakMap<SearchQuery, string>();

/**
 * The same for queries that ask for the same. What the order of means nothing, attributes, their values and the names of
 * properties, is sorted; coordinates are taken as they are. The name a fault would have is part of it, since faults are
 * shared too.
 */
export function toQueryKey(query: SearchQuery): string {
  const known = keys.get(query);
  if (known !== undefined) return known;
  const { source, geometries, bbox, featureIds, attributes, propertyNames, sortBy } = query;
  const { limit, startIndex, count, overlap = false } = query;
  const filters = attributes.map(toCanonicalFilter).sort(([a], [b]) => compare(a, b));
  const canonical = JSON.stringify([
    source,
    geometries?.map(({ type, coordinates }) => [type, coordinates]) ?? null,
    bbox ?? null,
    featureIds ?? null,
    filters,
    toSorted(propertyNames),
    sortBy === undefined ? null : [sortBy.name, sortBy.descending],
    limit,
    startIndex,
    count,
    overlap,
  ]);
  const key =
    canonical.length > MOST_PLAIN ? createHash('sha256').update(canonical).digest('base64url') : canonical;
  keys.set(query, key);
  return key;
}

/** Characters that are sooner kept than digested. */
const MOST_PLAIN = 256;

/** Of this process alone: nothing that is kept or logged tells of a key. */
const ownSecret = randomBytes(32);

/**
 * For whom an answer is: the same for the same credentials, `''` for all who bring none that count.
 * @param secret what processes that share answers have in common; absent: this process's own
 */
export function toScope(
  { apikey, token }: Credentials,
  takesKeys: boolean,
  secret: Uint8Array = ownSecret,
): string {
  if (!takesKeys || (apikey === undefined && token === undefined)) return '';
  const credentials = JSON.stringify([apikey ?? null, token ?? null]);
  return createHmac('sha256', secret).update(credentials).digest('base64url');
}
