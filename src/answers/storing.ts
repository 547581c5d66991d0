import type { SharedStore } from '../cache/index.js';
import type { FeatureBatch, PageEnd } from '../query/index.js';
import { sleep } from '../signal.js';
import { createGatherer } from './parts.js';

/** What stands in the store under the question; its features are in parts of names of their own. */
export interface Head {
  readonly end: PageEnd;
  readonly tag: string;
  readonly isPrivate: boolean;
  /** Of this making: parts of another one are never mixed in. */
  readonly making: string;
  readonly parts: number;
  readonly bytes: number;
}

/** What stands there instead, where the answer is kept by the process that made it. */
export interface Whereabouts {
  readonly at: string;
}

/** What becomes of an answer for the others, while it passes. */
export interface Storing {
  /** A promise, where more comes than can be stored: its reader is to wait. */
  add(batch: FeatureBatch): Promise<void> | undefined;
  /** @returns whether the lease was given back */
  finish(owner: string, about: Pick<Head, 'end' | 'tag' | 'isPrivate'>, sinceMs: number): Promise<boolean>;
}

/** Of one answer, written and not stored yet: beyond, its readers wait, so long in all, and then it is not stored. */
const MAX_PENDING_BYTES = 2 * 2 ** 20;
const MAX_PAUSE_MS = 2000;
/** Parts go a little later than the head that names them. */
const PART_MORE_MS = 60_000;
const MAX_BYTES = 64 * 2 ** 20;

const toTrue = () => true;
const toFalse = () => false;

/** Stores what passes, as far as the store keeps up with it. @param making never the same twice */
export function createKeeping(
  store: SharedStore,
  { key, making, keepMs }: { readonly key: string; readonly making: string; readonly keepMs: number },
): Storing {
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
  const pause = async () => {
    const begun = performance.now();
    await Promise.race([writing, sleep(MAX_PAUSE_MS - pausedMs)]);
    pausedMs += performance.now() - begun;
    if (pausedMs >= MAX_PAUSE_MS) isGivenUp = true;
  };
  return {
    add(batch) {
      if (isGivenUp) return undefined;
      write(gatherer.add(batch));
      return pending > MAX_PENDING_BYTES ? pause() : undefined;
    },
    async finish(owner, about, sinceMs) {
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
      return store.finish(key, made).then(toTrue, toFalse);
    },
  };
}

/** Stores where the answer is, which this process keeps: up to so many bytes, as much as it holds of one. */
export function createTelling(
  store: SharedStore,
  parts: { readonly key: string; readonly at: string; readonly keepMs: number; readonly maxBytes: number },
): Storing {
  let bytes = 0;
  return {
    add(batch) {
      bytes += batch.bytes.length;
      return undefined;
    },
    async finish(owner, _, sinceMs) {
      if (bytes > parts.maxBytes) return false;
      const value: Whereabouts = { at: parts.at };
      const made = { owner, value: JSON.stringify(value), keepMs: parts.keepMs - sinceMs };
      return store.finish(parts.key, made).then(toTrue, toFalse);
    },
  };
}
