import { LRUCache } from 'lru-cache';

/** For whom the upstream takes no requests for now, by its own word. */
export interface Pauses {
  /** @param seconds as the upstream said them */
  begin(identity: string, seconds: number): void;
  /** How long nothing should be sent, and how long the upstream itself said it would be; undefined: now is fine. */
  of(identity: string): { readonly waitMs: number; readonly seconds: number } | undefined;
}

/** A quota may be gone for a day, or be raised in the next minute: once a minute it is asked after. */
const MOST_MS = 60_000;

export function createPauses(): Pauses {
  const pauses = new LRUCache<string, { readonly until: number; readonly saidUntil: number }>({ max: 1000 });
  return {
    begin(identity, seconds) {
      const now = performance.now();
      pauses.set(identity, {
        until: now + Math.min(MOST_MS, seconds * 1000),
        saidUntil: now + seconds * 1000,
      });
    },
    of(identity) {
      const pause = pauses.get(identity);
      const now = performance.now();
      if (pause === undefined || pause.until <= now) return undefined;
      return { waitMs: pause.until - now, seconds: Math.ceil((pause.saidUntil - now) / 1000) };
    },
  };
}
