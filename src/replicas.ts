// What this process has in common with others: over Redis where REDIS_URL names one, else over the primary it is a worker of.
import { createHash, createHmac } from 'node:crypto';
import type { Logger } from 'pino';
import type { Relay, SharedParts } from './answers/index.js';
import { createSharedValues, type SharedStore, type SharedValues } from './cache/index.js';
import type { ModuleConfig } from './config/modules.js';
import type { Config } from './config.js';
import { createRateShare, type SharedRate } from './limits/index.js';
import type { Metrics } from './metrics/index.js';

/** The others, as one module of this process sees them. */
export interface ModuleReplicas {
  readonly rate: SharedRate;
  readonly learning: SharedValues;
  /** Absent: no answers are kept. */
  readonly answers: SharedParts | undefined;
}

export interface Replicas {
  of(module: ModuleConfig): ModuleReplicas;
  /** Requests of one address, at all of them. */
  count(address: string, windowMs: number): Promise<{ readonly hits: number; readonly leftMs: number }>;
  /** For health. */
  state(): string;
  close(): Promise<void>;
}

/** What a connection may take at the start, before the service goes on without. */
const CONNECT_MS = 1000;

/** Over Redis; the client is loaded here alone: it takes 25 MB. */
export async function connectToRedis(
  urls: readonly string[],
  config: Config,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<Replicas> {
  const { createRedisStore } = await import('./cache/redis.js');
  const store = createRedisStore({
    urls,
    onState: (state) => logger[state === 'ready' ? 'info' : 'warn']({ state }, 'redis'),
    onFault: (fault) => metrics.shared.fault(fault),
  });
  await store.ready(CONNECT_MS);
  // the same for all who are told of this Redis, and not to be found in it
  const secret = createHash('sha256').update(urls.join(' ')).digest();
  const replicas = createReplicas({ store, secret, config, metrics });
  metrics.shared.watchStore(() => ({ ready: 1, full: 0.5, away: 0 })[store.state]);
  return {
    ...replicas,
    state: () => store.state,
    async close() {
      await replicas.close();
      store.close();
    },
  };
}

interface ReplicasParts {
  readonly store: SharedStore;
  readonly secret: Uint8Array;
  /** Of the rates: how long a new pool gives nothing. */
  readonly graceMs?: number;
  readonly relays?: Relays | undefined;
  readonly config: Config;
  readonly metrics: Metrics;
}

/** Over what the primary of this worker keeps, which is there for as long as this process is. */
export function connectToPrimaryStore(
  { store, secret, relays }: Pick<ReplicasParts, 'store' | 'secret' | 'relays'>,
  config: Config,
  metrics: Metrics,
): Replicas {
  return { ...createReplicas({ store, secret, graceMs: 0, relays, config, metrics }), state: () => 'ready' };
}

/** Ways to what other workers make, by module. */
export type Relays = (module: string) => Relay;

function createReplicas(parts: ReplicasParts): Omit<Replicas, 'state'> {
  const { store, secret, graceMs, relays, config, metrics } = parts;
  const toDigest = (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
  const rates: SharedRate[] = [];
  const isKept = config.cacheTtlS > 0;

  return {
    of(module) {
      const { name, wfsUrl, wfsRateLimit } = module;
      const namespace = toDigest(JSON.stringify(toSubject(module)));
      // the address alone: also while replicas with other settings take over, its limit holds
      const pool = toDigest(`rate ${name} ${wfsUrl}`);
      const rate = createRateShare({
        store,
        pool,
        total: wfsRateLimit,
        ...(graceMs !== undefined && { graceMs }),
      });
      rates.push(rate);
      metrics.shared.watchRate(name, () => rate.perSecond);
      const answers: SharedParts = {
        store,
        namespace,
        takesKeys: module.wfsApikeyIn.length > 0,
        secret,
        freshS: config.cacheTtlS,
        maxWholeBytes: config.cacheMaxEntryBytes,
        relay: relays?.(name),
        onEvent: (event) => metrics.shared.answered(name, event),
      };
      return {
        rate,
        learning: createSharedValues(store, (key) => toDigest(`${namespace} ${key}`)),
        answers: isKept ? answers : undefined,
      };
    },
    count: (address, windowMs) => store.count(toDigest(`client ${address}`), windowMs),
    async close() {
      await Promise.all(rates.map((rate) => rate.close()));
    },
  };
}

/** All that answers depend on beside the question. */
function toSubject(module: ModuleConfig): unknown[] {
  const { name, wfsUrl, wfsApikeyIn, wfsApikey, wfsReferer, wfsAxisOrder, oauth } = module;
  const account = oauth && [oauth.clientId, oauth.tokenUrl, oauth.scope];
  return [
    name,
    wfsUrl,
    wfsApikeyIn,
    wfsApikey,
    wfsReferer,
    wfsAxisOrder,
    account,
    module.localScanMaxFeatures,
  ];
}
