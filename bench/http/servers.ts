import { join } from 'node:path';
import { type ServerProcess, startServer, toModule } from '../measure/process.js';
import { paths } from '../paths.js';
import { MET_AT, type Question, SOURCE } from './questions.js';

/** What stands between the upstream and its users. */
export interface Contender {
  readonly name: 'service' | 'pipe' | 'express-axios' | 'parse-and-send';
  readonly title: string;
  /** Starts it in front of the upstream. */
  start(upstream: string): Promise<ServerProcess>;
  /** Path and query of a question. @param blockFeatures features of a block */
  toPath(question: Question, blockFeatures: number): string;
}

const SEARCH = '/api/wfs-geoportail/search';

/** Logging off, since no other logs; bounds out of the way of the largest answers. */
const SERVICE_ENV = {
  HOST: '127.0.0.1',
  LOG_LEVEL: 'warn',
  LIMIT_MAX: '100000000',
  WFS_MAX_RESPONSE_BYTES: '100000000000',
  WFS_APIKEY_IN: 'none',
  WFS_RATE_LIMIT: '10000',
  WFS_MAX_CONCURRENCY: '1000',
  CACHE_TTL_S: '0', // what is measured is asked anew
};

const toWest = (features: number) => Object.keys(MET_AT).find((west) => MET_AT[west] === features) ?? '0';

export const service: Contender = {
  name: 'service',
  title: '**carto-wfs**, GML to GeoJSON',
  start: (upstream) =>
    startServer([join(paths.dist, 'main.js')], { ...SERVICE_ENV, WFS_URL: `${upstream}/wfs` }),
  toPath(question, blockFeatures) {
    if ('blocks' in question) return `${SEARCH}?source=${SOURCE}&_limit=${question.blocks * blockFeatures}`;
    // Two points, so that all features lie in their box: the service refuses those that cannot be meant.
    const corners = [
      [Number(toWest(question.features)), 40],
      [11, 52],
    ];
    const geom = { type: 'MultiPoint', coordinates: corners };
    return `${SEARCH}?source=${SOURCE}&geom=${encodeURIComponent(JSON.stringify(geom))}`;
  },
};

const toProxy = (name: Contender['name'], title: string, format: 'gml' | 'geojson'): Contender => ({
  name,
  title,
  start: (upstream) => startServer([toModule(`http/${name}`)], { UPSTREAM: upstream }),
  toPath: (question) =>
    'blocks' in question
      ? `/${format}?blocks=${question.blocks}`
      : `/${format}?features=${question.features}`,
});

export const pipe = toProxy('pipe', 'plain Node pipe of the GML', 'gml');

export const contenders: readonly Contender[] = [
  pipe,
  service,
  toProxy('express-axios', 'Express and axios, streaming the GML', 'gml'),
  toProxy('parse-and-send', 'API Carto’s way: GeoJSON parsed, sent by `res.json`', 'geojson'),
];

export const startUpstream = (): Promise<ServerProcess> => startServer([toModule('http/upstream')]);

/** Features of a block, as the upstream says it. */
export async function readBlockFeatures(upstream: string): Promise<number> {
  return Number(await (await fetch(`${upstream}/health/live`)).text());
}
