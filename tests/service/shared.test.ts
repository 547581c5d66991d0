import { once } from 'node:events';
import { Agent, get, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ServiceProcess, startProcess } from '../support/process.js';
import {
  type Asked,
  COLLECTION_END,
  COLLECTION_START,
  startUpstream,
  toCollection,
  toMember,
  type Upstream,
} from '../support/upstream.js';

// One question, one request: the service as it is started, over an upstream that counts what it is asked.

let upstream: Upstream;
let service: ServiceProcess;
let answer: (asked: Asked, response: ServerResponse) => unknown;
let results = 0;
beforeAll(async () => {
  upstream = await startUpstream((asked, response) => {
    if (asked.isHits || asked.maxFeatures === 1) return response.end(toCollection(toMember(999_999)));
    results += 1;
    return answer(asked, response);
  });
  service = await startProcess({
    WFS_URL: upstream.url,
    CACHE_MAX_ENTRY_BYTES: '1048576',
    LIMIT_MAX: '100000',
  });
  answer = (_, response) => response.end(toCollection(toMember(1), toMember(2)));
  await ask('&_limit=1&_count=false'); // learns the layer
});
afterAll(async () => {
  await service.stop('SIGKILL');
  await upstream.close();
});
beforeEach(() => {
  results = 0;
});

const agent = new Agent({ maxSockets: 1000 });

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Every test asks something of its own, and cut pages, whose end takes no further question. */
function ask(query: string, headers: Record<string, string> = {}): Promise<Reply> {
  const url = `${service.url}/api/wfs-geoportail/search?source=t:point${query}`;
  return new Promise((resolve, reject) => {
    get(url, { headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => void parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, text: Buffer.concat(parts).toString() });
      });
    }).on('error', reject);
  });
}

/** Asks, and reads no more than the head: the kernel's window stays small, and the service has to wait. */
async function stall(query: string): Promise<IncomingMessage> {
  const url = `${service.url}/api/wfs-geoportail/search?source=t:point${query}`;
  return new Promise((resolve, reject) => get(url, { agent: false }, resolve).on('error', reject));
}

const long = 'x'.repeat(1000);
/** Some 30 MB of features, as fast as they are taken. */
async function writeMany(response: ServerResponse): Promise<void> {
  const part = Array.from({ length: 100 }, (_, k) => toMember(k, long)).join('');
  let wake: (value?: unknown) => void = () => {};
  for (const event of ['drain', 'close']) response.on(event, () => wake());
  response.write(COLLECTION_START);
  for (let k = 0; k < 250 && !response.destroyed; k += 1) {
    response.write(part);
    if (k === 0) await sleep(500); // who asks the same meanwhile can still join
    if (!response.writableNeedDrain) continue;
    await new Promise((resolve) => {
      wake = resolve;
    });
  }
  response.end(COLLECTION_END);
}

test('five hundred who ask the same at once cost the upstream one request', async () => {
  answer = async (_, response) => {
    await sleep(300);
    response.end(toCollection(...Array.from({ length: 101 }, (_, k) => toMember(k))));
  };
  const asking = Array.from({ length: 500 }, () => ask('&_limit=100&_count=false&s=500'));
  const replies = await Promise.all(asking);
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  for (const { text } of replies) expect(JSON.parse(text).numberReturned).toBe(100);
  const zipped = await ask('&_limit=100&_count=false&s=500', { 'accept-encoding': 'gzip' });
  expect(zipped.headers['content-encoding']).toBe('gzip');
  expect(results).toBe(1);
}, 60_000);

test('one who reads nothing holds up nobody, fills no memory, and is reset', async () => {
  answer = (_, response) => writeMany(response);
  const query = '&_limit=24000&_count=false';
  const before = service.peakMemory();
  const slow = await stall(query);
  const quick = await Promise.all([1, 2, 3, 4].map(() => ask(query)));
  for (const { text } of quick) expect(text).toContain('"numberReturned":24000');
  expect(results).toBe(1);
  expect(service.peakMemory() - before).toBeLessThan(80e6);
  let tail = '';
  let error: NodeJS.ErrnoException | undefined;
  slow.on('error', (fault) => {
    error = fault;
  });
  slow.on('data', (part) => {
    tail = (tail + part.toString('latin1')).slice(-200);
  });
  await once(slow, 'close').catch(() => {});
  expect(slow.complete).toBe(false);
  expect(error?.code).toBe('ECONNRESET');
  expect(tail).not.toContain('numberReturned');
}, 60_000);

test('a fault behind the first feature resets all who read', async () => {
  answer = async (_, response) => {
    response.write(COLLECTION_START + toMember(1));
    await sleep(300);
    response.destroy();
  };
  const asking = [1, 2, 3].map(() => ask('&_limit=10&_count=false&n=3'));
  for (const { status } of await Promise.allSettled(asking)) expect(status).toBe('rejected');
  expect(results).toBe(1);
});

describe('asked again', () => {
  test('the upstream is asked nothing, and the client only sent what it has not', async () => {
    answer = (_, response) => response.end(toCollection(toMember(1), toMember(2)));
    const query = '&_limit=1&_count=false&n=4';
    const first = await ask(query);
    const again = await ask(query);
    expect(results).toBe(1);
    const { features } = JSON.parse(first.text);
    expect(JSON.parse(again.text).features).toEqual(features);
    expect(first.headers).not.toHaveProperty('age');
    expect(Number(again.headers.age)).toBeLessThan(30);
    const { etag = '' } = again.headers;
    expect(etag).toBe(first.headers.etag);
    expect(await ask(query, { 'if-none-match': etag })).toMatchObject({ status: 304, text: '' });
    expect(results).toBe(1);
  });

  test('an answer in another order of the parameters is the same, with links of its own', async () => {
    answer = (_, response) => response.end(toCollection(toMember(1), toMember(2)));
    await ask('&n=5&n=6&s=a&_limit=1&_count=false');
    const { text } = await ask('&_count=false&s=a&n=6&n=5&_limit=1');
    expect(results).toBe(1);
    expect(JSON.parse(text).links[0].href).toMatch(/_count=false&s=a&n=6&n=5&_limit=1$/);
  });

  test('an error is asked for anew', async () => {
    answer = (_, response) => response.writeHead(500).end();
    expect((await ask('&n=7&_limit=1&_count=false')).status).toBe(502);
    answer = (_, response) => response.end(toCollection(toMember(1), toMember(2)));
    expect((await ask('&n=7&_limit=1&_count=false')).status).toBe(200);
  });
});
