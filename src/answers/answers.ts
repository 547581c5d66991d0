import type { ChunkCache, Chunked, Room } from '../cache/index.js';
import type {
  Answer,
  Caller,
  Credentials,
  FeatureBatch,
  FeatureSource,
  PageEnd,
  SearchQuery,
  Validity,
} from '../query/index.js';
import { Abort, type Signal, untilAborted } from '../signal.js';
import { isKeepable, isUpstreamAway, STALE_IF_ERROR_S } from './keeping.js';
import { toQueryKey, toScope } from './key.js';
import { Spool } from './spool.js';
import { createTags } from './tags.js';

/** What is kept beside the features of a page. */
export interface KeptPage {
  readonly end: PageEnd;
  readonly tag: string;
  /** When the upstream was asked, in milliseconds since 1970. */
  readonly askedAt: number;
  readonly isPrivate: boolean;
}

/** Where an answer comes from; or that one was cut off, since its reader was too slow for the others. */
export type AnswerEvent = 'hit' | 'stale' | 'joined' | 'asked' | 'cut';

export interface AnswersParts {
  /** Sources that share a cache have names of their own. */
  readonly name: string;
  /** Whether a caller's key counts: where it does, callers with different ones share nothing. */
  readonly takesKeys: boolean;
  /** Absent: answers are shared while they are under way, and not kept. */
  readonly cache?: ChunkCache<KeptPage> | undefined;
  readonly room: Room;
  /** How long a kept answer is given without asking again. */
  readonly freshS: number;
  /** How much of an answer is held, to be kept and for readers at different paces. */
  readonly maxEntryBytes: number;
  readonly onEvent?: (event: AnswerEvent) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Under way: one question asked of the upstream, for all who ask it meanwhile. */
interface Flight {
  readonly spool: Spool;
  readonly answer: Promise<Answer>;
  readonly tag: string;
  readonly askedAt: number;
}

/** It is let go when it is over: an old table of a Map, which V8 has not collected yet, keeps alive what was in it. */
interface Booking {
  flight: Flight | undefined;
}

export interface AnswersSource extends FeatureSource {
  /**
   * The answer where it is being made, and nothing of it is gone yet, or is kept; else nothing is asked of anybody.
   * @param isOldToo whether one will do that is not fresh any more
   */
  underway(
    query: SearchQuery,
    credentials: Credentials,
    signal: Signal,
    isOldToo?: boolean,
  ): Promise<Answer | undefined>;
}

/**
 * A source whose answers are shared: who asks what is being asked reads the same stream, who asks what was asked a
 * while ago gets what was kept. Shared are the features and what ends a page; what is written around them is the
 * caller's own.
 */
export function createAnswers(source: FeatureSource, parts: AnswersParts): AnswersSource {
  const { cache, now = Date.now, onEvent = () => {} } = parts;
  const flights = new Map<string, Booking>();
  const toTag = createTags();

  function begin(key: string, query: SearchQuery, caller: Caller): Flight {
    const booking: Booking = { flight: undefined };
    const leaving = new Abort();
    const answer = source.search(query, { ...caller, signal: leaving });
    const forget = () => {
      if (flights.get(key)?.flight === flight) flights.delete(key);
      booking.flight = undefined;
    };
    const spool = new Spool(answer, {
      maxBytes: parts.maxEntryBytes,
      room: parts.room,
      onCut: () => onEvent('cut'),
      onDeserted() {
        forget();
        leaving.abort();
      },
      onFault: forget,
      onEnd(given, end, batches) {
        if (batches !== undefined && isKeepable(query, end)) keep(key, flight, given, { end, batches });
        forget();
      },
    });
    const flight = { spool, answer, tag: toTag(), askedAt: now() };
    booking.flight = flight;
    flights.set(key, booking);
    return flight;
  }

  function keep(key: string, flight: Flight, answer: Answer, { end, batches }: EndedPage): void {
    if (cache === undefined) return;
    const { tag, askedAt } = toOrigin(flight, answer);
    const about = { end, tag, askedAt, isPrivate: answer.isPrivate };
    cache.set(key, { about, chunks: toKeepable(batches) }, toLeftMs(askedAt));
  }

  /** In one piece from the first time on that it is asked for again: most never are. */
  function joinPieces(key: string, kept: Kept): Kept {
    const { about, chunks } = kept;
    if (chunks.length < 2 || !isFresh(kept)) return kept; // of an old one there may be a new one by now
    const joined = { about, chunks: toOneBatch(chunks) };
    cache?.set(key, joined, toLeftMs(about.askedAt));
    return joined;
  }

  const toLeftMs = (askedAt: number) => (parts.freshS + STALE_IF_ERROR_S) * 1000 - (now() - askedAt);

  /** What the source itself kept has its tag and its age from there. */
  function toOrigin({ tag, askedAt }: Flight, { validity }: Answer): Pick<Flight, 'tag' | 'askedAt'> {
    if (validity === undefined) return { tag, askedAt };
    return {
      tag: validity.tag,
      askedAt: validity.ageS === undefined ? askedAt : askedAt - validity.ageS * 1000,
    };
  }

  function toValidity(tag: string, askedAt: number, isAskedForCaller = false): Validity {
    return {
      tag,
      ...(!isAskedForCaller && { ageS: Math.max(0, Math.floor((now() - askedAt) / 1000)) }),
      freshS: parts.freshS,
      staleIfErrorS: STALE_IF_ERROR_S,
      isByKey: parts.takesKeys,
    };
  }

  /** @throws what the upstream's first step threw, for all who wait for it */
  async function join(flight: Flight, signal: Signal, isFirst: boolean): Promise<Answer> {
    const features = flight.spool.join();
    try {
      const answer = await untilAborted(flight.answer, signal);
      const { isPrivate } = answer;
      const { tag, askedAt } = toOrigin(flight, answer);
      const validity = cache && toValidity(tag, askedAt, isFirst && answer.validity?.ageS === undefined);
      return { isPrivate, features, ...(validity && { validity }) };
    } catch (error) {
      features.return(undefined as never).catch(() => {});
      throw error;
    }
  }

  function give(key: string, kept: Kept): Answer {
    const { about, chunks } = joinPieces(key, kept);
    const { end, tag, askedAt, isPrivate } = about;
    const whole = { batches: chunks, end };
    return { isPrivate, validity: toValidity(tag, askedAt), whole, features: generate(chunks, end) };
  }

  const toKey = (query: SearchQuery, credentials: Credentials) =>
    `${parts.name} ${toScope(credentials, parts.takesKeys)} ${toQueryKey(query)}`;
  const isFresh = ({ about }: Kept) => now() - about.askedAt < parts.freshS * 1000;

  function search(query: SearchQuery, caller: Caller): Promise<Answer> {
    const key = toKey(query, caller.credentials);
    const kept = cache?.get(key);
    if (kept !== undefined && isFresh(kept)) {
      onEvent('hit');
      return Promise.resolve(give(key, kept));
    }
    const known = flights.get(key)?.flight;
    const isFirst = known === undefined || !known.spool.isJoinable;
    onEvent(isFirst ? 'asked' : 'joined');
    const joined = join(isFirst ? begin(key, query, caller) : known, caller.signal, isFirst);
    return kept === undefined ? joined : joined.catch((error: unknown) => giveOld(key, kept, error));
  }

  /** @throws the error, where nothing is better than an old answer */
  function giveOld(key: string, kept: Kept, error: unknown): Answer {
    if (!isUpstreamAway(error)) throw error;
    onEvent('stale');
    return give(key, kept);
  }

  function giveKept(key: string, isOldToo: boolean): Answer | undefined {
    const found = cache?.get(key);
    if (found === undefined || !(isOldToo || isFresh(found))) return undefined;
    onEvent('hit');
    return give(key, found);
  }

  async function underway(
    query: SearchQuery,
    credentials: Credentials,
    signal: Signal,
    isOldToo = false,
  ): Promise<Answer | undefined> {
    const key = toKey(query, credentials);
    const flight = flights.get(key)?.flight;
    if (isOldToo || !flight?.spool.isJoinable) return giveKept(key, isOldToo);
    onEvent('joined');
    return join(flight, signal, false);
  }

  return {
    list: (caller) => source.list(caller),
    describe: (name, caller) => source.describe(name, caller),
    explain: (query, caller) => source.explain(query, caller),
    status: () => source.status(),
    search,
    kept: async (query) => giveKept(toKey(query, {}), false),
    underway,
  };
}

type Kept = Chunked<KeptPage>;

interface EndedPage {
  readonly end: PageEnd;
  readonly batches: readonly FeatureBatch[];
}

/** The pieces as they are, or copied into memory of their own where one could keep more alive than is its own. */
function toKeepable(batches: readonly FeatureBatch[]): readonly FeatureBatch[] {
  const filled = batches.filter(({ ends }) => ends.length > 0);
  return filled.every(isOnItsOwn) ? filled : toOneBatch(filled);
}

/** A byte or two around it do no harm. */
const isOnItsOwn = ({ bytes }: FeatureBatch) => bytes.buffer.byteLength - bytes.length <= 8;

function toOneBatch(filled: readonly FeatureBatch[]): FeatureBatch[] {
  const size = filled.reduce((sum, one) => sum + one.bytes.length, filled.length - 1);
  const bytes = new Uint8Array(size);
  const ends: number[] = [];
  let at = 0;
  for (const one of filled) {
    if (at > 0) bytes[at++] = 0x2c;
    bytes.set(one.bytes, at);
    for (const end of one.ends) ends.push(at + end);
    at += one.bytes.length;
  }
  return [{ bytes, ends }];
}

async function* generate(batches: readonly FeatureBatch[], end: PageEnd): Answer['features'] {
  yield* batches;
  return end;
}
