import { randomBytes } from 'node:crypto';
import { get, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Answer, SearchQuery, Validity } from '../../src/query/index.js';
import {
  fakeSource,
  feature,
  generate,
  type Service,
  searchPath,
  send,
  startModules,
  toBatch,
  toLasting,
  toModule,
} from './service.js';

// What is asked again and still kept goes a short way, without Express. Nobody but the source can tell.

const validity: Validity = { tag: 'T-1', ageS: 7, freshS: 300, staleIfErrorS: 3600, isByKey: false };

let service: Service;
/** Which way each request went. */
let ways: string[] = [];
let isKept = true;
let given: Answer;
/** Every test asks something of its own. */
let path = '';
let number = 0;

function toKept(count: number): Answer {
  const batch = toBatch(...Array.from({ length: count }, (_, id) => feature(id)));
  const end = { numberReturned: count, numberMatched: 9, next: { startIndex: 4 } };
  return { isPrivate: false, features: generate([], end), whole: { batches: [batch], end }, validity };
}

beforeAll(async () => {
  const source = {
    ...fakeSource(),
    async search() {
      ways.push('long');
      return given;
    },
    async kept(_: SearchQuery) {
      if (isKept) ways.push('short');
      return isKept ? given : undefined;
    },
  };
  service = await startModules([toModule({ source })]);
});
afterAll(() => service.close());
beforeEach(() => {
  number += 1;
  path = `${searchPath}?source=a&_start=2&nom=%C3%A9${number}`;
  ways = [];
  isKept = true;
  given = toKept(2);
  service.stopping = false;
});

describe('the short way', () => {
  test.each<Record<string, string>>([
    {},
    { accept: 'application/json' },
    { accept: 'application/geo+json-seq' },
    { origin: 'https://example.org', 'accept-encoding': 'identity', 'user-agent': 'x' },
    { 'if-none-match': '*' },
    { 'if-none-match': 'W/"T-1.g.en"' },
  ])('gives just what the long way gives: %j', async (headers) => {
    const { 'if-none-match': _, ...first } = headers;
    await send(service, path, { headers: first });
    const unknown = { headers: { ...headers, 'x-unknown': '1' } }; // always the long way
    const long = toLasting(await send(service, path, unknown));
    const short = toLasting(await send(service, path, { headers }));
    expect(ways).toEqual(['long', 'long', 'short']);
    expect(short).toEqual(long);
  });

  test('is logged as the long way is', async () => {
    for (let i = 0; i < 2; i += 1) await send(service, path, { headers: { 'x-request-id': 'abc.def' } });
    const [long, short] = service.log.filter(({ msg }) => msg === 'request').slice(-2);
    const { time: _, ms: __, requestId, ...fields } = short ?? {};
    expect(requestId).not.toBe(long?.requestId);
    expect(long).toMatchObject(fields);
    expect(fields).toMatchObject({ route: searchPath, features: 2, status: 200, foreignId: 'abc.def' });
    expect(Object.keys(short ?? {}).sort()).toEqual(Object.keys(long ?? {}).sort());
  });

  test('leads links to the host that was asked', async () => {
    for (const host of ['a.example', 'b.example', 'a.example', 'b.example']) {
      const { json } = await send(service, path, { headers: { host } });
      expect(json.links.map(({ href }: { href: string }) => new URL(href).host)).toEqual([host, host, host]);
    }
  });

  test('says how old the answer is now, and what it is called now', async () => {
    const changing = { ...validity, ageS: 7, tag: 'T-1' };
    given = { ...given, validity: changing };
    await send(service, path);
    Object.assign(changing, { ageS: 200, tag: 'T-2' });
    const { headers } = await send(service, path);
    expect(headers).toMatchObject({ age: '200', etag: 'W/"T-2.g.en"' });
    expect(ways).toEqual(['long', 'short']);
  });

  test('sends large answers whole', async () => {
    given = toKept(5000);
    const replies = [await send(service, path), await send(service, path)];
    expect(ways).toEqual(['long', 'short']);
    for (const { json } of replies) expect(json.features).toHaveLength(5000);
  });
});

describe('compressed', () => {
  test.each(['gzip', 'gzip, deflate, br, zstd', 'br;q=1.0, gzip;q=0.8, *;q=0.1'])(
    'once for all who accept it, and the same: %s',
    async (accepted) => {
      given = { ...toKept(200), validity: { ...validity, tag: `T-${number}` } };
      const headers = { 'accept-encoding': accepted };
      const plain = await send(service, path);
      await readBytes(path, headers);
      for (let i = 0; ways.at(-1) !== 'short' && i < 100; i += 1) await readBytes(path, headers);
      const { headers: its, bytes } = await readBytes(path, headers);
      expect(its).toMatchObject({ 'content-encoding': 'gzip', 'content-length': String(bytes.length) });
      expect(its.vary).toBe('Accept, Accept-Language, Accept-Encoding');
      const text = gunzipSync(bytes).toString();
      expect(toLasting({ ...plain, text }).text).toBe(toLasting(plain).text);
      expect(bytes.length).toBeLessThan(text.length / 3);
    },
  );

  test.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
    ['br', brotliDecompressSync],
  ] as const)('by %s on the long way, far beyond what is buffered', async (accepted, unpack) => {
    const random = () => ({ code: randomBytes(600).toString('hex') });
    const batch = toBatch(...Array.from({ length: 500 }, (_, id) => feature(id, random())));
    const kept = toKept(500);
    given = { ...kept, whole: { batches: [batch], end: { numberReturned: 500 } } };
    const headers = { 'accept-encoding': accepted, 'x-unknown': '1' };
    const { headers: its, bytes } = await readBytes(path, headers);
    expect(its['content-encoding']).toBe(accepted);
    expect(JSON.parse(unpack(bytes).toString()).features).toHaveLength(500);
  });

  test('not where it is too small to gain by it', async () => {
    await send(service, path);
    const { headers } = await send(service, path, { headers: { 'accept-encoding': 'gzip' } });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(ways).toEqual(['long', 'short']);
  });
});

async function readBytes(path: string, headers: Record<string, string>) {
  return new Promise<{ headers: IncomingHttpHeaders; bytes: Buffer }>((resolve, reject) => {
    get({ host: '127.0.0.1', port: service.port, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => void parts.push(part));
      response.on('end', () => resolve({ headers: response.headers, bytes: Buffer.concat(parts) }));
    }).on('error', reject);
  });
}

describe('the long way is taken', () => {
  test.each<[string, { method?: string; headers?: Record<string, string> }]>([
    ['with a key', { headers: { apikey: 'K' } }],
    ['with a token', { headers: { authorization: 'Bearer T' } }],
    ['through a proxy that says for whom', { headers: { 'x-forwarded-host': 'elsewhere.example' } }],
    ['by HEAD', { method: 'HEAD' }],
    ['by POST', { method: 'POST' }],
  ])('%s', async (_, options) => {
    await send(service, path, options);
    await send(service, path);
    await send(service, path, options);
    expect(ways).toEqual(['long', 'long', 'long']);
  });

  test('to another encoding than gzip', async () => {
    await send(service, path);
    await send(service, path, { headers: { 'accept-encoding': 'br, gzip;q=0' } });
    expect(ways).toEqual(['long', 'long']);
  });

  test('where a key stands in the URL', async () => {
    for (let i = 0; i < 2; i += 1) await send(service, `${path}&apikey=K`);
    expect(ways).toEqual(['long', 'long']);
  });

  test('once the answer is not kept any more', async () => {
    await send(service, path);
    isKept = false;
    expect((await send(service, path)).json.numberReturned).toBe(2);
    expect(ways).toEqual(['long', 'long']);
  });

  test('when the service is stopping', async () => {
    await send(service, path);
    service.stopping = true;
    expect((await send(service, path)).status).toBe(503);
    expect(ways).toEqual(['long']);
  });
});
