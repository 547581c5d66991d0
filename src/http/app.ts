import { constants } from 'node:zlib';
import compression from 'compression';
import cors from 'cors';
import express, { type Express, type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { invalidRequest, ServiceError, toMessage } from '../errors.js';
import type { FeatureSource } from '../query/index.js';
import { createCatalogue } from './catalogue.js';
import { corsOptions } from './cors.js';
import { createDocs } from './docs.js';
import { createRequestLog } from './log.js';
import { allowOnly } from './methods.js';
import { loadDocument, type OpenApiDocument } from './openapi.js';
import { createOps } from './ops.js';
import { createProblemHandler } from './problem.js';
import { createSearch, type SearchConfig } from './search.js';
import { maxHeaderBytes, maxUrlBytes } from './server.js';
import { createRequestValidator } from './validation.js';

export type HttpConfig = SearchConfig & Pick<Config, 'trustProxy' | 'bodyLimit'>;

/** One API under `/api/NAME`, described by `openapi/NAME.yml`. */
export interface Module {
  readonly name: 'wfs-geoportail';
  readonly source: FeatureSource;
}

export interface HttpParts {
  readonly logger: Logger;
  /** True once the process has been told to end: nothing new is begun. */
  isStopping(): boolean;
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

function refuseWhenStopping(isStopping: () => boolean): RequestHandler {
  return (req, res, next) => {
    if (!isStopping()) return next();
    res.set('Connection', 'close');
    if (req.path === '/health/live' || req.path === '/health/ready') return next();
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

const noStore: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

const textTypes =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|json-seq|yaml|xml|javascript)\b|image\/svg)/i;

/**
 * Streams are compressed too, and flushed with each batch (see stream.ts). The quickest levels: on GeoJSON polygons
 * gzip 1 does 119 MB/s at a ratio of 3.9 (its default 6: 32 MB/s at 4.3), brotli 1 183 MB/s at 4.2 (4: 24 at 4.7).
 */
const compress = compression({
  level: 1,
  brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } },
  filter: (_req, res) => textTypes.test(String(res.getHeader('Content-Type') ?? '')),
});

function createModule(module: DocumentedModule, config: HttpConfig, parts: HttpParts): Router {
  const { name, source, document } = module;
  const router = Router();
  const validate = createRequestValidator(document);
  const search = createSearch({ source, validate, logger: parts.logger }, config);
  // Express forgets the base when a handler throws; the log tells the route all the same.
  router.use((req, res, next) => {
    res.locals.base = req.baseUrl;
    next();
  });
  const readBody = express.raw({ type: () => true, limit: config.bodyLimit });
  const route = router.route('/search');
  route.get(search);
  route.post(readBody, search);
  route.all(allowOnly('GET, HEAD, POST'));
  router.use(createCatalogue({ name, source, validate }, config));
  return router;
}

type DocumentedModule = Module & { readonly document: OpenApiDocument };

const notFound: RequestHandler = (req) => {
  throw new ServiceError('notFound', toMessage('http.notFound', { path: req.path.slice(0, 200) }));
};

/** The whole of HTTP, in the order a request meets it. */
export function createApp(config: HttpConfig, modules: readonly Module[], parts: HttpParts): Express {
  const documented = modules.map((module) => ({ ...module, document: loadDocument(module.name, config) }));
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustProxy);
  app.set('query parser', () => ({}));

  app.use(createRequestLog(parts.logger));
  app.use(securityHeaders);
  app.use(cors(corsOptions));
  app.use(refuseWhenStopping(parts.isStopping));
  app.use(checkLengths);
  app.use(checkHost);
  app.use(compress);
  app.use(noStore);
  app.use(createOps({ modules, isStopping: parts.isStopping }));
  app.use('/api/doc', createDocs(documented));
  for (const module of documented) app.use(`/api/${module.name}`, createModule(module, config, parts));
  app
    .route('/')
    .get((_req, res) => res.redirect(303, '/api/doc/'))
    .all(allowOnly('GET, HEAD'));
  app.use(notFound);
  app.use(createProblemHandler(parts.logger));
  return app;
}
