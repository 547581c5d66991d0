import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { isPlain } from './plain.js';
import { maxUrlBytes } from './server.js';

/** What the short way consists of. */
export interface DirectParts {
  /** By the path of the module: `/api/NAME`. */
  readonly searches: ReadonlyMap<string, { readonly module: string; readonly search: RequestHandler }>;
  readonly isStopping: () => boolean;
  /** Set the same headers whatever is asked. */
  readonly constant: readonly RequestHandler[];
  /** Have to see each request. */
  readonly each: readonly RequestHandler[];
  readonly compress: RequestHandler;
}

const ROUTE = { path: '/search' } as never;

/**
 * The short way of a plain search: what stands before the search in the stack does its work here at once, without a router
 * for each step of it; the headers that are always the same are computed once, and nothing is made ready to compress an
 * answer for who takes none compressed. Half of what HTTP costs a search. All else takes the long way, and so does an error.
 */
export function createDirect(parts: DirectParts): RequestHandler {
  const headers = recordHeaders(parts.constant);
  return (req, res, next) => {
    const { url } = req;
    const end = url.indexOf('/search?');
    const route = end < 0 || url.length > maxUrlBytes ? undefined : parts.searches.get(url.slice(0, end));
    if (route === undefined || !isPlain(req) || parts.isStopping()) return next();
    for (const handler of parts.each) handler(req, res, PASS);
    for (const [name, value] of headers) res.setHeader(name, value);
    if (takesCompressed(req)) parts.compress(req, res, PASS);
    req.route = ROUTE;
    req.baseUrl = url.slice(0, end);
    req.url = url.slice(end);
    res.locals.base = req.baseUrl;
    res.locals.module = route.module;
    return route.search(req, res, next);
  };
}

const PASS: NextFunction = () => {};

const takesCompressed = ({ headers }: IncomingMessage) => {
  const accepted = headers['accept-encoding'];
  return accepted !== undefined && accepted !== 'identity';
};

/** What handlers that look at nothing of a plain request set. */
function recordHeaders(handlers: readonly RequestHandler[]): readonly [name: string, value: string][] {
  const recorded = new Map<string, string>();
  const req = { method: 'GET', headers: {} } as Request;
  const res = {
    setHeader: (name: string, value: string) => void recorded.set(name, value),
    set: (name: string, value: string) => void recorded.set(name, value),
    removeHeader: (name: string) => void recorded.delete(name),
    getHeader: (name: string) => recorded.get(name),
  } as unknown as Response;
  for (const handler of handlers) handler(req, res, PASS);
  return [...recorded];
}
