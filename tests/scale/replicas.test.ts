import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import type { ServiceProcess } from '../support/process.js';
import { type RedisProcess, startRedis } from './redis.js';
import {
  ask,
  type Balancer,
  readMetric,
  startBalancer,
  startReplicas,
  toBusiestSecond,
  toSearch,
} from './replicas.js';
import { startUpstreamProcess, type UpstreamProcess } from './upstream.js';

// Three replicas behind nginx with Redis, all of them real, over an upstream that writes down what it is asked and when.

const RATE = 25;

let upstream: UpstreamProcess;
let redis: RedisProcess;
let replicas: ServiceProcess[];
let balancer: Balancer;

const toSettings = () => ({
  WFS_URL: upstream.url,
  REDIS_URL: redis.url,
  WFS_RATE_LIMIT: String(RATE),
});

beforeAll(async () => {
  upstream = await startUpstreamProcess();
  redis = await startRedis();
  replicas = await startReplicas(3, toSettings());
  balancer = await startBalancer(replicas.map(({ url }) => url));
  await ask(toSearch(balancer.url, '&_limit=1')); // learns the layer
}, 60_000);
afterAll(async () => {
  await balancer.close();
  for (const replica of replicas) await replica.stop('SIGKILL');
  await redis.close();
  await upstream.close();
});
beforeEach(() => upstream.set('full'));

const countResults = async () => (await upstream.see()).results;
const toBusiest = async () => toBusiestSecond((await upstream.see()).times);
const toReplica = (k: number) => replicas[k] as ServiceProcess;
let question = 0;
/** What nobody has asked before. */
const toUnlike = () => `&_limit=1&bbox=1,47,2,${(48 + question++ * 1e-5).toFixed(5)}`;

/** Until each has its part of the rate: what a replica held that was killed is free after 15 s. */
async function untilShared(): Promise<void> {
  const hasEnough = async (replica: ServiceProcess) =>
    (await readMetric(replica, /^carto_wfs_upstream_rate_share\{/)) >= RATE / 6;
  while (!(await Promise.all(replicas.map(hasEnough))).every(Boolean)) await sleep(200);
}

/** Asks for one after another, ten at a time, and each some times over. */
function startLoad() {
  let isLoading = true;
  let count = 0;
  const known = Array.from({ length: 40 }, toUnlike);
  const failed: unknown[] = [];
  const load = async () => {
    while (isLoading) {
      const url = toSearch(balancer.url, known[count++ % known.length] as string);
      const reply = await ask(url).catch((error: unknown) => error);
      if ((reply as { status?: number }).status !== 200) failed.push(reply);
    }
  };
  const loading = Array.from({ length: 10 }, load);
  return async () => {
    isLoading = false;
    await Promise.all(loading);
    return { failed, count };
  };
}

test('an answer made by one is served by another, with its tag and age', async () => {
  const query = toUnlike();
  const made = await ask(toSearch(toReplica(0).url, query));
  await sleep(1100);
  const served = await ask(toSearch(toReplica(1).url, query));
  expect(await countResults()).toBe(1);
  const featuresOf = ({ text }: { text: string }) => JSON.parse(text).features;
  expect(featuresOf(served)).toEqual(featuresOf(made));
  expect(served.headers.etag).toBe(made.headers.etag);
  expect(Number(served.headers.age)).toBeGreaterThanOrEqual(1);
  const tag = { 'if-none-match': String(made.headers.etag) };
  expect(await ask(toSearch(toReplica(2).url, query), tag)).toMatchObject({ status: 304 });
});

test('what one replica has learnt of the upstream the others are told', async () => {
  for (const { url } of replicas) await ask(toSearch(url, toUnlike()));
  expect(await countResults()).toBe(3);
  expect((await upstream.see()).times).toHaveLength(3);
});

test('300 identical requests over the three are one request to the upstream', async () => {
  await upstream.set('slow');
  const url = toSearch(balancer.url, toUnlike());
  const replies = await Promise.all(Array.from({ length: 300 }, () => ask(url)));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await countResults()).toBe(1);
});

test('an answer of 50 MB goes through Redis, and no replica holds it', async () => {
  await upstream.set('large');
  const made = await ask(toSearch(toReplica(0).url, '&_limit=5000'));
  await sleep(500);
  const ofMany = () => ask(toSearch(toReplica(1).url, '&_limit=5000'));
  const served = await ofMany();
  const before = toReplica(1).peakMemory();
  const again = await Promise.all([ofMany(), ofMany(), ofMany()]);
  for (const { text } of again) expect(text.length).toBe(served.text.length);
  expect(served.text.length).toBeGreaterThan(50_000_000);
  expect(JSON.parse(served.text).features).toEqual(JSON.parse(made.text).features);
  expect(await countResults()).toBe(1);
  expect(toReplica(1).peakMemory() - before).toBeLessThan(30e6);
}, 60_000);

test('one busy replica has most of the rate, while the others rest', async () => {
  await sleep(1500);
  const begun = performance.now();
  await mapConcurrently(Array.from({ length: 150 }), 60, () => ask(toSearch(toReplica(0).url, toUnlike())));
  expect((performance.now() - begun) / 1000).toBeLessThan(150 / (RATE * 0.5));
  expect(await toBusiest()).toBeLessThanOrEqual(RATE);
}, 60_000);

describe('600 different requests: the upstream never sees more than its rate, over any second', () => {
  async function load(): Promise<void> {
    await sleep(1500);
    await upstream.set('full');
    const begun = performance.now();
    const replies = await mapConcurrently(Array.from({ length: 600 }), 150, () =>
      ask(toSearch(balancer.url, toUnlike())),
    );
    const seconds = (performance.now() - begun) / 1000;
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await countResults()).toBe(600);
    const shares = replicas.map((replica) => readMetric(replica, /^carto_wfs_upstream_rate_share/));
    expect((await Promise.all(shares)).reduce((a, b) => a + b)).toBeLessThanOrEqual(RATE);
    expect(await toBusiest()).toBeLessThanOrEqual(RATE);
    expect(seconds).toBeLessThan(600 / (RATE * 0.75)); // and nearly all of it is used
  }
  afterEach(async () => {
    await redis.kill();
    await redis.start();
    await sleep(3000);
  });

  test('with Redis', load, 90_000);

  test('without Redis, whose being away is told', async () => {
    // shares are agreed on under load, and kept
    await mapConcurrently(Array.from({ length: 100 }), 100, () => ask(toSearch(balancer.url, toUnlike())));
    await sleep(2500);
    await redis.kill();
    await ask(toSearch(toReplica(0).url, toUnlike()));
    const { text } = await ask(`${toReplica(0).url}/health/ready`);
    expect(JSON.parse(text)).toMatchObject({ status: 'ready', shared: 'away' });
    expect(await readMetric(toReplica(0), /^carto_wfs_store_up/)).toBe(0);
    await load();
  }, 90_000);
});

test('a replica that is killed costs the others nothing, and its lease is taken over within 2 s', async () => {
  await upstream.set('silentOnce');
  const query = toUnlike();
  ask(toSearch(toReplica(0).url, query)).catch(() => {});
  while ((await countResults()) === 0) await sleep(10);
  const waiting = [1, 2].flatMap((k) =>
    Array.from({ length: 20 }, () => ask(toSearch(toReplica(k).url, query))),
  );
  await sleep(1500);
  expect(await countResults()).toBe(1);
  const killed = performance.now();
  await toReplica(0).stop('SIGKILL');
  const replies = await Promise.all(waiting);
  expect(performance.now() - killed).toBeLessThan(2000);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await countResults()).toBe(2);
  const PORT = new URL(toReplica(0).url).port;
  replicas.splice(0, 1, ...(await startReplicas(1, { ...toSettings(), PORT })));
}, 60_000);

test('Redis killed and started again under load: no request fails, and answers are shared again', async () => {
  await untilShared();
  const stopLoad = startLoad();
  await sleep(500);
  await redis.kill();
  await sleep(1500);
  await redis.start();
  await sleep(2500);
  const { failed, count } = await stopLoad();
  expect(failed).toEqual([]);
  // every replica is asked as often: by each one's part of the rate, for the seconds that the load lasts
  expect(count).toBeGreaterThan((RATE / 2) * 4);
  expect(await toBusiest()).toBeLessThanOrEqual(RATE);
  const query = toUnlike();
  await upstream.set('full');
  await ask(toSearch(toReplica(0).url, query));
  await ask(toSearch(toReplica(1).url, query));
  expect(await countResults()).toBe(1);
}, 60_000);

test('a rolling restart under load: no request fails', async () => {
  const stopLoad = startLoad();
  for (let k = 0; k < replicas.length; k += 1) {
    await sleep(500);
    const PORT = new URL(toReplica(k).url).port;
    expect(await toReplica(k).stop('SIGTERM')).toBe(0);
    replicas.splice(k, 1, ...(await startReplicas(1, { ...toSettings(), PORT })));
    await sleep(1500); // nginx looks again
  }
  const { failed } = await stopLoad();
  expect(failed).toEqual([]);
  expect(await toBusiest()).toBeLessThanOrEqual(RATE);
}, 120_000);

describe('with limits and keys of callers', () => {
  let limited: ServiceProcess[];
  beforeAll(async () => {
    const env = {
      WFS_APIKEY_IN: 'header:apikey',
      WFS_APIKEY: 'server-s3cret',
      CLIENT_RATE_LIMIT: '20',
      TRUST_PROXY: 'loopback',
    };
    limited = await startReplicas(2, { ...toSettings(), ...env });
  }, 60_000);
  afterAll(async () => {
    for (const replica of limited) await replica.stop('SIGKILL');
  });

  test('the limit of one client is one limit at all replicas', async () => {
    const query = toUnlike();
    await ask(toSearch(limited[0]?.url ?? '', query));
    await sleep(1100);
    const begun = performance.now();
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, k) =>
        ask(toSearch(limited[k % 2]?.url ?? '', query), { 'x-forwarded-for': '192.0.2.7' }),
      ),
    );
    const windows = 1 + Math.floor((performance.now() - begun) / 1000);
    const answered = replies.filter(({ status }) => status === 200);
    expect(answered.length).toBeGreaterThanOrEqual(20);
    expect(answered.length).toBeLessThanOrEqual(20 * windows);
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(60 - answered.length);
  });

  test('no key and no address stands in Redis, and another key gets nothing of what one was given', async () => {
    const query = toUnlike();
    const asWith = (k: number, apikey: string) =>
      ask(toSearch(limited[k]?.url ?? '', query), { apikey, 'x-forwarded-for': '192.0.2.9' });
    await asWith(0, 'caller-s3cret');
    await asWith(1, 'caller-s3cret');
    expect(await countResults()).toBe(1);
    await asWith(1, 'other-s3cret');
    expect(await countResults()).toBe(2);
    await sleep(200);
    const keys = redis.run('keys', '*').split('\n');
    expect(keys.length).toBeGreaterThan(5);
    const values = keys.map((key) => {
      const type = redis.run('type', key);
      return redis.run(type === 'hash' ? 'hgetall' : 'get', key);
    });
    expect(`${keys} ${values}`).not.toMatch(/s3cret|192\.0\.2/);
  });
});
