import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { ServiceError, toMessage } from '../errors.js';

/** What one customer of a provider has of IPv6 at least: its addresses are one caller. */
const IPV6_PREFIX = 64;

/** Whose request it is: the address as a trusted proxy forwards it, else that of the connection. */
export function toAddress({ ip = '' }: Request): string {
  return ipKeyGenerator(ip.slice(0, 64), IPV6_PREFIX);
}

/**
 * So many requests a second of one address; the state of it stands in `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers). @param perSecond 0: any number
 */
export function createClientLimit(perSecond: number): RequestHandler {
  if (perSecond === 0) return (_req, _res, next) => next();
  return rateLimit({
    windowMs: 1000,
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
