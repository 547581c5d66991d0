import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { toText } from '../errors.js';
import type { FeatureWriter } from '../formats/index.js';
import {
  type Answer,
  type FeatureSource,
  type Format,
  type PageEnd,
  type SearchQuery,
  toCredentials,
  toSearchQuery,
} from '../query/index.js';
import { untilAborted } from '../signal.js';
import { toCaller } from './caller.js';
import { toLanguage } from './language.js';
import { toBaseUrl, toLinks } from './links.js';
import { mediaTypes, toFormat } from './negotiate.js';
import {
  createTableWriter,
  createWriter,
  endFieldNames,
  isCollection,
  isTable,
  type SearchContext,
  toEndFields,
  toPage,
} from './page.js';
import { readParameters } from './parameters.js';
import { toLogged, toSecrets } from './problem.js';
import { createReadings, type Reading } from './readings.js';
import type { Repeats } from './repeats.js';
import { inSlices } from './slices.js';
import { CallerGone, endFeatures, type StreamOptions, sendWhole, streamFeatures } from './stream.js';
import { type RequestValidator, readChecked } from './validation.js';
import { isNotModified, toValidityHeaders, toVary } from './validity.js';

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

/** Status and headers, once there is something to say; of the page's end, what is known by then. */
function writeHead(res: Response, context: SearchContext, answer: Answer, end?: PageEnd): void {
  const { format } = context;
  for (const [name, value] of toValidityHeaders(res.req, answer, context)) res.setHeader(name, value);
  // Not by Express, which would add a charset: JSON has none (RFC 8259 §11).
  res.status(200).setHeader('Content-Type', contentTypes[format] ?? context.type);
  if (isTable(format)) res.setHeader('Content-Disposition', toDisposition(context));
  if (isCollection(format)) {
    res.setHeader('Content-Language', context.language);
    return;
  }
  for (const [name, value] of toEndFields(context, end)) res.setHeader(name, value);
  if (end === undefined && takesTrailers(res.req)) res.setHeader('Trailer', endFieldNames.join(', '));
}

const contentTypes: { readonly [F in Format]?: string } = {
  // RFC 7111 §5.1: there is a header line
  csv: 'text/csv; charset=utf-8; header=present',
  'csv-centroid': 'text/csv; charset=utf-8; header=present',
};

/** RFC 6266: these are files, and called after the layer. */
function toDisposition({ query, format }: SearchContext): string {
  const name = query.source.slice(0, 100).replace(/[^A-Za-z0-9._-]+/g, '_');
  return `attachment; filename="${name}.${format === 'flatgeobuf' ? 'fgb' : 'csv'}"`;
}

/** RFC 9110 §6.5.1 and §10.1.4: to who asks for them, behind a body in chunks. */
const takesTrailers = ({ headers, httpVersion, method }: Request) =>
  httpVersion === '1.1' &&
  method !== 'HEAD' &&
  /(?:^|,)\s*trailers\s*(?:,|;|$)/i.test(String(headers.te ?? ''));

/** What was not known when the answer began. */
const toTrailers = (res: Response, context: SearchContext, end: PageEnd) =>
  res.hasHeader('Trailer') ? toEndFields(context, end) : [];

/** The client has it already (RFC 9110 §15.4.5). */
function writeNotModified(res: Response, context: SearchContext, answer: Answer): void {
  for (const [name, value] of toValidityHeaders(res.req, answer, context)) res.setHeader(name, value);
  res.status(304).end();
}

/** `GET`, `HEAD` and `POST` of one module's search. */
export function createSearch(parts: SearchParts, config: SearchConfig): RequestHandler {
  const read = createReader(parts, config);
  return async (req, res) => {
    res.setHeader('Vary', 'Accept');
    const { parameters, query } = await read(req, res);
    const format = query.format ?? toFormat(req.headers.accept);
    const language = toLanguage(req.headers['accept-language']);
    const caller = toCaller(req, res);
    const url = `${toBaseUrl(req, config)}${req.baseUrl}${req.path}`;
    const isPost = req.method === 'POST';
    const context = { url, isPost, parameters, query, format, type: mediaTypes[format], language };
    res.setHeader('Vary', toVary(context));
    if (query.explain) return explain(res, parts.source, caller, context);
    await answer(req, res, { config, context, caller, query, ...parts });
  };
}

/** Reads what is asked, and leaves the caller's credentials in `res.locals`. */
function createReader({ validate }: SearchParts, config: SearchConfig) {
  const readings = createReadings();
  return (req: Request, res: Response): Reading | Promise<Reading> => {
    const known = readings.recall(req);
    if (known !== undefined) return known;
    const parameters = readParameters(req);
    res.locals.credentials = toCredentials(parameters);
    return validate(req, parameters).then((byDocument) => {
      const query = readChecked(() => toSearchQuery(parameters, config), byDocument);
      readings.remember(req, { parameters, query });
      return { parameters, query };
    });
  };
}

/** How the search would be asked, instead of its features. */
async function explain(
  res: Response,
  source: FeatureSource,
  caller: Parameters<FeatureSource['explain']>[1],
  { query, language }: SearchContext,
): Promise<void> {
  const { steps, ...explanation } = await source.explain(query, caller);
  res.set({ 'Content-Language': language, Vary: 'Accept-Language, Accept-Encoding' });
  res.json({ ...explanation, steps: steps.map((step) => toText(step, language)) });
}

interface Asked extends SearchParts {
  readonly config: SearchConfig;
  readonly context: SearchContext;
  readonly caller: Parameters<FeatureSource['search']>[1];
  readonly query: SearchQuery;
}

async function answer(req: Request, res: Response, asked: Asked): Promise<void> {
  const left = asked.caller.signal;
  const searching = asked.source.search(asked.query, asked.caller);
  let given: Answer | undefined;
  try {
    given = await untilAborted(searching, left);
    await give(req, res, given, asked);
  } catch (error) {
    if (given === undefined) searching.then((late) => endFeatures(late.features)).catch(() => {});
    if (left.aborted || error instanceof CallerGone) res.locals.outcome ??= 'left';
    else if (!res.headersSent) throw error;
    else resetLate(res, error, asked.logger);
  }
}

/** Undefined: all has been given. */
function give(req: Request, res: Response, given: Answer, asked: Asked): Promise<void> | undefined {
  const { context } = asked;
  const isUnchanged = isNotModified(req, given, context);
  if (isUnchanged || req.method === 'HEAD') {
    endFeatures(given.features);
    if (isUnchanged) {
      writeNotModified(res, context, given);
    } else {
      writeHead(res, context, given, given.whole?.end);
      res.end();
    }
    return undefined;
  }
  if (isTable(context.format)) return giveTable(res, given, asked);
  const options = toStreamOptions(res, given, asked, createWriter(context.format));
  if (given.whole === undefined) return streamFeatures(given.features, options);
  sendWhole(given.whole, options);
  asked.repeats.remember(req, res, { context, source: asked.source });
  return undefined;
}

async function giveTable(res: Response, given: Answer, asked: Asked): Promise<void> {
  const options = toStreamOptions(res, given, asked, await toTableWriter(given, asked));
  await streamFeatures(inSlices(given.features), options);
}

/** @throws as `describe` does: nothing has been sent yet */
async function toTableWriter(
  given: Answer,
  { source, query, caller, context }: Asked,
): Promise<FeatureWriter> {
  try {
    const description = await untilAborted(source.describe(query.source, caller), caller.signal);
    return createTableWriter(context.format, description, query);
  } catch (error) {
    endFeatures(given.features);
    throw error;
  }
}

function toStreamOptions(
  res: Response,
  given: Answer,
  { context, caller, config }: Asked,
  writer: FeatureWriter,
): StreamOptions {
  return {
    res,
    writer,
    left: caller.signal,
    readerIdleMs: config.readerIdleMs ?? defaultReaderIdleMs,
    begin: (end = given.whole?.end) => writeHead(res, context, given, end),
    toPage: (end) => toPage(end, toLinks(context, end.next), context.language),
    toTrailers: (end) => toTrailers(res, context, end),
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
