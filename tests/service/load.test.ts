import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import { startOver } from '../support/over.js';
import { startProcess } from '../support/process.js';
import { type Asked, startUpstream, toCollection, toMember } from '../support/upstream.js';

// Many callers, an upstream that is slow or moody, real sockets.

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const pathOf = (k: number) => `/api/wfs-geoportail/search?source=t:point&n=${k}&_count=false`;
const wantedBy = ({ body }: Asked) => Number(/<ogc:Literal>(\d+)</.exec(body)?.[1]);

/** The right answer, and no other. */
async function isAnswered(url: string, k: number, headers = {}): Promise<boolean> {
  const response = await fetch(`${url}${pathOf(k)}`, { headers });
  const { features } = (await response.json()) as { features?: { id: string }[] };
  return response.status === 200 && features?.length === 1 && features[0]?.id === `point.${k}`;
}

/** One in eight, independently of all others; the same in every run, in whatever order they come. */
function toMood(what: string, tries: number): 'good' | 'hangs' | 'resets' | 'fails' | 'passing' {
  const [draw = 0, way = 0] = createHash('sha256').update(`${what} ${tries}`).digest();
  if (draw >= 256 / 8) return 'good';
  return (['hangs', 'hangs', 'resets', 'fails', 'passing'] as const)[way % 5] ?? 'hangs';
}

const PASSING =
  '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="NoApplicableCode"><ows:ExceptionText>Unable to obtain connection: connect timed out</ows:ExceptionText></ows:Exception></ows:ExceptionReport>';

const misbehave: Record<string, (response: ServerResponse) => void> = {
  hangs: () => {},
  resets: ({ socket }) => socket?.resetAndDestroy(),
  fails: (response) => void response.writeHead(503).end('<html>Service Unavailable</html>'),
  passing: (response) => void response.writeHead(400, { 'Content-Type': 'text/xml' }).end(PASSING),
};

test('an upstream where one call in eight fails or hangs: 99.5 % of callers see nothing of it, for 1.3 times the requests', async () => {
  const tries = new Map<string, number>();
  let requests = 0;
  const upstream = await startUpstream((asked, response) => {
    requests += 1;
    const k = wantedBy(asked);
    const before = tries.get(`${k}`) ?? 0;
    tries.set(`${k}`, before + 1);
    const mood = toMood(`${k}`, before);
    if (mood === 'good') response.end(toCollection(toMember(k)));
    else misbehave[mood]?.(response);
  });
  // few at a time: all of it runs in one process, and what waits for the processor must not look like an upstream that hangs
  const deadlineMs = 20_000;
  const service = await startOver(upstream.url, { responseTimeoutMs: 2000, deadlineMs });
  open.push(upstream.close, service.close);
  const callers = Array.from({ length: 400 }, (_, k) => k);
  const times: number[] = [];
  const answers = await mapConcurrently(callers, 10, async (k) => {
    const begun = performance.now();
    const isRight = await isAnswered(service.url, k);
    times.push(performance.now() - begun);
    return isRight;
  });
  expect(answers.filter(Boolean).length).toBeGreaterThanOrEqual(callers.length * 0.995);
  expect(requests).toBeGreaterThan(callers.length);
  expect(requests).toBeLessThanOrEqual(callers.length * 1.3);
  expect(Math.max(...times)).toBeLessThan(deadlineMs);
}, 120_000);

/** How late this process is at most to what it has to do: what it measures is wrong by as much. */
function watchLag(): () => number {
  let [last, most] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    most = Math.max(most, now - last - 10);
    last = now;
  }, 10);
  return () => {
    clearInterval(timer);
    return most;
  };
}

test('500 different searches at once: the upstream never sees more at once, or over any second, than is configured', async () => {
  const [maxConcurrency, rateLimit, count] = [8, 100, 500];
  let active = 0;
  let most = 0;
  const arrivals: number[] = [];
  const upstream = await startUpstream(
    async (asked, response) => {
      await sleep(20);
      response.end(toCollection(toMember(wantedBy(asked))));
    },
    {
      async before(_, response) {
        arrivals.push(performance.now());
        active += 1;
        most = Math.max(most, active);
        response.once('close', () => {
          active -= 1;
        });
        return false;
      },
    },
  );
  const options = { maxConcurrency, rateLimit, deadlineMs: 100_000 };
  const service = await startOver(upstream.url, options, { trustProxy: true });
  open.push(upstream.close, service.close);
  const stopWatching = watchLag();
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const many = Array.from({ length: count }, (_, k) => isAnswered(service.url, k, from('192.0.2.1')));
  while (arrivals.length < rateLimit) await sleep(5);
  const before = arrivals.length;
  expect(await isAnswered(service.url, 1000, from('192.0.2.2'))).toBe(true);
  const served = arrivals.length - before;
  expect((await Promise.all(many)).every(Boolean)).toBe(true);

  expect(most).toBeLessThanOrEqual(maxConcurrency);
  expect(served).toBeLessThan(100); // whoever comes later does not wait for the hundreds who came before
  const lag = stopWatching();
  arrivals.forEach((time, k) => {
    const before = arrivals[k - rateLimit] ?? Number.NEGATIVE_INFINITY;
    expect(time - before).toBeGreaterThan(1000 - 2 * lag);
  });
}, 120_000);

test('SIGTERM under load: every request that was accepted is answered, those that still wait too, and the process ends', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const upstream = await startUpstream(async (asked, response) => {
    if (wantedBy(asked) > 0) await released;
    response.end(toCollection(toMember(wantedBy(asked))));
  });
  const service = await startProcess({
    WFS_URL: upstream.url,
    WFS_MAX_CONCURRENCY: '4',
    WFS_RATE_LIMIT: '1000',
  });
  open.push(upstream.close, () => service.stop('SIGKILL'));
  expect(await isAnswered(service.url, 0)).toBe(true);
  const answers = Array.from({ length: 60 }, (_, k) => isAnswered(service.url, k + 1).catch(() => false));
  const read = async () => (await fetch(`${service.url}/metrics`)).text();
  let text = '';
  while (!text.includes('http_requests_in_flight 61\n')) text = await read();
  expect(text).toContain('carto_wfs_upstream_queue_requests{module="wfs-geoportail"} 57\n');
  const begun = performance.now();
  const ended = service.stop('SIGTERM');
  while (!service.log().includes('"stopping"')) await sleep(10);
  release();
  expect(await Promise.all(answers)).toEqual(answers.map(() => true));
  expect(await ended).toBe(0);
  expect(performance.now() - begun).toBeLessThan(25_000);
  await expect(read()).rejects.toThrow();
}, 60_000);
