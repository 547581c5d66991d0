// Composition root: the environment becomes the configuration, the configuration the parts, and the parts listen. The
// only reader of process.env.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import {
  type AnswersParts,
  type AnswersSource,
  askRelay,
  createAnswers,
  createShared,
  type KeptPage,
  listenForRelays,
  type Underway,
} from './answers/index.js';
import { createMemoryCache } from './cache/index.js';
import { loadSettings, type ModuleConfig, type Settings } from './config/modules.js';
import { type Config, ConfigError, toProxy } from './config.js';
import { createApp, createHttpServer, type Module, stop } from './http/index.js';
import { createMetrics, type Metrics, type Tracing } from './metrics/index.js';
import { type Account, AccountError, createFileAccount } from './oauth/index.js';
import { createMask } from './query/index.js';
import { connectToPrimaryStore, connectToRedis, type Relays, type Replicas } from './replicas.js';
import { createWfsSource } from './wfs/index.js';
import type { Primary } from './workers/index.js';

const STOP_GRACE_MS = 25_000; // under the 30 s that orchestrators give
/** Who still waits for the upstream by then is answered that the service stops. */
const ANSWER_GRACE_MS = 20_000;

/** Over the embedded WFS when asked for: the service to try out, without any network. */
const isDemo = process.argv.includes('--demo');
/** Loaded where it is asked for alone: it takes 10 MB. */
const loadDemo = () => import('./demo/index.js');
const loadWorkers = () => import('./workers/index.js');
const loadTracing = () => import('./metrics/otlp.js');

async function main(): Promise<void> {
  const demo = isDemo ? await (await loadDemo()).createDemoServer() : undefined;
  const env = demo === undefined ? process.env : toDemoEnvironment(demo.url);
  const settings = loadSettings(env, (path) => readFileSync(path, 'utf8'));
  const isWorkers = demo === undefined && settings.config.workers > 1;
  const { config, modules, unused } = isWorkers ? toWorkerSettings(settings) : settings;
  const logger = createLogger(config, modules);
  if (demo === undefined && unused.length > 0) {
    const variables = unused.join(', ');
    logger.warn({ variables }, 'not used: the upstreams are those of WFS_MODULES_FILE');
  }
  if (isWorkers && (await import('node:cluster')).default.isPrimary)
    return runWorkers(settings.config, logger);
  const metrics = createMetrics({ ofProcess: true });
  const primary = isWorkers ? await (await loadWorkers()).connectToPrimary(metrics.toJson) : undefined;
  const tracing = config.isTraced ? (await loadTracing()).startTracing() : undefined;
  const answers = toAnswersParts(config, metrics);
  const relays = await createRelays(primary?.folder, logger);
  const replicas = await connectToOthers(config, { logger, metrics, relays: relays?.of }, primary);
  const mounted = await Promise.all(
    modules.map((module) => toModule(module, config, { answers, logger, metrics, replicas, tracing })),
  );
  for (const { name, source } of mounted) relays?.sources.set(name, source);
  let isStopping = false;
  const ending = new AbortController();
  const counted = primary === undefined ? metrics : toCountedByAll(metrics, primary);
  const parts = { logger, metrics: counted, tracing, isStopping: () => isStopping, ending: ending.signal };
  const app = createApp(config, mounted, { ...parts, replicas });
  const server = createHttpServer(app, { metrics: metrics.http });
  await listen(server, config);
  const url = toUrl(config, server.address() as AddressInfo);
  logger.info({ url, upstreams: Object.fromEntries(modules.map(toUpstream)) }, 'listening');
  if (demo !== undefined) {
    const { demoExamples } = await loadDemo();
    process.stdout.write(toWelcome(url, modules, demo.url, demoExamples));
  }
  for (const { source } of mounted) source.status(); // looks the upstream up

  const end = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => ending.abort(), ANSWER_GRACE_MS);
    await stop(server, STOP_GRACE_MS);
    for (const { close } of mounted) close();
    await replicas?.close();
    await tracing?.close();
    await demo?.close();
    logger.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** What the primary keeps for its workers: mostly which of them keeps what. */
const PRIMARY_SHARE = 1 / 8;

/** What all workers have together is for each a part of it. */
function toWorkerSettings({ config, modules, unused }: Settings): Settings {
  const { workers } = config;
  const share = config.redisUrls === undefined ? 1 - PRIMARY_SHARE : 1;
  const cacheMaxBytes = Math.floor((config.cacheMaxBytes * share) / workers);
  const toPart = ({ wfsMaxConcurrency, ...module }: ModuleConfig): ModuleConfig => ({
    ...module,
    wfsMaxConcurrency: Math.max(1, Math.floor(wfsMaxConcurrency / workers)),
  });
  return { config: { ...config, cacheMaxBytes }, modules: modules.map(toPart), unused };
}

/** The process tree of WORKERS; this one serves nobody itself. */
async function runWorkers({ workers, cacheMaxBytes }: Config, logger: Logger): Promise<never> {
  const onEvent = (event: string, about: object) => {
    if (event === 'exited') logger.error(about, 'a worker has ended, another is started');
    else logger.info('stopped');
  };
  const { startWorkers } = await loadWorkers();
  process.exit(
    await startWorkers({ count: workers, maxBytes: Math.floor(cacheMaxBytes * PRIMARY_SHARE), onEvent }),
  );
}

async function connectToOthers(
  config: Config,
  parts: { readonly logger: Logger; readonly metrics: Metrics; readonly relays: Relays | undefined },
  primary: Primary | undefined,
): Promise<Replicas | undefined> {
  if (config.redisUrls !== undefined) return connectToRedis(config.redisUrls, config, parts);
  const { metrics, relays } = parts;
  return primary && connectToPrimaryStore({ ...primary, relays }, config, metrics);
}

/**
 * The answers that this worker makes, for the others, and theirs for it; where no socket can be made (a folder whose path
 * is too long), the primary keeps what is shared.
 */
async function createRelays(folder: string | undefined, logger: Logger) {
  if (folder === undefined) return undefined;
  const at = join(folder, `${process.pid}.sock`);
  const sources = new Map<string, AnswersSource>();
  const of: Relays = (name) => ({
    at,
    ask: (other, query, { credentials, signal }, isOldToo) =>
      askRelay(other, { name, query, credentials, isOldToo }, signal),
  });
  const underway: Underway = async ({ name, query, credentials, isOldToo }, signal) =>
    sources.get(name)?.underway(query, credentials, signal, isOldToo);
  try {
    await listenForRelays(at, underway);
    return { of, sources };
  } catch (error) {
    const { message: reason } = error as Error;
    logger.warn(
      { reason },
      'answers are shared through the primary: no socket for other workers can be made',
    );
    return undefined;
  }
}

/** Whichever worker is asked, it tells of all. */
function toCountedByAll(metrics: Metrics, primary: Primary): Metrics {
  return { ...metrics, write: async () => metrics.writeAll(await primary.collectMetrics()) };
}

/**
 * What the operator must see to: an address that cannot be listened on (taken, not of this machine, unknown, or not
 * allowed), a token file that cannot be used.
 */
class StartError extends Error {}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new StartError(`HOST, PORT: cannot listen on ${host}, port ${port} (${code}).`);
  }
}

/** A key shorter than this is a word of its own, and masking it would tear the lines apart. */
const MASKED_KEY_LENGTH = 8;

/** The last line of defence: whatever a line is made of, no key of the service's own stands in it. */
function createLogger({ logLevel }: Config, modules: readonly ModuleConfig[]): Logger {
  const keys = modules.flatMap(({ wfsApikey = '', oauth }) => [wfsApikey, oauth?.clientSecret ?? '']);
  const mask = createMask(keys.filter((key) => key.length >= MASKED_KEY_LENGTH));
  return pino({ level: logLevel, hooks: { streamWrite: mask } });
}

function toDemoEnvironment(wfsUrl: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('WFS_OAUTH_'));
  const own = { WFS_URL: wfsUrl, WFS_APIKEY_IN: 'none', NO_PROXY: '127.0.0.1' };
  return { LOG_LEVEL: 'warn', WFS_RATE_LIMIT: '1000', ...Object.fromEntries(others), ...own };
}

type SharedAnswers = Omit<AnswersParts, 'name' | 'takesKeys'>;

/** One budget of memory for the answers of all modules. */
function toAnswersParts(
  { cacheTtlS, cacheMaxBytes, cacheMaxEntryBytes }: Config,
  metrics: Metrics,
): SharedAnswers {
  const memory = createMemoryCache<KeptPage>({
    maxBytes: cacheMaxBytes,
    maxEntryBytes: cacheMaxEntryBytes,
  });
  metrics.watchCache(memory);
  const isKept = cacheTtlS > 0 && cacheMaxBytes > 0 && cacheMaxEntryBytes > 0;
  return {
    room: memory,
    cache: isKept ? memory : undefined,
    freshS: cacheTtlS,
    maxEntryBytes: cacheMaxEntryBytes,
  };
}

interface SharedParts {
  readonly answers: SharedAnswers;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly replicas: Replicas | undefined;
  readonly tracing: Tracing | undefined;
}

async function toModule(module: ModuleConfig, config: Config, parts: SharedParts) {
  const { answers, logger, metrics, tracing } = parts;
  const { name, title, description, example, limitMax, geomMaxVertices, bodyLimit } = module;
  const log = logger.child({ module: name });
  const account = await createOwnAccount(module, config, log);
  const others = parts.replicas?.of(module);
  const options = {
    ...toWfsOptions(module, config, account),
    metrics: metrics.upstream(name),
    tracing,
    ...(others && { rateLimit: others.rate, learning: others.learning }),
  };
  const source = createWfsSource(options, log);
  const takesKeys = module.wfsApikeyIn.length > 0;
  return {
    name,
    title,
    ...(description !== undefined && { description }),
    ...(example !== undefined && { example }),
    limits: { limitMax, geomMaxVertices, bodyLimit },
    source: createAnswers(others?.answers ? createShared(source, others.answers) : source, {
      ...answers,
      name,
      takesKeys,
      onEvent: (event) => metrics.answered(name, event),
    }),
    close: () => source.close(),
  } satisfies Module & { close(): void };
}

/** The service's own account at the upstream, where it has one. */
async function createOwnAccount(
  { name, oauth }: ModuleConfig,
  config: Config,
  logger: Logger,
): Promise<Account | undefined> {
  if (oauth === undefined) return undefined;
  const { file, ...client } = oauth;
  try {
    return await createFileAccount({ client, file, proxy: toProxy(client.tokenUrl, config), logger });
  } catch (error) {
    throw error instanceof AccountError ? new StartError(`${name}: ${error.message}`) : error;
  }
}

function toWfsOptions(
  module: ModuleConfig,
  config: Config,
  account: Account | undefined,
): Parameters<typeof createWfsSource>[0] {
  const axisOrder = { auto: undefined, lonlat: 'lonLat', latlon: 'latLon' } as const;
  return {
    url: module.wfsUrl,
    keys: { places: module.wfsApikeyIn, serverKey: module.wfsApikey, account },
    referer: module.wfsReferer,
    proxy: toProxy(module.wfsUrl, config),
    axisOrder: axisOrder[module.wfsAxisOrder],
    responseTimeoutMs: module.wfsResponseTimeoutMs,
    idleTimeoutMs: module.wfsIdleTimeoutMs,
    deadlineMs: module.requestDeadlineMs,
    countTimeoutMs: module.countTimeoutMs,
    maxResponseBytes: module.wfsMaxResponseBytes,
    maxScanFeatures: module.localScanMaxFeatures,
    rateLimit: module.wfsRateLimit,
    maxConcurrency: module.wfsMaxConcurrency,
  };
}

/** For the log: the host alone, since the URL may hold a key. */
function toUpstream({ name, wfsUrl }: ModuleConfig): [string, string] {
  return [name, new URL(wfsUrl.replaceAll('{apikey}', '***')).host];
}

function toUrl({ host }: Config, { port }: AddressInfo): string {
  const isAny = host === '0.0.0.0' || host === '::';
  return `http://${isAny ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function toWelcome(
  url: string,
  modules: readonly ModuleConfig[],
  demoUrl: string,
  examples: Awaited<ReturnType<typeof loadDemo>>['demoExamples'],
): string {
  const name = modules.find(({ wfsUrl }) => wfsUrl === demoUrl)?.name ?? modules[0]?.name;
  const tries = examples.slice(0, 3).map(({ summary, source, geom, attributes }) => {
    const parameters = { source, ...(geom && { geom: JSON.stringify(geom) }), ...attributes };
    const options = Object.entries(parameters).map(
      ([name, value]) => ` \\\n  --data-urlencode '${name}=${value}'`,
    );
    return `# ${summary}\ncurl -sG '${url}/api/${name}/search'${options.join('')}\n`;
  });
  return `The service is on ${url}, over an embedded WFS with sample layers around Chartres.
To explore it: ${url}/
Swagger UI: ${url}/api/doc/
To try it, paste one of these:

${tries.join('\n')}
`;
}

main().catch((error: unknown) => {
  const isExpected = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
