import { LRUCache } from 'lru-cache';
import { ServiceError, toMessage } from '../errors.js';
import { createSegmented } from './segmented.js';

/** Values loaded once for all who ask, and loaded anew in the background once they are older than `freshMs`. */
export interface Refreshing<T> {
  /**
   * `load` runs when the value is not known; everyone who asks meanwhile waits for the same run, which goes on when
   * one of them leaves. A value that is not fresh any more is given at once while `load` runs in the background; when
   * that fails, the old value stays. A failure is remembered, with its reason, for a moment.
   * @throws what `load` threw; unavailable where too many loads are under way
   */
  get(key: string, load: () => Promise<T>): Promise<T>;
  /** The value where it is known and fresh: nothing has to be waited for. */
  fresh(key: string): T | undefined;
  /** The value where it is known, without loading. */
  peek(key: string): T | undefined;
  /** Forgets the value, and what a load under way will bring. */
  delete(key: string): void;
}

export interface RefreshingOptions {
  /** Values kept. */
  readonly max: number;
  readonly freshMs: number;
  /** How long a failure is the answer to whoever asks again. */
  readonly failedMs?: number;
  /** Loads under way at once; beyond them nothing is begun. */
  readonly maxLoading?: number;
}

interface Entry<T> {
  readonly value: T;
  readonly loadedAt: number;
}

/** Loads under way are kept apart from the values, where nothing evicts them; only what was loaded becomes a value. */
export function createRefreshing<T extends object>(options: RefreshingOptions): Refreshing<T> {
  const { max, freshMs, failedMs = 1000, maxLoading = 1000 } = options;
  const entries = createSegmented<Entry<T>>(max);
  const failures = new LRUCache<string, { error: unknown }>({ max, ttl: failedMs });
  const loading = new Map<string, Promise<T>>();

  function keep(key: string, value: T): void {
    entries.set(key, { value, loadedAt: performance.now() });
    failures.delete(key);
  }

  function begin(key: string, load: () => Promise<T>): Promise<T> {
    const run = (async () => load())().then(
      (value) => {
        if (loading.get(key) === run) keep(key, value);
        return value;
      },
      (error: unknown) => {
        if (loading.get(key) === run) failures.set(key, { error });
        throw error;
      },
    );
    loading.set(key, run);
    const end = () => {
      if (loading.get(key) === run) loading.delete(key);
    };
    run.then(end, end);
    return run;
  }

  const isFresh = ({ loadedAt }: Entry<T>) => performance.now() - loadedAt < freshMs;

  return {
    fresh(key) {
      const entry = entries.get(key);
      return entry !== undefined && isFresh(entry) ? entry.value : undefined;
    },
    async get(key, load) {
      const entry = entries.get(key);
      if (entry !== undefined && isFresh(entry)) return entry.value;
      const failure = failures.get(key);
      const isHeld = failure !== undefined || (loading.size >= maxLoading && !loading.has(key));
      if (entry !== undefined) {
        if (!isHeld && !loading.has(key)) begin(key, load).catch(() => {}); // the old value stays
        return entry.value;
      }
      const run = loading.get(key);
      if (run !== undefined) return run;
      if (failure !== undefined) throw failure.error;
      if (isHeld) throw new ServiceError('unavailable', toMessage('cache.tooManyLoads'));
      return begin(key, load);
    },
    peek: (key) => entries.peek(key)?.value,
    delete(key) {
      entries.delete(key);
      failures.delete(key);
      loading.delete(key);
    },
  };
}
