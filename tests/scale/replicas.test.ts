import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import { type Asked, startUpstream, toCollection, toMember, type Upstream } from '../support/upstream.js';
import { type RedisProcess, startRedis } from './redis.js';
import { ask, readMetric, startBalancer, startReplicas, toBusiestSecond, toSearch } from './replicas.js';

// Three replicas behind nginx with Redis, all of them real, over an upstream that writes down what it is asked and when.

const RATE = 25;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

interface Watched extends Upstream {
  /** Every request, in milliseconds. */
  readonly times: number[];
  /** Those for features that a caller has asked for. */
  readonly results: string[];
}

async function watchUpstream(
  answer: (asked: Asked, response: ServerResponse) => unknown = (_, response) =>
    response.end(toCollection(toMember(1), toMember(2))),
): Promise<Watched> {
  const times: number[] = [];
  const results: string[] = [];
  const before = async () => {
    times.push(performance.now());
    return false;
  };
  const upstream = await startUpstream(
    (asked, response) => {
      if (asked.isHits || asked.maxFeatures === 1) return response.end(toCollection(toMember(999_999)));
      results.push(asked.body);
      return answer(asked, response);
    },
    { before },
  );
  return Object.assign(upstream, { times, results });
}

interface Setup {
  readonly upstream: Watched;
  readonly redis: RedisProcess;
  readonly replicas: Awaited<ReturnType<typeof startReplicas>>;
  readonly url: string;
}

async function setUp(
  answer?: Parameters<typeof watchUpstream>[0],
  env: Record<string, string> = {},
): Promise<Setup> {
  const upstream = await watchUpstream(answer);
  const redis = await startRedis();
  open.push(upstream, redis);
  const settings = { WFS_URL: upstream.url, REDIS_URL: redis.url, WFS_RATE_LIMIT: String(RATE), ...env };
  const replicas = await startReplicas(3, settings);
  open.push({ close: () => Promise.all(replicas.map((replica) => replica.stop('SIGKILL'))) });
  const balancer = await startBalancer(replicas.map(({ url }) => url));
  open.push(balancer);
  await ask(toSearch(balancer.url, '&_limit=1')); // learns the layer
  upstream.results.length = 0;
  return { upstream, redis, replicas, url: balancer.url };
}

const toUnlike = (k: number) => `&bbox=1,47,2,${(48 + k * 1e-5).toFixed(5)}`;

test('an answer made by one is served by another, with its tag and age', async () => {
  const { upstream, replicas } = await setUp();
  const [first, second, third] = replicas.map(({ url }) => toSearch(url, '&_limit=2')) as [
    string,
    string,
    string,
  ];
  const made = await ask(first);
  await sleep(1100);
  const served = await ask(second);
  expect(upstream.results).toHaveLength(1);
  const featuresOf = ({ text }: { text: string }) => JSON.parse(text).features;
  expect(featuresOf(served)).toEqual(featuresOf(made));
  expect(served.headers.etag).toBe(made.headers.etag);
  expect(Number(served.headers.age)).toBeGreaterThanOrEqual(1);
  const unchanged = await ask(third, { 'if-none-match': String(made.headers.etag) });
  expect(unchanged.status).toBe(304);
});

test('300 identical requests over the three are one request to the upstream', async () => {
  const { upstream, url } = await setUp(async (_, response) => {
    await sleep(500);
    response.end(toCollection(toMember(1), toMember(2)));
  });
  const replies = await Promise.all(Array.from({ length: 300 }, () => ask(toSearch(url, '&_limit=2'))));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect(upstream.results).toHaveLength(1);
});

test('what one replica has learnt of the upstream the others are told', async () => {
  const { upstream, replicas } = await setUp();
  const before = upstream.times.length;
  for (const [k, { url }] of replicas.entries()) await ask(toSearch(url, toUnlike(k)));
  expect(upstream.times.length - before).toBe(upstream.results.length);
});

test('an answer of 50 MB goes through Redis, and no replica holds it', async () => {
  const text = 'x'.repeat(10_000);
  const { upstream, replicas } = await setUp(
    async (_, response) => {
      const { COLLECTION_START, COLLECTION_END } = await import('../support/upstream.js');
      response.write(COLLECTION_START);
      for (let k = 0; k < 5000; k += 1)
        if (!response.write(toMember(k, text)))
          await new Promise((resolve) => response.once('drain', resolve));
      response.end(COLLECTION_END);
    },
    { LIMIT_MAX: '5000' },
  );
  const [first, second] = replicas as [(typeof replicas)[0], (typeof replicas)[0]];
  const before = second.peakMemory();
  const made = await ask(toSearch(first.url, '&_limit=5000'));
  await sleep(500);
  const served = await ask(toSearch(second.url, '&_limit=5000'));
  expect(served.text.length).toBeGreaterThan(50_000_000);
  expect(JSON.parse(served.text).features).toEqual(JSON.parse(made.text).features);
  expect(upstream.results).toHaveLength(1);
  expect(second.peakMemory() - before).toBeLessThan(40e6);
}, 60_000);

test.each(['up', 'down'])(
  '600 different requests, Redis %s: the upstream never sees more than its rate, over any second',
  async (state) => {
    const { upstream, redis, replicas, url } = await setUp();
    await sleep(2000); // shares are agreed on
    if (state === 'down') {
      await redis.kill();
      const { text } = await ask(`${replicas[0]?.url}/health/ready`);
      expect(JSON.parse(text)).toMatchObject({ status: 'ready', shared: 'away' });
      expect(await readMetric(replicas[0] as (typeof replicas)[0], /^carto_wfs_store_up/)).toBe(0);
    }
    const begun = performance.now();
    const replies = await mapConcurrently(Array.from({ length: 600 }), 200, (_, k) =>
      ask(toSearch(url, toUnlike(k))),
    );
    const seconds = (performance.now() - begun) / 1000;
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(upstream.results).toHaveLength(600);
    expect(toBusiestSecond(upstream.times)).toBeLessThanOrEqual(RATE);
    expect(seconds).toBeLessThan(600 / (RATE * 0.75)); // and nearly all of it is used
  },
  90_000,
);

test('one busy replica has nearly all of the rate, while the others rest', async () => {
  const { upstream, replicas } = await setUp();
  await sleep(2000);
  const url = replicas[0]?.url ?? '';
  const begun = performance.now();
  await mapConcurrently(Array.from({ length: 150 }), 60, (_, k) => ask(toSearch(url, toUnlike(k))));
  expect((performance.now() - begun) / 1000).toBeLessThan(150 / (RATE * 0.6));
  expect(toBusiestSecond(upstream.times)).toBeLessThanOrEqual(RATE);
}, 60_000);

test('a replica that is killed costs the others nothing, and its lease is taken over within 2 s', async () => {
  let isFirst = true;
  const asked: number[] = [];
  const { upstream, replicas } = await setUp(async (_, response) => {
    asked.push(performance.now());
    if (isFirst) {
      isFirst = false; // never answers the replica that dies
      return;
    }
    response.end(toCollection(toMember(1), toMember(2)));
  });
  const [first, ...others] = replicas;
  ask(toSearch(first?.url ?? '', '&_limit=2')).catch(() => {});
  while (upstream.results.length === 0) await sleep(10);
  const waiting = others.flatMap(({ url }) =>
    Array.from({ length: 20 }, () => ask(toSearch(url, '&_limit=2'))),
  );
  await sleep(700);
  expect(upstream.results).toHaveLength(1);
  const killed = performance.now();
  await first?.stop('SIGKILL');
  const replies = await Promise.all(waiting);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect(upstream.results).toHaveLength(2);
  expect((asked[1] ?? 0) - killed).toBeLessThan(2000);
}, 30_000);

test('Redis killed and started again under load: no request fails, and answers are shared again', async () => {
  const { upstream, redis, replicas, url } = await setUp();
  await sleep(2000);
  let isLoading = true;
  let k = 0;
  const failed: unknown[] = [];
  const load = async () => {
    while (isLoading) {
      const reply = await ask(toSearch(url, toUnlike(k++ % 40))).catch((error: unknown) => error);
      if ((reply as { status?: number }).status !== 200) failed.push(reply);
    }
  };
  const loading = Array.from({ length: 10 }, load);
  await sleep(500);
  await redis.kill();
  await sleep(1500);
  await redis.start();
  await sleep(2500);
  isLoading = false;
  await Promise.all(loading);
  expect(failed).toEqual([]);
  expect(k).toBeGreaterThan(100);
  expect(toBusiestSecond(upstream.times)).toBeLessThanOrEqual(RATE);
  const [first, second] = replicas.map((replica) => toSearch(replica.url, '&_limit=7')) as [string, string];
  const before = upstream.results.length;
  await ask(first);
  await ask(second);
  expect(upstream.results.length - before).toBe(1);
}, 60_000);

test('a rolling restart under load: no request fails', async () => {
  const { upstream, replicas, url, redis } = await setUp();
  let isLoading = true;
  let k = 0;
  const failed: unknown[] = [];
  const load = async () => {
    while (isLoading) {
      const reply = await ask(toSearch(url, toUnlike(k++ % 60))).catch((error: unknown) => error);
      if ((reply as { status?: number }).status !== 200) failed.push(reply);
    }
  };
  const loading = Array.from({ length: 10 }, load);
  for (const replica of [...replicas]) {
    const { port } = new URL(replica.url);
    await sleep(500);
    expect(await replica.stop('SIGTERM')).toBe(0);
    const env = { WFS_URL: upstream.url, REDIS_URL: redis.url, WFS_RATE_LIMIT: String(RATE), PORT: port };
    replicas.splice(replicas.indexOf(replica), 1, ...(await startReplicas(1, env)));
    await sleep(1500); // nginx looks again
  }
  isLoading = false;
  await Promise.all(loading);
  expect(failed).toEqual([]);
  expect(toBusiestSecond(upstream.times)).toBeLessThanOrEqual(RATE);
}, 90_000);

test('the limit of one client is one limit at all replicas', async () => {
  const { url } = await setUp(undefined, { CLIENT_RATE_LIMIT: '20', TRUST_PROXY: 'loopback' });
  await sleep(1100);
  const replies = await Promise.all(Array.from({ length: 60 }, () => ask(toSearch(url, '&_limit=1'))));
  const answered = replies.filter(({ status }) => status === 200).length;
  expect(answered).toBeGreaterThanOrEqual(20);
  expect(answered).toBeLessThanOrEqual(40); // a window may turn meanwhile
});

test('no key and no address stands in Redis', async () => {
  const { redis, replicas } = await setUp(undefined, {
    WFS_APIKEY_IN: 'header:apikey',
    WFS_APIKEY: 'server-s3cret',
    CLIENT_RATE_LIMIT: '1000',
  });
  await ask(toSearch(replicas[0]?.url ?? '', '&_limit=3'), { apikey: 'caller-s3cret' });
  await sleep(200);
  const keys = redis.run('keys', '*').split('\n');
  expect(keys.length).toBeGreaterThan(3);
  const values = keys.map((key) => {
    const type = redis.run('type', key);
    if (type === 'hash') return redis.run('hgetall', key);
    return type === 'string' ? redis.run('get', key) : '';
  });
  expect(`${keys} ${values}`).not.toMatch(/s3cret|127\.0\.0\.1/);
});
