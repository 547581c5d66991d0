import { createHash, randomBytes } from 'node:crypto';
import type { Kept, SharedStore } from '../cache/index.js';
import { ServiceError, toMessage } from '../errors.js';
import type {
  Answer,
  Caller,
  FeatureBatch,
  FeatureSource,
  PageEnd,
  SearchQuery,
  Validity,
} from '../query/index.js';
import { createFeatures } from '../query/index.js';
import { sleep } from '../signal.js';
import { isKeepable, isUpstreamAway, STALE_IF_ERROR_S } from './keeping.js';
import { toQueryKey, toScope } from './key.js';
import { createGatherer, readPart } from './parts.js';
import { createTags } from './tags.js';

/**
 * Where an answer comes from, of all processes: `hit`, kept in the store; `waited`, likewise, once another had made it, or while it did;
 * `asked`, of the upstream, for all; `stale`, an old one, for want of the upstream; `alone`, of the upstream, the store
 * being away or another too slow.
 */
export type SharedEvent = 'hit' | 'waited' | 'asked' | 'stale' | 'alone';

export interface SharedParts {
  readonly store: SharedStore;
  /** Digest of the upstream and of all settings its answers depend on: others share nothing with it. */
  readonly namespace: string;
  readonly takesKeys: boolean;
  /** The same for all processes, and known to nobody else. */
  readonly secret: Uint8Array;
  readonly freshS: number;
  /** An answer up to here is fetched before its first byte is given: no fault of the store can break it off. */
  readonly maxWholeBytes: number;
  /** Absent: an answer that another process makes can be had once it is whole in the store. */
  readonly relay?: Relay | undefined;
  readonly onEvent?: (event: SharedEvent) => void;
}

/** A way to answers that are still being made in other processes of this machine. */
export interface Relay {
  /** Where this process gives those it makes. */
  readonly at: string;
  /** Undefined: it cannot be had there. */
  ask(at: string, query: SearchQuery, caller: Caller): Promise<Answer | undefined>;
}

/** What stands in the store under the question; its features are in parts of names of their own. */
interface Head {
  readonly end: PageEnd;
  readonly tag: string;
  readonly isPrivate: boolean;
  /** Of this making: parts of another one are never mixed in. */
  readonly making: string;
  readonly parts: number;
  readonly bytes: number;
}

/** Without a word of its owner, a lease is another's after so long. */
const LEASE_MS = 1200;
const RENEW_MS = 300;
const LOOK_MS = 50;
/** Once an answer has begun, its pace is that of its readers: who waits for it elsewhere waits so long and no longer. */
const READING_MS = 3000;
const PATIENCE_MS = 20_000;
/** Of one answer, written and not stored yet: beyond, its readers wait, so long in all, and then it is not stored. */
const MAX_PENDING_BYTES = 2 * 2 ** 20;
const MAX_PAUSE_MS = 2000;
/** Parts go a little later than the head that names them. */
const PART_MORE_MS = 60_000;
const MAX_BYTES = 64 * 2 ** 20;

/**
 * A source whose answers are shared by all processes over one store: of those that are asked the same, one asks the
 * upstream, and the others take the answer from the store when it is whole there. Answers pass through in parts, and
 * none is held whole to be stored. Without the store, every process asks for itself.
 */
export function createShared(source: FeatureSource, parts: SharedParts): FeatureSource {
  const { store, relay, onEvent = () => {} } = parts;
  const toTag = createTags();
  const keepMs = (parts.freshS + STALE_IF_ERROR_S) * 1000;

  function toKey(query: SearchQuery, { credentials }: Caller): string {
    const scope = toScope(credentials, parts.takesKeys, parts.secret);
    return createHash('sha256')
      .update(`${parts.namespace} ${scope} ${toQueryKey(query)}`)
      .digest('base64url');
  }

  const toValidity = (tag: string, ageS?: number): Validity => ({
    tag,
    ...(ageS !== undefined && { ageS }),
    freshS: parts.freshS,
    staleIfErrorS: STALE_IF_ERROR_S,
    isByKey: parts.takesKeys,
  });

  async function getPart(key: string, { making }: Head, i: number): Promise<FeatureBatch> {
    const part = await store.getPart(key, `${making}:${i}`);
    if (part === undefined) throw new ServiceError('unavailable', toMessage('answers.partMissing'));
    return readPart(part);
  }

  /** @throws where it is not all there any more */
  async function give(key: string, { value, leftMs }: Kept): Promise<Answer> {
    const head = JSON.parse(value) as Head;
    const numbers = Array.from({ length: head.parts }, (_, i) => i);
    const ageS = Math.max(0, Math.floor((keepMs - leftMs) / 1000));
    const ahead = head.bytes <= parts.maxWholeBytes ? numbers : numbers.slice(0, 1);
    const first: FeatureBatch[] = [];
    for (const i of ahead) first.push(await getPart(key, head, i));
    async function* generate(): Answer['features'] {
      yield* first.splice(0);
      for (const i of numbers.slice(ahead.length)) yield await getPart(key, head, i);
      return head.end;
    }
    return { isPrivate: head.isPrivate, validity: toValidity(head.tag, ageS), features: generate() };
  }

  /** Stores what passes, as far as the store keeps up with it. */
  function createStoring(key: string) {
    const making = randomBytes(9).toString('base64url');
    const gatherer = createGatherer();
    let [count, bytes, pending, pausedMs] = [0, 0, 0, 0];
    let isGivenUp = false;
    let writing = Promise.resolve();
    const write = (part: Uint8Array | undefined) => {
      if (part === undefined || isGivenUp) return;
      bytes += part.length;
      pending += part.length;
      if (bytes > MAX_BYTES) isGivenUp = true;
      const name = `${making}:${count++}`;
      writing = writing
        .then(() => (isGivenUp ? undefined : store.setPart(key, name, part, keepMs + PART_MORE_MS)))
        .catch(() => {
          isGivenUp = true;
        })
        .finally(() => {
          pending -= part.length;
        });
    };
    return {
      async add(batch: FeatureBatch): Promise<void> {
        if (isGivenUp) return;
        write(gatherer.add(batch));
        if (pending <= MAX_PENDING_BYTES) return;
        const begun = performance.now();
        await Promise.race([writing, sleep(MAX_PAUSE_MS - pausedMs)]);
        pausedMs += performance.now() - begun;
        if (pausedMs >= MAX_PAUSE_MS) isGivenUp = true;
      },
      /** @returns whether the lease was given back */
      async finish(
        owner: string,
        about: Pick<Head, 'end' | 'tag' | 'isPrivate'>,
        sinceMs: number,
      ): Promise<boolean> {
        await writing;
        if (isGivenUp) return false;
        const rest = gatherer.rest();
        const part = rest && { name: `${making}:${count}`, bytes: rest, keepMs: keepMs + PART_MORE_MS };
        const head: Head = {
          ...about,
          making,
          parts: count + (rest === undefined ? 0 : 1),
          bytes: bytes + (rest?.length ?? 0),
        };
        const made = { owner, value: JSON.stringify(head), keepMs: keepMs - sinceMs, part };
        return store.finish(key, made).then(
          () => true,
          () => false,
        );
      },
    };
  }

  function createLease(key: string, owner: string) {
    const renewing = setInterval(() => store.renew(key, owner, LEASE_MS).catch(() => {}), RENEW_MS).unref();
    let reading: NodeJS.Timeout | undefined;
    const stop = () => {
      clearInterval(renewing);
      clearTimeout(reading);
    };
    const end = () => {
      stop();
      store.release(key, owner).catch(() => {});
    };
    return {
      stop,
      end,
      begin() {
        reading = setTimeout(end, READING_MS).unref();
      },
    };
  }

  async function own(key: string, owner: string, query: SearchQuery, caller: Caller): Promise<Answer> {
    const lease = createLease(key, owner);
    const askedAt = performance.now();
    const answer = await source.search(query, caller).catch((error: unknown) => {
      lease.end();
      throw error;
    });
    lease.begin();
    const { isPrivate } = answer;
    const tag = toTag();
    const storing = createStoring(key);
    async function* generate(): Answer['features'] {
      try {
        for (;;) {
          const step = await answer.features.next();
          if (step.done) {
            if (isKeepable(query, step.value)) {
              const about = { end: step.value, tag, isPrivate };
              void storing.finish(owner, about, performance.now() - askedAt).then((isBack) => {
                if (isBack) lease.stop();
                else lease.end();
              });
            } else lease.end();
            return step.value;
          }
          await storing.add(step.value);
          yield step.value;
        }
      } catch (error) {
        lease.end();
        throw error;
      }
    }
    return {
      isPrivate,
      validity: toValidity(tag),
      features: endWith(generate(), answer.features, lease.end),
    };
  }

  async function search(query: SearchQuery, caller: Caller): Promise<Answer> {
    const key = toKey(query, caller);
    const owner = randomBytes(9).toString('base64url');
    const begun = performance.now();
    const request = { owner, leaseMs: LEASE_MS, oldMs: STALE_IF_ERROR_S * 1000, at: relay?.at };
    for (let looks = 0; performance.now() - begun < PATIENCE_MS; looks += 1) {
      caller.signal.throwIfAborted();
      const found = await store.begin(key, request).catch(() => undefined);
      if (found === undefined) break;
      const { lease, kept } = found;
      if (lease === 'notNeeded' && kept !== undefined) {
        const answer = await give(key, kept).catch(() => undefined);
        if (answer !== undefined) {
          onEvent(looks === 0 ? 'hit' : 'waited');
          return answer;
        }
        await store.delete(key).catch(() => {}); // parts of it are gone
      } else if (lease === 'mine') {
        return orStale(key, kept, own(key, owner, query, caller));
      } else {
        const answer = found.at === undefined ? undefined : await relay?.ask(found.at, query, caller);
        if (answer !== undefined) {
          onEvent('waited');
          return answer;
        }
        await sleep(LOOK_MS, caller.signal).catch(() => {});
      }
    }
    caller.signal.throwIfAborted();
    onEvent('alone');
    return source.search(query, caller);
  }

  async function orStale(key: string, kept: Kept | undefined, asking: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await asking;
      onEvent('asked');
      return answer;
    } catch (error) {
      const old = kept && isUpstreamAway(error) ? await give(key, kept).catch(() => undefined) : undefined;
      if (old === undefined) throw error;
      onEvent('stale');
      return old;
    }
  }

  return { ...source, search };
}

/** Ended before its first step, too: a generator function that was never begun would not hear of it. */
function endWith(
  features: Answer['features'],
  inner: Answer['features'],
  end: () => void,
): Answer['features'] {
  const leave = () => {
    end();
    inner.return(undefined as never).catch(() => {});
  };
  return createFeatures(() => features.next(), leave);
}
