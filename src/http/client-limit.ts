import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, MemoryStore, type Options, rateLimit, type Store } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { ServiceError, toMessage } from '../errors.js';

/** What one customer of a provider has of IPv6 at least: its addresses are one caller. */
const IPV6_PREFIX = 64;

/** To take an IPv6 address apart is a hundredth of a search. */
const callers = new LRUCache<string, string>({
  max: 1000,
  memoMethod: (ip) => ipKeyGenerator(ip, IPV6_PREFIX),
});

/** Whose request it is: the address as a trusted proxy forwards it, else that of the connection. */
export function toAddress({ ip = '' }: Request): string {
  return callers.memo(ip.slice(0, 64));
}

/** Counts the requests of an address at all replicas; rejects where that cannot be known. */
export type CountClient = (
  address: string,
  windowMs: number,
) => Promise<{ readonly hits: number; readonly leftMs: number }>;

const WINDOW_MS = 1000;

/** While the requests at all replicas cannot be counted, those here are. */
function createStore(count: CountClient): Store {
  const own = new MemoryStore();
  return {
    init: (options: Options) => own.init(options),
    increment: (address) =>
      count(address, WINDOW_MS).then(
        ({ hits, leftMs }) => ({ totalHits: hits, resetTime: new Date(Date.now() + leftMs) }),
        () => own.increment(address),
      ),
    decrement: (address) => own.decrement(address),
    resetKey: (address) => own.resetKey(address),
  };
}

/**
 * So many requests a second of one address; the state of it stands in `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers). @param perSecond 0: any number
 * @param count absent: this process is alone
 */
export function createClientLimit(perSecond: number, count?: CountClient): RequestHandler {
  if (perSecond === 0) return (_req, _res, next) => next();
  return rateLimit({
    windowMs: WINDOW_MS,
    ...(count && { store: createStore(count) }),
    limit: perSecond,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: toAddress,
    validate: false, // TRUST_PROXY is checked at the start
    handler(_req, _res, next) {
      next(
        new ServiceError('rateLimited', toMessage('limits.tooManyRequests', { limit: perSecond }), {
          headers: { 'Retry-After': '1' },
        }),
      );
    },
  });
}
