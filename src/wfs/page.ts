import type { Converted } from '../gml/index.js';
import type { FeatureBatch, PageEnd } from '../query/index.js';
import { readPageById } from './page-by-id.js';
import { readScannedPage } from './page-scanned.js';
import { toFilter } from './plan.js';
import { isException, type PageRequest, readHits, readSorted, type Window } from './read.js';
import { within } from './within.js';

/**
 * A page of features, in the cheapest way that is right: cut out by the upstream where it can be asked exactly, else cut
 * out here of a wider answer. The first step resolves with the first features, or throws.
 */
export async function* readPage(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { plan, learnt } = request;
  if (plan.featureIds !== undefined) return yield* readPageById(request, plan.featureIds);
  const isExact =
    plan.tests.every((test) => test.isExact) &&
    (learnt.axisOrdersIn.length === 1 || plan.unions.length === 0);
  if (!isExact) return yield* readScannedPage(request, true);
  let isBegun = false;
  try {
    const page = readExactPage(request);
    for (let step = await page.next(); ; step = await page.next()) {
      if (step.done) return step.value;
      isBegun = true;
      yield step.value;
    }
  } catch (error) {
    // MapServer 8.0 turns PropertyIsNull on a date into broken SQL: compared here, the question can still be answered
    if (isBegun || !isException(error) || plan.tests.length === 0) throw error;
    return yield* readScannedPage(request, false);
  }
}

/** Asked with one feature more than the page holds: that one tells that there is a next page. */
async function* readExactPage(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { query, experience, learnt } = request;
  const filter = toFilter(request.plan, learnt.axisOrdersIn);
  const window = { filter, propertyNames: request.plan.propertyNames, startIndex: query.startIndex };
  let received = 0;
  for await (const batch of readSorted(request, { ...window, maxFeatures: query.limit + 1 })) {
    const kept = toFirst(batch, query.limit - received);
    received += batch.ends.length;
    if (kept.ends.length > 0) yield kept;
    if (received > query.limit) break; // the page is whole; what is left of the answer is its closing tags
  }
  experience.delivered(received);
  return endPage(request, window, Math.min(received, query.limit), received > query.limit);
}

type PageWindow = Omit<Window, 'maxFeatures'>;

/** What is known behind the last feature: whether there are more, and how many in all. */
async function endPage(
  request: PageRequest,
  window: PageWindow,
  returned: number,
  isCut: boolean,
): Promise<PageEnd> {
  const { query } = request;
  const behind = query.startIndex + returned;
  const isMore = isCut || (await isCapped(request, window, returned));
  if (!isMore) {
    const isKnown = returned > 0 || query.startIndex === 0;
    const numberMatched = isKnown ? behind : await countWhere(request, window, query.count === 'always', 0);
    return { numberReturned: returned, ...(numberMatched !== undefined && { numberMatched }) };
  }
  const isAsked = query.count === 'always' || (query.count === 'auto' && query.startIndex === 0);
  const numberMatched = await countWhere(request, window, isAsked, behind + 1);
  return {
    numberReturned: returned,
    next: { startIndex: behind },
    ...(numberMatched !== undefined && { numberMatched }),
  };
}

/**
 * A page shorter than asked for is the last one, unless the upstream caps its answers in silence. It cannot have been
 * capped at a number of features it was seen to exceed; else the feature behind the page is asked for.
 */
async function isCapped(request: PageRequest, window: PageWindow, returned: number): Promise<boolean> {
  if (returned === 0 || !request.experience.mayBeCap(returned)) return false;
  return isAnyAt(request, window, request.query.startIndex + returned);
}

async function isAnyAt(request: PageRequest, window: PageWindow, startIndex: number): Promise<boolean> {
  for await (const { ends } of readSorted(request, { ...window, startIndex, maxFeatures: 1 })) {
    if (ends.length > 0) return true;
  }
  return false;
}

/** The count, where it is asked for and can be believed: at least `least`, and not the upstream's own cap. */
async function countWhere(
  request: PageRequest,
  window: PageWindow,
  isAsked: boolean,
  least: number,
): Promise<number | undefined> {
  if (!isAsked) return undefined;
  const leaving = new AbortController();
  const signal = AbortSignal.any([request.asker.signal, leaving.signal]);
  const counting = count({ ...request, asker: { ...request.asker, signal } }, window);
  try {
    const isPatient = request.query.count === 'always';
    const number = await (isPatient ? counting : within(counting, request.countTimeoutMs));
    return number !== undefined && number >= least ? number : undefined;
  } catch {
    return undefined; // features are the answer; a count that fails is left out
  } finally {
    leaving.abort();
  }
}

async function count(request: PageRequest, window: PageWindow): Promise<number | undefined> {
  const { experience } = request;
  const number = await readHits(request, window.filter, request.asker);
  if (number === undefined || experience.isTrustedCount(number)) return number;
  // hits can be capped too: a larger count than any before is believed once nothing stands behind it
  if (await isAnyAt(request, window, number)) {
    experience.countIsCapped(number);
    return undefined;
  }
  experience.countIsTrue(number);
  return number;
}

function toFirst(batch: Converted, most: number): FeatureBatch {
  if (batch.ends.length <= most) return batch;
  const ends = batch.ends.slice(0, Math.max(0, most));
  return { bytes: batch.bytes.subarray(0, ends.at(-1) ?? 0), ends };
}
