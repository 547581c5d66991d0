import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import {
  createApp,
  createHttpServer,
  type HttpConfig,
  type HttpServerOptions,
  type Module,
  stop,
} from '../../src/http/index.js';
import type { Metrics } from '../../src/metrics/index.js';
import type { Answer, FeatureBatch, FeatureSource, PageEnd, SourceList } from '../../src/query/index.js';

export const feature = (id: number, properties: object = { nom: 'Évreux' }) => ({
  type: 'Feature',
  id: `parcelle.${id}`,
  geometry: { type: 'Point', coordinates: [1.49, 48.45] },
  properties,
});

/** Features as a source gives them: one `,` between two, and where each ends. */
export function toBatch(...features: object[]): FeatureBatch {
  const texts = features.map((one) => Buffer.from(JSON.stringify(one)));
  const ends: number[] = [];
  for (const text of texts) ends.push((ends.at(-1) ?? -1) + 1 + text.length);
  const bytes = Buffer.concat(texts.flatMap((text, i) => (i === 0 ? [text] : [Buffer.from(','), text])));
  return { bytes, ends };
}

export async function* generate(batches: readonly FeatureBatch[], end: PageEnd): Answer['features'] {
  for (const batch of batches) yield batch;
  return end;
}

const catalogue: SourceList = { keywords: [], sources: [] };

/** A source that remembers what it was asked, and answers as the test says. */
export function fakeSource(parts: Partial<FeatureSource> = {}) {
  const asked: Parameters<FeatureSource['search']>[] = [];
  const source: FeatureSource = {
    list: async () => catalogue,
    describe: async () => {
      throw new Error('not asked for');
    },
    search: async () => ({
      isPrivate: false,
      features: generate([toBatch(feature(1))], { numberReturned: 1, numberMatched: 1 }),
    }),
    explain: async () => {
      throw new Error('not asked for');
    },
    status: () => ({ isReady: true, detail: {} }),
    ...parts,
  };
  const search: FeatureSource['search'] = (query, caller) => {
    asked.push([query, caller]);
    return (parts.search ?? source.search)(query, caller);
  };
  return { asked, ...source, search };
}

export type Config = HttpConfig & Module['limits'];
/** Of the server and the parts, where a test wants others than the usual. */
export interface Around {
  readonly server?: HttpServerOptions;
  readonly metrics?: Metrics;
  readonly ending?: AbortSignal;
}
const limits: Module['limits'] = { limitMax: 5000, geomMaxVertices: 50_000, bodyLimit: 1_048_576 };

/** A module as it stands without a modules file, or otherwise as the test says. */
export function toModule(
  parts: Partial<Omit<Module, 'limits'>> & { limits?: Partial<Module['limits']> },
): Module {
  const { limits: own, ...others } = parts;
  return {
    name: 'wfs-geoportail',
    title: 'API Carto WFS-Géoportail',
    source: fakeSource(),
    ...others,
    limits: { ...limits, ...own },
  };
}

export interface Service {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** What was logged, a line each. */
  readonly log: Record<string, unknown>[];
  readonly logText: () => string;
  stopping: boolean;
  close(): Promise<void>;
}

export const searchPath = '/api/wfs-geoportail/search';

/** What an app is connected to: the one service that uses it now. */
interface Connected {
  source: FeatureSource;
  isStopping: () => boolean;
  log: (line: string) => void;
}
interface PooledApp {
  readonly app: ReturnType<typeof createApp>;
  readonly connected: Connected;
}

/** Apps of one module that no service uses now, by settings: compiling the validator of one takes a tenth of a second. */
const pool = new Map<string, PooledApp[]>();

function createConnectedApp(
  modules: readonly Module[],
  settings: Partial<HttpConfig>,
  connected: Connected,
  around: Around = {},
) {
  const logger = pino({ level: 'debug' }, { write: (line: string) => connected.log(line) });
  const { metrics, ending } = around;
  const parts = {
    logger,
    isStopping: () => connected.isStopping(),
    ...(metrics && { metrics }),
    ...(ending && { ending }),
  };
  return createApp({ trustProxy: false, ...settings }, modules, parts);
}

function createPooledApp(settings: Partial<Config>, connected: Connected): PooledApp {
  const source: FeatureSource = {
    list: (...args) => connected.source.list(...args),
    describe: (...args) => connected.source.describe(...args),
    search: (...args) => connected.source.search(...args),
    explain: (...args) => connected.source.explain(...args),
    status: () => connected.source.status(),
  };
  return {
    app: createConnectedApp([toModule({ source, limits: settings })], settings, connected),
    connected,
  };
}

/** One module over the source. */
export async function startService(source: FeatureSource, settings: Partial<Config> = {}): Promise<Service> {
  const key = JSON.stringify(settings);
  const idle = pool.get(key) ?? [];
  pool.set(key, idle);
  return listen(
    source,
    (connected) => {
      const pooled = idle.pop() ?? createPooledApp(settings, { ...connected });
      Object.assign(pooled.connected, connected);
      return pooled;
    },
    (pooled) => idle.push(pooled),
  );
}

export async function startModules(
  modules: readonly Module[],
  settings: Partial<HttpConfig> = {},
  around: Around = {},
): Promise<Service> {
  return listen(
    fakeSource(),
    (connected) => ({ app: createConnectedApp(modules, settings, connected, around), connected }),
    () => {},
    around.server,
  );
}

async function listen(
  source: FeatureSource,
  toApp: (connected: Connected) => PooledApp,
  giveBack: (app: PooledApp) => void,
  options: HttpServerOptions = {},
): Promise<Service> {
  const lines: string[] = [];
  const pooled = toApp({
    source,
    isStopping: () => service.stopping,
    log: (line) => void lines.push(line),
  });
  let isUsed = true;
  const server = createHttpServer(pooled.app, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const service: Service = {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    stopping: false,
    get log() {
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    logText: () => lines.join(''),
    async close() {
      await stop(server, 0);
      await nextTurn(); // what the last requests still have to log belongs to this service
      if (isUsed) giveBack(pooled);
      isUsed = false;
    },
  };
  return service;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  readonly json: any;
}

/** All of an answer that must not differ from the next, whichever way each went. */
export function toLasting({ status, headers, text }: Reply) {
  const { date: _, 'x-request-id': id, ...others } = headers;
  const body = text.replace(/"timeStamp":"[^"]+"/, '');
  return { status, others, text: body.replaceAll(`urn:uuid:${id}`, 'urn:uuid:') };
}

/** One request over node:http, which sends paths and bodies as they are given. */
export function send(
  service: Service,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Reply> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const req = http.request(
      { host: '127.0.0.1', port: service.port, path, method, headers, agent: false },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const isPacked = res.headers['content-encoding'] === 'gzip';
          const text = (isPacked ? gunzipSync(bytes) : bytes).toString();
          const isJson = /json$/.test(String(res.headers['content-type']).split(';')[0] ?? '');
          const isPlain = isPacked || res.headers['content-encoding'] === undefined;
          const json = isJson && isPlain && text !== '' ? JSON.parse(text) : undefined;
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json });
        });
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

export const postJson = (service: Service, body: unknown, path = searchPath) =>
  send(service, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

export const postForm = (service: Service, body: string, path = searchPath) =>
  send(service, path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });

/** A bare socket: what it received, and how it ended. */
export interface RawReply {
  readonly text: string;
  readonly error: string | undefined;
}

export function connectRaw(service: Service): Socket {
  return connect(service.port, '127.0.0.1');
}

export function readRaw(socket: Socket): Promise<RawReply> {
  const chunks: Buffer[] = [];
  let error: string | undefined;
  return new Promise((resolve) => {
    socket.on('data', (chunk) => void chunks.push(chunk));
    socket.on('error', (fault: NodeJS.ErrnoException) => {
      error = fault.code;
    });
    socket.on('close', () => resolve({ text: Buffer.concat(chunks).toString('latin1'), error }));
  });
}

/** Polls until it holds; a test that waits for what never comes says so. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}
