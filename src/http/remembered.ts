import { LRUCache } from 'lru-cache';

/** Characters of all keys that are remembered, and of each so many more for what stands beside it: some 4 MB in all. */
const MAX_CHARACTERS = 2 ** 20;
const ENTRY_CHARACTERS = 256;
const MAX_URL = 8192;

/** What was made of requests, by a text of their own that is mostly their URL: those asked last. */
export const createRemembered = <T extends object>(): LRUCache<string, T> =>
  new LRUCache<string, T>({
    maxSize: MAX_CHARACTERS,
    maxEntrySize: ENTRY_CHARACTERS + MAX_URL,
    sizeCalculation: (_, key) => ENTRY_CHARACTERS + key.length,
  });
