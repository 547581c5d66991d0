import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import type { RawParameter, SearchQuery } from '../query/index.js';

/** What a request asks, read and found right. */
export interface Reading {
  readonly parameters: readonly RawParameter[];
  readonly query: SearchQuery;
}

/** Readings by the URL they were read from. */
export interface Readings {
  recall(req: Request): Reading | undefined;
  remember(req: Request, reading: Reading): void;
}

/** Characters of all URLs that are remembered, and of each so many more for what stands beside it: some 4 MB in all. */
const MAX_CHARACTERS = 2 ** 20;
const ENTRY_CHARACTERS = 256;
const MAX_URL = 8192;

/** Undefined: something beside the URL counts, or a key is there, which nothing remembers. */
function toUrl({ method, headers, originalUrl }: Request): string | undefined {
  const hasKey = headers.apikey !== undefined || headers.authorization !== undefined;
  return (method === 'GET' || method === 'HEAD') && !hasKey ? originalUrl : undefined;
}

const isSecret = ({ name }: RawParameter) => name === 'apikey' || name === 'access_token';

/**
 * Spares reading the same URL twice: where the answer comes from the cache, the reading, with the check against the
 * document, is half of the work.
 */
export function createReadings(): Readings {
  const readings = new LRUCache<string, Reading>({
    maxSize: MAX_CHARACTERS,
    maxEntrySize: MAX_URL,
    sizeCalculation: (_, url) => ENTRY_CHARACTERS + url.length,
  });
  return {
    recall(req) {
      const url = toUrl(req);
      return url === undefined ? undefined : readings.get(url);
    },
    remember(req, reading) {
      const url = toUrl(req);
      if (url !== undefined && !reading.parameters.some(isSecret)) readings.set(url, reading);
    },
  };
}
