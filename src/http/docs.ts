import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import swaggerUi, { type SwaggerUiOptions } from 'swagger-ui-express';
import { stringify } from 'yaml';
import { allowOnly } from './methods.js';
import type { ModuleAbout, OpenApiDocument } from './openapi.js';

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
  const [path = ''] = req.originalUrl.split('?');
  if (req.path === '/' && !path.endsWith('/')) res.redirect(308, `${path.slice(path.lastIndexOf('/') + 1)}/`);
  else next();
};

/** What comes along with Swagger UI and is not ours to show, its example page among it. */
const hideOthers: RequestHandler = (req, _res, next) =>
  /\/(?:package\.json|index\.html|swagger-initializer\.js|README\.md)$/.test(req.path)
    ? next('router')
    : next();

/** The document as YAML and JSON, each made once it is asked for: with many modules YAML would hold up the start. */
function createFiles(name: string, document: OpenApiDocument): Router {
  const router = Router();
  const files = [
    { path: `/${name}.yml`, type: 'application/yaml', write: () => stringify(document) },
    { path: `/${name}.json`, type: 'application/json', write: () => JSON.stringify(document) },
  ];
  for (const { path, type, write } of files) {
    let body: Buffer | undefined;
    const route = router.route(path);
    route.get((_req, res) => {
      body ??= Buffer.from(write());
      res.type(type).send(body);
    });
    route.all(allowOnly('GET, HEAD'));
  }
  return router;
}

interface Shown {
  /** In the selector, and in the address of the page once it is chosen. */
  readonly name: string;
  /** From the page. */
  readonly url: string;
}

const escapeHtml = (text: string) => text.replace(/[&<>"'$]/g, (char) => `&#${char.charCodeAt(0)};`);

/** Swagger UI over some documents; where there are several, with a selector. */
function createPage(title: string, urls: readonly Shown[]): Router {
  const router = Router();
  const ui: SwaggerUiOptions = {
    customSiteTitle: escapeHtml(title),
    explorer: urls.length > 1,
    swaggerOptions: { urls, deepLinking: true, displayRequestDuration: true },
  };
  router.use(addSlash, swaggerPolicy, ...swaggerUi.serveFiles(undefined, ui));
  const page = router.route('/');
  page.get(swaggerUi.setup(undefined, ui));
  page.all(allowOnly('GET, HEAD'));
  return router;
}

type Documented = Pick<ModuleAbout, 'name' | 'title'> & { readonly document: OpenApiDocument };

/** `/api/doc/`: Swagger UI over all modules, a page for each, and the OpenAPI documents they show. */
export function createDocs(modules: readonly Documented[]): Router {
  const router = Router();
  router.use(hideOthers, cacheable);
  for (const { name, title, document } of modules) {
    router.use(createFiles(name, document));
    router.use(`/${name}`, createPage(title, [{ name, url: `../${name}.json` }]));
  }
  router.use(
    createPage(
      'API documentation',
      modules.map(({ name }) => ({ name, url: `${name}.json` })),
    ),
  );
  return router;
}
