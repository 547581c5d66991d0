import { ServiceError, toMessage } from '../errors.js';
import { readFeatureText } from '../formats/index.js';
import { createIntersects, createWithinDistance, type GeoJsonGeometry } from '../geometry/index.js';
import type { FeatureBatch, PageEnd } from '../query/index.js';
import { Contradiction } from './contradiction.js';
import { createListener, type Listener } from './overheard.js';
import { type Asking, toFilter } from './plan.js';
import { type PageRequest, readHits, readWhole, toFeatures } from './read.js';

const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** How long matches are held back before the upstream is asked how much there is to read. */
const HOLD_MS = 500;

/**
 * A page cut out here: a wider question is asked, its answer read from the start, and each feature compared. Used where the
 * upstream cannot be asked exactly: it has no such filter, or how it reads coordinates or a literal is not known, or
 * known to be wrong. Matches are held back until it is certain that all of it may be read.
 * @param comparesGeometry whether `asking` finds more than what intersects
 * @throws Contradiction where the questions asked along with it were not answered as they must be
 * @throws notAnswerable where more than `maxScanFeatures` would have to be read, before the first feature
 */
export async function* readScannedPage(
  request: PageRequest,
  asking: Asking,
  comparesGeometry: boolean,
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { query, maxScanFeatures } = request;
  const filter = toFilter(request.plan, asking);
  const listener = comparesGeometry ? createListener(request, asking) : undefined;
  const margin = listener !== undefined && asking.spatialFilter === 'Intersects' ? ROUNDING_METRES : 0;
  const toMatch = createMatcher(request, comparesGeometry ? margin : undefined, listener);
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let isHolding = true;
  let counting: Promise<void> | undefined;
  const begun = performance.now();
  const count = async () => {
    const number = await readHits(request, filter).catch(() => undefined);
    if (number !== undefined && number <= maxScanFeatures) isHolding = false;
  };
  const state = { scanned: 0, matched: 0, returned: 0 };
  const isFull = () => state.matched > query.startIndex + query.limit;
  const toCutEnd = (read: 'answer' | 'part'): PageEnd => {
    listener?.end(read);
    return { numberReturned: state.returned, next: { startIndex: query.startIndex + state.returned } };
  };
  // what is behind an answer is not asked for where the page is full without
  const isDone = () => isFull() && query.count !== 'always' && listener?.isContent !== false;
  for await (const batch of readWhole(
    request,
    { filter, propertyNames: toReadNames(request) },
    maxScanFeatures + 1,
    isDone,
  )) {
    for (const bytes of toFeatures(batch)) {
      state.scanned += 1;
      if (state.scanned > maxScanFeatures) {
        if (!isFull()) throw tooManyToScan(request);
        const end = toCutEnd('part');
        yield* release(held);
        return end; // the page is whole; how many there are in all is not known
      }
      const match = toMatch(bytes);
      if (match === undefined) continue;
      state.matched += 1;
      if (state.matched <= query.startIndex || state.returned === query.limit) continue;
      state.returned += 1;
      held.push(match);
      heldBytes += match.length;
    }
    if (held.length > 0 && performance.now() - begun > HOLD_MS) counting ??= count();
    if (isHolding && heldBytes > MAX_HELD_BYTES && !isFull()) {
      counting ??= count();
      await counting;
      if (isHolding) throw tooManyToScan(request);
    }
    if (listener?.isEnough === false) continue;
    if (!isHolding || isFull()) yield* release(held);
    if (isFull() && query.count !== 'always') return toCutEnd('part');
  }
  if (isDone()) {
    const end = toCutEnd('answer');
    yield* release(held);
    return end;
  }
  listener?.end(request.warnings.length === 0 ? 'whole' : 'part');
  yield* release(held);
  const behind = query.startIndex + state.returned;
  const isMore = state.matched > behind;
  return {
    numberReturned: state.returned,
    ...(request.warnings.length === 0 && { numberMatched: state.matched }),
    ...(isMore && { next: { startIndex: behind } }),
  };
}

/** What was held back, as one batch. */
function* release(held: Uint8Array[]): Generator<FeatureBatch> {
  if (held.length === 0) return;
  const ends: number[] = [];
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const bytes of held.splice(0)) {
    if (ends.length > 0) parts.push(COMMA);
    at += bytes.length + (ends.length > 0 ? 1 : 0);
    parts.push(bytes);
    ends.push(at);
  }
  yield { bytes: Buffer.concat(parts), ends };
}

const COMMA = Buffer.from(',');

/** The attributes that are asked for, and those that are compared. */
function toReadNames({ plan }: PageRequest): string[] | undefined {
  return plan.propertyNames && [...new Set([...plan.propertyNames, ...plan.tests.map(({ name }) => name)])];
}

/** MapServer writes six decimals: what it found to intersect may not do so as it is written. */
const ROUNDING_METRES = 0.2;

/**
 * @param margin metres within which geometries are taken to meet; absent: they are not compared
 * @returns the feature as it is to be written; undefined where it does not match
 */
function createMatcher(
  { plan }: PageRequest,
  margin: number | undefined,
  listener: Listener | undefined,
): (bytes: Uint8Array) => Uint8Array | undefined {
  const toPredicate = margin === 0 ? createIntersects : createNear(margin ?? 0);
  const predicates = margin === undefined ? [] : plan.unions.map((union) => toPredicate(union));
  const wanted = plan.propertyNames && new Set(plan.propertyNames);
  return (bytes) => {
    const feature = readFeatureText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    listener?.hear(feature.geometry);
    if (!plan.tests.every((test) => test.matches(feature.properties.get(test.name) ?? 'null')))
      return undefined;
    if (predicates.length > 0) {
      const geometry = JSON.parse(feature.geometry) as GeoJsonGeometry | null;
      if (!predicates.every((intersects) => intersects(geometry))) return undefined;
    }
    return wanted === undefined ? bytes : Buffer.from(feature.withProperties(wanted));
  };
}

const createNear = (metres: number) => (union: readonly GeoJsonGeometry[]) =>
  createWithinDistance(union, metres);

/** Where questions are open it is not the layer that is too large: once they are settled, less has to be read. */
function tooManyToScan({ query, maxScanFeatures, learnt }: PageRequest): ServiceError | Contradiction {
  if (learnt.open !== undefined) return new Contradiction(false);
  const values = { source: query.source, count: maxScanFeatures };
  return new ServiceError('notAnswerable', toMessage('wfs.tooManyToScan', values));
}
