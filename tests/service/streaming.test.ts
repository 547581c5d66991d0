import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import {
  type Asked,
  COLLECTION_END,
  COLLECTION_START,
  startUpstream,
  toCollection,
  toMember,
} from '../support/upstream.js';

// The whole service in a process of its own, over an upstream that does what it is told, through real sockets. A process
// takes a second to start: one serves every test that asks nothing special of it.

type UpstreamAnswer = (asked: Asked, response: ServerResponse) => unknown;

interface Running {
  readonly service: ServiceProcess;
  close(): Promise<void>;
}

async function start(answer: UpstreamAnswer, env: Record<string, string> = {}, path = ''): Promise<Running> {
  const upstream = await startUpstream(answer);
  const service = await startProcess({ WFS_URL: upstream.url + path, ...env });
  return {
    service,
    async close() {
      await service.stop('SIGKILL');
      await upstream.close();
    },
  };
}

let answer: UpstreamAnswer;
let shared: Running;
beforeAll(async () => {
  shared = await start(
    (asked, response) => answer(asked, response),
    { WFS_IDLE_TIMEOUT_MS: '1000', CACHE_TTL_S: '0' }, // each test asks the same, and is answered otherwise
  );
});
afterAll(() => shared.close());

const own: Running[] = [];
afterEach(async () => {
  for (const running of own.splice(0)) await running.close();
});
/** A service for one test alone. */
async function startOwn(...args: Parameters<typeof start>): Promise<ServiceProcess> {
  const running = await start(...args);
  own.push(running);
  return running.service;
}

const SEARCH = '/api/wfs-geoportail/search?source=t:point';

interface Received {
  readonly text: string;
  /** Whether it was told that the answer was cut off. */
  readonly isReset: boolean;
}

/** Everything a raw client receives; `onData` is called whenever it has received something. */
async function receive(
  version: '1.0' | '1.1',
  { headers = '', query = '', onData = () => {} } = {},
): Promise<Received> {
  const { hostname, port } = new URL(shared.service.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${SEARCH}${query} HTTP/${version}\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
  const parts: Buffer[] = [];
  socket.on('data', (part) => {
    parts.push(part);
    onData();
  });
  let isReset = false;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    isReset = error.code === 'ECONNRESET';
  });
  await new Promise((resolve) => socket.on('close', resolve));
  return { text: Buffer.concat(parts).toString(), isReset };
}

test('feature 2 is sent upstream only when the caller has feature 1, with and without compression', async () => {
  let release = () => {};
  answer = async (_, response) => {
    response.write(COLLECTION_START + toMember(1));
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    response.end(toMember(2) + COLLECTION_END);
  };
  for (const encoding of ['identity', 'gzip']) {
    const response = await fetch(`${shared.service.url}${SEARCH}&_count=false`, {
      headers: { 'accept-encoding': encoding },
    });
    let text = '';
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(part);
      if (text.includes('point.1')) release();
    }
    const { features } = JSON.parse(text) as { features: { id: string }[] };
    expect(features.map(({ id }) => id)).toEqual(['point.1', 'point.2']);
  }
});

describe('a late fault', () => {
  const member = 'x'.repeat(1000);
  const faults: Record<string, (response: ServerResponse) => void> = {
    'the upstream breaks off': (response) => response.destroy(),
    'the upstream ends too early': (response) => void response.end(),
    'the upstream reports an exception': (response) =>
      void response.end(
        '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="X"/></ows:ExceptionReport>',
      ),
    'the upstream sends what is no XML': (response) => void response.end('</wrong>'),
    'the upstream stalls': () => {},
  };

  /** A client, and the kilobytes after which its answer breaks. */
  interface Case {
    readonly kilobytes: number;
    readonly version: '1.0' | '1.1';
    readonly headers: string;
    received: number;
  }
  const toCases = (step: number): Case[] => {
    const sizes = Array.from({ length: Math.ceil(1024 / step) - 1 }, (_, k) => (k + 1) * step);
    return sizes.flatMap((kilobytes) =>
      (['1.0', '1.1'] as const).flatMap((version) =>
        ['', 'Accept-Encoding: gzip\r\n'].map((headers) => ({ kilobytes, version, headers, received: 0 })),
      ),
    );
  };

  /** Node reports a reset that comes with unread data as an end: the reader is let catch up, as far as can be seen. */
  async function untilQuiet(reader: Case): Promise<void> {
    for (let [turns, before] = [0, -1]; turns < 4; await sleep(10)) {
      turns = reader.received === before ? turns + 1 : 0;
      before = reader.received;
    }
  }

  /** Where that did not help, it is asked again, up to five times: an answer that is closed instead is never seen reset. */
  async function receiveReset(query: string, reader: Case): Promise<Received> {
    const { version, headers } = reader;
    const onData = () => {
      reader.received += 1;
    };
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const received = await receive(version, { headers, query, onData });
      if (received.isReset) return received;
    }
    throw new Error(`HTTP/${version} ${headers}after ${reader.kilobytes} kB: closed, not reset`);
  }

  test.each(Object.keys(faults))('%s: the answer is reset, never ended, at whatever place', async (name) => {
    const cases = toCases(name.endsWith('stalls') ? 448 : 64);
    answer = async ({ body }, response) => {
      const reader = cases[Number(/<ogc:Literal>(\d+)</.exec(body)?.[1])] as Case;
      response.write(COLLECTION_START);
      for (let k = 0; k < reader.kilobytes; k += 1) {
        if (!response.write(toMember(k, member))) await once(response, 'drain');
      }
      await untilQuiet(reader);
      faults[name]?.(response);
    };
    await mapConcurrently(cases, 8, async (reader, k) => {
      const { text } = await receiveReset(`&_count=false&n=${k}`, reader); // tells the upstream who asks
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text).not.toMatch(/"links"|"numberReturned"|\r\n0\r\n\r\n$/);
    });
  });

  test('a fault before the first feature is an answer of its own', async () => {
    answer = (_, response) => response.end(COLLECTION_START);
    const { text, isReset } = await receive('1.0');
    expect(isReset).toBe(false);
    expect(text).toMatch(/^HTTP\/1\.1 502 [\s\S]*application\/problem\+json/);
  });
});

describe('a large answer', () => {
  const member = (k: number) => toMember(k, `é&amp;${'x'.repeat(35)}`.repeat(24));

  test('of 100 MB passes in under 150 MB of memory', async () => {
    const total = 90_000; // of 1.2 kB: over 100 MB of GML
    let sent = 0;
    const part = Array.from({ length: 100 }, (_, n) => member(n)).join('');
    const service = await startOwn(
      async ({ isHits }, response) => {
        if (isHits)
          return response.end(
            COLLECTION_START.replace('>', ` numberOfFeatures="${total}">`) + COLLECTION_END,
          );
        response.write(COLLECTION_START);
        for (let k = 0; k < total; k += 100) {
          sent += Buffer.byteLength(part);
          if (!response.write(part)) await once(response, 'drain');
        }
        return response.end(COLLECTION_END);
      },
      { LIMIT_MAX: '100000' },
    );
    const response = await fetch(`${service.url}${SEARCH}&_limit=100000&_count=false`);
    let received = 0;
    let tail = Buffer.alloc(0);
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      received += part.length;
      tail = Buffer.concat([tail, part]).subarray(-500);
    }
    expect(sent).toBeGreaterThan(100e6);
    expect(received).toBeGreaterThan(50e6);
    expect(tail.toString()).toContain(`"numberReturned":${total}`);
    expect(service.peakMemory()).toBeLessThan(150e6);
  }, 60_000);

  test('waits for a slow reader instead of filling memory, and ends upstream when the reader leaves', async () => {
    let written = 0;
    let isClosed = false;
    answer = async (_, response) => {
      let wake: (value?: unknown) => void = () => {};
      response.on('drain', () => wake());
      response.on('close', () => {
        isClosed = true;
        wake();
      });
      response.write(COLLECTION_START);
      for (let k = 0; !isClosed && k < 100_000; k += 1) {
        const part = member(k);
        written += part.length;
        if (response.write(part)) continue;
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    };
    const { hostname, port } = new URL(shared.service.url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET ${SEARCH}&_limit=5000 HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, 'readable');
    for (let before = -1; written > before; await sleep(1000)) before = written; // until every buffer on the way is full
    expect(written).toBeLessThan(50e6);
    socket.destroy();
    for (let k = 0; !isClosed && k < 100; k += 1) await sleep(20);
    expect(isClosed).toBe(true);
  }, 30_000);
});

describe('SIGTERM', () => {
  test('finishes the stream under way, takes nothing new, and ends with 0', async () => {
    let release = () => {};
    const service = await startOwn(async (_, response) => {
      response.write(COLLECTION_START + toMember(1));
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      response.end(toMember(2) + COLLECTION_END);
    });
    const response = await fetch(`${service.url}${SEARCH}&_count=false`);
    const ended = service.stop('SIGTERM');
    await sleep(200);
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
    release();
    const { features } = (await response.json()) as { features: unknown[] };
    expect(features).toHaveLength(2);
    expect(await ended).toBe(0);
    expect(service.log()).toContain('"msg":"stopped"');
  }, 30_000);
});

test('neither a key nor a geometry is in the log, whatever happens', async () => {
  const service = await startOwn(
    ({ isHits }, response) =>
      isHits ? response.writeHead(500).end('boom SECRET') : response.end(toCollection(toMember(1))),
    {},
    '/{apikey}',
  );
  const geom = encodeURIComponent('{"type":"Point","coordinates":[1.123456,48]}');
  for (const query of [
    `${SEARCH}&apikey=SECRET&geom=${geom}`,
    `${SEARCH}&apikey=SECRET&nope=1`,
    `${SEARCH}&geom=${geom}`,
  ]) {
    const response = await fetch(`${service.url}${query}`);
    expect(await response.text()).not.toContain('SECRET');
  }
  expect(service.log()).toContain('"msg":"layer learnt"');
  expect(service.log()).not.toMatch(/SECRET|1\.123456/);
});

test('the service\u2019s own key is in no line of the log', async () => {
  const key = 'SRV~SECRET!key';
  const report = `<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="X"><ows:ExceptionText>${key} SRV%7ESECRET%21key</ows:ExceptionText></ows:Exception></ows:ExceptionReport>`;
  const service = await startOwn((_, response) => response.end(report), {
    WFS_APIKEY_IN: 'query:apikey',
    WFS_APIKEY: key,
  });
  const text = await (await fetch(`${service.url}${SEARCH}`)).text();
  expect(text).toContain('reports an exception');
  expect(text + service.log()).not.toMatch(/SRV(~|%7E)SECRET/);
});

describe('the start', () => {
  const run = (env: Record<string, string>) => startProcess({ WFS_URL: 'http://127.0.0.1:1/', ...env });

  test('says in a sentence that it cannot listen on an address', async () => {
    const ended = await run({ HOST: '203.0.113.9' }).catch((error: Error) => error.message);
    expect(ended).toMatch(/HOST, PORT: cannot listen on 203\.0\.113\.9, port 0 \(EADDRNOTAVAIL\)\.\n$/);
    expect(ended).not.toContain('    at ');
  });
});
