import { type Fault, invalidRequest, type Language, ServiceError, toMessage } from '../errors.js';
import { type Problem, toProblem } from './problem.js';

const faults: Fault[] = [
  {
    parameter: 'geom',
    pointer: '/coordinates/0',
    message: toMessage('geometry.ringNotClosed', { ring: 0 }),
  },
  { parameter: '_limit', message: toMessage('query.notIntegerIn', { min: 1, max: 5000 }) },
];

/** An error of each kind of answer, by the name that answer has in the OpenAPI document. */
const errors: Readonly<Record<string, ServiceError>> = {
  BadRequest: invalidRequest(faults),
  KeyMissing: new ServiceError('keyMissing', toMessage('wfs.keyMissing')),
  KeyRefused: new ServiceError('keyRefused', toMessage('wfs.keyRefused')),
  NotFound: new ServiceError(
    'notFound',
    toMessage('wfs.sourceUnknown', {
      source: 'TOPO:forets',
      nearest: toMessage('wfs.nearest', { names: 'TOPO:forest' }),
    }),
  ),
  MethodNotAllowed: new ServiceError(
    'methodNotAllowed',
    toMessage('http.methodNotAllowed', { method: 'PUT', allow: 'GET, HEAD, POST' }),
  ),
  NotAcceptable: new ServiceError(
    'notAcceptable',
    toMessage('http.notAcceptable', { types: 'application/geo+json, text/csv' }),
  ),
  RequestTooSlow: new ServiceError('requestTooSlow', toMessage('http.requestTooSlow')),
  BodyTooLarge: new ServiceError('bodyTooLarge', toMessage('http.bodyTooLarge', { limit: 10_485_760 })),
  UrlTooLong: new ServiceError('urlTooLong', toMessage('http.urlTooLong', { limit: 196_608 })),
  MediaTypeUnsupported: new ServiceError(
    'mediaTypeUnsupported',
    toMessage('http.mediaTypeUnsupported', { types: 'application/json, application/x-www-form-urlencoded' }),
  ),
  NotAnswerable: new ServiceError(
    'notAnswerable',
    toMessage('wfs.tooManyToScan', { source: 'TOPO:forest', count: 100_000 }),
  ),
  RateLimited: new ServiceError('rateLimited', toMessage('wfs.rateLimited')),
  HeadersTooLarge: new ServiceError('headersTooLarge', toMessage('http.headersTooLarge', { limit: 65_536 })),
  Internal: new ServiceError('internal', toMessage('internal')),
  UpstreamUnusable: new ServiceError(
    'upstreamUnusable',
    toMessage('wfs.notGml', { what: 'HTML', status: 200 }),
  ),
  Unavailable: new ServiceError('unavailable', toMessage('limits.busy')),
  UpstreamTimeout: new ServiceError('upstreamTimeout', toMessage('wfs.noAnswer', { seconds: 15 })),
};

/** What the answers that say no look like, by their names in the OpenAPI document. */
export function toProblemExamples(language: Language): Readonly<Record<string, Problem>> {
  const id = '4f5dd7a5-8f0e-4d8e-9d43-0d8c6f1f6a10';
  return Object.fromEntries(
    Object.entries(errors).map(([name, error]) => [name, toProblem(error, id, language)]),
  );
}
