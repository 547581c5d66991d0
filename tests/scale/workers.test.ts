import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { ask, readMetric, toBusiestSecond, toSearch } from './replicas.js';
import { startUpstreamProcess, type UpstreamProcess } from './upstream.js';

// One process tree, as WORKERS starts it: what replicas share over Redis, workers share over their primary.

const RATE = 25;
let upstream: UpstreamProcess;
let service: ServiceProcess;

beforeAll(async () => {
  upstream = await startUpstreamProcess();
  service = await startProcess({
    WFS_URL: upstream.url,
    WORKERS: '2',
    WFS_RATE_LIMIT: String(RATE),
    CLIENT_RATE_LIMIT: '10000', // which is counted, and in nobody's way
  });
  while ((service.log().match(/"msg":"listening"/g) ?? []).length < 2) await sleep(50);
  await ask(toSearch(service.url, '&_limit=1')); // learns the layer
}, 60_000);
afterAll(async () => {
  await service.stop('SIGKILL');
  await upstream.close();
});
beforeEach(() => upstream.set('full'));

let question = 0;
const toUnlike = () => `&_limit=1&bbox=1,47,2,${(48 + question++ * 1e-5).toFixed(5)}`;
/** On a connection of its own, which is the turn of the next worker. */
const askAnew = (query: string) => ask(toSearch(service.url, query), { connection: 'close' });

const toWorkers = () =>
  readFileSync(`/proc/${service.pid}/task/${service.pid}/children`, 'utf8').trim().split(' ').map(Number);
/** Processor time used so far, in ticks of 10 ms. */
const toTicks = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

test('identical requests over the workers are one request to the upstream', async () => {
  await upstream.set('slow');
  const query = toUnlike();
  const replies = await Promise.all(Array.from({ length: 100 }, () => askAnew(query)));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await upstream.see()).results).toBe(1);
});

test('an answer that takes its time is read by all workers while one of them makes it', async () => {
  await upstream.set('dripping');
  const query = toUnlike().replace('_limit=1', '_limit=6');
  const begun = performance.now();
  const replies = await Promise.all(Array.from({ length: 20 }, () => askAnew(query)));
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
  expect(new Set(replies.map(({ text }) => JSON.parse(text).features.length)).size).toBe(1);
  expect((await upstream.see()).results).toBe(1);
  expect((performance.now() - begun) / 1000).toBeLessThan(12);
}, 30_000);

test('the upstream never sees more than its rate, over any second, and nearly all of it', async () => {
  await sleep(1000);
  await upstream.set('full');
  const begun = performance.now();
  const replies = await mapConcurrently(Array.from({ length: 200 }), 100, () => askAnew(toUnlike()));
  expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
  expect(toBusiestSecond((await upstream.see()).times)).toBeLessThanOrEqual(RATE);
  expect((performance.now() - begun) / 1000).toBeLessThan(200 / (RATE * 0.7));
}, 60_000);

test('every worker has its part of the work, and the primary next to none', async () => {
  const pids = toWorkers();
  expect(pids).toHaveLength(2);
  const query = toUnlike();
  await askAnew(query);
  const before = [service.pid, ...pids].map(toTicks);
  await mapConcurrently(Array.from({ length: 3000 }), 32, () =>
    ask(toSearch(service.url, `${query}&_=${question++}`)),
  );
  const [primary, ...workers] = [service.pid, ...pids].map(
    (pid, i) => toTicks(pid) - (before[i] as number),
  ) as [number, ...number[]];
  const all = workers.reduce((a, b) => a + b);
  for (const ticks of workers) expect(ticks / all).toBeGreaterThan(0.3);
  expect(primary / all).toBeLessThan(0.1);
}, 60_000);

test('metrics are those of all workers, whichever is asked', async () => {
  const pattern = /^carto_wfs_http_requests_total.*route="\/api\/wfs-geoportail\/search"/;
  const before = await readMetric(service, pattern);
  const query = toUnlike();
  await Promise.all(Array.from({ length: 40 }, () => askAnew(query)));
  for (let k = 0; k < 3; k += 1) expect((await readMetric(service, pattern)) - before).toBe(40);
  // a share that moves from one worker to the other is nobody's for a moment, and never both's
  const readShares = () => readMetric(service, /^carto_wfs_upstream_rate_share/);
  let shares = await readShares();
  for (let k = 0; shares < RATE && k < 50; k += 1) {
    await sleep(100);
    shares = await readShares();
  }
  expect(shares).toBe(RATE);
});

test('a worker that dies is replaced, and the other answers meanwhile', async () => {
  const [first = 0] = toWorkers();
  process.kill(first, 'SIGKILL');
  // until the primary knows, it may hand a connection over that the dead one takes with it
  while (!service.log().includes('a worker has ended, another is started')) await sleep(5);
  for (let k = 0; k < 10; k += 1) expect(await askAnew(toUnlike())).toMatchObject({ status: 200 });
  for (let k = 0; toWorkers().length < 2 && k < 100; k += 1) await sleep(100);
  expect(toWorkers()).toHaveLength(2);
}, 30_000);

test('workers that cannot start end the service, and say why once each', async () => {
  const { port } = new URL(service.url);
  await expect(startProcess({ WFS_URL: upstream.url, WORKERS: '2', PORT: port })).rejects.toThrow(
    /the service ended with 1:[\s\S]*cannot listen on 127\.0\.0\.1/,
  );
}, 30_000);

test('told to end, it answers what it was asked', async () => {
  await upstream.set('slow');
  const asked = Promise.all(Array.from({ length: 10 }, () => askAnew(toUnlike())));
  while ((await upstream.see()).results < 10) await sleep(10);
  expect(await service.stop('SIGTERM')).toBe(0);
  for (const { status } of await asked) expect(status).toBe(200);
}, 30_000);
