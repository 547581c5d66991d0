import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../src/metrics/index.js';
import {
  connectRaw,
  fakeSource,
  readRaw,
  type Service,
  searchPath,
  send,
  startModules,
  startService,
  toModule,
  until,
} from './service.js';

let service: Service;
afterEach(() => service.close());

describe('callers over CLIENT_RATE_LIMIT', () => {
  const ask = (address?: string) =>
    send(service, `${searchPath}?source=a`, {
      ...(address !== undefined && { headers: { 'x-forwarded-for': address } }),
    });

  test('are told to come back in a second, in the one shape, readable for browsers; others are not', async () => {
    service = await startModules([toModule({})], { clientRateLimit: 2, trustProxy: true });
    const replies = await Promise.all(Array.from({ length: 5 }, () => ask('192.0.2.1')));
    const refused = replies.filter(({ status }) => status === 429);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(refused).toHaveLength(3);
    expect(refused[0]?.headers).toMatchObject({
      'retry-after': '1',
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      ratelimit: expect.stringContaining('r=0'),
      'ratelimit-policy': expect.stringContaining('q=2'),
    });
    expect(refused[0]?.json).toMatchObject({
      status: 429,
      detail: 'More than 2 requests a second come from your address (CLIENT_RATE_LIMIT).',
    });
    expect((await ask('192.0.2.2')).status).toBe(200);
    await sleep(1100);
    expect((await ask('192.0.2.1')).status).toBe(200);
  });

  test('an IPv6 network of one customer is one caller; what is no API is not limited', async () => {
    service = await startModules([toModule({})], { clientRateLimit: 1, trustProxy: true });
    const replies = await Promise.all(['::1', '::2', '::ffff'].map((host) => ask(`2001:db8:0:1${host}`)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
    expect((await ask('2001:db8:0:2::1')).status).toBe(200);
    for (let k = 0; k < 5; k += 1) expect((await send(service, '/health/live')).status).toBe(200);
  });

  test('a forwarded address counts only behind a trusted proxy', async () => {
    service = await startModules([toModule({})], { clientRateLimit: 1, trustProxy: false });
    const replies = await Promise.all([ask('192.0.2.1'), ask('192.0.2.2')]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 429]);
  });

  test('the source is told from where the request comes', async () => {
    const source = fakeSource();
    service = await startModules([toModule({ source })], { trustProxy: true });
    await ask('192.0.2.7');
    await ask('2001:db8::7');
    expect(source.asked.map(([, { address }]) => address)).toEqual(['192.0.2.7', '2001:db8::/64']);
  });
});

describe('a client that is slow', () => {
  const startSlow = async () => {
    service = await startModules(
      [toModule({})],
      {},
      { server: { headersTimeoutMs: 300, requestTimeoutMs: 600 } },
    );
  };

  test.each([
    ['with its headers', `GET ${searchPath}?source=a HTTP/1.1\r\nHost: a\r\nX-Slow: `],
    ['with its body', `POST ${searchPath} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{`],
  ])('%s is a 408 in the one shape, however it drips', async (_, text) => {
    await startSlow();
    const socket = connectRaw(service);
    const reply = readRaw(socket);
    socket.write(text);
    const drip = setInterval(() => socket.write('x'), 50);
    const { text: answer } = await reply;
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer.toLowerCase()).toContain('access-control-allow-origin: *');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 408, code: 408 });
  });

  test('to read what is no stream is cut off', async () => {
    const keywords = Array.from({ length: 30 }, () => 'x'.repeat(1_000_000)); // more than the kernel takes
    const source = fakeSource({ list: async () => ({ keywords, sources: [] }) });
    service = await startModules([toModule({ source })], { readerIdleMs: 200 });
    const socket = connect({ port: service.port, host: '127.0.0.1' });
    const connections = () =>
      new Promise<number>((resolve) => service.server.getConnections((_, n) => resolve(n)));
    socket.pause();
    socket.on('error', () => {});
    socket.write('GET /api/wfs-geoportail HTTP/1.1\r\nHost: a\r\n\r\n');
    let open = 1;
    await sleep(50);
    await until(() => {
      void connections().then((count) => {
        open = count;
      });
      return open === 0;
    }, 'the connection is cut');
    socket.destroy();
  });
});

test('a compressed body is bounded by what comes out of it', async () => {
  service = await startService(fakeSource(), { bodyLimit: 100_000 });
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20), { level: 9 });
  const before = process.memoryUsage().arrayBuffers;
  const { status, json } = await send(service, searchPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: bomb,
  });
  expect([status, json.detail]).toEqual([413, 'The body is larger than 100000 bytes.']);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});

test('when the process must end, who has no answer yet is told so, and an answer that has begun goes on', async () => {
  const ending = new AbortController();
  const never = new Promise<never>(() => {});
  const source = fakeSource({ search: () => never, list: () => never });
  service = await startModules([toModule({ source })], {}, { ending: ending.signal });
  const waiting = [send(service, `${searchPath}?source=a`), send(service, '/api/wfs-geoportail')];
  await until(() => source.asked.length === 1, 'the search begins');
  ending.abort();
  for (const reply of await Promise.all(waiting)) {
    expect(reply.json).toMatchObject({ status: 503, detail: 'The service is stopping.' });
    expect(reply.headers['retry-after']).toBe('5');
  }
});

describe('what is counted', () => {
  const start = async () => {
    const metrics = createMetrics();
    service = await startModules([toModule({})], {}, { metrics, server: { metrics: metrics.http } });
  };
  const read = async () => (await send(service, '/metrics')).text;
  const valuesOf = (text: string, name: string, ...labels: string[]) =>
    text
      .split('\n')
      .filter(
        (line) => line.startsWith(`carto_wfs_${name}{`) && labels.every((label) => line.includes(label)),
      )
      .map((line) => Number(line.split(' ').at(-1)));

  test('requests by the template of their route and by status, features, bytes', async () => {
    await start();
    const reply = await send(service, `${searchPath}?source=a&apikey=s3cret`);
    await send(service, `${searchPath}?source=`);
    await send(service, '/api/wfs-geoportail/sources/secret:layer');
    await send(service, '/no/such/path');
    const text = await read();
    const requests = (...labels: string[]) => valuesOf(text, 'http_requests_total', ...labels);
    const isSearch = `route="${searchPath}"`;
    expect(requests(isSearch, 'status="200"', 'method="GET"', 'outcome="done"')).toEqual([1]);
    expect(requests(isSearch, 'status="400"')).toEqual([1]);
    expect(requests('route="/api/wfs-geoportail/sources/*source"', 'status="500"')).toEqual([1]);
    expect(requests('route="none"', 'status="404"')).toEqual([1]);
    expect(valuesOf(text, 'features_total', 'module="wfs-geoportail"')).toEqual([1]);
    expect(valuesOf(text, 'http_response_bytes_total', 'module="wfs-geoportail"')).toEqual([
      Buffer.byteLength(reply.text),
    ]);
    expect(valuesOf(text, 'http_request_duration_seconds_count', isSearch)).toEqual([2]);
  });

  test('what never became a request; and no label holds what callers choose', async () => {
    await start();
    const socket = connectRaw(service);
    const refused = readRaw(socket);
    socket.write('nonsense\r\n\r\n');
    await refused;
    await send(service, `${searchPath}?source=sour-ce&apikey=s3cret`);
    for (const method of ['PROPFIND', 'PUT', 'DELETE']) await send(service, '/chosen/path', { method });
    const text = await read();
    expect(valuesOf(text, 'http_refused_total', 'status="400"')).toEqual([1]);
    expect(valuesOf(text, 'http_requests_total', 'method="other"')).toEqual([3]);
    expect(text).not.toMatch(/s3cret|sour-ce|chosen|PROPFIND|127\.0\.0\.1/);
  });

  test('who leaves is no answer', async () => {
    const metrics = createMetrics();
    const source = fakeSource({ search: () => new Promise(() => {}) });
    service = await startModules([toModule({ source })], {}, { metrics });
    const socket = connectRaw(service);
    socket.write(`GET ${searchPath}?source=a HTTP/1.1\r\nHost: a\r\n\r\n`);
    await until(() => source.asked.length === 1, 'the search begins');
    expect(await read()).toContain('carto_wfs_http_requests_in_flight 2');
    socket.destroy();
    await sleep(50);
    expect(valuesOf(await read(), 'http_requests_total', 'outcome="left"', 'status="0"')).toEqual([1]);
  });
});
