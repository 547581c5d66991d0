import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Begun, SharedStore } from './shared.js';

/** Values that one process makes for all; plain JSON. */
export interface SharedValues {
  /**
   * The value, made by `make` where no other process has made it or is about to. Where the store cannot be asked, and
   * where another takes too long, it is made here.
   * @throws what `make` throws
   */
  load<T>(key: string, toKeepMs: (value: T) => number, make: () => Promise<T>): Promise<T>;
  /** What others have set; undefined where there is nothing, or the store cannot be asked. */
  get<T>(key: string): Promise<T | undefined>;
  set(key: string, keepMs: number, value: unknown): void;
  /** Others make it anew too, the next time they load it. */
  delete(key: string): void;
}

const LEASE_MS = 1500;
const RENEW_MS = 400;
const LOOK_MS = 50;
const PATIENCE_MS = 10_000;

/** @param toKey makes a digest of a key, which the store may know */
export function createSharedValues(store: SharedStore, toKey: (key: string) => string): SharedValues {
  async function makeFor<T>(
    key: string,
    owner: string,
    toKeepMs: (value: T) => number,
    make: () => Promise<T>,
  ): Promise<T> {
    const renewing = setInterval(() => store.renew(key, owner, LEASE_MS).catch(() => {}), RENEW_MS).unref();
    try {
      const value = await make();
      await store.set(key, JSON.stringify(value), toKeepMs(value)).catch(() => {});
      return value;
    } finally {
      clearInterval(renewing);
      store.release(key, owner).catch(() => {});
    }
  }

  return {
    async load<T>(name: string, toKeepMs: (value: T) => number, make: () => Promise<T>): Promise<T> {
      const key = toKey(name);
      const owner = randomBytes(9).toString('base64url');
      const begun = performance.now();
      while (performance.now() - begun < PATIENCE_MS) {
        const request = { owner, leaseMs: LEASE_MS, oldMs: 0 };
        const { lease, kept }: Partial<Begun> = await store.begin(key, request).catch(() => ({}));
        if (lease === undefined) break;
        if (kept !== undefined) return JSON.parse(kept.value) as T;
        if (lease === 'mine') return makeFor(key, owner, toKeepMs, make);
        await sleep(LOOK_MS);
      }
      return make();
    },
    async get<T>(name: string) {
      const kept = await store.get(toKey(name)).catch(() => undefined);
      return kept === undefined ? undefined : (JSON.parse(kept) as T);
    },
    set(name, keepMs, value) {
      store.set(toKey(name), JSON.stringify(value), keepMs).catch(() => {});
    },
    delete(name) {
      store.delete(toKey(name)).catch(() => {});
    },
  };
}
