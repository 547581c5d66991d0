import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { stop } from '../../src/http/index.js';
import {
  connectRaw,
  fakeSource,
  feature,
  generate,
  postJson,
  readRaw,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
  until,
} from './service.js';

let service: Service;
afterEach(() => service.close());

/** What a raw reply says, read as HTTP. */
function readReply(text: string) {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
  const status = Number(head.split(' ')[1]);
  return { status, head: head.toLowerCase(), json: JSON.parse(body) };
}

describe('what is no request to Express has the one shape, too', () => {
  const raw = async (text: string) => {
    service = await startService(fakeSource());
    const socket = connectRaw(service);
    const reply = readRaw(socket);
    socket.write(text);
    return readReply((await reply).text);
  };
  const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;

  test.each([
    ['a URL over the limit', get(`${searchPath}?source=${'x'.repeat(250_000)}`), 414],
    ['a URL that Node gives up on', get(`${searchPath}?source=${'x'.repeat(3_000_000)}`), 414],
    [
      'headers over the limit',
      get(searchPath, `X-Long: ${'x'.repeat(100_000)}\r\nConnection: close\r\n`),
      431,
    ],
    [
      'one header that Node gives up on',
      get(searchPath, `Cookie: ${'name=value; '.repeat(300_000)}\r\n`),
      431,
    ],
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two hosts', get('/', 'Host: b\r\n'), 400],
    [
      'a body in chunks that are none',
      `${get(searchPath, 'Transfer-Encoding: chunked\r\n').replace('GET', 'POST')}zz\r\n`,
      400,
    ],
    [
      'many headers that Node gives up on',
      get(searchPath, `X-Long: ${'x'.repeat(1000)}\r\n`.repeat(1500)),
      431,
    ],
    [
      'one header of 2 MB without a space in it',
      get(searchPath, `Cookie: ${'x'.repeat(2_000_000)}\r\n`),
      431,
    ],
    ['a URL just over what Node takes', get(`/${'x'.repeat(2 ** 20)}`), 414],
    ['one header just over what Node takes', get(searchPath, `Cookie: ${'x'.repeat(2 ** 20)}\r\n`), 431],
    ['a URL of 2 MB behind empty lines', `\r\n\n${get(`/${'x'.repeat(2_000_000)}`)}`, 414],
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['bytes that must be encoded', get(`${searchPath}?source=\xe9`), 400],
    ['a binary hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['two lengths', get('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), 400],
  ])('%s', async (_, text, status) => {
    const reply = await raw(
      text.includes('Connection') ? text : text.replace('Host: a', 'Host: a\r\nConnection: close'),
    );
    expect(reply.status).toBe(status);
    expect(reply.json).toMatchObject({ type: 'about:blank', status, code: status });
    expect(reply.json.message).toBe(reply.json.detail);
    expect(reply.json.instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    expect(reply.head).toContain('content-type: application/problem+json');
    expect(reply.head).toContain('access-control-allow-origin: *');
    expect(reply.head).toContain('cache-control: no-store');
  });
});

test.each([
  ['a header', `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'x'.repeat(2_000_000)}\r\n\r\n`, 431],
  ['a URL', `GET /${'x'.repeat(2_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
])('%s that is too long behind a request with a body is told as such', async (_, text, status) => {
  service = await startService(fakeSource());
  const socket = connectRaw(service);
  const reply = readRaw(socket);
  const answered = new Promise((resolve) => socket.once('data', resolve));
  socket.write(`POST ${searchPath}?source=a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\n \n\n`);
  await answered;
  socket.write(text);
  const { text: replies } = await reply;
  expect(replies.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`]);
});

test('a URL that is too long and has no end is told as such in a moment', async () => {
  service = await startService(fakeSource());
  const socket = connectRaw(service);
  const reply = readRaw(socket);
  socket.write(`GET /${'x'.repeat(1_200_000)}`);
  expect((await reply).text).toMatch(/^HTTP\/1\.1 414 /);
});

test('no listener takes the data of a connection out of the hands of the parser', async () => {
  service = await startService(fakeSource());
  const connected = once(service.server, 'connection');
  const client = connectRaw(service);
  const [socket] = await connected;
  expect(socket.listenerCount('data')).toBe(1); // Node's own
  client.destroy();
});

test('an expectation nobody knows is passed over', async () => {
  service = await startService(fakeSource());
  const reply = await send(service, `${searchPath}?source=a`, { headers: { expect: 'foo' } });
  expect(reply.status).toBe(200);
});

test('garbage behind good requests leaves them their answers, and is told so itself', async () => {
  const source = fakeSource({
    search: async () => {
      await sleep(100);
      return { isPrivate: false, features: generate([toBatch(feature(1))], { numberReturned: 1 }) };
    },
  });
  service = await startService(source);
  const socket = connectRaw(service);
  const reply = readRaw(socket);
  const good = `GET ${searchPath}?source=a HTTP/1.1\r\nHost: a\r\n\r\n`;
  socket.write(`${good}${good}garbage\r\n\r\n`);
  const { text, error } = await reply;
  expect(error).toBeUndefined();
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400']);
  expect(text.match(/"numberReturned":1/g)).toHaveLength(2);
});

describe('stopping', () => {
  const slow = () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const source = fakeSource({
      search: async () => ({
        isPrivate: false,
        features: (async function* () {
          yield toBatch(feature(1));
          await released;
          yield toBatch(feature(2));
          return { numberReturned: 2 };
        })(),
      }),
    });
    return { source, release };
  };

  test('finishes the answers under way, and takes no new connections', async () => {
    const { source, release } = slow();
    service = await startService(source);
    const underway = send(service, `${searchPath}?source=a`);
    await until(() => source.asked.length === 1, 'the search begins');
    const stopped = stop(service.server, 5000);
    await expect(send(service, searchPath)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    release();
    expect((await underway).json.features).toHaveLength(2);
    await stopped;
  });

  test('is bounded: what does not end is reset, never closed', async () => {
    const { source } = slow();
    service = await startService(source);
    const socket = connectRaw(service);
    const reply = readRaw(socket);
    socket.write(`GET ${searchPath}?source=a HTTP/1.0\r\n\r\n`);
    await until(() => source.asked.length === 1, 'the search begins');
    await sleep(50);
    const before = Date.now();
    await stop(service.server, 100);
    expect(Date.now() - before).toBeLessThan(2000);
    expect((await reply).error).toBe('ECONNRESET');
  });

  test('closes idle connections at once', async () => {
    service = await startService(fakeSource());
    const socket = connectRaw(service);
    socket.write(`GET ${searchPath}?source=a HTTP/1.1\r\nHost: a\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    const before = Date.now();
    await stop(service.server, 5000);
    expect(Date.now() - before).toBeLessThan(1000);
  });

  test('a request on a connection that was kept alive is told to come back', async () => {
    service = await startService(fakeSource());
    const agent = new http.Agent({ keepAlive: true });
    service.stopping = true;
    const reply = await send(service, `${searchPath}?source=a`);
    agent.destroy();
    expect(reply.json).toMatchObject({ status: 503, detail: 'The service is stopping.' });
    expect(reply.headers['retry-after']).toBe('5');
    expect(reply.headers.connection).toBe('close');
  });
});

describe('health', () => {
  test('live and ready', async () => {
    service = await startService(fakeSource({ status: () => ({ isReady: true, detail: { state: 'ok' } }) }));
    expect((await send(service, '/health/live')).json).toEqual({ status: 'live' });
    const ready = await send(service, '/health/ready');
    expect(ready.json).toEqual({
      status: 'ready',
      upstream: { 'wfs-geoportail': { status: 'ready', state: 'ok' } },
    });
    expect(ready.headers['cache-control']).toBe('no-store');
  });

  test('not ready is a problem that says why', async () => {
    service = await startService(
      fakeSource({ status: () => ({ isReady: false, detail: { capabilities: 'not answered' } }) }),
    );
    const ready = await send(service, '/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.json.detail).toContain('"capabilities":"not answered"');
    expect((await send(service, '/health/live')).status).toBe(200);
  });

  test('stopping is not ready, but live', async () => {
    service = await startService(fakeSource());
    service.stopping = true;
    expect((await send(service, '/health/ready')).status).toBe(503);
    expect((await send(service, '/health/live')).status).toBe(200);
  });
});

describe('the log', () => {
  test('has one line a request, without query string, key or geometry', async () => {
    service = await startService(fakeSource());
    const query = 'source=a&apikey=s3cret&geom={"type":"Point","coordinates":[1.23456,2]}';
    const headers = { authorization: 'Bearer t0ken' };
    const reply = await send(service, `${searchPath}?${query}`, { headers });
    await postJson(service, { source: 'a', apikey: 's3cret', geom: { type: 'Dot', at: 1.23456 } });
    await until(() => service.log.filter(({ msg }) => msg === 'request').length === 2, 'both are logged');
    const [found, refused] = service.log.filter(({ msg }) => msg === 'request');
    expect(found).toMatchObject({
      level: 30,
      requestId: reply.headers['x-request-id'],
      method: 'GET',
      path: searchPath,
      route: searchPath,
      status: 200,
      features: 1,
      bytes: Buffer.byteLength(reply.text),
      outcome: 'done',
    });
    expect(found?.ms).toEqual(expect.any(Number));
    expect(refused).toMatchObject({
      method: 'POST',
      route: searchPath,
      status: 400,
      error: 'invalidRequest',
    });
    expect(service.logText()).not.toMatch(/s3cret|t0ken|1\.23456|undefined/);
  });
});
