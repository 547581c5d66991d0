import { constants } from 'node:zlib';
import compression from 'compression';
import cors from 'cors';
import express, { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { invalidRequest, type Language, ServiceError, toMessage } from '../errors.js';
import { type Metrics, type Tracing, uncountedHttp } from '../metrics/index.js';
import type { FeatureSource } from '../query/index.js';
import { createCatalogue, type LinkedModule } from './catalogue.js';
import { type CountClient, createClientLimit } from './client-limit.js';
import { corsOptions } from './cors.js';
import { createDirect } from './direct.js';
import { createDocs } from './docs.js';
import { createEndingSource } from './ending.js';
import { createExplorer } from './explorer.js';
import { createListing } from './listing.js';
import { createRequestLog } from './log.js';
import { type App, createMessageClasses } from './messages.js';
import { allowOnly } from './methods.js';
import { createMetricsPage, createRequestCount } from './metrics.js';
import { type DocumentLimits, loadDocument, type ModuleAbout, type OpenApiDocument } from './openapi.js';
import { createModuleHealth, createOps } from './ops.js';
import { createProblemHandler } from './problem.js';
import { createRepeats, type Repeats } from './repeats.js';
import { createSearch, defaultReaderIdleMs, type SearchConfig } from './search.js';
import { maxHeaderBytes, maxUrlBytes } from './server.js';
import { createRequestTrace } from './traces.js';
import { createRequestValidator, type RequestValidator } from './validation.js';

/** What holds for all modules. */
export type HttpConfig = Pick<Config, 'publicUrl' | 'trustProxy' | 'explorerTiles'> &
  Partial<Pick<Config, 'clientRateLimit'>> &
  Pick<SearchConfig, 'readerIdleMs'>;

/** One API under `/api/NAME`, with a document, limits and health of its own. */
export interface Module extends ModuleAbout {
  readonly source: FeatureSource;
  readonly limits: DocumentLimits;
}

export interface HttpParts {
  readonly logger: Logger;
  /** True once the process has been told to end: nothing new is begun. */
  isStopping(): boolean;
  /** Aborted when the process has to end: what has no answer yet gets none. */
  readonly ending?: AbortSignal;
  /** Absent: nothing is counted. */
  readonly metrics?: Metrics;
  /** Absent: nobody collects traces. */
  readonly tracing?: Tracing | undefined;
  /** Others like this one; absent: it is alone. */
  readonly replicas?: { readonly count: CountClient; state(): string } | undefined;
}

/** An API's answers load nothing; pages that do have a policy of their own. TLS, and so HSTS, ends before us. */
const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginResourcePolicy: { policy: 'cross-origin' },
  strictTransportSecurity: false,
});

const unstoppable = new Set(['/health/live', '/health/ready', '/metrics']);

function refuseWhenStopping(isStopping: () => boolean): RequestHandler {
  return (req, res, next) => {
    if (!isStopping()) return next();
    res.set('Connection', 'close');
    if (unstoppable.has(req.path)) return next();
    throw new ServiceError('unavailable', toMessage('http.stopping'));
  };
}

/** Node counts URL and headers together (`maxHeaderSize`); which of them is too long is told apart here. */
const checkLengths: RequestHandler = (req, _res, next) => {
  const url = req.originalUrl.length;
  if (url > maxUrlBytes)
    throw new ServiceError('urlTooLong', toMessage('http.urlTooLong', { limit: maxUrlBytes }));
  const headers = req.rawHeaders.reduce((sum, text) => sum + text.length, 0);
  if (headers <= maxHeaderBytes) return next();
  throw new ServiceError('headersTooLarge', toMessage('http.headersTooLarge', { limit: maxHeaderBytes }));
};

/** RFC 9112 §3.2. */
const checkHost: RequestHandler = (req, _res, next) => {
  const hosts = req.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && req.httpVersion === '1.0')) return next();
  throw invalidRequest([{ message: toMessage('http.hostMissing') }]);
};

/**
 * An answer that is whole waits no longer for its reader than a streamed one does (stream.ts), whatever made it. Node
 * sets its own timeout again once the last byte has gone out.
 */
function cutIdleReaders(idleMs: number): RequestHandler {
  return (req, res, next) => {
    res.once('prefinish', () => {
      if (res.writableFinished) return;
      res.setTimeout(idleMs, () => {
        res.locals.outcome = 'stalled';
        req.socket.resetAndDestroy();
      });
    });
    next();
  };
}

const noStore: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

const compressedTypes =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|json-seq|yaml|xml|javascript|flatgeobuf)\b|image\/svg)/i;

/**
 * Streams are compressed too, and flushed with each batch (see stream.ts). The quickest levels: on GeoJSON polygons
 * gzip 1 does 119 MB/s at a ratio of 3.9 (its default 6: 32 MB/s at 4.3), brotli 1 183 MB/s at 4.2 (4: 24 at 4.7).
 */
const compress = compression({
  level: 1,
  brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 } },
  filter: (_req, res) => compressedTypes.test(String(res.getHeader('Content-Type') ?? '')),
});

type DocumentedModule = Module &
  LinkedModule & {
    readonly toDocument: (language: Language) => OpenApiDocument;
    readonly validate: RequestValidator;
  };

/** It takes 0.1 s to make: many modules would hold up the start, so each begins when it is first asked. */
function createLazyValidator(document: OpenApiDocument): RequestValidator {
  let validate: RequestValidator | undefined;
  return (req, parameters) => {
    validate ??= createRequestValidator(document);
    return validate(req, parameters);
  };
}

/** A module by itself has the page of the documentation to itself. */
function toDocumented(module: Module, isAlone: boolean): DocumentedModule {
  const toDocument = (language: Language) => loadDocument(module, module.limits, language);
  const document = toDocument('en');
  return isAlone
    ? { ...module, docPage: 'doc/', toDocument, validate: createRequestValidator(document) }
    : { ...module, docPage: `doc/${module.name}/`, toDocument, validate: createLazyValidator(document) };
}

/** A module as it is mounted: its source ends with the process. */
interface Mounted extends DocumentedModule {
  readonly search: RequestHandler;
}

function toMounted(
  module: DocumentedModule,
  config: HttpConfig,
  parts: HttpParts,
  repeats: Repeats,
): Mounted {
  const { name, validate, limits } = module;
  const { ending } = parts;
  const source = ending === undefined ? module.source : createEndingSource(module.source, ending);
  const logger = parts.logger.child({ module: name });
  const search = createSearch({ source, validate, logger, repeats }, { ...config, ...limits });
  return { ...module, source, search };
}

function createModule(module: Mounted, config: HttpConfig, parts: HttpParts): Router {
  const { name, limits, search } = module;
  const router = Router();
  // Express forgets the base when a handler throws; the log tells the route all the same.
  router.use((req, res, next) => {
    res.locals.base = req.baseUrl;
    res.locals.module = name;
    next();
  });
  const readBody = express.raw({ type: () => true, limit: limits.bodyLimit });
  const route = router.route('/search');
  route.get(search);
  route.post(readBody, search);
  route.all(allowOnly('GET, HEAD, POST'));
  router.use(createModuleHealth(module, parts));
  router.use(createCatalogue(module, { ...config, ...limits }));
  return router;
}

/** Under `/api`, what is neither the documentation nor a module is told which modules there are. */
function createNotFound(names: readonly string[]): RequestHandler {
  return (req) => {
    const [, asked = ''] = /^\/api\/([^/]+)/i.exec(req.path) ?? [];
    const path = req.path.slice(0, 200);
    if (asked === '' || ['doc', ...names].includes(asked.toLowerCase())) {
      throw new ServiceError('notFound', toMessage('http.notFound', { path }));
    }
    const values = { module: asked.slice(0, 100), names: names.join(', ') };
    throw new ServiceError('notFound', toMessage('http.moduleUnknown', values));
  };
}

const toSearches = (modules: readonly Mounted[]) =>
  new Map(modules.map(({ name, search }) => [`/api/${name}`, { module: name, search }]));

/** The whole of HTTP, in the order a request meets it. */
export function createApp(config: HttpConfig, modules: readonly Module[], parts: HttpParts): App {
  const { readerIdleMs = defaultReaderIdleMs } = config;
  const { metrics } = parts;
  const repeats = createRepeats({ ...parts, metrics: metrics?.http ?? uncountedHttp, readerIdleMs });
  const documented = modules.map((module) => toDocumented(module, modules.length === 1));
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('json escape', true); // as problems are written: see problem.ts
  app.set('trust proxy', config.trustProxy);
  app.set('query parser', () => ({}));

  const mounted = documented.map((module) => toMounted(module, config, parts, repeats));
  const each = [
    ...(metrics === undefined ? [] : [createRequestCount(metrics.http)]),
    createRequestLog(parts.logger),
    ...(parts.tracing === undefined ? [] : [createRequestTrace(parts.tracing)]),
    cutIdleReaders(readerIdleMs),
  ];
  const constant = [securityHeaders, cors(corsOptions), noStore];
  if (!config.clientRateLimit)
    app.use(createDirect({ ...parts, searches: toSearches(mounted), each, constant, compress }));
  app.use(...each);
  app.use(securityHeaders);
  app.use(cors(corsOptions));
  app.use(refuseWhenStopping(parts.isStopping));
  app.use(checkLengths);
  app.use(checkHost);
  app.use(compress);
  app.use(noStore);
  app.use(createOps(modules, parts));
  if (metrics !== undefined) app.use(createMetricsPage(metrics));
  app.use('/api/doc', createDocs(documented));
  app.use(createListing(documented, config));
  const limit = createClientLimit(config.clientRateLimit ?? 0, parts.replicas?.count);
  for (const module of mounted) app.use(`/api/${module.name}`, limit, createModule(module, config, parts));
  app.use(createExplorer(documented, config));
  app.use(createNotFound(modules.map(({ name }) => name)));
  app.use(createProblemHandler(parts.logger));
  // the limit counts whoever asks, also for what is kept
  return Object.assign(config.clientRateLimit ? app : repeats.toListener(app), createMessageClasses(app));
}
