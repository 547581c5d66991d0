import type { Request } from 'express';
import type { RawParameter, SearchQuery } from '../query/index.js';
import { createRemembered, createSeen } from './remembered.js';

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

/** Undefined: something beside the URL counts, or a key is there, which nothing remembers. */
function toUrl({ method, headers, originalUrl }: Request): string | undefined {
  const hasKey = headers.apikey !== undefined || headers.authorization !== undefined;
  return (method === 'GET' || method === 'HEAD') && !hasKey ? originalUrl : undefined;
}

const isSecret = ({ name }: RawParameter) => name === 'apikey' || name === 'access_token';

/**
 * Spares reading the same URL again: where the answer comes from the cache, the reading, with the check against the
 * document, is half of the work. It is kept from the second time on: most searches come once, and readings that stay
 * alive for nothing are a tenth of what HTTP costs them.
 */
export function createReadings(): Readings {
  const readings = createRemembered<Reading>();
  const isSeen = createSeen();
  return {
    recall(req) {
      const url = toUrl(req);
      return url === undefined ? undefined : readings.get(url);
    },
    remember(req, reading) {
      const url = toUrl(req);
      if (url === undefined || reading.parameters.some(isSecret)) return;
      if (isSeen(url)) readings.set(url, reading);
    },
  };
}
