import { type Request, Router } from 'express';
import type { Config } from '../config.js';
import { checkKeysOnly } from '../query/index.js';
import { type LinkedModule, toModuleLinks } from './catalogue.js';
import { toBaseUrl } from './links.js';
import { allowOnly } from './methods.js';
import type { ModuleAbout } from './openapi.js';
import { readParameters } from './parameters.js';

type ListedModule = ModuleAbout & LinkedModule;

/** `GET /api`: the modules there are, asked of no upstream. */
export function createListing(modules: readonly ListedModule[], config: Pick<Config, 'publicUrl'>): Router {
  const router = Router();
  const toModule = ({ name, docPage, title, description }: ListedModule, api: string) => ({
    name,
    title,
    ...(description === undefined ? {} : { description }),
    links: toModuleLinks(api, { name, docPage }),
  });
  const route = router.route('/api');
  route.get((req: Request, res) => {
    checkKeysOnly(readParameters(req));
    const api = `${toBaseUrl(req, config)}/api`;
    res.json({
      modules: modules.map((module) => toModule(module, api)),
      links: [
        { rel: 'self', type: 'application/json', href: api },
        { rel: 'service-doc', type: 'text/html', href: `${api}/doc/` },
      ],
    });
  });
  route.all(allowOnly('GET, HEAD'));
  return router;
}
