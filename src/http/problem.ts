import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import {
  type FaultText,
  invalidRequest,
  type Language,
  ServiceError,
  statusOf,
  toDetail,
  toFaultTexts,
  toMessage,
  toText,
} from '../errors.js';
import { createMask } from '../query/index.js';
import { toLanguage } from './language.js';

/** RFC 9457. `code` and `message` repeat `status` and `detail` for clients of API Carto. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: number;
  readonly detail: string;
  readonly message: string;
  readonly errors?: readonly FaultText[];
  readonly instance: string;
}

export const problemType = 'application/problem+json';

export function toProblem(error: ServiceError, requestId: string, language: Language): Problem {
  const status = statusOf[error.kind];
  const detail = toDetail(error, language);
  const errors = toFaultTexts(error.faults, language);
  return {
    type: 'about:blank',
    title: toText(toMessage(`title.${error.kind}`), language),
    status,
    code: status,
    detail,
    message: detail,
    ...(errors.length > 0 ? { errors } : {}),
    instance: `urn:uuid:${requestId}`,
  };
}

/** Headers a status asks for (RFC 9110 §10.2.3, §11.6.1), where the thrower did not say more exactly. */
const usualHeaders: { readonly [K in ServiceError['kind']]?: Readonly<Record<string, string>> } = {
  keyMissing: { 'WWW-Authenticate': 'Apikey realm="upstream WFS", Bearer realm="upstream WFS"' },
  rateLimited: { 'Retry-After': '5' },
  unavailable: { 'Retry-After': '5' },
};

export function toProblemHeaders(error: ServiceError, language: Language): Readonly<Record<string, string>> {
  return {
    ...usualHeaders[error.kind],
    ...error.headers,
    'Content-Type': problemType,
    'Content-Language': language,
    'Cache-Control': 'no-store',
  };
}

/** What Express and its body parser throw (http-errors). */
interface HttpError {
  readonly type?: string;
  readonly status?: number;
  readonly limit?: number;
}

function toBodyError(error: HttpError): ServiceError | undefined {
  const cause = { cause: error };
  switch (error.type) {
    case 'entity.too.large':
      return new ServiceError(
        'bodyTooLarge',
        toMessage('http.bodyTooLarge', { limit: error.limit ?? 0 }),
        cause,
      );
    case 'encoding.unsupported':
      return new ServiceError('mediaTypeUnsupported', toMessage('http.encodingUnsupported'), cause);
    case undefined:
      return undefined;
    default:
      return invalidRequest([{ parameter: 'body', message: toMessage('http.bodyUnreadable') }]);
  }
}

/** Whatever is thrown, as one of the family; what is not known is a defect of ours, and says nothing of itself. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (typeof error === 'object' && error !== null) {
    const body = toBodyError(error);
    if (body !== undefined) return body;
    if (error instanceof URIError) return invalidRequest([{ message: toMessage('http.pathMalformed') }]);
    const { status } = error as HttpError;
    if (status === 400)
      return invalidRequest([{ parameter: 'body', message: toMessage('http.bodyUnreadable') }]);
  }
  return new ServiceError('internal', toMessage('internal'), { cause: error });
}

/** A message and what caused it, without the secrets of the request: what a log may hold of an error. */
export function toLogged(error: unknown, secrets: readonly string[]): object {
  const clean = createMask(secrets);
  if (!(error instanceof Error)) return { message: clean(String(error)) };
  const isOurs = error instanceof ServiceError;
  return {
    message: clean(error.message),
    ...(isOurs ? { kind: error.kind } : { stack: clean(error.stack ?? '') }),
    ...(error.cause === undefined ? {} : { cause: toLogged(error.cause, secrets) }),
  };
}

/** What the caller sent to be let in: to be kept out of the log. */
export function toSecrets(res: Response): string[] {
  const { apikey, token } = res.locals.credentials ?? {};
  return [apikey, token].filter((secret): secret is string => typeof secret === 'string');
}

const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

/** A problem repeats what the caller sent: whoever takes it for markup, against its media type, finds none. */
export function toProblemText(problem: object): string {
  return `${JSON.stringify(problem).replace(/[<>&]/g, (character) => escapes[character] ?? character)}\n`;
}

export function writeProblem(res: Response, error: ServiceError): void {
  const language = toLanguage(res.req.headers['accept-language']);
  const problem = toProblem(error, String(res.req.id), language);
  res
    .status(problem.status)
    .set(toProblemHeaders(error, language))
    .vary('Accept-Language')
    .vary('Accept-Encoding');
  res.send(Buffer.from(toProblemText(problem)));
}

/** The one exit of every error. */
export function createProblemHandler(logger: Logger): ErrorRequestHandler {
  return (thrown, req, res, _next) => {
    if (res.destroyed) return;
    const error = toServiceError(thrown);
    res.locals.errorKind = error.kind;
    const fields = { requestId: req.id, module: res.locals.module, error: toLogged(error, toSecrets(res)) };
    if (statusOf[error.kind] >= 500) logger.error(fields, 'answered with an error');
    else logger.debug(fields, 'refused');
    if (!res.headersSent) writeProblem(res, error);
    else req.socket.resetAndDestroy();
  };
}
