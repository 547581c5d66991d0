import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { toText } from '../errors.js';
import {
  type Answer,
  type FeatureSource,
  type SearchQuery,
  toCredentials,
  toSearchQuery,
} from '../query/index.js';
import { toAddress } from './client-limit.js';
import { toBaseUrl, toLinkHeader, toLinks } from './links.js';
import { toSearchType } from './negotiate.js';
import { createWriter, type SearchContext, toPage } from './page.js';
import { readParameters } from './parameters.js';
import { toLogged, toSecrets } from './problem.js';
import { createReadings, type Reading } from './readings.js';
import type { Repeats } from './repeats.js';
import {
  CallerGone,
  createUntilLeft,
  endFeatures,
  type StreamOptions,
  sendWhole,
  streamFeatures,
  toLeftSignal,
} from './stream.js';
import { type RequestValidator, readChecked } from './validation.js';
import { isNotModified, toValidityHeaders } from './validity.js';

export type SearchConfig = Pick<Config, 'publicUrl' | 'limitMax' | 'geomMaxVertices'> & {
  /** How long a reader may take nothing before it is cut off; by default a minute. */
  readonly readerIdleMs?: number;
};

export interface SearchParts {
  readonly repeats: Pick<Repeats, 'remember'>;
  readonly source: FeatureSource;
  readonly validate: RequestValidator;
  readonly logger: Logger;
}

export const defaultReaderIdleMs = 60_000;

/** Status and headers, once there is something to say. */
function writeHead(res: Response, context: SearchContext, answer: Answer): void {
  for (const [name, value] of toValidityHeaders(res.req, answer, context.type)) res.setHeader(name, value);
  // Not by Express, which would add a charset: JSON has none (RFC 8259 §11).
  res.status(200).setHeader('Content-Type', context.type);
  if (context.type !== 'application/geo+json-seq') return;
  const link = toLinkHeader(toLinks(context, undefined));
  if (link !== '') res.set('Link', link);
}

/** The client has it already (RFC 9110 §15.4.5). */
function writeNotModified(res: Response, { type }: SearchContext, answer: Answer): void {
  for (const [name, value] of toValidityHeaders(res.req, answer, type)) res.setHeader(name, value);
  res.status(304).end();
}

/** `GET`, `HEAD` and `POST` of one module's search. */
export function createSearch(parts: SearchParts, config: SearchConfig): RequestHandler {
  const read = createReader(parts, config);
  return async (req, res) => {
    res.setHeader('Vary', 'Accept');
    const type = toSearchType(req.headers.accept);
    const { parameters, query } = await read(req, res);
    const left = toLeftSignal(res);
    const url = `${toBaseUrl(req, config)}${req.baseUrl}${req.path}`;
    const context = { url, isPost: req.method === 'POST', parameters, query, type };
    const { credentials = {} } = res.locals;
    const caller = { credentials, signal: left, address: toAddress(req), requestId: String(req.id) };
    if (query.explain) return explain(res, parts.source, query, caller);
    await answer(req, res, { ...parts, config, context, caller, query });
  };
}

/** Reads what is asked, and leaves the caller's credentials in `res.locals`. */
function createReader({ validate }: SearchParts, config: SearchConfig) {
  const readings = createReadings();
  return async (req: Request, res: Response): Promise<Reading> => {
    const known = readings.recall(req);
    if (known !== undefined) return known;
    const parameters = readParameters(req);
    res.locals.credentials = toCredentials(parameters);
    const byDocument = await validate(req, parameters);
    const query = readChecked(() => toSearchQuery(parameters, config), byDocument);
    readings.remember(req, { parameters, query });
    return { parameters, query };
  };
}

/** How the search would be asked, instead of its features. */
async function explain(
  res: Response,
  source: FeatureSource,
  query: SearchQuery,
  caller: Parameters<FeatureSource['explain']>[1],
): Promise<void> {
  const { steps, ...explanation } = await source.explain(query, caller);
  res.json({ ...explanation, steps: steps.map((step) => toText(step)) });
}

interface Asked extends SearchParts {
  readonly config: SearchConfig;
  readonly context: SearchContext;
  readonly caller: Parameters<FeatureSource['search']>[1];
  readonly query: SearchQuery;
}

async function answer(req: Request, res: Response, asked: Asked): Promise<void> {
  const left = asked.caller.signal;
  try {
    const searching = asked.source.search(asked.query, asked.caller);
    const given = await createUntilLeft(left)(searching).catch((error: unknown) => {
      searching.then((late) => endFeatures(late.features)).catch(() => {});
      throw error;
    });
    await give(req, res, given, asked);
  } catch (error) {
    if (left.aborted || error instanceof CallerGone) res.locals.outcome ??= 'left';
    else if (!res.headersSent) throw error;
    else resetLate(res, error, asked.logger);
  }
}

async function give(req: Request, res: Response, given: Answer, asked: Asked): Promise<void> {
  const { context } = asked;
  const isUnchanged = isNotModified(req, given, context.type);
  if (isUnchanged || req.method === 'HEAD') {
    endFeatures(given.features);
    if (isUnchanged) return writeNotModified(res, context, given);
    writeHead(res, context, given);
    res.end();
    return;
  }
  const options = toStreamOptions(res, given, asked);
  if (given.whole === undefined) return streamFeatures(given.features, options);
  sendWhole(given.whole, options);
  asked.repeats.remember(req, res, { context, source: asked.source });
}

function toStreamOptions(res: Response, given: Answer, { context, caller, config }: Asked): StreamOptions {
  return {
    res,
    writer: createWriter(context.type),
    left: caller.signal,
    readerIdleMs: config.readerIdleMs ?? defaultReaderIdleMs,
    begin: () => writeHead(res, context, given),
    toPage: (end) => toPage(end, toLinks(context, end.next)),
  };
}

/** RST, not FIN: to an HTTP/1.0 reader, and to a proxy that caches, FIN would make the half a whole. */
function resetLate(res: Response, error: unknown, logger: Logger): void {
  res.locals.outcome = 'reset';
  logger.error(
    { requestId: res.req.id, error: toLogged(error, toSecrets(res)) },
    'late fault, connection reset',
  );
  res.req.socket.resetAndDestroy();
}
