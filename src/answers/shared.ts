import { createHash } from 'node:crypto';
import type { Kept, SharedStore } from '../cache/index.js';
import { ServiceError, toMessage } from '../errors.js';
import type {
  Answer,
  Caller,
  FeatureBatch,
  FeatureSource,
  FeatureStep,
  PageEnd,
  SearchQuery,
  Validity,
} from '../query/index.js';
import { createFeatures } from '../query/index.js';
import { sleep } from '../signal.js';
import { isKeepable, isUpstreamAway, STALE_IF_ERROR_S } from './keeping.js';
import { toQueryKey, toScope } from './key.js';
import { readPart } from './parts.js';
import { createKeeping, createTelling, type Head, type Whereabouts } from './storing.js';
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
  /**
   * Absent: an answer that another process makes can be had once it is whole in the store. Else it stays where it was made,
   * and the store tells where that is.
   */
  readonly relay?: Relay | undefined;
  readonly onEvent?: (event: SharedEvent) => void;
}

/** A way to answers that are made, or were made and are kept, in other processes of this machine. */
export interface Relay {
  /** Where this process gives its own. */
  readonly at: string;
  /** Undefined: it cannot be had there. @param isOldToo whether one will do that is not fresh any more */
  ask(at: string, query: SearchQuery, caller: Caller, isOldToo: boolean): Promise<Answer | undefined>;
}

/** Without a word of its owner, a lease is another's after so long. */
const LEASE_MS = 1200;
const RENEW_MS = 300;
const LOOK_MS = 50;
/** Once an answer has begun, its pace is that of its readers: who waits for it elsewhere waits so long and no longer. */
const READING_MS = 3000;
const PATIENCE_MS = 20_000;

/**
 * A source whose answers are shared by all processes over one store: of those that are asked the same, one asks the
 * upstream, and the others take the answer from the store when it is whole there, or from that one. Answers pass through in
 * parts, and none is held whole to be stored. Without the store, every process asks for itself.
 */
export function createShared(source: FeatureSource, parts: SharedParts): FeatureSource {
  const { store, relay, onEvent = () => {} } = parts;
  const toTag = createTags();
  const toOwner = createTags();
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

  /** @returns undefined where it is not there any more; throws where not all of it is */
  async function give(
    key: string,
    { value, leftMs }: Kept,
    query: SearchQuery,
    caller: Caller,
    isOldToo = false,
  ): Promise<Answer | undefined> {
    const found = JSON.parse(value) as Head | Whereabouts;
    if ('at' in found)
      return found.at === relay?.at ? undefined : relay?.ask(found.at, query, caller, isOldToo);
    const head: Head = found;
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
    const storing =
      relay === undefined
        ? createKeeping(store, { key, making: owner, keepMs })
        : createTelling(store, { key, at: relay.at, keepMs, maxBytes: parts.maxWholeBytes });
    async function next(): Promise<FeatureStep> {
      try {
        const step = await answer.features.next();
        if (step.done) {
          end(step.value);
          return step;
        }
        const pause = storing.add(step.value);
        if (pause !== undefined) await pause;
        return step;
      } catch (error) {
        lease.end();
        throw error;
      }
    }
    function end(last: PageEnd): void {
      if (!isKeepable(query, last)) {
        lease.end();
        return;
      }
      const about = { end: last, tag, isPrivate };
      void storing.finish(owner, about, performance.now() - askedAt).then((isBack) => {
        if (isBack) lease.stop();
        else lease.end();
      });
    }
    const leave = () => {
      lease.end();
      answer.features.return(undefined as never).catch(() => {});
    };
    return { isPrivate, validity: toValidity(tag), features: createFeatures(next, leave) };
  }

  async function search(query: SearchQuery, caller: Caller): Promise<Answer> {
    const key = toKey(query, caller);
    const owner = toOwner();
    const begun = performance.now();
    const request = { owner, leaseMs: LEASE_MS, oldMs: STALE_IF_ERROR_S * 1000, at: relay?.at };
    for (let looks = 0; performance.now() - begun < PATIENCE_MS; looks += 1) {
      caller.signal.throwIfAborted();
      const found = await store.begin(key, request).catch(() => undefined);
      if (found === undefined) break;
      const { lease, kept } = found;
      if (lease === 'notNeeded' && kept !== undefined) {
        const answer = await give(key, kept, query, caller).catch(() => undefined);
        if (answer !== undefined) {
          onEvent(looks === 0 ? 'hit' : 'waited');
          return answer;
        }
        await store.delete(key).catch(() => {}); // it is gone, or parts of it are
      } else if (lease === 'mine') {
        return orStale(
          own(key, owner, query, caller),
          async () => kept && give(key, kept, query, caller, true),
        );
      } else {
        const answer = found.at === undefined ? undefined : await relay?.ask(found.at, query, caller, false);
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

  async function orStale(
    asking: Promise<Answer>,
    giveOld: () => Promise<Answer | undefined>,
  ): Promise<Answer> {
    try {
      const answer = await asking;
      onEvent('asked');
      return answer;
    } catch (error) {
      const old = isUpstreamAway(error) ? await giveOld().catch(() => undefined) : undefined;
      if (old === undefined) throw error;
      onEvent('stale');
      return old;
    }
  }

  return { ...source, search };
}
