import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Link } from '../formats/index.js';
import type { HttpMetrics, Tracing } from '../metrics/index.js';
import type { Answer, FeatureSource, PageEnd, SearchQuery, WholePage } from '../query/index.js';
import { type Packed, pack, unite } from './gzip.js';
import { toLanguage } from './language.js';
import { toLinks } from './links.js';
import { logWhenOver } from './log.js';
import { countWhenOver } from './metrics.js';
import {
  createWriter,
  endFieldNames,
  isCollection,
  type SearchContext,
  toEndFields,
  toPage,
} from './page.js';
import { isPlain } from './plain.js';
import { createRemembered } from './remembered.js';
import { toRequestId } from './request-id.js';
import { endWith, toLength } from './stream.js';
import { traceUntilOver } from './traces.js';
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
  readonly metrics: HttpMetrics;
  readonly tracing?: Tracing | undefined;
  readonly isStopping: () => boolean;
  readonly readerIdleMs: number;
}

/** As `compression` does it: below, the answer fits a packet anyway. */
const MIN_COMPRESSED = 1024;
/** Of answers compressed once for all who take gzip: about a quarter of what they are. */
const MAX_PACKED_BYTES = 8 * 2 ** 20;

/** Written anew for each answer, by Node or here. */
const ownHeaders = new Set([
  ...'age cache-control connection content-encoding content-length date etag keep-alive'.split(' '),
  ...'transfer-encoding vary x-request-id'.split(' '),
  ...endFieldNames.map((name) => name.toLowerCase()),
]);

/** What describes a body, where a 304 has none. */
const ofBody = new Set(['content-type', 'content-language']);

/** Undefined: more than the URL, the host, the media type and the language may count. */
function toKey(req: IncomingMessage, url: string | undefined): string | undefined {
  if (!isPlain(req)) return undefined;
  const { headers } = req;
  const language = toLanguage(headers['accept-language']);
  return `${headers.host}\n${headers.accept ?? ''}\n${language}\n${url}`;
}

/** RFC 9110 §12.5.3. Undefined: something that is not written here. */
function toEncoding({ headers }: IncomingMessage): 'gzip' | 'identity' | undefined {
  const accepted = headers['accept-encoding'] ?? '';
  if (/(^|[\s,])gzip\s*($|,|;\s*q\s*=\s*(1|0?\.0*[1-9]))/i.test(accepted)) return 'gzip';
  return /gzip|deflate|br|\*/i.test(accepted) ? undefined : 'identity';
}

function toHead(res: Response): string[] {
  const names = res.getHeaderNames().filter((name) => !ownHeaders.has(name));
  return names.flatMap((name) => [name, String(res.getHeader(name))]);
}

/**
 * The short way for what was asked before and is still kept. Express, with everything that stands before a search, takes
 * three times as long as the rest of such an answer; its headers are remembered from when it last gave it.
 */
export function createRepeats(options: RepeatsOptions): Repeats {
  const { logger, metrics, tracing, isStopping, readerIdleMs } = options;
  const repeats = createRemembered<Repeat>();
  const packed = new LRUCache<string, Packed>({
    maxSize: MAX_PACKED_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length,
  });
  const packing = new Set<string>();

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
      const encoding = repeat && toEncoding(req);
      if (repeat?.source.kept === undefined || encoding === undefined) return app(req, res);
      const pass = () => app(req, res);
      repeat.source.kept(repeat.query).then((kept) => {
        const body = kept?.whole && toBody(kept, kept.whole, repeat, encoding);
        if (kept === undefined || body === undefined || isStopping()) return pass();
        answer(req, res, kept, body, repeat);
      }, pass);
    },
  };

  /** Undefined: it would have to be compressed first. That is begun, for the next one. */
  function toBody(
    kept: Answer,
    whole: WholePage,
    repeat: Repeat,
    encoding: 'gzip' | 'identity',
  ): Body | undefined {
    const [pieces, ending] = toPieces(whole, repeat);
    const plain = { pieces: [...pieces, ending], plainBytes: toLength(pieces) + ending.length };
    if (encoding === 'identity' || plain.plainBytes < MIN_COMPRESSED) return plain;
    const name = `${kept.validity?.tag} ${repeat.context.format}`;
    const known = packed.get(name);
    if (known !== undefined) return { ...plain, pieces: unite(known, ending), encoding };
    if (packing.has(name)) return undefined;
    packing.add(name);
    pack(pieces)
      .then(
        (done) => packed.set(name, done),
        () => {},
      )
      .finally(() => packing.delete(name));
    return undefined;
  }

  function answer(req: IncomingMessage, res: ServerResponse, kept: Answer, body: Body, repeat: Repeat): void {
    req.id = toRequestId(req);
    const own = toValidityHeaders(req, kept, repeat.context).flat();
    const head = [...repeat.head, 'X-Request-Id', req.id, ...own];
    const { module, route } = repeat;
    const outcome: { features?: number; bytes?: number; outcome?: 'stalled' } = {};
    const tell = () => ({ module, route, ...outcome });
    logWhenOver(logger, req, res, tell);
    countWhenOver(metrics, req, res, tell);
    if (tracing !== undefined) traceUntilOver(tracing, req, res, tell);
    if (isNotModified(req, kept, repeat.context)) {
      const ofNoBody = head.filter((_, i) => !ofBody.has(head[i - (i % 2)] as string));
      res.writeHead(304, ofNoBody).end();
      return;
    }
    if (!isCollection(repeat.context.format))
      head.push(...toEndFields(repeat.context, kept.whole?.end).flat());
    outcome.features = kept.whole?.end.numberReturned ?? 0;
    outcome.bytes = body.plainBytes;
    res.on('timeout', () => {
      outcome.outcome = 'stalled';
      req.socket.resetAndDestroy();
    });
    if (body.encoding !== undefined) head.push('Content-Encoding', body.encoding);
    res.writeHead(200, [...head, 'Content-Length', String(toLength(body.pieces))]);
    endWith(res, body.pieces, readerIdleMs);
  }
}

interface Body {
  readonly pieces: readonly Uint8Array[];
  readonly plainBytes: number;
  readonly encoding?: 'gzip';
}

/** The features with what stands before them, and what follows them. */
function toPieces(whole: WholePage, repeat: Repeat): [readonly Uint8Array[], Uint8Array] {
  const { context } = repeat;
  const writer = createWriter(context.format);
  const pieces = whole.batches.flatMap((batch) => writer.writeBatch(batch));
  if (repeat.links?.end !== whole.end) {
    repeat.links = { end: whole.end, links: toLinks(context, whole.end.next) };
  }
  return [pieces, writer.writeEnd(toPage(whole.end, repeat.links.links, context.language))];
}
