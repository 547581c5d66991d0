// Composition root: the environment becomes the configuration, the configuration the parts, and the parts listen. The
// only reader of process.env.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import { type Config, ConfigError, loadConfig, toProxy } from './config.js';
import { createDemoServer, demoExamples } from './demo/index.js';
import { createApp, createHttpServer, stop } from './http/index.js';
import { type Account, AccountError, createFileAccount } from './oauth/index.js';
import { createWfsSource } from './wfs/index.js';

const STOP_GRACE_MS = 25_000; // under the 30 s that orchestrators give

/** Over the embedded WFS when asked for: the service to try out, without any network. */
const isDemo = process.argv.includes('--demo');

async function main(): Promise<void> {
  const demo = isDemo ? await createDemoServer() : undefined;
  const config = loadConfig(demo === undefined ? process.env : toDemoEnvironment(demo.url));
  const logger = pino({ level: config.logLevel });
  const log = logger.child({ module: 'wfs-geoportail' });
  const source = createWfsSource(toWfsOptions(config, await createOwnAccount(config, log)), log);
  let isStopping = false;
  const app = createApp(config, [{ name: 'wfs-geoportail', source }], {
    logger,
    isStopping: () => isStopping,
  });
  const server = createHttpServer(app);
  server.listen(config.port, config.host);
  await once(server, 'listening');
  const url = toUrl(config, server.address() as AddressInfo);
  logger.info({ url, upstream: new URL(config.wfsUrl.replaceAll('{apikey}', '***')).host }, 'listening');
  if (demo !== undefined) process.stdout.write(toWelcome(url));
  source.status(); // looks the upstream up

  const end = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    await stop(server, STOP_GRACE_MS);
    source.close();
    await demo?.close();
    logger.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

function toDemoEnvironment(wfsUrl: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('WFS_OAUTH_'));
  const own = { WFS_URL: wfsUrl, WFS_APIKEY_IN: 'none', NO_PROXY: '127.0.0.1' };
  return { LOG_LEVEL: 'warn', ...Object.fromEntries(others), ...own };
}

/** The service's own account at the upstream, where it has one. */
async function createOwnAccount(config: Config, logger: Logger): Promise<Account | undefined> {
  if (config.oauth === undefined) return undefined;
  const { file, ...client } = config.oauth;
  return createFileAccount({ client, file, proxy: toProxy(client.tokenUrl, config), logger });
}

function toWfsOptions(config: Config, account?: Account): Parameters<typeof createWfsSource>[0] {
  const axisOrder = { auto: undefined, lonlat: 'lonLat', latlon: 'latLon' } as const;
  return {
    url: config.wfsUrl,
    keys: { places: config.wfsApikeyIn, serverKey: config.wfsApikey, account },
    referer: config.wfsReferer,
    proxy: toProxy(config.wfsUrl, config),
    axisOrder: axisOrder[config.wfsAxisOrder],
    responseTimeoutMs: config.wfsResponseTimeoutMs,
    idleTimeoutMs: config.wfsIdleTimeoutMs,
    deadlineMs: config.requestDeadlineMs,
    countTimeoutMs: config.countTimeoutMs,
    maxResponseBytes: config.wfsMaxResponseBytes,
    maxScanFeatures: config.localScanMaxFeatures,
  };
}

function toUrl({ host }: Config, { port }: AddressInfo): string {
  const isAny = host === '0.0.0.0' || host === '::';
  return `http://${isAny ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function toWelcome(url: string): string {
  const tries = demoExamples.slice(0, 3).map(({ summary, source, geom, attributes }) => {
    const parameters = { source, ...(geom && { geom: JSON.stringify(geom) }), ...attributes };
    const options = Object.entries(parameters).map(
      ([name, value]) => ` \\\n  --data-urlencode '${name}=${value}'`,
    );
    return `# ${summary}\ncurl -sG '${url}/api/wfs-geoportail/search'${options.join('')}\n`;
  });
  return `The service is on ${url}, over an embedded WFS with sample layers around Chartres.
To explore it: ${url}/api/doc/
To try it, paste one of these:

${tries.join('\n')}
`;
}

main().catch((error: unknown) => {
  const isExpected =
    error instanceof ConfigError ||
    error instanceof AccountError ||
    (error as { code?: string }).code === 'EADDRINUSE';
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
