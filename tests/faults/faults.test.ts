import { once } from 'node:events';
import { get, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mediaTypes } from '../../src/http/negotiate.js';
import { startUpstream, toCollection, toMember, type Upstream } from '../support/upstream.js';
import { type Fault, faults, type Gate, MAX_RESPONSE_BYTES, startGate } from './faulty-upstream.js';
import { type Left, type ProbedProcess, startProbed } from './process.js';

// One service process, an upstream behind real sockets that does everything wrong, in every format; and what is left in
// the process when all of it is over.

const DEADLINE_MS = 2000;
const TIMEOUT_MS = 500;
/** Of a machine at other work, where processes wait for one another. */
const LATE_MS = 2500;

let upstream: Upstream;
let gate: Gate;
let service: ProbedProcess;
/** Undefined: all is well. */
let fault: Fault | undefined;
let before: Left;

beforeAll(async () => {
  upstream = await startUpstream((asked, response) => {
    if (fault?.act === undefined) return response.end(toCollection(toMember(1), toMember(2)));
    return fault.act(asked.request.socket, response);
  });
  gate = await startGate(Number(new URL(upstream.url).port));
  service = await startProbed({
    WFS_URL: `http://127.0.0.1:${gate.port}/wfs`,
    WFS_RATE_LIMIT: '1000',
    WFS_RESPONSE_TIMEOUT_MS: String(TIMEOUT_MS),
    WFS_IDLE_TIMEOUT_MS: String(TIMEOUT_MS),
    REQUEST_DEADLINE_MS: String(DEADLINE_MS),
    WFS_MAX_RESPONSE_BYTES: String(MAX_RESPONSE_BYTES),
    CACHE_TTL_S: '0',
    LIMIT_MAX: '1000000',
  });
  // warm: what is kept for good (code, names, what was learnt) is there before the count
  for (let round = 0; round < 20; round += 1) expect((await ask('')).end).toBe(200);
  before = await look();
}, 60_000);

afterAll(async () => {
  await service?.stop('SIGKILL');
  await gate?.shut();
  await upstream?.close();
});

/** The connections that were kept alive have to be gone before anything is counted. */
async function look(): Promise<Left> {
  await gate.shut();
  await sleep(200);
  const left = await service.look();
  await gate.open();
  return left;
}

interface Told {
  readonly end: number | 'reset' | 'partial';
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly ms: number;
}

const types = [...new Set(Object.values(mediaTypes))];

let count = 0;
/** Every question is another one. */
const toPath = () => {
  count += 1;
  return `/api/wfs-geoportail/search?source=t:point&_limit=100000&_count=false&n=${count}`;
};

/** A whole answer by its status; `reset` where it was broken off. */
function ask(accept: string): Promise<Told> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const tell = (end: Told['end'], headers: IncomingHttpHeaders = {}, text = '') =>
      resolve({ end, headers, text, ms: performance.now() - begun });
    get(
      `${service.url}${toPath()}`,
      { headers: { accept, connection: 'close' }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('error', ({ code }: NodeJS.ErrnoException) =>
          tell(code === 'ECONNRESET' ? 'reset' : 'partial', response.headers, text),
        );
        response.on('end', () =>
          tell(response.complete ? (response.statusCode ?? 0) : 'partial', response.headers, text),
        );
      },
    ).on('error', () => tell('reset'));
  });
}

/** The circuit stays closed among answers that are well; and no connection suffers from what went before. */
async function calm(): Promise<void> {
  for (let round = 0; round < 24; round += 1) {
    let told = await ask('');
    // as long as the upstream said that it would take no more
    for (let tries = 0; told.end !== 200 && tries < 40; tries += 1) {
      await sleep(200);
      told = await ask('');
    }
    expect(told.end).toBe(200);
  }
}

test.each(faults)(
  'an upstream that $name: $expected, in every format',
  async (given) => {
    fault = given;
    try {
      if (given.act === undefined) await gate.shut();
      const told = await Promise.all(types.map((type) => ask(type)));
      for (const { end, headers, text, ms } of told) {
        expect([given.name, end, text.slice(0, 300)]).toEqual([
          given.name,
          given.expected,
          expect.anything(),
        ]);
        expect(ms).toBeLessThan(DEADLINE_MS + LATE_MS);
        if (end === 'reset') continue;
        expect(headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(JSON.parse(text)).toMatchObject({ status: end, detail: expect.any(String) });
        expect(text).not.toMatch(/"features"|root:|127\.0\.0\.1/);
        if (end === 429 || end === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
    } finally {
      fault = undefined;
      if (given.act === undefined) await gate.open();
      await calm();
    }
  },
  60_000,
);

const many: Fault = {
  name: 'answers much',
  expected: 200,
  act: (_, response) => response.end(toCollection(...Array.from({ length: 15_000 }, (_, k) => toMember(k)))),
};

/** Asks on a bare connection. */
async function open(): Promise<Socket> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET ${toPath()} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

test('callers that leave, before the answer and in it, that read nothing, and that come by hundreds', async () => {
  fault = many;
  const early = await Promise.all(Array.from({ length: 50 }, open));
  for (const socket of early) socket.destroy();
  const late = await Promise.all(Array.from({ length: 10 }, open));
  await Promise.all(late.map((socket) => once(socket, 'data')));
  for (const socket of late) socket.resetAndDestroy();
  const silent = await Promise.all(Array.from({ length: 10 }, open));
  for (const socket of silent) socket.pause();
  fault = undefined;
  const flood = await Promise.all(Array.from({ length: 300 }, () => ask('')));
  for (const socket of silent) socket.destroy();
  // that it is busy, or had to wait too long, is an answer; broken off, or a fault of the service's own, is none
  expect(flood.filter(({ end }) => end !== 200 && end !== 503 && end !== 504)).toEqual([]);
  await calm();
}, 60_000);

test('behind all of it the heap is what it was, within 10 MB, and no socket and no timer is left', async () => {
  await sleep(1000);
  const left = await look();
  expect(left.heapUsed - before.heapUsed).toBeLessThan(10e6);
  for (const [name, number] of Object.entries(left.resources)) {
    expect([name, number]).toEqual([name, Math.min(number, before.resources[name] ?? 0)]);
  }
  const told = service.log().split('\n');
  expect(told.filter((line) => /unhandled|uncaught|Warning|"status":500/i.test(line))).toEqual([]);
}, 60_000);
