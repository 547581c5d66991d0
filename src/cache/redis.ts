// The one file that loads the client, and itself loaded only where REDIS_URL is set.
import { Cluster, Redis, ReplyError } from 'ioredis';
import type { MemberState, SharedStore } from './shared.js';

/** `full`: it answers, and has no room for what is written. */
export type RedisState = 'ready' | 'full' | 'away';

export interface RedisStore extends SharedStore {
  readonly state: RedisState;
  /** Settles when it is connected, or after so long. */
  ready(withinMs: number): Promise<void>;
  close(): void;
}

export interface RedisOptions {
  /** One node, or several of a cluster. */
  readonly urls: readonly string[];
  /** How long one command may take. */
  readonly commandTimeoutMs?: number;
  readonly onState?: (state: RedisState) => void;
  /** A command that was not answered, or answered with an error. */
  readonly onFault?: (fault: 'away' | 'slow' | 'refused') => void;
}

/** The store cannot be asked just now. */
export class StoreAway extends Error {}

const PREFIX = 'carto-wfs:1:';
/** After a command without an answer, none is sent for so long: who asks must not wait for each anew. */
const AWAY_MS = 1000;
const MAX_RECONNECT_MS = 500;

const scripts = {
  // a value that is not old; else a lease on making it
  begin: {
    numberOfKeys: 2,
    lua: `local left = redis.call('PTTL', KEYS[1])
      local value = false
      if left > 0 then value = redis.call('GET', KEYS[1]) end
      if value and left > tonumber(ARGV[3]) then return {0, value, left} end
      local taken = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
      return {taken and 1 or 2, value, left}`,
  },
  renew: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
      return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  },
  release: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
      return redis.call('DEL', KEYS[1])`,
  },
  finish: {
    numberOfKeys: 3,
    lua: `if ARGV[4] ~= '' then redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5]) end
      redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
      if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
      return 1`,
  },
  // member, total, held, wanted, wish, ttl, grace; the pool's birth stands under '*'
  share: {
    numberOfKeys: 1,
    lua: `local time = redis.call('TIME')
      local now = time[1] * 1000 + math.floor(time[2] / 1000)
      local member, total, held, wish = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
      local born, free, others = now, total, {}
      local entries = redis.call('HGETALL', KEYS[1])
      if #entries == 0 then redis.call('HSET', KEYS[1], '*', string.format('%.0f', now)) end
      for i = 1, #entries, 2 do
        local name, state = entries[i], entries[i + 1]
        if name == '*' then born = tonumber(state)
        elseif name ~= member then
          local its, wanted, till = string.match(state, '^(%d+) (%d+) (%d+)$')
          if tonumber(till) <= now then redis.call('HDEL', KEYS[1], name)
          else
            free = free - its
            others[#others + 1] = name .. ' ' .. its .. ' ' .. wanted
          end
        end
      end
      local granted = held
      if now - born >= tonumber(ARGV[7]) then granted = math.max(held, wish) end
      granted = math.max(0, math.min(granted, free))
      redis.call('HSET', KEYS[1], member, string.format('%d %d %.0f', granted, ARGV[4], now + ARGV[6]))
      redis.call('PEXPIRE', KEYS[1], ARGV[6] * 2)
      return {granted, others}`,
  },
  leave: {
    numberOfKeys: 1,
    lua: `local state = redis.call('HGET', KEYS[1], ARGV[1])
      if not state then return 0 end
      local time = redis.call('TIME')
      local till = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
      redis.call('HSET', KEYS[1], ARGV[1], string.format('%s 0 %.0f', string.match(state, '^%d+'), till))
      return 1`,
  },
  count: {
    numberOfKeys: 1,
    lua: `local hits = redis.call('INCR', KEYS[1])
      if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
      return {hits, redis.call('PTTL', KEYS[1])}`,
  },
};

type Argument = string | number | Buffer;
/** Commands that `scripts` defines on the client. */
interface Scripts {
  begin(...args: Argument[]): Promise<[number, string | null, number]>;
  renew(...args: Argument[]): Promise<number>;
  release(...args: Argument[]): Promise<number>;
  finish(...args: Argument[]): Promise<number>;
  share(...args: Argument[]): Promise<[number, string[]]>;
  leave(...args: Argument[]): Promise<number>;
  count(...args: Argument[]): Promise<[number, number]>;
}

type Client = (Redis | Cluster) & Scripts;

function createClient(urls: readonly string[]): Client {
  const retryStrategy = (times: number) => Math.min(MAX_RECONNECT_MS, 50 * times);
  const options = {
    scripts,
    connectTimeout: 2000,
    // while it is away nothing waits for it to come back: the service goes on without
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  const [first = '', ...others] = urls;
  if (others.length === 0) return new Redis(first, { ...options, retryStrategy }) as unknown as Client;
  const { username, password, protocol } = new URL(first);
  const redisOptions = {
    connectTimeout: 2000,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
  return new Cluster([...urls], {
    scripts,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: 2000,
    redisOptions,
  }) as unknown as Client;
}

/** As the client's own `commandTimeout`, but for replies that have come while this process was busy. */
function inTime<T>(reply: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new StoreAway('Redis is slow'));
    // two turns of the loop: what lies in the socket is read first
    const timer = setTimeout(() => setImmediate(() => setImmediate(late)), timeoutMs).unref();
    reply.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Redis or Valkey, alone or as a cluster: all keys of one value are of one slot. What it does not answer in time it is
 * not asked again for a second, so that its being slow or gone costs a request once what a command may take.
 */
export function createRedisStore(options: RedisOptions): RedisStore {
  const { urls, commandTimeoutMs = 500, onState = () => {}, onFault = () => {} } = options;
  const client = createClient(urls);
  let awayUntil = 0;
  let isFull = false;
  let isHeard = false;
  let told: RedisState | undefined;
  client.on('error', () => {}); // told by `state`
  client.on('ready', () => {
    awayUntil = 0;
  });
  for (const event of ['ready', 'close', 'end']) client.on(event, tell);

  function toState(): RedisState {
    if (client.status !== 'ready' || (performance.now() < awayUntil && !isHeard)) return 'away';
    return isFull ? 'full' : 'ready';
  }

  function tell(): void {
    const state = toState();
    if (state !== told) onState(state);
    told = state;
  }

  async function run<T>(writes: boolean, command: () => Promise<T>): Promise<T> {
    if (client.status !== 'ready' || performance.now() < awayUntil) throw new StoreAway('Redis is away');
    try {
      const result = await inTime(command(), commandTimeoutMs);
      isHeard = true;
      awayUntil = 0;
      if (writes) isFull = false;
      return result;
    } catch (error) {
      if (error instanceof ReplyError) {
        // OOM: out of memory; MISCONF: its disk is full; READONLY: a replica after a failover
        isFull = /\b(OOM|MISCONF|READONLY)\b/.test((error as Error).message);
        onFault('refused');
      } else {
        isHeard = false;
        awayUntil = performance.now() + AWAY_MS;
        setTimeout(tell, AWAY_MS + 1).unref();
        onFault(client.status === 'ready' ? 'slow' : 'away');
      }
      throw error;
    } finally {
      tell();
    }
  }

  // in braces: what is hashed to a slot of a cluster
  const toKey = (kind: string, key: string, part = '') => `${PREFIX}${kind}:{${key}}${part && ':'}${part}`;
  const leases = ['mine', 'others'] as const;

  return {
    get state() {
      return toState();
    },
    async ready(withinMs) {
      if (client.status === 'ready') return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        client.once('ready', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    begin: (key, { owner, leaseMs, oldMs }) =>
      run(false, async () => {
        const keys = [toKey('value', key), toKey('lease', key)];
        const [code, value, leftMs] = await client.begin(...keys, owner, leaseMs, oldMs);
        const kept = value === null ? undefined : { value, leftMs };
        return { lease: leases[code - 1] ?? 'notNeeded', kept };
      }),
    renew: (key, owner, leaseMs) =>
      run(false, async () => (await client.renew(toKey('lease', key), owner, leaseMs)) === 1),
    release: (key, owner) => run(false, async () => void (await client.release(toKey('lease', key), owner))),
    finish: (key, { owner, value, keepMs, part }) =>
      run(true, async () => {
        const keys = [toKey('value', key), toKey('lease', key), toKey('part', key, part?.name)];
        const bytes = part === undefined ? '' : toBuffer(part.bytes);
        const partMs = Math.ceil(part?.keepMs ?? 0);
        await client.finish(...keys, owner, value, Math.ceil(keepMs), bytes, partMs);
      }),
    get: (key) => run(false, async () => (await client.get(toKey('value', key))) ?? undefined),
    set: (key, value, keepMs) =>
      run(true, async () => void (await client.set(toKey('value', key), value, 'PX', Math.ceil(keepMs)))),
    delete: (key) => run(false, async () => void (await client.del(toKey('value', key)))),
    getPart: (key, part) =>
      run(false, async () => (await client.getBuffer(toKey('part', key, part))) ?? undefined),
    setPart: (key, part, bytes, keepMs) =>
      run(true, async () => {
        await client.set(toKey('part', key, part), toBuffer(bytes), 'PX', Math.ceil(keepMs));
      }),
    share: (pool, { member, total, held, wanted, wish, ttlMs, graceMs }) =>
      run(true, async () => {
        const numbers = [total, held, wanted, wish, ttlMs, graceMs];
        const [granted, others] = await client.share(toKey('pool', pool), member, ...numbers);
        return { granted, others: others.map(toMember) };
      }),
    leave: (pool, member, afterMs) =>
      run(false, async () => void (await client.leave(toKey('pool', pool), member, afterMs))),
    count: (key, windowMs) =>
      run(true, async () => {
        const [hits, leftMs] = await client.count(toKey('count', key), windowMs);
        return { hits, leftMs: Math.max(0, leftMs) };
      }),
    close: () => client.disconnect(),
  };
}

const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function toMember(text: string): MemberState {
  const [name = '', held, wanted] = text.split(' ');
  return { name, held: Number(held), wanted: Number(wanted) };
}
