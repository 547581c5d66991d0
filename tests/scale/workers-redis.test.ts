import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { type RedisProcess, startRedis } from './redis.js';
import { ask, toBusiestSecond, toSearch } from './replicas.js';
import { startUpstreamProcess, type UpstreamProcess } from './upstream.js';

// Two machines, each with a process tree of two workers: all four have one Redis in common.

const RATE = 25;
let upstream: UpstreamProcess;
let redis: RedisProcess;
let services: ServiceProcess[];

beforeAll(async () => {
  upstream = await startUpstreamProcess();
  redis = await startRedis();
  const env = { WFS_URL: upstream.url, WORKERS: '2', WFS_RATE_LIMIT: String(RATE), REDIS_URL: redis.url };
  services = await Promise.all([startProcess(env), startProcess(env)]);
  for (const { log } of services)
    while ((log().match(/"msg":"listening"/g) ?? []).length < 2) await sleep(50);
  for (const { url } of services) await ask(toSearch(url, '&_limit=1')); // learns the layer
}, 60_000);
afterAll(async () => {
  for (const service of services) await service.stop('SIGKILL');
  await redis.close();
  await upstream.close();
});
beforeEach(() => upstream.set('full'));

let question = 0;
const toUnlike = () => `&_limit=1&bbox=1,47,2,${(48 + question++ * 1e-5).toFixed(5)}`;
/** Of one machine after the other, and on a connection of its own: the turn of its next worker. */
const askAnew = (query: string, k: number) =>
  ask(toSearch((services[k % 2] as ServiceProcess).url, query), { connection: 'close' });

test('identical requests over all four are one request to the upstream', async () => {
  await upstream.set('slow');
  const query = toUnlike();
  const replies = await Promise.all(Array.from({ length: 100 }, (_, k) => askAnew(query, k)));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await upstream.see()).results).toBe(1);
});

test.each(['up', 'down'])(
  'the upstream never sees more than its rate, over any second: Redis %s',
  async (state) => {
    if (state === 'down') await redis.kill();
    await sleep(1500);
    await upstream.set('full');
    const all = Array.from({ length: 150 }, (_, k) => k);
    const replies = await mapConcurrently(all, 100, (k) => askAnew(toUnlike(), k));
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(toBusiestSecond((await upstream.see()).times)).toBeLessThanOrEqual(RATE);
    if (state === 'down') await redis.start();
  },
  60_000,
);

test('told to end, each answers what it was asked', async () => {
  await upstream.set('slow');
  const asked = Promise.all(Array.from({ length: 10 }, (_, k) => askAnew(toUnlike(), k)));
  while ((await upstream.see()).results < 10) await sleep(10);
  expect(await Promise.all(services.map((service) => service.stop('SIGTERM')))).toEqual([0, 0]);
  for (const { status } of await asked) expect(status).toBe(200);
}, 30_000);
