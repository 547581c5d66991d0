import type { RequestHandler } from 'express';
import { ServiceError, toMessage } from '../errors.js';

/** The end of a route: every method that got here is not one of its own (RFC 9110 §15.5.6). */
export function allowOnly(allow: string): RequestHandler {
  return (req) => {
    throw new ServiceError(
      'methodNotAllowed',
      toMessage('http.methodNotAllowed', { method: req.method, allow }),
      {
        headers: { Allow: allow },
      },
    );
  };
}
