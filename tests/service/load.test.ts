import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
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

const CALLERS = 500;

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
  const service = await startOver(upstream.url, { responseTimeoutMs: 1500, deadlineMs: 10_000 });
  open.push(upstream.close, service.close);
  const begun = performance.now();
  const times: number[] = [];
  const answers = await concurrently(100, CALLERS, async (k) => {
    const own = performance.now();
    const isRight = await isAnswered(service.url, k);
    times.push(performance.now() - own);
    return isRight;
  });
  expect(performance.now() - begun).toBeLessThan(25_000);
  expect(answers.filter(Boolean).length).toBeGreaterThanOrEqual(CALLERS * 0.995);
  expect(requests).toBeGreaterThan(CALLERS);
  expect(requests).toBeLessThanOrEqual(CALLERS * 1.3);
  expect(Math.max(...times)).toBeLessThan(10_000);
});

test('500 different searches at once: the upstream never sees more at once, or over any second, than is configured', async () => {
  const [maxConcurrency, rateLimit] = [8, 100];
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
  const service = await startOver(upstream.url, { maxConcurrency, rateLimit }, { trustProxy: true });
  open.push(upstream.close, service.close);
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const many = Array.from({ length: CALLERS }, (_, k) => isAnswered(service.url, k, from('192.0.2.1')));
  await sleep(1500);
  const begun = performance.now();
  expect(await isAnswered(service.url, 1000, from('192.0.2.2'))).toBe(true);
  const waited = performance.now() - begun;
  const rest = arrivals.length;
  expect((await Promise.all(many)).every(Boolean)).toBe(true);

  expect(most).toBeLessThanOrEqual(maxConcurrency);
  // the one who came late did not wait for the hundreds who were there before
  expect(rest).toBeLessThan(CALLERS - rateLimit);
  expect(waited).toBeLessThan(2500);
  // what arrives is measured here by the same processor that sends it: a tenth of the second is for that
  const sorted = arrivals.sort((a, b) => a - b);
  for (let k = rateLimit; k < sorted.length; k += 1) {
    expect((sorted[k] ?? 0) - (sorted[k - rateLimit] ?? 0)).toBeGreaterThan(900);
  }
});

test('SIGTERM under load: every request that was accepted is answered, those that still wait too, and the process ends', async () => {
  const upstream = await startUpstream(async (asked, response) => {
    await sleep(100);
    response.end(toCollection(toMember(wantedBy(asked))));
  });
  const service = await startProcess({
    WFS_URL: upstream.url,
    WFS_MAX_CONCURRENCY: '4',
    WFS_RATE_LIMIT: '1000',
  });
  open.push(upstream.close, () => service.stop('SIGKILL'));
  expect(await isAnswered(service.url, 0)).toBe(true);
  const answers = Array.from({ length: 60 }, (_, k) => isAnswered(service.url, k).catch(() => false));
  const read = async () => (await fetch(`${service.url}/metrics`)).text();
  for (let text = ''; !text.includes('http_requests_in_flight 61'); text = await read()) await sleep(20);
  const begun = performance.now();
  const ended = service.stop('SIGTERM');
  expect(await Promise.all(answers)).toEqual(answers.map(() => true));
  expect(await ended).toBe(0);
  expect(performance.now() - begun).toBeLessThan(25_000);
  expect(await read().catch(() => 'gone')).toBe('gone');
});
