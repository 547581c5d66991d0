import { ServiceError, toMessage } from '../errors.js';
import { readFeatureText } from '../formats/index.js';
import { createIntersects, type GeoJsonGeometry } from '../geometry/index.js';
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
  const toMatch = createMatcher(request, comparesGeometry, listener);
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
  const toCutEnd = (): PageEnd => {
    listener?.end(false);
    return { numberReturned: state.returned, next: { startIndex: query.startIndex + state.returned } };
  };
  for await (const batch of readWhole(
    request,
    { filter, propertyNames: toReadNames(request) },
    maxScanFeatures + 1,
  )) {
    for (const bytes of toFeatures(batch)) {
      state.scanned += 1;
      if (state.scanned > maxScanFeatures) {
        if (!isFull()) throw tooManyToScan(request);
        yield* release(held);
        return toCutEnd(); // the page is whole; how many there are in all is not known
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
    if (listener?.isTold === false) continue;
    if (!isHolding || isFull()) yield* release(held);
    if (isFull() && query.count !== 'always') return toCutEnd();
  }
  listener?.end(request.warnings.length === 0);
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

/** @returns the feature as it is to be written; undefined where it does not match */
function createMatcher(
  { plan }: PageRequest,
  comparesGeometry: boolean,
  listener: Listener | undefined,
): (bytes: Uint8Array) => Uint8Array | undefined {
  const predicates = comparesGeometry ? plan.unions.map((union) => createIntersects(union)) : [];
  const wanted = plan.propertyNames && new Set(plan.propertyNames);
  return (bytes) => {
    const feature = readFeatureText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    const isCompared = listener?.hear(feature.geometry) !== false;
    if (!plan.tests.every((test) => test.matches(feature.properties.get(test.name) ?? 'null')))
      return undefined;
    if (isCompared && predicates.length > 0) {
      const geometry = JSON.parse(feature.geometry) as GeoJsonGeometry | null;
      if (!predicates.every((intersects) => intersects(geometry))) return undefined;
    }
    return wanted === undefined ? bytes : Buffer.from(feature.withProperties(wanted));
  };
}

/** Where questions are open it is not the layer that is too large: once they are settled, less has to be read. */
function tooManyToScan({ query, maxScanFeatures, learnt }: PageRequest): ServiceError | Contradiction {
  if (learnt.openQuestions !== undefined) return new Contradiction(false);
  const values = { source: query.source, count: maxScanFeatures };
  return new ServiceError('notAnswerable', toMessage('wfs.tooManyToScan', values));
}
