import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { TraceContext, Tracing } from '../metrics/index.js';
import { type Outcome, toEnding, toOutcome } from './log.js';

/** Traces a request until it is over, however it ends. @returns what is done for it belongs there */
export function traceUntilOver(
  tracing: Tracing,
  req: IncomingMessage,
  res: ServerResponse,
  tell: () => Outcome,
): TraceContext | undefined {
  const span = tracing.request(req.headers);
  const { method = '', url = '' } = req;
  res.once('close', () => {
    const told = tell();
    const { module, route, features, bytes, error } = told;
    const ending = toEnding(res, told);
    const fault = ending !== 'done' ? ending : res.statusCode >= 500 ? (error ?? 'error') : undefined;
    // names and attributes as the semantic conventions for HTTP spans have them
    span.end(
      {
        name: route === undefined ? method : `${method} ${route}`,
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': res.headersSent ? res.statusCode : undefined,
        'http.response.body.size': bytes,
        'url.path': url.split('?', 1)[0],
        'carto.module': module,
        'carto.features': features,
        'carto.request_id': req.id,
      },
      fault,
    );
  });
  return span.context;
}

/** Traces every request; what it belongs to stands in `res.locals.trace`. */
export function createRequestTrace(tracing: Tracing): RequestHandler {
  return (req, res, next) => {
    res.locals.trace = traceUntilOver(tracing, req, res, () => toOutcome(req, res));
    next();
  };
}
