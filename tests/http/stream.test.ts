import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ServiceError, toMessage } from '../../src/errors.js';
import type { Answer, FeatureBatch, FeatureSource } from '../../src/query/index.js';
import type { Signal } from '../../src/signal.js';
import {
  connectRaw,
  fakeSource,
  feature,
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

const answering = (features: () => Answer['features']): FeatureSource =>
  fakeSource({ search: async () => ({ isPrivate: false, features: features() }) });

/** Something a test opens when it is time. */
function createGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const requestLine = (version: string, headers = '') =>
  `GET ${searchPath}?source=a HTTP/${version}\r\nHost: localhost\r\n${headers}\r\n`;
const large = (i: number): FeatureBatch => toBatch(feature(i, { text: 'x'.repeat(65_000) }));
const fault = () => new ServiceError('upstreamUnusable', toMessage('internal'));

describe('features reach the caller as they arrive', () => {
  /** Waits for the text of feature 1 before the source may produce feature 2. */
  async function firstBeforeSecond(encoding: string, decode: () => NodeJS.ReadWriteStream | undefined) {
    const gate = createGate();
    service = await startService(
      answering(async function* () {
        yield toBatch(feature(1));
        await gate.opened;
        yield toBatch(feature(2));
        return { numberReturned: 2 };
      }),
    );
    let text = '';
    const headers = { 'accept-encoding': encoding };
    const req = http.get(`${service.url}${searchPath}?source=a`, { headers, agent: false }, (res) => {
      const decoder = decode();
      const body = decoder === undefined ? res : res.pipe(decoder);
      body.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      expect(res.headers['content-encoding']).toBe(decoder === undefined ? undefined : encoding);
      expect(res.headers.vary).toBe('Accept, Accept-Language, Accept-Encoding');
    });
    await until(() => text.includes('parcelle.1"'), 'feature 1 arrives');
    expect(text).not.toContain('parcelle.2');
    gate.open();
    await until(() => text.endsWith('}\n'), 'the answer ends');
    expect(JSON.parse(text).features).toHaveLength(2);
    req.destroy();
  }

  test('plain', () => firstBeforeSecond('identity', () => undefined));
  test('gzip', () => firstBeforeSecond('gzip', createGunzip));
  test('brotli', () => firstBeforeSecond('br', createBrotliDecompress));
});

describe('a fault', () => {
  async function* early(): Answer['features'] {
    if (Date.now() > 0) throw fault();
    yield toBatch(feature(1));
    return { numberReturned: 1 };
  }
  /** Once the reader has feature 1: libuv reports a reset that it finds together with unread data as an end. */
  async function* late(hasFirst: Promise<void>): Answer['features'] {
    yield toBatch(feature(1));
    await hasFirst;
    await sleep(50);
    throw fault();
  }

  test('before the first feature is an answer of its own', async () => {
    service = await startService(answering(early));
    const reply = await send(service, `${searchPath}?source=a`);
    expect(reply.status).toBe(502);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.headers['cache-control']).toBe('no-store');
  });

  test.each([
    ['HTTP/1.1', '1.1', ''],
    ['HTTP/1.0', '1.0', ''],
    ['HTTP/1.1 with gzip', '1.1', 'Accept-Encoding: gzip\r\n'],
    ['HTTP/1.0 with gzip', '1.0', 'Accept-Encoding: gzip\r\n'],
    ['a sequence', '1.1', 'Accept: application/geo+json-seq\r\n'],
  ])('after it resets the connection: %s', async (_, version, headers) => {
    const gate = createGate();
    service = await startService(answering(() => late(gate.opened)));
    const socket = connectRaw(service);
    socket.once('data', gate.open);
    socket.write(requestLine(version, headers));
    const { text, error } = await readRaw(socket);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(error).toBe('ECONNRESET');
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(text).not.toContain('numberReturned');
    if (headers === '') expect(text).toContain('parcelle.1');
    await until(() => service.log.some((line) => line.msg === 'request'), 'the request is logged');
    expect(service.log.find((line) => line.msg === 'request')).toMatchObject({
      outcome: 'reset',
      features: 1,
    });
    expect(service.log.find((line) => line.msg === 'late fault, connection reset')).toMatchObject({
      level: 50,
      error: { kind: 'upstreamUnusable' },
    });
  });

  test('right behind the first features resets too', async () => {
    service = await startService(
      answering(async function* () {
        yield toBatch(feature(1));
        throw fault();
      }),
    );
    await expect(send(service, `${searchPath}?source=a`)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('after much of it resets too, at once', async () => {
    service = await startService(
      answering(async function* () {
        for (let i = 0; i < 16; i += 1) yield large(i);
        // libuv reports a reset that it finds together with unread data as an end: let the reader catch up.
        await sleep(100);
        throw fault();
      }),
    );
    for (const version of ['1.0', '1.1']) {
      const socket = connectRaw(service);
      socket.write(requestLine(version));
      const { text, error } = await readRaw(socket);
      expect(error).toBe('ECONNRESET');
      expect(text).not.toContain('numberReturned');
    }
  });

  test('that is a defect of ours says nothing of itself', async () => {
    service = await startService(
      fakeSource({
        search: async () => {
          throw new TypeError('secret of https://wfs.example/?apikey=s3cret');
        },
      }),
    );
    const reply = await send(service, `${searchPath}?source=a&apikey=s3cret`);
    expect(reply.json).toMatchObject({
      status: 500,
      detail: 'The service failed to answer; the fault has been logged.',
    });
    expect(reply.text).not.toMatch(/secret|s3cret|wfs\.example|\.ts/);
    expect(service.logText()).toContain('TypeError');
    expect(service.logText()).not.toContain('s3cret');
  });
});

describe('a caller that leaves', () => {
  test('while the source is being asked aborts its signal', async () => {
    let signal: Signal | undefined;
    service = await startService(
      fakeSource({
        search: (_query, caller) => {
          signal = caller.signal;
          return new Promise(() => {});
        },
      }),
    );
    const socket = connectRaw(service);
    socket.write(requestLine('1.1'));
    await until(() => signal !== undefined, 'the source is asked');
    expect(signal?.aborted).toBe(false);
    socket.destroy();
    await until(() => signal?.aborted === true, 'the signal is aborted');
    await until(() => service.log.some(({ outcome }) => outcome === 'left'), 'it is logged');
  });

  test('in the middle of the answer ends the generator, even one that waits', async () => {
    let signal: Signal | undefined;
    let ended = 0;
    async function* features(): Answer['features'] {
      try {
        yield toBatch(feature(1));
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal?.reason)));
        return { numberReturned: 1 };
      } finally {
        ended += 1;
      }
    }
    service = await startService(
      fakeSource({
        search: async (_query, caller) => {
          signal = caller.signal;
          return { isPrivate: false, features: features() };
        },
      }),
    );
    const socket = connectRaw(service);
    socket.write(requestLine('1.1'));
    socket.once('data', () => socket.destroy());
    await until(() => ended === 1, 'the generator is ended');
    expect(signal?.aborted).toBe(true);
    expect(service.log.some(({ level }) => Number(level) >= 50)).toBe(false);
  });

  test('an answer that comes too late for its caller is ended too', async () => {
    const gate = createGate();
    let ended = 0;
    async function* features(): Answer['features'] {
      try {
        yield toBatch(feature(1));
        return { numberReturned: 1 };
      } finally {
        ended += 1;
      }
    }
    service = await startService(
      fakeSource({
        search: async () => {
          const generator = features();
          await generator.next();
          await gate.opened;
          return { isPrivate: false, features: generator };
        },
      }),
    );
    const socket = connectRaw(service);
    socket.write(requestLine('1.1'));
    await sleep(30);
    socket.destroy();
    await until(() => service.log.some(({ outcome }) => outcome === 'left'), 'the caller has left');
    gate.open();
    await until(() => ended === 1, 'the generator is ended');
  });

  test('after a whole answer has aborted nothing', async () => {
    let signal: Signal | undefined;
    const inner = fakeSource();
    service = await startService(
      fakeSource({
        search: (query, caller) => {
          signal = caller.signal;
          return inner.search(query, caller);
        },
      }),
    );
    await send(service, `${searchPath}?source=a`);
    await sleep(20);
    expect(signal?.aborted).toBe(false);
  });
});

describe('backpressure', () => {
  /** Counts what a reader that takes nothing makes the source produce. */
  async function produced(headers: string): Promise<number> {
    let count = 0;
    service = await startService(
      answering(async function* () {
        for (; count < 2000; count += 1) yield toBatch(feature(count, { text: randomText() }));
        return { numberReturned: 2000 };
      }),
    );
    const socket = connectRaw(service);
    socket.write(requestLine('1.1', headers));
    socket.pause();
    let before = -1;
    while (before !== count) {
      before = count;
      await sleep(150);
    }
    socket.destroy();
    return count;
  }
  const randomText = () =>
    Array.from({ length: 8000 }, () => Math.random().toString(36).slice(2, 10)).join('');

  test('a reader that takes nothing stops the source after what the kernel buffers', async () => {
    // 2000 batches are 128 MB; the loopback's buffers take some MB.
    expect(await produced('')).toBeLessThan(200);
  });

  test('also under compression', async () => {
    expect(await produced('Accept-Encoding: gzip\r\n')).toBeLessThan(400);
  });

  test('a slow reader gets everything', async () => {
    service = await startService(
      answering(async function* () {
        for (let i = 0; i < 100; i += 1) yield large(i);
        return { numberReturned: 100 };
      }),
    );
    const socket = connectRaw(service);
    socket.write(requestLine('1.1', 'Connection: close\r\n'));
    socket.on('data', () => {
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    });
    const { text, error } = await readRaw(socket);
    expect(error).toBeUndefined();
    expect(text.match(/parcelle\.\d+"/g)).toHaveLength(100);
    expect(text.endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  /** Many MB in one batch: written with the end of the answer, or before it. */
  const inOneBatch = (wait: number, megabytes = 16) =>
    answering(async function* () {
      yield toBatch(feature(1, { text: 'x'.repeat(megabytes * 1_000_000) }));
      if (wait > 0) await sleep(wait);
      return { numberReturned: 1 };
    });

  test('a reader that is slow but reads is not cut off', async () => {
    // The kernel holds some MB between the two: for half a second nothing moves here, for longer on a busy machine.
    const readerIdleMs = 1200;
    const readSlowly = async (wait: number) => {
      const own = await startService(inOneBatch(wait, 40), { readerIdleMs });
      try {
        const socket = connectRaw(own);
        socket.write(requestLine('1.0'));
        socket.on('data', () => {
          socket.pause();
          setTimeout(() => socket.resume(), 8);
        });
        const begun = Date.now();
        const { text } = await readRaw(socket);
        expect(Date.now() - begun).toBeGreaterThan(2 * readerIdleMs);
        const [, body = ''] = text.split(/\r\n\r\n(.*)/s);
        expect(JSON.parse(body).numberReturned).toBe(1);
      } finally {
        await own.close();
      }
    };
    await Promise.all([0, 20].map(readSlowly));
  });

  test.each([0, 20])('a reader that stops reading is, also at the end (%d)', async (wait) => {
    service = await startService(inOneBatch(wait), { readerIdleMs: 300 });
    const socket = connectRaw(service);
    socket.write(requestLine('1.0'));
    socket.pause();
    await until(() => service.log.some(({ outcome }) => outcome === 'stalled'), 'it is cut off');
    socket.destroy();
  });

  test('no listener is left behind by many drains', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    service = await startService(
      answering(async function* () {
        for (let i = 0; i < 60; i += 1) yield large(i);
        return { numberReturned: 60 };
      }),
    );
    const reply = await send(service, `${searchPath}?source=a`, { headers: { 'accept-encoding': 'gzip' } });
    process.off('warning', listen);
    expect(reply.status).toBe(200);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });

  test('a reader that stalls is cut off, with a reset', async () => {
    let ended = 0;
    const features = async function* (): Answer['features'] {
      try {
        for (let i = 0; i < 2000; i += 1) yield large(i);
        return { numberReturned: 2000 };
      } finally {
        ended += 1;
      }
    };
    service = await startService(answering(features), { readerIdleMs: 200 });
    const socket = connectRaw(service);
    socket.write(requestLine('1.0'));
    socket.pause();
    await until(() => ended === 1, 'the source is told to end');
    await until(() => service.log.some(({ outcome }) => outcome === 'stalled'), 'it is logged');
    const { text } = await readRaw(socket.resume());
    expect(text).not.toContain('numberReturned');
  });
});

test('an answer that is whole at once has a length', async () => {
  service = await startService(fakeSource());
  const reply = await send(service, `${searchPath}?source=a`);
  expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.text)));
  expect(reply.headers['transfer-encoding']).toBeUndefined();
});

test('a connection that is kept alive serves one search after another', async () => {
  service = await startService(fakeSource());
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 5; i += 1) {
    await new Promise<void>((resolve, reject) => {
      http
        .get(`${service.url}${searchPath}?source=a`, { agent }, (res) => {
          ports.add(res.socket.localPort);
          res.resume().on('end', resolve);
        })
        .on('error', reject);
    });
  }
  agent.destroy();
  expect(ports.size).toBe(1);
});
