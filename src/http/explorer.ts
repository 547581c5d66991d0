import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Config } from '../config.js';
import { allowOnly } from './methods.js';
import type { DocumentLimits, ModuleAbout } from './openapi.js';

/** Compiled for the browser, also where this file is not compiled itself. */
const compiled = new URL('../../dist/', import.meta.url);
const toPath = (name: string) => fileURLToPath(new URL(name, compiled));

type Shown = ModuleAbout & { readonly limits: DocumentLimits };

/** What the one module of a service without a file is tried out with: parcels around Chartres, in the demo as in France. */
const defaultName = 'wfs-geoportail';
const defaultExample = {
  source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
  position: [1.4886, 48.4476],
} as const satisfies ModuleAbout['example'];

/** A plot of some 170 m by 110 m, askew as projects are; degrees from its middle. */
const plot = [
  [-0.0012, -0.0003],
  [0.0007, -0.0006],
  [0.0012, 0.0003],
  [-0.0006, 0.0006],
  [-0.0012, -0.0003],
] as const;

const move = (degrees: number, by: number) => Math.round((degrees + by) * 1e6) / 1e6;

function toExample({ name, example }: ModuleAbout) {
  const { source, position } = example ?? (name === defaultName ? defaultExample : {});
  if (source === undefined) return undefined;
  if (position === undefined) return { source };
  const [lon, lat] = position;
  const ring = plot.map(([x, y]) => [move(lon, x), move(lat, y)]);
  return { source, geom: { type: 'Polygon', coordinates: [ring] } };
}

function toSettings(modules: readonly Shown[], { explorerTiles }: Pick<Config, 'explorerTiles'>) {
  return {
    modules: modules.map((module) => {
      const { name, title, limits } = module;
      return { name, title, limitMax: limits.limitMax, example: toExample(module) };
    }),
    tiles: explorerTiles,
  };
}

/** `{s}` is a label of the host: any of them. */
function toTilesOrigin({ url }: NonNullable<Config['explorerTiles']>): string {
  const { protocol, host } = new URL(url.replace('{s}.', ''));
  return `${protocol}//${url.includes('{s}.') ? '*.' : ''}${host}`;
}

/** Nothing inline, nothing from another host but the tiles. */
function createPolicy({ explorerTiles }: Pick<Config, 'explorerTiles'>): RequestHandler {
  const tiles = explorerTiles === undefined ? [] : [toTilesOrigin(explorerTiles)];
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      imgSrc: ["'self'", ...tiles],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
}

/** Files change with the version only, and keep their names: asked for again each time, sent once. */
const revalidated: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-cache');
  next();
};

/** `GET /`: the explorer for who reads HTML, the list of modules for who asks for JSON; and what the page loads. */
export function createExplorer(modules: readonly Shown[], config: Pick<Config, 'explorerTiles'>): Router {
  const router = Router();
  const policy = createPolicy(config);
  const settings = toSettings(modules, config);
  const page = router.route('/');
  page.get(policy, revalidated, (req, res) => {
    res.vary('Accept');
    if (req.accepts(['html', 'json']) === 'json') res.redirect(303, 'api');
    else res.sendFile('index.html', { root: toPath('explorer/'), etag: true, cacheControl: false });
  });
  page.all(allowOnly('GET, HEAD'));
  const route = router.route('/assets/settings.json');
  route.get((_req, res) => res.json(settings));
  route.all(allowOnly('GET, HEAD'));
  for (const name of ['explorer', 'client']) {
    const files = express.static(toPath(name), { index: false, cacheControl: false, redirect: false });
    router.use(`/assets/${name}`, policy, revalidated, files);
  }
  return router;
}
