import { type Request, type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import swaggerUi, { type SwaggerUiOptions } from 'swagger-ui-express';
import { stringify } from 'yaml';
import { type Language, languages } from '../errors.js';
import { toLanguage } from './language.js';
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

/** By `lang` in the address, for who links to it, else as the reader reads best. */
function toReader(req: Request, res: Response): Language {
  const asked = new URLSearchParams(req.originalUrl.split('?')[1]).get('lang');
  res.vary('Accept-Language');
  return languages.find((language) => language === asked) ?? toLanguage(req.headers['accept-language']);
}

/** The document as YAML and JSON, each made once it is asked for: with many modules YAML would hold up the start. */
function createFiles({ name, toDocument }: Documented): Router {
  const router = Router();
  const files = [
    { path: `/${name}.yml`, type: 'application/yaml', write: stringify },
    { path: `/${name}.json`, type: 'application/json', write: JSON.stringify },
  ];
  for (const { path, type, write } of files) {
    const bodies = new Map<Language, Buffer>();
    const route = router.route(path);
    route.get((req, res) => {
      const language = toReader(req, res);
      const body = bodies.get(language) ?? Buffer.from(write(toDocument(language)));
      bodies.set(language, body);
      res.set('Content-Language', language).type(type).send(body);
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
    swaggerOptions: {
      urls,
      deepLinking: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      requestSnippetsEnabled: true,
      defaultModelsExpandDepth: 0,
      // a key stays on the page
      persistAuthorization: false,
    },
  };
  router.use(addSlash, swaggerPolicy, ...swaggerUi.serveFiles(undefined, ui));
  const page = router.route('/');
  page.get(swaggerUi.setup(undefined, ui));
  page.all(allowOnly('GET, HEAD'));
  return router;
}

type Documented = Pick<ModuleAbout, 'name' | 'title'> & {
  readonly toDocument: (language: Language) => OpenApiDocument;
};

/** `/api/doc/`: Swagger UI over all modules, a page for each, and the OpenAPI documents they show. */
export function createDocs(modules: readonly Documented[]): Router {
  const router = Router();
  router.use(hideOthers, cacheable);
  for (const module of modules) {
    const { name, title } = module;
    router.use(createFiles(module));
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
