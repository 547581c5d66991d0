import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mediaTypes, toFormat } from '../../src/http/negotiate.js';
import {
  fakeSource,
  feature,
  generate,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

let service: Service;
const source = fakeSource({
  search: async () => ({
    isPrivate: false,
    features: generate([toBatch(feature(1), feature(2)), toBatch(feature(3))], { numberReturned: 3 }),
  }),
});
beforeAll(async () => {
  service = await startService(source);
});
afterAll(() => service.close());

const search = (headers: Record<string, string>, method = 'GET') =>
  send(service, `${searchPath}?source=a&_start=3&_limit=3`, { headers, method });

describe('the media type', () => {
  const [geojson, json, sequence] = [
    'application/geo+json',
    'application/json',
    'application/geo+json-seq',
  ] as const;
  test.each([
    ['', geojson],
    ['*/*', geojson],
    ['application/*', geojson],
    ['application/geo+json', geojson],
    ['APPLICATION/GEO+JSON', geojson],
    ['application/geo+json; charset=utf-8', geojson],
    // Browsers and axios: JSON is named, but not alone.
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', geojson],
    ['application/json, text/plain, */*', geojson],
    ['application/json, application/geo+json', geojson],
    ['application/json', json],
    ['application/json, text/plain', json],
    ['application/json, application/geo+json;q=0.5', json],
    ['application/json, */*;q=0.1', json],
    ['application/geo+json-seq', sequence],
    ['application/geo+json-seq, */*', sequence],
    ['application/geo+json-seq, application/geo+json;q=0.9', sequence],
    ['application/geo+json-seq;q=0.5, application/geo+json', geojson],
    ['application/geo+json;q=0, */*', json],
    ['text/csv', 'text/csv'],
    ['text/*', 'text/csv'],
    ['text/csv, */*;q=0.1', 'text/csv'],
    ['text/html, text/csv;q=0.9, application/json;q=0.8', 'text/csv'],
    ['application/flatgeobuf', 'application/flatgeobuf'],
    ['nonsense', geojson],
  ])('Accept: %s', (accept, type) => {
    expect(mediaTypes[toFormat(accept)]).toBe(type);
  });

  test.each(['text/html', 'image/*', 'application/geo+json;q=0', '*/*;q=0'])(
    'Accept: %s is a 406',
    async (accept) => {
      const reply = await search({ accept });
      expect(reply.status).toBe(406);
      expect(reply.headers['content-type']).toBe('application/problem+json');
      expect(reply.headers.vary).toMatch(/Accept\b/);
      expect(reply.json.detail).toContain('application/geo+json-seq');
    },
  );

  test('links have the type of the answer', async () => {
    const reply = await search({ accept: 'application/json' });
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.json.links[0].type).toBe('application/json');
  });

  test('a sequence is a record a feature, links in a header as far as they are known', async () => {
    const reply = await search({ accept: 'application/geo+json-seq' });
    expect(reply.headers['content-type']).toBe('application/geo+json-seq');
    const records = [1, 2, 3].map((id) => `\x1e${JSON.stringify(feature(id))}\n`);
    expect(reply.text).toBe(records.join(''));
    const url = `${service.url}${searchPath}?source=a`;
    expect(reply.headers.link).toBe(
      `<${url}&_start=3&_limit=3>; rel="self"; type="application/geo+json-seq", ` +
        `<${url}&_limit=3&_start=0>; rel="prev"; type="application/geo+json-seq"`,
    );
  });
});

describe('compression', () => {
  const raw = (headers: Record<string, string>) =>
    new Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }>((resolve) => {
      http.get(`${service.url}${searchPath}?source=a`, { headers, agent: false }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => resolve({ headers: res.headers, body: Buffer.concat(chunks) }));
      });
    });

  test('is used as the client accepts it', async () => {
    const plain = await raw({});
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers.vary).toBe('Accept, Accept-Language, Accept-Encoding');
    const zipped = await raw({ 'accept-encoding': 'gzip' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(zipped.body).toString()).features).toHaveLength(3);
    const refused = await raw({ 'accept-encoding': 'gzip;q=0, identity' });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  test('reaches sequences too', async () => {
    const { headers } = await raw({ 'accept-encoding': 'gzip', accept: 'application/geo+json-seq' });
    expect(headers['content-encoding']).toBe('gzip');
  });
});

describe('CORS', () => {
  test('a preflight is answered before anything else is looked at', async () => {
    for (const path of [searchPath, '/api/wfs-geoportail/sources/a', '/nowhere']) {
      const reply = await send(service, path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://example.org',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'apikey,content-type',
        },
      });
      expect(reply.status).toBe(204);
      expect(reply.headers['access-control-allow-origin']).toBe('*');
      expect(reply.headers['access-control-allow-methods']).toBe('GET,HEAD,POST');
      expect(reply.headers['access-control-allow-headers']).toBe(
        'apikey,authorization,content-type,if-none-match',
      );
      expect(reply.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  test.each([
    ['an answer', searchPath, 'GET', 400],
    ['an answer', `${searchPath}?source=a`, 'GET', 200],
    ['no such route', '/nowhere', 'GET', 404],
    ['no such method', searchPath, 'DELETE', 405],
  ])('%s has its headers: %s', async (_, path, method, status) => {
    const reply = await send(service, path, { method, headers: { origin: 'https://example.org' } });
    expect(reply.status).toBe(status);
    expect(reply.headers['access-control-allow-origin']).toBe('*');
    expect(reply.headers['access-control-expose-headers']).toBe('etag,retry-after,link,x-request-id');
    expect(reply.headers['access-control-allow-credentials']).toBeUndefined();
  });
});

describe('methods and routes', () => {
  test.each([
    [searchPath, 'PUT', 'GET, HEAD, POST'],
    [searchPath, 'DELETE', 'GET, HEAD, POST'],
    [searchPath, 'PATCH', 'GET, HEAD, POST'],
    ['/api/wfs-geoportail', 'POST', 'GET, HEAD'],
    ['/api/wfs-geoportail/sources', 'POST', 'GET, HEAD'],
    ['/api/wfs-geoportail/sources/a:b', 'DELETE', 'GET, HEAD'],
    ['/api/doc/', 'POST', 'GET, HEAD'],
    ['/api/doc/wfs-geoportail.yml', 'POST', 'GET, HEAD'],
    ['/health/live', 'POST', 'GET, HEAD'],
    ['/health/ready', 'POST', 'GET, HEAD'],
    ['/', 'POST', 'GET, HEAD'],
  ])('%s does not do %s', async (path, method, allow) => {
    const reply = await send(service, path, { method });
    expect(reply.json).toMatchObject({ status: 405, title: 'Method Not Allowed' });
    expect(reply.headers.allow).toBe(allow);
  });

  test.each(['/nowhere', '/api/wfs-geoportail/else', '/api/doc/else.js', '/api/doc/package.json', '/health'])(
    '%s is nothing',
    async (path) => {
      const reply = await send(service, path);
      expect(reply.status).toBe(404);
      expect(reply.headers['content-type']).toBe('application/problem+json');
      expect(reply.headers['cache-control']).toBe('no-store');
    },
  );

  test('a path that is no UTF-8 is refused', async () => {
    const reply = await send(service, '/api/wfs-geoportail/sources/%E9');
    expect(reply.json).toMatchObject({ status: 400, detail: 'The path is not percent-encoded UTF-8.' });
  });
});

describe('the request id', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  test('is made where none comes, and is the same everywhere', async () => {
    const reply = await send(service, searchPath);
    expect(reply.headers['x-request-id']).toMatch(uuid);
    expect(reply.json.instance).toBe(`urn:uuid:${reply.headers['x-request-id']}`);
    expect(service.log.some(({ requestId }) => requestId === reply.headers['x-request-id'])).toBe(true);
  });
  test('is taken over from a gateway', async () => {
    const id = '0b9a3f6e-54c7-4b0e-9c38-7f8d1d6f2c11';
    const reply = await send(service, searchPath, { headers: { 'x-request-id': id } });
    expect(reply.headers['x-request-id']).toBe(id);
    expect(reply.json.instance).toBe(`urn:uuid:${id}`);
  });
  test('is taken over from nginx, whose UUIDs have no hyphens', async () => {
    const reply = await send(service, searchPath, {
      headers: { 'x-request-id': '0B9A3F6E54C74B0E9C387F8D1D6F2C11' },
    });
    expect(reply.json.instance).toBe('urn:uuid:0b9a3f6e-54c7-4b0e-9c38-7f8d1d6f2c11');
    expect(reply.headers['x-request-id']).toBe('0b9a3f6e-54c7-4b0e-9c38-7f8d1d6f2c11');
  });
  test('is ours where a gateway\u2019s is no UUID, and the log knows both', async () => {
    const reply = await send(service, searchPath, { headers: { 'x-request-id': 'abc.def' } });
    expect(reply.json.instance).toMatch(/^urn:uuid:[0-9a-f]{8}-/);
    const line = service.log.find(({ foreignId }) => foreignId === 'abc.def');
    expect(line?.requestId).toBe(reply.headers['x-request-id']);
  });
  test.each(['a b', 'x'.repeat(200), '<script>', '{"a":1}', ''])(
    'is not taken over when it is no id: %s',
    async (id) => {
      const reply = await send(service, searchPath, { headers: { 'x-request-id': id } });
      expect(reply.headers['x-request-id']).toMatch(uuid);
    },
  );
});
