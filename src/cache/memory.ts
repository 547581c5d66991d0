import { LRUCache } from 'lru-cache';
import type { ChunkCache, Chunked, Room } from './chunks.js';

export interface MemoryOptions {
  /** For all that is kept and on its way together. */
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
  /** Milliseconds of any clock. */
  readonly now?: () => number;
}

/** What an entry weighs beside its bytes: objects, and the places in the cache's own tables. */
const ENTRY_BYTES = 512;
const OFFSET_BYTES = 8;
const CHARACTER_BYTES = 2;
/** What is on its way may drive out this much of what is kept, and no more. */
const SHARE_ON_THE_WAY = 0.5;

/** Estimated bytes of memory. */
function toWeight(key: string, { about, chunks }: Chunked<unknown>): number {
  const characters = key.length + JSON.stringify(about).length;
  const bytes = chunks.reduce((sum, one) => sum + one.bytes.length + one.ends.length * OFFSET_BYTES, 0);
  return ENTRY_BYTES + characters * CHARACTER_BYTES + bytes;
}

/** How much of it there is. */
interface Weighed {
  readonly bytes: number;
  readonly entries: number;
}

/** In this process: the values used last, by the bytes they weigh. */
export function createMemoryCache<About>(options: MemoryOptions): ChunkCache<About> & Room & Weighed {
  const { maxBytes, maxEntryBytes, now = () => performance.now() } = options;
  let onTheWay = 0;
  const entries = new LRUCache<string, { value: Chunked<About>; until: number }>({
    maxSize: Math.max(1, maxBytes),
  });
  const makeRoom = () => {
    while (entries.calculatedSize + onTheWay > maxBytes && entries.size > 0) entries.pop();
  };

  return {
    get bytes() {
      return entries.calculatedSize;
    },
    get entries() {
      return entries.size;
    },
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined || now() < entry.until) return entry?.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, keepMs) {
      const size = toWeight(key, value);
      if (size > maxEntryBytes) entries.delete(key);
      else entries.set(key, { value, until: now() + keepMs }, { size });
      makeRoom();
    },
    take(bytes) {
      if (onTheWay + bytes > maxBytes * SHARE_ON_THE_WAY) return false;
      onTheWay += bytes;
      makeRoom();
      return true;
    },
    give(bytes) {
      onTheWay -= bytes;
    },
  };
}
