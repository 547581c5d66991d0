import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { toForeignId, toRequestId } from './request-id.js';

type Req = Parameters<RequestHandler>[0];
type Res = Parameters<RequestHandler>[1];

/** What a line tells of a request: no query string and no body, since they hold keys and geometries. */
function toLine(req: Req, res: Res, value: { responseTime: number }): object {
  const { module, features, bytes, outcome, errorKind, base = req.baseUrl } = res.locals ?? {};
  return {
    module,
    foreignId: toForeignId(req),
    method: req.method,
    path: req.originalUrl.split('?')[0],
    route: req.route === undefined ? undefined : `${base}${req.route.path}`,
    status: res.headersSent ? res.statusCode : undefined,
    ms: value.responseTime,
    features,
    bytes,
    outcome: outcome ?? (res.writableFinished ? 'done' : 'left'),
    error: errorKind,
  };
}

/** Numbers every request and logs one line when it is over, however it ends. */
export function createRequestLog(logger: Logger): RequestHandler {
  const toObject = (req: unknown, res: unknown, value: unknown) =>
    toLine(req as Req, res as Res, value as { responseTime: number });
  return pinoHttp({
    logger: logger as never,
    genReqId: toRequestId,
    customAttributeKeys: { reqId: 'requestId' },
    quietReqLogger: true,
    quietResLogger: true,
    serializers: { req: () => undefined, res: () => undefined, err: () => undefined },
    customSuccessObject: toObject,
    customErrorObject: (req, res, _error, value) => toObject(req, res, value),
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'warn' : 'info'),
  }) as unknown as RequestHandler;
}
