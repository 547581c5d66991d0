import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ServiceError, toMessage } from '../../src/errors.js';
import type { Answer, FeatureBatch, PageEnd, SourceDescription, Validity } from '../../src/query/index.js';
import {
  connectRaw,
  fakeSource,
  feature,
  generate,
  postForm,
  postJson,
  readRaw,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

const running: Service[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.close();
});

const attribute = (name: string, type: 'string' | 'integer' = 'string') =>
  ({ name, type, nullable: true, repeated: false }) as const;
const described: SourceDescription = {
  name: 'BDTOPO_V3:commune',
  keywords: [],
  attributes: [attribute('nom'), attribute('Population', 'integer'), attribute('code')],
};

async function start(answer: Partial<Answer> & { batches?: FeatureBatch[]; end?: PageEnd } = {}, parts = {}) {
  let ended = 0;
  const { batches = [toBatch(feature(1, { nom: 'Évreux', Population: 9, code: '01004' }))], end } = answer;
  const source = fakeSource({
    async search() {
      const features = answer.features ?? generate(batches, end ?? { numberReturned: 1, numberMatched: 1 });
      const leave = features.return.bind(features);
      features.return = (value) => {
        ended += 1;
        return leave(value);
      };
      return { isPrivate: false, ...answer, features };
    },
    describe: async () => described,
    ...parts,
  });
  const service = await startService(source);
  running.push(service);
  return { service, asked: source.asked, ended: () => ended };
}

const path = `${searchPath}?source=BDTOPO_V3:commune`;
const rows = (text: string) => text.split('\r\n').slice(0, -1);

describe('_format', () => {
  test.each([
    ['geojson', 'application/geo+json'],
    ['json', 'application/json'],
    ['geojsonseq', 'application/geo+json-seq'],
    ['csv', 'text/csv; charset=utf-8; header=present'],
    ['csv-centroid', 'text/csv; charset=utf-8; header=present'],
    ['flatgeobuf', 'application/flatgeobuf'],
  ])('%s is %s, whatever Accept says, in a URL, a form and JSON', async (format, type) => {
    const { service } = await start();
    const headers = { accept: 'image/png' };
    const replies = [
      await send(service, `${path}&_format=${format}`, { headers }),
      await postForm(service, `source=BDTOPO_V3:commune&_format=${format}`),
      await postJson(service, { source: 'BDTOPO_V3:commune', _format: format }),
    ];
    for (const reply of replies) expect([reply.status, reply.headers['content-type']]).toEqual([200, type]);
  });

  test.each(['xml', 'CSV', 'text/csv', ''])('"%s" is a fault of the request', async (format) => {
    const { service } = await start();
    const { status, json } = await send(service, `${path}&_format=${format}`);
    expect(status).toBe(400);
    expect(json.errors).toEqual([{ parameter: '_format', message: expect.any(String) }]);
    if (format !== '')
      expect(json.detail).toContain('geojson, json, geojsonseq, csv, csv-centroid, flatgeobuf');
  });

  test('is no other question: the source is asked the same', async () => {
    const { service, asked } = await start();
    await send(service, path);
    await send(service, `${path}&_format=csv`);
    const [[plain], [csv]] = asked as unknown as [[object], [{ format?: string }]];
    expect({ ...csv, format: undefined }).toEqual({ ...plain, format: undefined });
  });

  test('is kept in links', async () => {
    const { service } = await start({ end: { numberReturned: 1, next: { startIndex: 1 } } });
    const { json } = await send(service, `${path}&_format=json&_limit=1`);
    const next = json.links.find(({ rel }: { rel: string }) => rel === 'next');
    expect(next).toMatchObject({ type: 'application/json', href: expect.stringContaining('&_format=json&') });
  });
});

describe('columns', () => {
  test('are those of the schema, also where nothing is found', async () => {
    const { service } = await start({ batches: [], end: { numberReturned: 0, numberMatched: 0 } });
    expect((await send(service, `${path}&_format=csv`)).text).toBe('id,nom,Population,code,wkt\r\n');
  });

  test('are those that were asked for, in the order of the schema, without case where that is clear', async () => {
    const { service } = await start();
    const { text } = await send(service, `${path}&_format=csv-centroid&_propertyNames=code,POPULATION`);
    expect(rows(text)).toEqual(['id,Population,code,lon,lat', 'parcelle.1,9,01004,1.49,48.45']);
  });

  test('cannot be told where the schema is not to be had: that is an answer of its own', async () => {
    const failure = new ServiceError('upstreamTimeout', toMessage('wfs.noAnswer', { seconds: 1 }));
    const describe = () => Promise.reject(failure);
    const { service, ended } = await start({}, { describe });
    const { status, headers } = await send(service, `${path}&_format=csv`);
    expect([status, headers['content-type']]).toEqual([504, 'application/problem+json']);
    expect(headers).not.toHaveProperty('content-disposition');
    expect(ended()).toBeGreaterThan(0);
  });
});

describe('links and counts', () => {
  const end = { numberReturned: 1, numberMatched: 7, next: { startIndex: 1 } };
  const next = (service: Service, format: string, type: string) =>
    `<${service.url}${path}&_format=${format}&_limit=1&_start=1>; rel="next"; type="${type}"`;

  test.each([
    ['csv', 'text/csv'],
    ['flatgeobuf', 'application/flatgeobuf'],
    ['geojsonseq', 'application/geo+json-seq'],
  ])('of a small answer are headers: %s', async (format, type) => {
    const { service } = await start({ end });
    const { headers } = await send(service, `${path}&_format=${format}&_limit=1`);
    expect(headers.link).toContain(next(service, format, type));
    expect(headers).toMatchObject({ 'ogc-numberreturned': '1', 'ogc-numbermatched': '7' });
    expect(headers).toHaveProperty('content-length');
  });

  test('are no longer than proxies take: `next` alone, or none', async () => {
    const { service } = await start({ end });
    const link = async (length: number) => {
      const reply = await send(service, `${path}&_format=csv&nom=${'x'.repeat(length)}`);
      expect([reply.status, reply.headers['ogc-numbermatched']]).toEqual([200, '7']);
      return String(reply.headers.link ?? '').match(/rel="(\w+)"/g);
    };
    expect(await link(100)).toEqual(['rel="self"', 'rel="next"']);
    expect(await link(1500)).toEqual(['rel="next"']);
    expect(await link(3000)).toBeNull();
  });

  /** The end comes a moment after the features. */
  async function* late(): Answer['features'] {
    yield toBatch(feature(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    return end;
  }
  const get = (service: Service, format: string, headers: Record<string, string>) =>
    new Promise<http.IncomingMessage>((resolve) => {
      const url = `${service.url}${path}&_format=${format}&_limit=1`;
      http.get(url, { headers, agent: false }, (res) => res.resume().on('end', () => resolve(res)));
    });

  test.each(['csv', 'flatgeobuf', 'geojsonseq'])(
    'of one that is still coming are trailers, to who takes them: %s',
    async (format) => {
      const { service } = await start({ features: late() });
      const { headers, trailers } = await get(service, format, { te: 'trailers', connection: 'TE, close' });
      expect(headers.link).toContain('rel="self"');
      expect(headers.link).not.toContain('rel="next"');
      expect(headers.trailer).toBe('Link, OGC-NumberReturned, OGC-NumberMatched');
      expect(trailers.link).toContain('rel="next"');
      expect(trailers).toMatchObject({ 'ogc-numberreturned': '1', 'ogc-numbermatched': '7' });
    },
  );

  test('are not, to others', async () => {
    const { service } = await start({ features: late() });
    const { headers, trailers } = await get(service, 'csv', {});
    expect([headers.trailer, trailers]).toEqual([undefined, {}]);
  });

  test('HEAD, which has no body, takes no trailers', async () => {
    const { service } = await start({ features: late() });
    const headers = { te: 'trailers' };
    const reply = await send(service, `${path}&_format=csv`, { method: 'HEAD', headers });
    expect([reply.status, reply.headers['content-type']]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
    ]);
  });
});

describe('what a cache needs to know', () => {
  const validity: Validity = { tag: 'T-1', ageS: 7, freshS: 300, staleIfErrorS: 3600, isByKey: false };
  const whole = { batches: [toBatch(feature(1))], end: { numberReturned: 1 } };

  test.each([
    ['geojson', 'W/"T-1.g.en"', 'Accept-Language, Accept-Encoding'],
    ['json', 'W/"T-1.j.en"', 'Accept-Language, Accept-Encoding'],
    ['geojsonseq', 'W/"T-1.s"', 'Accept-Encoding'],
    ['csv', 'W/"T-1.c"', 'Accept-Encoding'],
    ['csv-centroid', 'W/"T-1.cc"', 'Accept-Encoding'],
    ['flatgeobuf', 'W/"T-1.f"', 'Accept-Encoding'],
  ])('%s has a tag of its own, and says what it follows from', async (format, etag, vary) => {
    const { service } = await start({ validity, whole });
    const url = `${path}&_format=${format}`;
    for (const method of ['GET', 'HEAD', 'GET']) {
      const { status, headers } = await send(service, url, { method });
      expect([status, headers.etag, headers.vary]).toEqual([200, etag, vary]);
    }
    const again = await send(service, url, { headers: { 'if-none-match': etag } });
    expect([again.status, again.text, again.headers.vary]).toEqual([304, '', vary]);
    const other = await send(service, url, { headers: { 'if-none-match': 'W/"T-1.x"' } });
    expect(other.status).toBe(200);
  });

  test('by Accept, it follows from that too', async () => {
    const { service } = await start({ validity, whole });
    const { headers } = await send(service, path, { headers: { accept: 'text/csv' } });
    expect([headers.etag, headers.vary]).toEqual(['W/"T-1.c"', 'Accept, Accept-Encoding']);
  });

  test('a kept page is written in slices: others are answered meanwhile', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => feature(i, { nom: 'x'.repeat(200) }));
    const { service } = await start({
      validity,
      whole: { batches: [], end: { numberReturned: many.length } },
      batches: [toBatch(...many)],
      end: { numberReturned: many.length, numberMatched: many.length },
    });
    let isDone = false;
    const whole = send(service, `${path}&_format=csv`).finally(() => {
      isDone = true;
    });
    await send(service, `${path}&_format=nope`);
    expect(isDone).toBe(false);
    const { text } = await whole;
    expect(rows(text)).toHaveLength(many.length + 1);
  });
});

describe('streaming', () => {
  test.each(['csv', 'csv-centroid', 'flatgeobuf', 'geojsonseq'])(
    'a fault behind the first feature resets the connection: %s',
    async (format) => {
      async function* features(): Answer['features'] {
        yield toBatch(feature(1));
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new ServiceError('upstreamUnusable', toMessage('gml.truncated', { where: 'x' }));
      }
      for (const version of ['1.0', '1.1']) {
        const { service } = await start({ features: features() });
        const socket = connectRaw(service);
        socket.write(`GET ${path}&_format=${format} HTTP/${version}\r\nHost: a\r\nTE: trailers\r\n\r\n`);
        const { text, error } = await readRaw(socket);
        expect(text).toMatch(/^HTTP\/1.1 200/);
        expect(error).toBe('ECONNRESET');
        expect(text).not.toMatch(/0\r\n\r\n$/);
      }
    },
  );

  test.each(['csv', 'flatgeobuf'])('a reader who stops reading stops the source: %s', async (format) => {
    let given = 0;
    async function* features(): Answer['features'] {
      for (; given < 3000; given += 1) yield toBatch(feature(given, { nom: 'x'.repeat(50_000) }));
      return { numberReturned: given };
    }
    const { service } = await start({ features: features() });
    const socket = connectRaw(service);
    socket.write(`GET ${path}&_format=${format} HTTP/1.1\r\nHost: a\r\n\r\n`);
    socket.pause();
    let before = -1;
    while (before < given || given === 0) {
      before = given;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(given).toBeLessThan(2500);
    socket.destroy();
  });

  test.each(['csv', 'flatgeobuf'])('is compressed as others are: %s', async (format) => {
    const { service } = await start({
      batches: [toBatch(...Array.from({ length: 100 }, (_, i) => feature(i)))],
    });
    const get = (headers: Record<string, string>) =>
      new Promise<Buffer>((resolve) => {
        http.get(`${service.url}${path}&_format=${format}`, { headers, agent: false }, (res) => {
          const chunks: Buffer[] = [];
          res.on('data', (chunk: Buffer) => chunks.push(chunk));
          res.on('end', () => resolve(Buffer.concat(chunks)));
        });
      });
    const [plain, zipped] = [await get({}), await get({ 'accept-encoding': 'gzip' })];
    expect(zipped.length).toBeLessThan(plain.length / 2);
    expect(gunzipSync(zipped).equals(plain)).toBe(true);
  });
});

test('files are called after the layer', async () => {
  const { service } = await start();
  const csv = await send(service, `${path}&_format=csv`);
  expect(csv.headers['content-disposition']).toBe('attachment; filename="BDTOPO_V3_commune.csv"');
  const fgb = await send(service, path, { headers: { accept: 'application/flatgeobuf' } });
  expect(fgb.headers['content-disposition']).toBe('attachment; filename="BDTOPO_V3_commune.fgb"');
  expect((await send(service, path)).headers).not.toHaveProperty('content-disposition');
});
