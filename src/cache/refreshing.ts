import { LRUCache } from 'lru-cache';

/** Values loaded once for all who ask, and loaded anew in the background once they are older than `freshMs`. */
export interface Refreshing<T> {
  /**
   * `load` runs when the value is not known; everyone who asks meanwhile waits for the same run, which goes on when
   * one of them leaves. A value that is not fresh any more is given at once while `load` runs in the background; when
   * that fails, the old value stays.
   */
  get(key: string, load: () => Promise<T>): Promise<T>;
  /** The value where it is known, without loading. */
  peek(key: string): T | undefined;
  delete(key: string): void;
}

export function createRefreshing<T extends object>(options: { max: number; freshMs: number }): Refreshing<T> {
  const values = new LRUCache<string, T, () => Promise<T>>({
    max: options.max,
    ttl: options.freshMs,
    allowStale: true,
    allowStaleOnFetchRejection: true,
    noDeleteOnFetchRejection: true,
    fetchMethod: async (key, _old, { context }) => {
      try {
        return await context();
      } catch (error) {
        failures.set(key, { error });
        throw error;
      }
    },
  });
  // where there is no old value to fall back on, lru-cache gives undefined instead of what was thrown
  const failures = new LRUCache<string, { error: unknown }>({ max: options.max });
  return {
    async get(key, load) {
      const value = await values.fetch(key, { context: load });
      if (value === undefined)
        throw failures.get(key)?.error ?? new Error('a value without a reason for its absence');
      return value;
    },
    peek: (key) => values.peek(key, { allowStale: true }),
    delete: (key) => void values.delete(key),
  };
}
