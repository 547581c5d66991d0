import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { type Message, toText } from '../errors.js';
import { createCollectionWriter, createSequenceWriter } from '../formats/index.js';
import { type FeatureSource, type SearchQuery, toCredentials, toSearchQuery } from '../query/index.js';
import { toAddress } from './client-limit.js';
import { type LinkContext, toBaseUrl, toLinkHeader, toLinks } from './links.js';
import { type SearchType, toSearchType } from './negotiate.js';
import { readParameters } from './parameters.js';
import { toLogged, toSecrets } from './problem.js';
import { CallerGone, endFeatures, streamFeatures, toLeftSignal, untilLeft } from './stream.js';
import { type RequestValidator, readChecked } from './validation.js';

export type SearchConfig = Pick<Config, 'publicUrl' | 'limitMax' | 'geomMaxVertices'> & {
  /** How long a reader may take nothing before it is cut off; by default a minute. */
  readonly readerIdleMs?: number;
};

export interface SearchParts {
  readonly source: FeatureSource;
  readonly validate: RequestValidator;
  readonly logger: Logger;
}

export const defaultReaderIdleMs = 60_000;

/** Status and headers, once there is something to say. */
function writeHead(res: Response, context: LinkContext): void {
  // Not by Express, which would add a charset: JSON has none (RFC 8259 §11).
  res.status(200).setHeader('Content-Type', context.type);
  if (context.type !== 'application/geo+json-seq') return;
  const link = toLinkHeader(toLinks(context, undefined));
  if (link !== '') res.set('Link', link);
}

const createWriter = (type: SearchType) =>
  type === 'application/geo+json-seq' ? createSequenceWriter() : createCollectionWriter();

/** `GET`, `HEAD` and `POST` of one module's search. */
export function createSearch(parts: SearchParts, config: SearchConfig): RequestHandler {
  return async (req, res) => {
    res.vary('Accept');
    const type = toSearchType(req.headers.accept);
    const parameters = readParameters(req);
    const credentials = toCredentials(parameters);
    res.locals.credentials = credentials;
    const byDocument = await parts.validate(req, parameters);
    const query = readChecked(() => toSearchQuery(parameters, config), byDocument);
    const left = toLeftSignal(res);
    const url = `${toBaseUrl(req, config)}${req.baseUrl}${req.path}`;
    const context = { url, isPost: req.method === 'POST', parameters, query, type };
    const caller = { credentials, signal: left, address: toAddress(req), requestId: String(req.id) };
    if (query.explain) return explain(res, parts.source, query, caller);
    await answer(req, res, { ...parts, config, context, caller, query, type });
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
  readonly context: LinkContext;
  readonly caller: Parameters<FeatureSource['search']>[1];
  readonly query: SearchQuery;
  readonly type: SearchType;
}

async function answer(req: Request, res: Response, asked: Asked): Promise<void> {
  const left = asked.caller.signal;
  try {
    const searching = asked.source.search(asked.query, asked.caller);
    const { features } = await untilLeft(searching, left).catch((error: unknown) => {
      searching.then((late) => endFeatures(late.features)).catch(() => {});
      throw error;
    });
    if (req.method === 'HEAD') {
      endFeatures(features);
      writeHead(res, asked.context);
      res.end();
    } else {
      await stream(res, features, asked);
    }
  } catch (error) {
    if (left.aborted || error instanceof CallerGone) res.locals.outcome ??= 'left';
    else if (!res.headersSent) throw error;
    else resetLate(res, error, asked.logger);
  }
}

function stream(res: Response, features: Parameters<typeof streamFeatures>[0], asked: Asked): Promise<void> {
  return streamFeatures(features, {
    res,
    writer: createWriter(asked.type),
    left: asked.caller.signal,
    readerIdleMs: asked.config.readerIdleMs ?? defaultReaderIdleMs,
    begin: () => writeHead(res, asked.context),
    toPage: ({ numberReturned, numberMatched, next, warnings }) => ({
      numberReturned,
      ...(numberMatched === undefined ? {} : { numberMatched }),
      ...(warnings === undefined ? {} : { warnings: warnings.map(toWarning) }),
      timeStamp: new Date(),
      links: toLinks(asked.context, next),
    }),
  });
}

function toWarning(message: Message): { code: string; message: string } {
  return { code: message.id, message: toText(message) };
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
