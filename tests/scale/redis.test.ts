import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createRedisStore, type RedisStore } from '../../src/cache/redis.js';
import { testSharedStore } from '../support/shared-store.js';
import { type RedisProcess, startRedis } from './redis.js';

describe('Redis', () => {
  let redis: RedisProcess;
  let store: RedisStore;
  beforeAll(async () => {
    redis = await startRedis();
    store = createRedisStore({ urls: [redis.url] });
    await store.ready(5000);
  });
  afterAll(async () => {
    store.close();
    await redis.close();
  });
  testSharedStore(() => store);
});

describe('a cluster of Redis', () => {
  let nodes: RedisProcess[];
  let store: RedisStore;
  beforeAll(async () => {
    nodes = await Promise.all([1, 2, 3].map(() => startRedis('--cluster-enabled', 'yes')));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    nodes[0]?.run('--cluster', 'create', ...addresses, '--cluster-yes');
    for (const node of nodes)
      while (!node.run('cluster', 'info').includes('cluster_state:ok')) await sleep(50);
    store = createRedisStore({ urls: nodes.map(({ url }) => url) });
    await store.ready(5000);
  }, 60_000);
  afterAll(async () => {
    store.close();
    for (const node of nodes) await node.close();
  });
  testSharedStore(() => store);
});

describe('Redis in trouble', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  const connect = async (...options: string[]) => {
    const redis = await startRedis(...options);
    const faults: string[] = [];
    const states: string[] = [];
    const store = createRedisStore({
      urls: [redis.url],
      commandTimeoutMs: 200,
      onFault: (fault) => faults.push(fault),
      onState: (state) => states.push(state),
    });
    open.push(redis, store);
    await store.ready(5000);
    return { redis, store, faults, states };
  };

  test('slow, it costs one request what a command may take, and the others nothing', async () => {
    const { redis, store, faults } = await connect();
    await store.set('k', 'v', 60_000);
    redis.run('client', 'pause', '1500', 'all');
    const begun = performance.now();
    await expect(store.get('k')).rejects.toThrow();
    expect(store.state).toBe('away');
    for (let k = 0; k < 100; k += 1) await expect(store.get('k')).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(1300); // and not a hundred times what one may take
    expect(faults).toEqual(['slow']);
    await sleep(2600);
    expect(await store.get('k')).toBe('v');
    expect(store.state).toBe('ready');
  });

  test('full, it says so, still gives what it has, and is ready once there is room', async () => {
    const { redis, store, states } = await connect();
    await store.set('k', 'v', 60_000);
    redis.run('config', 'set', 'maxmemory', '1');
    await expect(store.setPart('k', '0', Buffer.alloc(1000), 1000)).rejects.toThrow('OOM');
    expect(store.state).toBe('full');
    expect(await store.begin('k', { owner: 'a', leaseMs: 100, oldMs: 0 })).toMatchObject({
      lease: 'notNeeded',
    });
    await expect(store.begin('other', { owner: 'a', leaseMs: 100, oldMs: 0 })).rejects.toThrow('OOM');
    redis.run('config', 'set', 'maxmemory', '0');
    await store.setPart('k', '0', Buffer.alloc(1000), 1000);
    expect(store.state).toBe('ready');
    expect(states).toEqual(['ready', 'full', 'ready']);
  });

  test('gone, nothing waits for it; back, it is used again', async () => {
    const { redis, store } = await connect();
    await redis.kill();
    await sleep(50);
    const begun = performance.now();
    await expect(store.get('k')).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(300);
    expect(store.state).toBe('away');
    await redis.start();
    for (let k = 0; store.state !== 'ready' && k < 40; k += 1) await sleep(100);
    await store.set('k', 'v', 60_000);
    expect(await store.get('k')).toBe('v');
  });
});
