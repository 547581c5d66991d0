import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createApp, createHttpServer, type HttpConfig, stop } from '../../src/http/index.js';
import { createWfsSource, type WfsOptions } from '../../src/wfs/index.js';

/** The service in this process, over a real upstream: its own HTTP server, its own source, its own log. */
export interface ServiceOver {
  readonly url: string;
  readonly port: number;
  readonly log: () => string;
  close(): Promise<void>;
}

export async function startOver(
  url: string,
  options: Partial<WfsOptions> = {},
  http: Partial<HttpConfig> = {},
): Promise<ServiceOver> {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const source = createWfsSource(
    {
      url,
      keys: { places: [] },
      responseTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      deadlineMs: 20_000,
      countTimeoutMs: 1000,
      maxResponseBytes: 1e9,
      maxScanFeatures: 1000,
      ...options,
    },
    logger,
  );
  const limits = { limitMax: 5000, geomMaxVertices: 50_000, bodyLimit: 10 * 2 ** 20 };
  const module = { name: 'wfs-geoportail', title: 'WFS', source, limits };
  const app = createApp({ trustProxy: false, ...http }, [module], { logger, isStopping: () => false });
  const server = createHttpServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    log: () => lines.join(''),
    async close() {
      await stop(server, 0);
      source.close();
    },
  };
}
