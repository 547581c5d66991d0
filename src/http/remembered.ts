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

const MARKS = 2 ** 12;

/** Says whether a text came before, among the last few thousand. Seldom, another one is taken for it. */
export function createSeen(): (text: string) => boolean {
  const marks = new Int32Array(MARKS);
  return (text) => {
    if (text.length > MAX_URL) return false;
    const mark = toMark(text);
    const at = mark & (MARKS - 1);
    const isSeen = marks[at] === mark;
    marks[at] = mark;
    return isSeen;
  };
}

/** FNV-1a. */
function toMark(text: string): number {
  let mark = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i += 1) mark = Math.imul(mark ^ text.charCodeAt(i), 0x01000193);
  return mark;
}
