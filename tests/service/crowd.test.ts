import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { startUpstream, toCollection, toMember, type Upstream } from '../support/upstream.js';

// Many who ask the same at once, and one among them who reads at 1 kB/s.

const READERS = 100;
/** Of a kilobyte each: more than the kernel's buffers of one connection hold (4 MB), and less than the service holds of one answer. */
const MEMBERS = 6000;

let upstream: Upstream;
let service: ServiceProcess;
let results = 0;
beforeAll(async () => {
  const answer = toCollection(...Array.from({ length: MEMBERS }, (_, k) => toMember(k, 'x'.repeat(1000))));
  upstream = await startUpstream(({ startIndex, isHits }, response) => {
    if (isHits || startIndex > 0) return response.end(toCollection());
    results += 1;
    return response.end(answer);
  });
  service = await startProcess({ WFS_URL: upstream.url, LIMIT_MAX: '10000' });
});
afterAll(async () => {
  await service.stop('SIGKILL');
  await upstream.close();
});

const toPath = (question: number) =>
  `/api/wfs-geoportail/search?source=t:point&_count=false&_limit=${MEMBERS + 1}&n=${question}`;

const TAIL = 400;

interface Read {
  readonly milliseconds: number;
  readonly bytes: number;
  readonly tail: string;
}

const agent = new Agent({ maxSockets: READERS });

function read(path: string): Promise<Read> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    get(`${service.url}${path}`, { agent }, (response) => {
      let bytes = 0;
      let tail = '';
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        tail = (tail + part.toString('latin1', Math.max(0, part.length - TAIL))).slice(-TAIL);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ milliseconds: performance.now() - begun, bytes, tail }));
    }).on('error', reject);
  });
}

/** Takes 1 kB a second, and the kernel no more than its buffers hold. */
function readSlowly(path: string): { taken(): number; leave(): void } {
  let taken = 0;
  const { port, hostname } = new URL(service.url);
  const onread = {
    buffer: Buffer.alloc(1024),
    callback(bytes: number) {
      taken += bytes;
      return false; // no more until it is resumed
    },
  };
  const socket = connect({ port: Number(port), host: hostname, onread });
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  const timer = setInterval(() => socket.resume(), 1000);
  return {
    taken: () => taken,
    leave() {
      clearInterval(timer);
      socket.destroy();
    },
  };
}

/** All at once. @returns milliseconds until 99 % of them had the last byte */
async function readAll(question: number): Promise<number> {
  const reads = await Promise.all(Array.from({ length: READERS }, () => read(toPath(question))));
  expect(new Set(reads.map(({ bytes }) => bytes)).size).toBe(1);
  for (const { tail } of reads) expect(tail).toContain(`"numberReturned":${MEMBERS}`);
  const sorted = reads.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return sorted[Math.floor(READERS * 0.99)] as number;
}

test('one who reads at 1 kB/s costs the others neither time nor memory', async () => {
  await read(toPath(0)); // learns the layer
  await readAll(1);
  results = 0;
  const alone = await readAll(2);
  const peak = service.peakMemory();
  const slow = readSlowly(toPath(3));
  const beside = await readAll(3);
  expect(slow.taken()).toBeGreaterThan(0);
  expect(slow.taken()).toBeLessThan(100_000);
  slow.leave();
  expect(results).toBe(2);
  expect(beside).toBeLessThan(alone * 1.5 + 500);
  expect(service.peakMemory() - peak).toBeLessThan(20e6);
}, 120_000);
