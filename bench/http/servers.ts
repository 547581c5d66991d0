import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerProcess, startServer, toModule } from '../measure/process.js';
import { paths } from '../paths.js';
import { MET_AT, type Question, SOURCE } from './questions.js';

/** What stands between the upstream and its users. */
export interface Contender {
  readonly name: 'service' | 'pipe' | 'express-axios' | 'parse-and-send' | 'api-carto';
  readonly title: string;
  /** Starts it in front of the upstream. */
  start(upstream: string): Promise<ServerProcess>;
  /** Path and query of a question. @param blockFeatures features of a block */
  toPath(question: Question, blockFeatures: number): string;
}

const SEARCH = '/api/wfs-geoportail/search';

/** As `npm start` runs it. */
const { scripts } = JSON.parse(readFileSync(join(paths.root, 'package.json'), 'utf8')) as {
  scripts: { start: string };
};
const FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));

/** Bounds out of the way of the largest answers, and of what a server on the Internet is spared. */
const SERVICE_ENV = {
  HOST: '127.0.0.1',
  LIMIT_MAX: '100000000',
  WFS_MAX_RESPONSE_BYTES: '100000000000',
  WFS_APIKEY_IN: 'none',
  WFS_RATE_LIMIT: '10000',
  WFS_MAX_CONCURRENCY: '1000',
};

const toWest = (features: number) => Object.keys(MET_AT).find((west) => MET_AT[west] === features) ?? '0';

/** A search, as a map asks for it: of a rectangle, drawn as a polygon; or of the whole layer. */
function toSearch(question: Question, blockFeatures: number): string {
  if ('blocks' in question) return `${SEARCH}?source=${SOURCE}&_limit=${question.blocks * blockFeatures}`;
  const west = toWest(question.features);
  const north = (48.6 + question.variant * 1e-7).toFixed(7);
  const ring = `[[${west},48.3],[1.6,48.3],[1.6,${north}],[${west},${north}],[${west},48.3]]`;
  return `${SEARCH}?source=${SOURCE}&geom={%22type%22:%22Polygon%22,%22coordinates%22:[${ring}]}&_limit=5000`;
}

/** Its log goes where nobody reads it. */
export const startService = (upstream: string, env: Readonly<Record<string, string>>) =>
  startServer(
    [...FLAGS, join(paths.dist, 'main.js')],
    { ...SERVICE_ENV, ...env, WFS_URL: `${upstream}/wfs` },
    'ignore',
  );

export const service: Contender = {
  name: 'service',
  title: '**carto-wfs**, GML to GeoJSON',
  start: (upstream) => startService(upstream, { CACHE_TTL_S: '0', LOG_LEVEL: 'warn' }),
  toPath: (question, blockFeatures) => `${toSearch(question, blockFeatures)}&_count=false`,
};

const toProxy = (name: Contender['name'], title: string, format: 'gml' | 'geojson'): Contender => ({
  name,
  title,
  start: (upstream) => startServer([toModule(`http/${name}`)], { UPSTREAM: upstream }),
  toPath: (question) =>
    'blocks' in question
      ? `/${format}?blocks=${question.blocks}`
      : `/${format}?features=${question.features}&variant=${question.variant}`,
});

export const pipe = toProxy('pipe', 'plain Node pipe of the GML', 'gml');

export const contenders: readonly Contender[] = [
  pipe,
  service,
  toProxy('express-axios', 'Express and axios, streaming the GML', 'gml'),
  toProxy('parse-and-send', 'Express and axios, GeoJSON parsed and sent by `res.json`', 'geojson'),
];

/** Of the packages of `bench/peers`, what API Carto is made of; the others read GML. */
export const apiCartoPackages: ReadonlySet<string> = new Set([
  '@mapbox/geojsonhint',
  '@terraformer/wkt',
  '@turf/flip',
  'bunyan',
  'cors',
  'express-validator',
  'lodash',
  'node-cache',
]);

/** Its own code path, of its libraries. Its log goes where nobody reads it. */
export const apiCarto: Contender = {
  name: 'api-carto',
  title: 'API Carto: checked, asked in CQL, parsed, sent by `res.json`',
  start: (upstream) => startServer([toModule('http/api-carto')], { UPSTREAM: upstream }, 'ignore'),
  toPath: toSearch,
};

export const startUpstream = (): Promise<ServerProcess> => startServer([toModule('http/upstream')]);

/** Features of a block, as the upstream says it. */
export async function readBlockFeatures(upstream: string): Promise<number> {
  return Number(await (await fetch(`${upstream}/health/live`)).text());
}
