import { type Message, ServiceError, toMessage } from '../errors.js';
import { countVertices } from '../geometry/index.js';
import type { Converted } from '../gml/index.js';
import type { FeatureBatch, PageEnd } from '../query/index.js';
import { follow } from '../signal.js';
import { toOtherwise } from './attribute-test.js';
import { isException, isPassing } from './exception.js';
import type { Experience } from './experience.js';
import { type Begun, begin, fromFirst, orElse } from './first-step.js';
import { readPageById } from './page-by-id.js';
import { readScannedPage } from './page-scanned.js';
import { type Asking, type Plan, toFilter } from './plan.js';
import {
  canPage,
  type Head,
  isHeadSkipped,
  isStablySorted,
  isWhole,
  type PageRequest,
  readHits,
  readSorted,
  toAsking,
  toBehind,
  toHead,
  type Window,
} from './read.js';
import { Steps, toOver, withEnd } from './steps.js';
import { within } from './within.js';

/**
 * A page of features, in the cheapest way that is right: cut out by the upstream where it can be asked exactly, else cut
 * out here of a wider answer. The first step resolves with the first features, or throws.
 */
export function readPage(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  return withEnd(readFound(request), (end) => {
    const warnings = [...request.warnings, ...toWarnings(request, end)];
    return warnings.length === 0 ? end : { ...end, warnings };
  });
}

function readFound(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { featureIds, tests } = request.plan;
  if (featureIds !== undefined) return readPageById(request, featureIds);
  const doubtful = tests.filter(({ otherwise }) => otherwise !== undefined);
  return doubtful.length === 0 ? readWays(request) : readDoubtful(request, doubtful);
}

async function* readDoubtful(
  request: PageRequest,
  doubtful: Plan['tests'],
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const end = yield* readWays(request);
  const names = doubtful.map(({ name }) => name);
  if (end.numberReturned > 0) request.experience.answeredTo('usual', names);
  return end.numberReturned > 0 ? end : yield* readInOtherWords(request, names, end);
}

/**
 * Nothing was found, which may be the fault of the words: the question is put in the others, once, until it is known which
 * the upstream reads.
 * @param none what to answer where they find nothing either, or are refused
 */
async function* readInOtherWords(
  request: PageRequest,
  names: readonly string[],
  none: PageEnd,
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const { plan, experience } = request;
  const other = { ...request, plan: { ...plan, tests: plan.tests.map(toOtherwise) } };
  const [asking] = await toWays(other);
  const page = readScannedPage(other, asking, !isSpatialExact(plan, asking));
  const end = yield* readUnless((error) => isException(error) && !isPassing(error), page);
  if (end?.numberReturned === 0) return none;
  experience.answeredTo(end === undefined ? 'usual' : 'other', names);
  return end ?? none;
}

/** The page; undefined where it fails before its first feature by a fault that may be. */
function readUnless(
  mayBe: (error: unknown) => boolean,
  page: AsyncGenerator<FeatureBatch, PageEnd, void>,
): AsyncGenerator<FeatureBatch, PageEnd | undefined, void> {
  return fromFirst(async (): Promise<Begun<FeatureBatch, PageEnd | undefined>> => {
    try {
      return await begin(page);
    } catch (error) {
      if (!mayBe(error)) throw error;
      return { features: page, first: { done: true, value: undefined } };
    }
  });
}

function readWays(request: PageRequest): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const ways = toWays(request);
  return ways instanceof Promise
    ? fromFirst(async () => begin(readInTurn(request, await ways)))
    : readInTurn(request, ways);
}

/** In the first of the ways, or in one behind it where it is refused. */
function readInTurn(
  request: PageRequest,
  [asking, ...weaker]: Ways,
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  return orElse(
    () => readAsked(request, asking),
    async (error) => {
      const [next, ...others] = weaker;
      if (next === undefined || !mayBeAskedLess(error, request, asking)) throw error;
      return begin(readInTurn(request, [next, ...others]));
    },
  );
}

type Ways = readonly [Asking, ...Asking[]];

function readAsked(request: PageRequest, asking: Asking): AsyncGenerator<FeatureBatch, PageEnd, void> {
  return isExact(request, asking)
    ? new ExactPage(request, asking)
    : readScannedPage(request, asking, !isSpatialExact(request.plan, asking));
}

/**
 * The ways to ask for a page, the most exact first; each next one asks the upstream for less and does more here. A promise
 * only where the upstream has to be asked.
 */
export function toWays(request: PageRequest): Ways | Promise<Ways> {
  const { plan, abilities } = request;
  const strongest = toAsking(request);
  const isFiltered = strongest.attributeFilters && plan.tests.length > 0;
  const weaker = abilities.weakerThan(strongest.spatialFilter);
  const boxed: Asking = { ...strongest, spatialFilter: weaker };
  const canBox = plan.unions.length > 0 && weaker === 'BBOX';
  const light = (): Ways => [
    strongest,
    // MapServer 8.0 turns PropertyIsNull on a date into broken SQL: compared here, the question can still be answered
    ...(isFiltered ? [without(strongest)] : []),
    ...(canBox ? [without(boxed)] : []),
    ...(strongest.alsoByBox === undefined ? [] : [toAsking(request, false)]),
  ];
  const heavy = (): Ways => (isFiltered ? [boxed, without(boxed)] : [boxed]);
  const isHeavy = canBox && isTooHeavy(request, boxed);
  if (isHeavy instanceof Promise) return isHeavy.then((is) => (is ? heavy() : light()));
  return isHeavy ? heavy() : light();
}

function without(asking: Asking): Asking {
  return { ...asking, attributeFilters: false };
}

function mayBeAskedLess(error: unknown, request: PageRequest, { spatialFilter }: Asking): boolean {
  if (isException(error)) return !isPassing(error);
  // too heavy a filter for this upstream, as it turns out
  return spatialFilter === 'Intersects' && isSlow(error) && toWeight(request.plan) > HEAVY_WEIGHT;
}

function isSlow(error: unknown): boolean {
  return error instanceof ServiceError && error.text.id === 'wfs.noAnswer';
}

/** Positions of a filter that every server measured answers at once (QGIS Server 3.22 takes 0.4 s for 1,000). */
const HEAVY_WEIGHT = 1000;
/** Candidates that are sooner compared here than asked for with a heavy filter. */
const FEW_CANDIDATES = 5000;

function toWeight({ unions }: Plan): number {
  return unions.reduce((sum, union) => sum + countVertices(union), 0);
}

/** By what is known of the upstream; where nothing is, by how few features the boxes alone would find. */
function isTooHeavy(request: PageRequest, boxed: Asking): boolean | Promise<boolean> {
  return request.abilities.isTooHeavy(toWeight(request.plan)) ?? hasFewCandidates(request, boxed);
}

async function hasFewCandidates(request: PageRequest, boxed: Asking): Promise<boolean> {
  const counting = readHits(request, toFilter(request.plan, boxed)).catch(() => undefined);
  const candidates = await within(counting, request.countTimeoutMs);
  return candidates !== undefined && candidates <= FEW_CANDIDATES;
}

function isSpatialExact({ unions }: Plan, { spatialFilter, filterForms, openQuestions }: Asking): boolean {
  if (unions.length === 0) return true;
  return spatialFilter === 'Intersects' && filterForms.length === 1 && openQuestions === undefined;
}

/** Whether the upstream finds what is asked for and nothing else. */
export function isExact({ plan, type, learnt }: PageRequest, asking: Asking): boolean {
  // filters that nobody has seen to be read may be passed over
  const areSeen = learnt.open === undefined && learnt.spatialFilter !== 'none';
  const areRead = asking.attributeFilters && (areSeen || type.geometries.length === 0);
  const areAttributesExact = plan.tests.length === 0 || (areRead && plan.tests.every((test) => test.isExact));
  return areAttributesExact && isSpatialExact(plan, asking);
}

function toWarnings(request: PageRequest, { next }: PageEnd): Message[] {
  const { query, plan, learnt, experience, faults } = request;
  const isPaged = query.startIndex > 0 || next !== undefined;
  // GeoServer pages by the primary key that its ids are made of, whether that is an attribute or not
  const hasOwnKey = learnt.hasIds && learnt.id === undefined && experience.hasNaturalOrder;
  const isUnstable = isPaged && plan.featureIds === undefined && !hasOwnKey && !isStablySorted(request);
  return [
    ...(isUnstable ? [toMessage('wfs.unstableOrder')] : []),
    ...(learnt.axisOrderFrom === 'standard' ? [toMessage('wfs.axisOrderUntold')] : []),
    ...[...faults].map(([fault, count]) => toMessage('wfs.faultyGeometries', { fault, count })),
  ];
}

/** Asked with one feature more than the page holds: that one tells that there is a next page. */
class ExactPage extends Steps<FeatureBatch, PageEnd> {
  private readonly window: PageWindow;
  private readonly question: unknown;
  /** The first features of all, where they are known. */
  private readonly shown: (() => Head) | undefined;
  private readonly answer: AsyncGenerator<Converted, void, void>;
  private readonly startIndex: number;
  /** Features before the page that are skipped here. */
  private readonly skipped: number;
  private passed = 0;
  private received = 0;
  private readonly first: Converted[] = [];
  private readonly begun = performance.now();
  private isAnswered = false;
  private isOver = false;
  /** The page, where the answer was cut before it, asked for anew. */
  private again: ExactPage | undefined = undefined;

  constructor(
    private readonly request: PageRequest,
    private readonly asking: Asking,
    known?: () => Head,
  ) {
    super();
    const { query, plan, experience } = request;
    const filter = toFilter(plan, asking);
    this.window = { filter, propertyNames: plan.propertyNames };
    this.question = [filter, plan.propertyNames, plan.sortBy];
    const isUnseen = canPage(request) === undefined;
    this.shown =
      known ?? (query.startIndex > 0 && isUnseen ? toRemembered(experience, this.question) : undefined);
    const isUntold = this.shown === undefined && isUnseen;
    this.skipped = isUntold && isHeadSkipped(request) ? query.startIndex : 0;
    this.startIndex = query.startIndex - this.skipped;
    const maxFeatures = this.skipped + query.limit + 1;
    this.answer = readSorted(request, {
      maxFeatures,
      startIndex: this.startIndex,
      head: this.shown,
      ...this.window,
    });
  }

  async next(): Promise<IteratorResult<FeatureBatch, PageEnd>> {
    if (this.again !== undefined) return this.again.next();
    if (this.isOver) return toOver();
    const { limit } = this.request.query;
    try {
      while (this.received <= limit) {
        const step = await this.answer.next();
        this.took();
        if (step.done) break;
        const kept = this.take(step.value);
        if (kept.ends.length > 0) return { done: false, value: kept };
      }
      // the page is whole; what is left of the answer is its closing tags
      if (this.received > limit) await this.answer.return();
    } catch (error) {
      this.isOver = true;
      if (isSlow(error)) this.took();
      throw error;
    }
    const head = this.remember();
    // cut before the page, or there is no more
    if (this.received === 0 && this.passed > 0) {
      this.again = new ExactPage(this.request, this.asking, head);
      return this.again.next();
    }
    this.isOver = true;
    const window = head === undefined ? this.window : { head, ...this.window };
    const end = endPage(this.request, window, Math.min(this.received, limit), this.received > limit);
    return { done: true, value: end instanceof Promise ? await end : end };
  }

  async return(value: PageEnd | PromiseLike<PageEnd>): Promise<IteratorResult<FeatureBatch, PageEnd>> {
    const isOver = this.isOver;
    this.isOver = true;
    if (this.again !== undefined) await this.again.return(value);
    else if (!isOver) await this.answer.return();
    return { done: true, value: await value };
  }

  /** How long the beginning of the answer took is remembered, for filters as heavy. */
  private took(): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    const { plan, abilities } = this.request;
    abilities.took(toWeight(plan), performance.now() - this.begun);
  }

  private take(all: Converted): FeatureBatch {
    const { request, startIndex, skipped } = this;
    if (this.passed + this.received < 2 && startIndex === 0 && canPage(request) === undefined)
      this.first.push(all);
    const batch = toBehind(all, skipped - this.passed);
    this.passed += all.ends.length - batch.ends.length;
    const kept = toFirst(batch, request.query.limit - this.received);
    this.received += batch.ends.length;
    return kept;
  }

  /** @returns the first features of all, where they are known */
  private remember(): (() => Head) | undefined {
    const { first, passed, received } = this;
    const { query, experience } = this.request;
    experience.delivered(passed + received);
    if (first.length === 0) return this.shown;
    // read at once, where there is a next page: the bytes of an answer may not be kept
    if (received > query.limit) experience.began(this.question, first.flatMap(toHead));
    return () => first.flatMap(toHead);
  }
}

function toRemembered(experience: Experience, question: unknown): (() => Head) | undefined {
  const head = experience.headOf(question);
  return head && (() => head);
}

type PageWindow = Omit<Window, 'maxFeatures' | 'startIndex'>;

/**
 * What is known behind the last feature: whether there are more, and how many in all. A promise only where the upstream has to
 * be asked.
 */
function endPage(
  request: PageRequest,
  window: PageWindow,
  returned: number,
  isCut: boolean,
): PageEnd | Promise<PageEnd> {
  const { startIndex } = request.query;
  const behind = startIndex + returned;
  if (isCut && !isCountAsked(request)) return { numberReturned: returned, next: { startIndex: behind } };
  const isLast = !isCut && !mayBeCapped(request, returned);
  const isKnown = returned > 0 || startIndex === 0;
  if (isLast && isKnown) return { numberReturned: returned, numberMatched: behind };
  return askForEnd(request, window, returned, isCut);
}

/** Whether the count is wanted of a page with another behind it. */
function isCountAsked({ query }: PageRequest): boolean {
  return query.count === 'always' || (query.count === 'auto' && query.startIndex === 0);
}

async function askForEnd(
  request: PageRequest,
  window: PageWindow,
  returned: number,
  isCut: boolean,
): Promise<PageEnd> {
  const { query } = request;
  const behind = query.startIndex + returned;
  const isMore = isCut || (await isCapped(request, window, returned));
  if (isMore === undefined) {
    request.warnings.push(toMessage('wfs.mayBeCut'));
    return { numberReturned: returned };
  }
  if (!isMore) {
    const isKnown = returned > 0 || query.startIndex === 0;
    const numberMatched = isKnown ? behind : await countWhere(request, window, query.count === 'always', 0);
    return { numberReturned: returned, ...(numberMatched !== undefined && { numberMatched }) };
  }
  const numberMatched = await countWhere(request, window, isCountAsked(request), behind + 1);
  return {
    numberReturned: returned,
    next: { startIndex: behind },
    ...(numberMatched !== undefined && { numberMatched }),
  };
}

/**
 * A page shorter than asked for is the last one, unless the upstream caps its answers in silence. It cannot have been
 * capped at a number of features it was seen to exceed.
 */
function mayBeCapped({ experience }: PageRequest, returned: number): boolean {
  return returned > 0 && experience.mayBeCap(returned);
}

/** Of a page that may have been capped, the feature behind it is asked for. */
async function isCapped(
  request: PageRequest,
  window: PageWindow,
  returned: number,
): Promise<boolean | undefined> {
  if (!mayBeCapped(request, returned)) return false;
  const behind = request.query.startIndex + returned;
  if (canPage(request) !== false) {
    const isMore = await isAnyAt(request, { ...window, isGlance: true }, behind).catch((error: unknown) => {
      if (canPage(request) !== false) throw error;
    });
    if (canPage(request) !== false) return isMore === true;
  }
  const isAll = await isWhole(request, window.filter, behind);
  return isAll === undefined ? undefined : !isAll;
}

async function isAnyAt(request: PageRequest, window: PageWindow, startIndex: number): Promise<boolean> {
  const probe = { ...request, faults: new Map() };
  for await (const { ends } of readSorted(probe, { maxFeatures: 1, ...window, startIndex })) {
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
  const leaving = follow(request.asker.signal);
  const counting = count({ ...request, asker: { ...request.asker, signal: leaving } }, window);
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
  const number = await readHits(request, window.filter);
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
