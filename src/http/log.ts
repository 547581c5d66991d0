import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { toForeignId, toRequestId } from './request-id.js';

declare module 'node:http' {
  interface IncomingMessage {
    /** Of the request, in the log, in `x-request-id` and in a problem's `instance`. */
    id: string;
  }
}

/** What became of a request. */
export interface Outcome {
  readonly module?: string | undefined;
  readonly route?: string | undefined;
  readonly features?: number | undefined;
  /** Of the body, before compression. */
  readonly bytes?: number | undefined;
  /** Where it is neither `done` nor `left`. */
  readonly outcome?: 'stalled' | 'reset' | 'done' | 'left' | undefined;
  readonly error?: string | undefined;
}

/** How it ended, where its handlers say nothing else. */
export const toEnding = ({ writableFinished }: ServerResponse, { outcome }: Outcome) =>
  outcome ?? (writableFinished ? 'done' : 'left');

/** What a line tells of a request: no query string and no body, since they hold keys and geometries. */
function toLine(req: IncomingMessage, res: ServerResponse, path: string, begun: number, tell: () => Outcome) {
  const told = tell();
  const { module, route, features, bytes, error } = told;
  return {
    requestId: req.id,
    module,
    foreignId: toForeignId(req),
    method: req.method,
    path,
    route,
    status: res.headersSent ? res.statusCode : undefined,
    ms: Math.round(performance.now() - begun),
    features,
    bytes,
    outcome: toEnding(res, told),
    error,
  };
}

/** Logs one line when the request is over, however it ends. */
export function logWhenOver(
  logger: Logger,
  req: IncomingMessage,
  res: ServerResponse,
  tell: () => Outcome,
): void {
  const begun = performance.now();
  const [path = ''] = String(req.url).split('?', 1); // Express changes the URL on its way
  let isLogged = false;
  const log = () => {
    if (isLogged) return;
    isLogged = true;
    logger[res.statusCode >= 500 ? 'warn' : 'info'](toLine(req, res, path, begun, tell), 'request');
  };
  res.on('finish', log).on('close', log).on('error', log);
}

/** What its handlers left in `res.locals`. */
export function toOutcome(req: Request, res: Response): Outcome {
  const { module, features, bytes, outcome, errorKind, base = req.baseUrl } = res.locals ?? {};
  const route = req.route === undefined ? undefined : `${base}${req.route.path}`;
  return { module, route, features, bytes, outcome, error: errorKind };
}

/** Numbers every request, and logs it. Not pino-http: its two loggers for each request are a tenth of a quick answer. */
export function createRequestLog(logger: Logger): RequestHandler {
  return (req, res, next) => {
    req.id = toRequestId(req);
    res.setHeader('X-Request-Id', req.id);
    logWhenOver(logger, req, res, () => toOutcome(req, res));
    next();
  };
}
