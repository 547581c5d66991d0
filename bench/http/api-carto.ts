// API Carto's search of any layer (IGNF/apicarto v2.10, `/api/wfs-geoportail/search`), rebuilt of the libraries it is made of
// and in its order: every request is logged, its parameters are checked, its geometry becomes CQL, and the GeoJSON that comes
// is parsed, given a property a feature, and written again. What it remembers of a layer is there from the start, and of its
// logger, which is not public, there is a line an answer. PORT=... UPSTREAM=... node api-carto.js
import axios from 'axios';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { loadPeer } from '../convert/load-peer.js';

type Parameters = Record<string, unknown>;

interface Collection {
  readonly features: { readonly properties: Parameters }[];
}

interface Chain extends RequestHandler {
  exists(): Chain;
  optional(): Chain;
  isNumeric(): Chain;
  custom(check: (value: unknown) => boolean): Chain;
}

interface Validator {
  check(name: string): Chain;
  matchedData(request: Request): Parameters;
  validationResult(request: Request): { isEmpty(): boolean; array(): unknown[] };
}

interface Logger {
  info(fields: Parameters): void;
}

const { UPSTREAM = '', PORT } = process.env;

const { default: cors } = await loadPeer<{ default(options?: unknown): RequestHandler }>('cors');
const { default: validator } = await loadPeer<{ default: Validator }>('express-validator');
const { default: hints } = await loadPeer<{
  default: { hint(geojson: unknown, options: Parameters): { readonly message: string }[] };
}>('@mapbox/geojsonhint');
const { default: flip } = await loadPeer<{ default(geometry: unknown): unknown }>('@turf/flip');
const { geojsonToWKT } = await loadPeer<{ geojsonToWKT(geometry: unknown): string }>('@terraformer/wkt');
const { default: lodash } = await loadPeer<{ default: { omit(from: Parameters, name: string): Parameters } }>(
  'lodash',
);
const { default: bunyan } = await loadPeer<{ default: { createLogger(options: Parameters): Logger } }>(
  'bunyan',
);
const { default: Cache } = await loadPeer<{
  default: new () => { get(key: string): unknown; set(key: string, value: unknown): void };
}>('node-cache');

const { check, matchedData, validationResult } = validator;
const client = axios.create({ proxy: false });
const log = bunyan.createLogger({ name: 'apicarto' });
const known = new Cache();

function logRequest(request: Request, response: Response, next: NextFunction): void {
  const begun = Date.now();
  const { method, originalUrl: url, ip, headers } = request;
  response.on('finish', () =>
    log.info({
      method,
      url,
      ip,
      referer: headers.referer,
      userAgent: headers['user-agent'],
      status: response.statusCode,
      ms: Date.now() - begun,
    }),
  );
  next();
}

function isGeometry(value: unknown): boolean {
  const geometry = typeof value === 'string' ? JSON.parse(value) : value;
  const errors = hints
    .hint(geometry, { precisionWarning: false })
    .filter(({ message }) => !message.includes('right-hand rule'));
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join());
  return true;
}

function toCql(parameters: Parameters, geometryName: string): string | null {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith('_')) continue;
    if (name === 'geom') {
      const geometry = typeof value === 'string' ? JSON.parse(value) : value;
      parts.push(`INTERSECTS(${geometryName},${geojsonToWKT(flip(geometry))})`);
    } else {
      parts.push(`${name}='${value}'`);
    }
  }
  return parts.length > 0 ? parts.join(' and ') : null;
}

async function getFeatures(typeName: string, parameters: Parameters, headers: Record<string, string>) {
  const [geometryName] = known.get(typeName) as [string];
  const cql = toCql(parameters, geometryName);
  const { data } = await client.post<Collection>(
    `${UPSTREAM}/geojson`,
    cql === null ? '' : `cql_filter=${encodeURI(cql)}`,
    {
      params: {
        service: 'WFS',
        version: '2.0.0',
        request: 'GetFeature',
        typename: typeName,
        outputFormat: 'application/json',
        srsName: 'CRS:84',
        count: parameters._limit,
        startIndex: parameters._start,
      },
      headers: { ...headers, Accept: 'application/json' },
      responseType: 'text',
      maxContentLength: Number.POSITIVE_INFINITY,
      transformResponse: (text: string) => JSON.parse(text),
    },
  );
  return data;
}

function search(request: Request, response: Response): void {
  const { source, ...found } = matchedData(request) as { source: string };
  const parameters = lodash.omit({ _start: 0, _limit: 1000, ...found }, 'source');
  if (known.get(source) === undefined) known.set(source, ['geom', 'urn:ogc:def:crs:EPSG::4326']);
  const headers = { 'User-Agent': 'apicarto', Referer: request.headers.referer ?? 'http://localhost' };
  getFeatures(source, parameters, headers)
    .then((collection) => {
      for (const { properties } of collection.features) {
        if (!properties.code_insee)
          properties.code_insee = `${properties.code_dep ?? ''}${properties.code_com ?? ''}`;
      }
      return collection;
    })
    .then((collection) => response.json(collection))
    .catch((error: unknown) => response.status(500).json(error));
}

express()
  .get('/health/live', (_, response) => void response.end())
  .use(express.json(), cors(), (_, response, next) => {
    response.header('Cache-Control', 'private, no-cache, no-store, must-revalidate');
    response.header('Expires', '-1');
    response.header('Pragma', 'no-cache');
    next();
  })
  .use(logRequest)
  .get(
    '/api/wfs-geoportail/search',
    cors({ origin: '*', methods: 'GET,POST', credentials: true }),
    check('source').exists(),
    check('geom').optional().custom(isGeometry),
    check('_limit').optional().isNumeric(),
    check('_start').optional().isNumeric(),
    (request, response, next) => {
      const errors = validationResult(request);
      if (errors.isEmpty()) return next();
      response.status(400).json({ code: 400, message: errors.array() });
    },
    search,
  )
  .listen(Number(PORT), '127.0.0.1');
