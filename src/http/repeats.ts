import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Link } from '../formats/index.js';
import type { Answer, FeatureSource, PageEnd, SearchQuery } from '../query/index.js';
import { toLinks } from './links.js';
import { logWhenOver } from './log.js';
import { createWriter, type SearchContext, toPage } from './page.js';
import { toRequestId } from './request-id.js';
import { endWith, toLength } from './stream.js';
import { isNotModified, toValidityHeaders } from './validity.js';

/** All that is the same when the same is asked again. */
interface Repeat {
  readonly source: FeatureSource;
  readonly query: SearchQuery;
  readonly context: SearchContext;
  /** Names and values in turn, as Node takes them quickest. */
  readonly head: readonly string[];
  readonly module: string | undefined;
  readonly route: string;
  readonly path: string;
  /** Of the page that was last given. */
  links: { readonly end: PageEnd; readonly links: readonly Link[] } | undefined;
}

export interface Repeats {
  /** The request was answered with a page that was kept; the next one like it need not be read. */
  remember(req: Request, res: Response, answered: Pick<Repeat, 'source' | 'context'>): void;
  /** Answers what is a repeat and still kept; passes on to `app` all else. */
  toListener(app: RequestListener): RequestListener;
}

export interface RepeatsOptions {
  readonly logger: Logger;
  readonly isStopping: () => boolean;
  readonly readerIdleMs: number;
}

const MAX_CHARACTERS = 2 ** 20;
const MAX_URL = 8192;
const MAX_HEADERS = 8192;

/**
 * Headers of requests that an answer from the cache takes no notice of, or that are looked at here. With any other,
 * a key or a proxy's word among them, the request goes the long way.
 */
const known = new Set(
  `accept accept-charset accept-encoding accept-language cache-control connection dnt host if-none-match origin pragma
  priority referer sec-fetch-dest sec-fetch-mode sec-fetch-site sec-gpc user-agent x-request-id`.split(/\s+/),
);

/** Written anew for each answer, by Node or here. */
const ownHeaders = new Set(
  `age cache-control connection content-length date etag keep-alive transfer-encoding vary x-request-id`.split(
    ' ',
  ),
);

/** Undefined: more than the URL, the host and the media type may count. */
function toKey(req: IncomingMessage, url: string | undefined): string | undefined {
  const { method, httpVersion, rawHeaders, headers } = req;
  if (method !== 'GET' || httpVersion !== '1.1') return undefined;
  let [hosts, length] = [0, 0];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (!known.has(name)) return undefined;
    if (name === 'host') hosts += 1;
    length += name.length + (rawHeaders[i + 1] as string).length;
  }
  const isCompressed = /gzip|deflate|br|\*/i.test(headers['accept-encoding'] ?? '');
  if (hosts !== 1 || length > MAX_HEADERS || isCompressed) return undefined;
  return `${headers.host}\n${headers.accept ?? ''}\n${url}`;
}

function toHead(res: Response): string[] {
  const names = res.getHeaderNames().filter((name) => !ownHeaders.has(name));
  return names.flatMap((name) => [name, String(res.getHeader(name))]);
}

/**
 * The short way for what was asked before and is still kept. Express, with everything that stands before a search, takes
 * three times as long as the rest of such an answer; its headers are remembered from when it last gave it.
 */
export function createRepeats({ logger, isStopping, readerIdleMs }: RepeatsOptions): Repeats {
  const repeats = new LRUCache<string, Repeat>({
    maxSize: MAX_CHARACTERS,
    maxEntrySize: MAX_URL,
    sizeCalculation: (_, key) => key.length,
  });

  return {
    remember(req, res, { source, context }) {
      const key = toKey(req, req.originalUrl);
      const { credentials = {}, base = '', module } = res.locals;
      const hasKey = credentials.apikey !== undefined || credentials.token !== undefined;
      if (key === undefined || hasKey || source.kept === undefined || repeats.has(key)) return;
      const [path = ''] = req.originalUrl.split('?', 1);
      const route = `${base}${req.route.path}`;
      const head = toHead(res);
      repeats.set(key, {
        source,
        query: context.query,
        context,
        head,
        module,
        route,
        path,
        links: undefined,
      });
    },

    toListener: (app) => (req, res) => {
      const key = toKey(req, req.url);
      const repeat = key === undefined || isStopping() ? undefined : repeats.get(key);
      if (repeat?.source.kept === undefined) return app(req, res);
      const pass = () => app(req, res);
      repeat.source.kept(repeat.query).then((kept) => {
        if (kept?.whole === undefined || isStopping()) return pass();
        answer(req, res, kept, repeat);
      }, pass);
    },
  };

  function answer(req: IncomingMessage, res: ServerResponse, kept: Answer, repeat: Repeat): void {
    const { type } = repeat.context;
    req.id = toRequestId(req);
    const own = toValidityHeaders(req, kept, type).flat();
    const head = [...repeat.head, 'X-Request-Id', req.id, ...own];
    const { module, route } = repeat;
    const outcome: { features?: number; bytes?: number; outcome?: string } = {};
    logWhenOver(logger, req, res, () => ({ module, route, ...outcome }));
    if (isNotModified(req, kept, type)) {
      const withoutType = head.filter((_, i) => head[i - (i % 2)] !== 'content-type');
      res.writeHead(304, withoutType).end();
      return;
    }
    const pieces = toPieces(kept, repeat);
    outcome.features = kept.whole?.end.numberReturned ?? 0;
    outcome.bytes = toLength(pieces);
    res.on('timeout', () => {
      outcome.outcome = 'stalled';
      req.socket.resetAndDestroy();
    });
    res.writeHead(200, [...head, 'Content-Length', String(outcome.bytes)]);
    endWith(res, pieces, readerIdleMs);
  }
}

function toPieces({ whole }: Answer, repeat: Repeat): readonly Uint8Array[] {
  if (whole === undefined) return [];
  const { context } = repeat;
  const writer = createWriter(context.type);
  const pieces = whole.batches.flatMap((batch) => writer.writeBatch(batch));
  if (repeat.links?.end !== whole.end) {
    repeat.links = { end: whole.end, links: toLinks(context, whole.end.next) };
  }
  return [...pieces, writer.writeEnd(toPage(whole.end, repeat.links.links))];
}
