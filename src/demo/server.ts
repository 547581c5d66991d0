import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { encodeCapabilities, OUTPUT_FORMAT } from './capabilities.js';
import { encodeExceptionReport, OwsException } from './exception.js';
import { createDemoLayers, type Layer, type LayerFeature } from './layers/index.js';
import { readKvpRequest } from './read-kvp.js';
import { readXmlRequest } from './read-post.js';
import type { GetFeature, Query, WfsRequest } from './request.js';
import { encodeSchema } from './schema.js';
import { select } from './select.js';
import type { AxisOrderRule } from './srs.js';
import { createFeatureEncoder, encodeCollectionStart } from './write-gml.js';

/** What the server can be made to do without, as real servers do. */
export type Ability =
  /** Filter operators: a filter that uses one is refused, and the capabilities do not list it. */
  | 'Intersects'
  | 'Disjoint'
  | 'BBOX'
  | 'DWithin'
  | 'Beyond'
  | 'PropertyIsLike'
  | 'PropertyIsBetween'
  /** These parameters are ignored, as Opendatasoft ignores what it does not know. */
  | 'filter'
  | 'sortBy'
  | 'propertyName'
  | 'startIndex'
  /** Answers come in the layer's own CRS whatever is asked for, and filters in another are refused. */
  | 'reprojection'
  /** Answers in a CRS that the layer is not offered in are refused, as MapServer does. */
  | 'unlistedSrs'
  /** Capabilities name the layer's own CRS alone, though answers come in others too, as GeoServer's do. */
  | 'srsList'
  /** Geometries of filters in these forms find nothing, as on QGIS Server with gml:pos and gml:MultiSurface. */
  | 'posList'
  | 'multiGeometry'
  /** Every sort is refused, as MapServer does over FlatGeobuf and shapefiles. */
  | 'sorting'
  /** `resultType=hits` is refused. */
  | 'hits'
  /** startIndex without sortBy is refused, as GeoServer does on a table without a primary key. */
  | 'primaryKey'
  /** POST is answered 405. */
  | 'post'
  /** Answers are never compressed. */
  | 'gzip';

/** A request as it came. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface DemoServerOptions {
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Absent: the sample layers. */
  readonly layers?: readonly Layer[];
  /** How geometries are read (`in`) and written (`out`); `standard`, the default, is what GeoServer does. */
  readonly axisOrder?: { readonly in?: AxisOrderRule; readonly out?: AxisOrderRule };
  /** Milliseconds before a `hits` answer: counting is what makes real servers slow. */
  readonly countDelay?: number;
  /** The most features in an answer, whatever maxFeatures says, and nothing tells of it. */
  readonly maxFeaturesCap?: number;
  readonly lacks?: ReadonlySet<Ability>;
  readonly onRequest?: (request: RecordedRequest) => void;
}

export interface DemoServer {
  /** Where the service answers, without a query: `http://127.0.0.1:PORT/wfs`. */
  readonly url: string;
  /** Ends every connection; a second time it does nothing. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const CHUNK_CHARACTERS = 64 * 1024;

interface Context {
  readonly url: string;
  readonly layers: readonly Layer[];
  readonly axisOrder: { readonly in: AxisOrderRule; readonly out: AxisOrderRule };
  readonly countDelay: number;
  readonly maxFeaturesCap: number;
  readonly lacks: ReadonlySet<string>;
  readonly onRequest: ((request: RecordedRequest) => void) | undefined;
}

/** Starts a WFS 1.1.0 server (OGC 04-094) on 127.0.0.1 that behaves like GeoServer's. */
export async function createDemoServer(options: DemoServerOptions = {}): Promise<DemoServer> {
  const layers = options.layers ?? createDemoLayers();
  const server = createServer();
  // A client in the same process may keep the event loop longer than Node's 5 s, and would find its connection closed.
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/wfs`;
  const context: Context = {
    url,
    layers,
    axisOrder: { in: options.axisOrder?.in ?? 'standard', out: options.axisOrder?.out ?? 'standard' },
    countDelay: options.countDelay ?? 0,
    maxFeaturesCap: options.maxFeaturesCap ?? Number.POSITIVE_INFINITY,
    lacks: options.lacks ?? new Set(),
    onRequest: options.onRequest,
  };
  server.on('request', (request, response) => void answer(request, response, context));
  const closed = once(server, 'close');
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url, close };
}

/** An answer that is not the business of WFS: an HTTP status and a line of text. */
class HttpFault extends Error {
  constructor(
    readonly status: number,
    text: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(text);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const abort = new AbortController();
  response.on('close', () => abort.abort());
  try {
    const asked = await readRequest(request, context);
    const { type, chunks } = await toAnswer(asked, context, abort.signal);
    await send(request, response, type, chunks, context);
  } catch (error) {
    if (response.headersSent || abort.signal.aborted) response.destroy();
    else sendFault(response, error);
  }
}

function sendFault(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpFault) {
    response.writeHead(error.status, { 'Content-Type': 'text/plain; charset=UTF-8', ...error.headers });
    response.end(`${error.message}\n`);
    return;
  }
  const exception =
    error instanceof OwsException ? error : new OwsException('NoApplicableCode', String(error));
  // GeoServer answers exceptions of WFS 1.1.0 with status 200.
  response.writeHead(200, { 'Content-Type': 'application/xml' });
  response.end(encodeExceptionReport(exception));
}

async function readRequest(request: IncomingMessage, context: Context): Promise<WfsRequest> {
  const { method = 'GET', url = '/' } = request;
  const body = await readBody(request);
  context.onRequest?.({ method, url, headers: request.headers, body });
  const { pathname, searchParams } = new URL(url, context.url);
  if (pathname !== '/wfs' && pathname !== '/wfs/') throw new HttpFault(404, 'Not Found');
  const methods = context.lacks.has('post') ? ['GET', 'HEAD'] : ['GET', 'HEAD', 'POST'];
  if (!methods.includes(method))
    throw new HttpFault(405, 'Method Not Allowed', { Allow: methods.join(', ') });
  if (method !== 'POST') return readKvpRequest(searchParams, context);
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded')
    return readKvpRequest(new URLSearchParams([...searchParams, ...new URLSearchParams(body)]), context);
  return body.trim() === '' ? readKvpRequest(searchParams, context) : readXmlRequest(body, context);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new HttpFault(413, 'Payload Too Large', { Connection: 'close' });
    chunks.push(chunk);
  }
  return toText(Buffer.concat(chunks));
}

/** XML says its own encoding (XML 1.0 §4.3.3); without a word it is UTF-8. */
function toText(body: Buffer): string {
  const encoding = /^<\?xml[^>]*\sencoding=["']([\w.-]+)["']/.exec(
    body.subarray(0, 200).toString('latin1'),
  )?.[1];
  try {
    return new TextDecoder(encoding ?? 'utf-8', { fatal: true }).decode(body);
  } catch {
    throw new OwsException('NoApplicableCode', `The request is not in its encoding ${encoding ?? 'UTF-8'}`);
  }
}

interface Answer {
  readonly type: string;
  readonly chunks: Iterable<string>;
}

async function toAnswer(request: WfsRequest, context: Context, signal: AbortSignal): Promise<Answer> {
  switch (request.operation) {
    case 'GetCapabilities':
      return { type: 'application/xml', chunks: [encodeCapabilities(request.sections, context)] };
    case 'DescribeFeatureType':
      return { type: OUTPUT_FORMAT, chunks: [encodeSchema(request.layers, context.url)] };
    case 'GetFeature':
      return { type: OUTPUT_FORMAT, chunks: await toCollection(request, context, signal) };
  }
}

interface Result {
  readonly query: Query;
  readonly features: readonly LayerFeature[];
}

/** maxFeatures and startIndex hold for all queries together (WFS 1.1.0 §9.2). */
async function toResults(request: GetFeature, context: Context, signal: AbortSignal): Promise<Result[]> {
  let skip = request.startIndex ?? 0;
  let left = Math.min(request.maxFeatures, context.maxFeaturesCap);
  const results: Result[] = [];
  for (const query of request.queries) {
    const found = await select(query, skip + left, signal);
    const features = found.slice(skip, skip + left);
    results.push({ query, features });
    skip = Math.max(0, skip - found.length);
    left -= features.length;
  }
  return results;
}

async function toCollection(
  request: GetFeature,
  context: Context,
  signal: AbortSignal,
): Promise<Iterable<string>> {
  if (request.isHits && context.countDelay > 0) await setTimeout(context.countDelay, undefined, { signal });
  const results = await toResults(request, context, signal);
  const count = results.reduce((sum, { features }) => sum + features.length, 0);
  const layers = results.map(({ query }) => query.layer);
  const start = `<?xml version="1.0" encoding="UTF-8"?>\n${encodeCollectionStart(layers, count, context.url)}`;
  return request.isHits ? [`${start}</wfs:FeatureCollection>`] : writeCollection(start, results);
}

/** The collection in chunks: all features in one gml:featureMembers. */
function* writeCollection(start: string, results: readonly Result[]): Generator<string> {
  let text = `${start}<gml:featureMembers>`;
  for (const { query, features } of results) {
    const encode = createFeatureEncoder(query);
    for (const feature of features) {
      text += encode(feature);
      if (text.length < CHUNK_CHARACTERS) continue;
      yield text;
      text = '';
    }
  }
  yield `${text}</gml:featureMembers></wfs:FeatureCollection>`;
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  type: string,
  chunks: Iterable<string>,
  { lacks }: Context,
): Promise<void> {
  const isGzip = !lacks.has('gzip') && isGzipAccepted(request.headers['accept-encoding']?.toString() ?? '');
  response.setHeader('Content-Type', type);
  response.setHeader('Vary', 'Accept-Encoding');
  if (isGzip) response.setHeader('Content-Encoding', 'gzip');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // pipeline waits for the reader, and ends the generator when the client leaves.
  const source = Readable.from(toBytes(chunks), { objectMode: false });
  await (isGzip ? pipeline(source, createGzip(), response) : pipeline(source, response));
}

function* toBytes(chunks: Iterable<string>): Generator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk, 'utf8');
}

const isGzipAccepted = (header: string) => /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(header);
