import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import swaggerUi, { type SwaggerUiOptions } from 'swagger-ui-express';
import { stringify } from 'yaml';
import { allowOnly } from './methods.js';
import type { OpenApiDocument } from './openapi.js';

/** What Swagger UI needs beyond nothing: its own files, inline styles, and icons as data. */
const swaggerPolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

const cacheable: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'public, max-age=300');
  next();
};

/** Relative links only work behind the slash. */
const addSlash: RequestHandler = (req, res, next) => {
  if (req.path === '/' && !req.originalUrl.split('?')[0]?.endsWith('/')) res.redirect(308, 'doc/');
  else next();
};

/** What comes along with Swagger UI and is not ours to show, its example page among it. */
const hideOthers: RequestHandler = (req, _res, next) =>
  /\/(?:package\.json|index\.html|swagger-initializer\.js|README\.md)$/.test(req.path)
    ? next('router')
    : next();

/** The document as YAML and JSON, made once. */
function createFiles(name: string, document: OpenApiDocument): Router {
  const router = Router();
  const files = [
    { path: `/${name}.yml`, type: 'application/yaml', body: Buffer.from(stringify(document)) },
    { path: `/${name}.json`, type: 'application/json', body: Buffer.from(JSON.stringify(document)) },
  ];
  for (const { path, type, body } of files) {
    const route = router.route(path);
    route.get((_req, res) => void res.type(type).send(body));
    route.all(allowOnly('GET, HEAD'));
  }
  return router;
}

/** `/api/doc/`: Swagger UI and the OpenAPI documents it shows. */
export function createDocs(
  modules: readonly { readonly name: string; readonly document: OpenApiDocument }[],
): Router {
  const router = Router();
  const urls = modules.map(({ name }) => ({ name, url: `${name}.json` }));
  const ui: SwaggerUiOptions = {
    customSiteTitle: 'API documentation',
    swaggerOptions: { urls, deepLinking: true, displayRequestDuration: true },
  };
  router.use(hideOthers, cacheable, addSlash);
  for (const { name, document } of modules) router.use(createFiles(name, document));
  router.use(swaggerPolicy, ...swaggerUi.serveFiles(undefined, ui));
  const page = router.route('/');
  page.get(swaggerUi.setup(undefined, ui));
  page.all(allowOnly('GET, HEAD'));
  return router;
}
