import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SearchQuery } from '../../src/query/index.js';
import {
  connectRaw,
  fakeSource,
  feature,
  generate,
  postForm,
  postJson,
  type Reply,
  readRaw,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

const point = { type: 'Point', coordinates: [1.49, 48.45] };
const polygon = {
  type: 'Polygon',
  coordinates: [
    [
      [1.48, 48.44],
      [1.5, 48.44],
      [1.5, 48.46],
      [1.48, 48.44],
    ],
  ],
};

describe('the answer to a search', () => {
  let service: Service;
  afterEach(() => service.close());

  test('is a FeatureCollection with its members in the documented order', async () => {
    service = await startService(fakeSource());
    const reply = await send(service, `${searchPath}?source=BDTOPO_V3:commune`);
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/geo+json');
    const members = [
      'type',
      'features',
      'numberReturned',
      'numberMatched',
      'totalFeatures',
      'timeStamp',
      'links',
    ];
    expect(Object.keys(reply.json)).toEqual(members);
    expect(reply.json.features).toEqual([feature(1)]);
    expect(reply.json.totalFeatures).toBe(1);
    expect(Math.abs(Date.parse(reply.json.timeStamp) - Date.now())).toBeLessThan(60_000);
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(reply.headers.etag).toBeUndefined();
    expect(reply.headers['x-powered-by']).toBeUndefined();
    expect(reply.headers.server).toBeUndefined();
  });

  test('leaves the counts out where they are not known', async () => {
    const batches = [toBatch(feature(1), feature(2)), toBatch(feature(3))];
    const end = { numberReturned: 3, next: { startIndex: 3 } };
    service = await startService(
      fakeSource({ search: async () => ({ isPrivate: false, features: generate(batches, end) }) }),
    );
    const { json } = await send(service, `${searchPath}?source=a&_limit=3`);
    expect(json.features).toEqual([feature(1), feature(2), feature(3)]);
    expect(json.numberReturned).toBe(3);
    expect(json).not.toHaveProperty('numberMatched');
    expect(json).not.toHaveProperty('totalFeatures');
  });

  test('may be empty', async () => {
    const features = () => generate([], { numberReturned: 0, numberMatched: 0 });
    service = await startService(
      fakeSource({ search: async () => ({ isPrivate: false, features: features() }) }),
    );
    const { json } = await send(service, `${searchPath}?source=a`);
    expect(json).toMatchObject({
      type: 'FeatureCollection',
      features: [],
      numberReturned: 0,
      numberMatched: 0,
    });
  });

  test('to HEAD is the headers of GET, and ends the upstream request', async () => {
    let ended = 0;
    async function* features() {
      try {
        yield toBatch(feature(1));
        return { numberReturned: 1 };
      } finally {
        ended += 1;
      }
    }
    const search = async () => {
      const generator = features();
      await generator.next(); // As a source does: it has its first features when it resolves.
      return { isPrivate: false, features: generator };
    };
    service = await startService(fakeSource({ search }));
    const get = await send(service, `${searchPath}?source=a`);
    ended = 0;
    const head = await send(service, `${searchPath}?source=a`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(ended).toBe(1);
    const names = ({ headers }: Reply) =>
      // RFC 9110 §9.3.2: how long the content is need not be found out for a HEAD.
      Object.keys(headers).filter((name) => name !== 'content-length' && name !== 'transfer-encoding');
    expect(names(head)).toEqual(names(get));
    expect(head.headers['content-type']).toBe('application/geo+json');
  });
});

describe('parameters', () => {
  let service: Service;
  const source = fakeSource();
  beforeAll(async () => {
    service = await startService(source, { limitMax: 2000 });
  });
  afterAll(() => service.close());

  /** The query that reached the source. */
  async function asked(reply: Promise<Reply>): Promise<SearchQuery | undefined> {
    source.asked.length = 0;
    const { status, text } = await reply;
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    return source.asked[0]?.[0];
  }
  const get = (query: string) => asked(send(service, `${searchPath}?${query}`));

  const plain = { source: 'a:b', attributes: [], limit: 1000, startIndex: 0, count: 'auto' };
  const withPoint = { ...plain, geometries: [point] };
  const text = JSON.stringify(point);

  test('source alone is a valid request, with the defaults', async () => {
    expect(await get('source=a:b')).toEqual(plain);
    expect(await get('source=a%3Ab')).toEqual(plain);
  });

  test('geom may stand raw or encoded in the query string', async () => {
    expect(await get(`source=a:b&geom=${text}`)).toEqual(withPoint);
    expect(await get(`source=a:b&geom=${encodeURIComponent(text)}`)).toEqual(withPoint);
    expect(await get(`source=a:b&geom=${new URLSearchParams({ geom: text }).toString().slice(5)}`)).toEqual(
      withPoint,
    );
  });

  test('the plus of an exponent survives, though a plus is a space', async () => {
    const geom = '{"type":"Point","coordinates":[1.49E+0,4.845e+1]}';
    expect(await get(`source=a:b&geom=${geom}`)).toEqual(withPoint);
    expect(await get(`source=a:b&geom={"type":+"Point",+"coordinates":+[1.49,+48.45]}`)).toEqual(withPoint);
    expect(await get('source=a:b&nom=Saint+Prest&code=1e+5')).toMatchObject({
      attributes: [{ values: ['Saint Prest'] }, { values: ['1e 5'] }],
    });
  });

  test('POST takes them from JSON, a form, the query string, or a mixture', async () => {
    expect(await asked(postJson(service, { source: 'a:b', geom: point }))).toEqual(withPoint);
    expect(await asked(postJson(service, { source: 'a:b', geom: text }))).toEqual(withPoint);
    expect(
      await asked(postForm(service, new URLSearchParams({ source: 'a:b', geom: text }).toString())),
    ).toEqual(withPoint);
    expect(await asked(postForm(service, `source=a:b&geom=${text}`))).toEqual(withPoint);
    expect(await asked(postJson(service, { geom: point }, `${searchPath}?source=a:b`))).toEqual(withPoint);
  });

  test.each([
    ['no body at all', {}, ''],
    ['an empty JSON body', { 'content-type': 'application/json' }, ''],
    ['an empty form', { 'content-type': 'application/x-www-form-urlencoded' }, ''],
    ['an empty body of a type that is never read', { 'content-type': 'text/plain' }, ''],
    ['a JSON body of white space', { 'content-type': 'application/json' }, ' \r\n\t'],
    ['a form of white space', { 'content-type': 'application/x-www-form-urlencoded' }, '\n'],
    ['white space of a type that is never read', { 'content-type': 'text/plain' }, '\n'],
  ])('POST with %s takes them from the query string', async (_, headers, body) => {
    const path = `${searchPath}?source=a:b&geom=${text}`;
    expect(await asked(send(service, path, { method: 'POST', headers: { ...headers }, body }))).toEqual(
      withPoint,
    );
  });

  test.each([
    ['Application/JSON; Charset="UTF-8"', '{"source":"a:b"}'],
    ['application/json;charset=utf-8;x=y', '\ufeff {"source":"a:b"}\n'],
    ['application/x-www-form-urlencoded; charset=UTF-8', 'source=a%3Ab'],
  ])('a body of type %s is read', async (type, body) => {
    const headers = { 'content-type': type };
    expect(await asked(send(service, searchPath, { method: 'POST', headers, body }))).toEqual(plain);
  });

  test('a compressed body is read', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const body = gzipSync('{"source":"a:b"}');
    expect(await asked(send(service, searchPath, { method: 'POST', headers, body }))).toEqual(plain);
  });

  test('a GET has no body, whatever comes along', async () => {
    const headers = { 'content-type': 'text/plain', 'content-length': '3' };
    expect(await asked(send(service, `${searchPath}?source=a:b`, { headers, body: 'abc' }))).toEqual(plain);
  });

  test('Feature and FeatureCollection stand for the union of their parts', async () => {
    const features = [
      { type: 'Feature', geometry: point, properties: null },
      { type: 'Feature', geometry: polygon, properties: { a: 1 } },
    ];
    expect(await asked(postJson(service, { source: 'a:b', geom: features[0] }))).toEqual(withPoint);
    const geom = { type: 'FeatureCollection', features };
    expect((await asked(postJson(service, { source: 'a:b', geom })))?.geometries).toEqual([point, polygon]);
  });

  test('bbox is text or a list; west may be greater than east', async () => {
    expect((await get('source=a:b&bbox=1.4,48.4,1.5,48.5'))?.bbox).toEqual([1.4, 48.4, 1.5, 48.5]);
    expect((await get('source=a:b&bbox=170,-20,-170,+20'))?.bbox).toEqual([170, -20, -170, 20]);
    const bbox = [1.4, 48.4, 1.5, 48.5];
    expect((await asked(postJson(service, { source: 'a:b', bbox })))?.bbox).toEqual(bbox);
  });

  test('each of the others is read', async () => {
    const query =
      'source=a:b&_limit=7&_start=14&_propertyNames=nom,%20code&_sortBy=-nom&_count=true&_=1700000';
    const read = {
      ...plain,
      limit: 7,
      startIndex: 14,
      propertyNames: ['nom', 'code'],
      sortBy: { name: 'nom', descending: true },
      count: 'always',
    };
    expect(await get(query)).toEqual(read);
    const body = {
      source: 'a:b',
      _limit: 7,
      _start: '14',
      _propertyNames: ['nom', 'code'],
      _sortBy: '-nom',
      _count: true,
      _: 1700000,
    };
    expect(await asked(postJson(service, body))).toEqual(read);
    expect(await get('source=a:b&_count=false&_sortBy=nom')).toMatchObject({
      count: 'never',
      sortBy: { name: 'nom', descending: false },
    });
    expect(await get('source=a:b&_featureId=p.1,p.2,p.1')).toEqual({ ...plain, featureIds: ['p.1', 'p.2'] });
  });

  test('the same value given twice is no contradiction, in whatever form', async () => {
    const query = `?source=a:b&source=a:b&_limit=7&geom=${text}`;
    const body = { source: 'a:b', _limit: 7, geom: { coordinates: [1.49, 48.45], type: 'Point' } };
    expect(await asked(postJson(service, body, searchPath + query))).toEqual({ ...withPoint, limit: 7 });
  });

  test('every other name is an attribute; repeated in any place, any of its values', async () => {
    const path = `${searchPath}?source=a:b&section=AA&section=AB&section=AA`;
    const body = { section: ['AC', 'AA'], numero: 12, bati: true, usage: null, nom: 'Évreux' };
    expect((await asked(postJson(service, body, path)))?.attributes).toEqual([
      { name: 'section', values: ['AA', 'AB', 'AC'], parameter: 'section' },
      { name: 'numero', values: [12], parameter: 'numero' },
      { name: 'bati', values: [true], parameter: 'bati' },
      { name: 'usage', values: [null], parameter: 'usage' },
      { name: 'nom', values: ['Évreux'], parameter: 'nom' },
    ]);
  });

  test('nothing stands for null, and codes stay text', async () => {
    expect((await get('source=a:b&usage=&code=01004'))?.attributes).toEqual([
      { name: 'usage', values: [null], parameter: 'usage' },
      { name: 'code', values: ['01004'], parameter: 'code' },
    ]);
  });

  test('property: writes an attribute that bears one of our names', async () => {
    expect((await get('source=a:b&property:geom=x&property:_id=1&property%3Abbox=2'))?.attributes).toEqual([
      { name: 'geom', values: ['x'], parameter: 'property:geom' },
      { name: '_id', values: ['1'], parameter: 'property:_id' },
      { name: 'bbox', values: ['2'], parameter: 'property:bbox' },
    ]);
  });

  test('names that mean something to JavaScript or to form parsers are names like others', async () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'a[b]',
      'a[]',
      'attributes',
      'length',
      'body',
      'q',
    ];
    // Where one begins with _ it is told apart from ours by its prefix.
    const given = names.map((name) => (name.startsWith('_') ? `property:${name}` : name));
    const byQuery = await get(`source=a:b&${given.map((name) => `${encodeURIComponent(name)}=1`).join('&')}`);
    expect(byQuery?.attributes.map(({ name }) => name)).toEqual(names);
    const body = `{"source":"a:b",${given.map((name) => `${JSON.stringify(name)}:"1"`).join(',')}}`;
    expect(await asked(postJson(service, body))).toEqual(byQuery);
  });

  test('numbers of a JSON body are exact, or stay text', async () => {
    const body =
      '{"source":"a","big":9007199254740993,"small":[0.1,-0,1e2,1.10],"long":0.12345678901234567890}';
    expect((await asked(postJson(service, body)))?.attributes).toEqual([
      { name: 'big', values: ['9007199254740993'], parameter: 'big' },
      { name: 'small', values: [0.1, 0, 100, 1.1], parameter: 'small' },
      { name: 'long', values: ['0.12345678901234567890'], parameter: 'long' },
    ]);
  });

  test('a geometry of 50 kB fits into a URL, also encoded', async () => {
    const coordinates = Array.from({ length: 2500 }, (_, i) => [1 + i / 5000, 48 + i / 5000]);
    const geom = JSON.stringify({ type: 'LineString', coordinates });
    expect(geom.length).toBeGreaterThan(35_000);
    const read = await get(`source=a:b&geom=${encodeURIComponent(geom)}`);
    expect(read?.geometries).toEqual([{ type: 'LineString', coordinates }]);
  });
});

describe('keys', () => {
  let service: Service;
  const source = fakeSource();
  beforeAll(async () => {
    service = await startService(source);
  });
  afterAll(() => service.close());

  test.each([
    ['in the query string', '?apikey=K', {}, { apikey: 'K' }],
    ['as a header', '?', { apikey: 'K' }, { apikey: 'K' }],
    ['in Authorization', '?', { authorization: 'Apikey K' }, { apikey: 'K' }],
    ['in Authorization, in any case', '?', { authorization: 'APIKEY  K' }, { apikey: 'K' }],
    ['as a token', '?access_token=T', {}, { token: 'T' }],
    ['as a bearer token', '?', { authorization: 'Bearer T' }, { token: 'T' }],
    ['twice the same', '?apikey=K', { apikey: 'K', authorization: 'Apikey K' }, { apikey: 'K' }],
    ['a key and a token', '?apikey=K', { authorization: 'bearer T' }, { apikey: 'K', token: 'T' }],
    ['of a scheme that is not ours', '?', { authorization: 'Basic dTpw' }, {}],
    ['of nothing', '?apikey=', { authorization: 'Bearer ' }, {}],
  ])('%s', async (_, query, headers, credentials) => {
    source.asked.length = 0;
    const reply = await send(service, `${searchPath}${query}&source=a`, { headers: { ...headers } });
    expect(reply.status).toBe(200);
    expect(source.asked[0]?.[1].credentials).toEqual(credentials);
    expect(reply.text).not.toMatch(/apikey|token/i);
  });

  test('in a body', async () => {
    source.asked.length = 0;
    await postJson(service, { source: 'a', apikey: 'K', access_token: 'T' });
    await postForm(service, 'source=a&apikey=K&access_token=T');
    expect(source.asked.map(([, caller]) => caller.credentials)).toEqual([
      { apikey: 'K', token: 'T' },
      { apikey: 'K', token: 'T' },
    ]);
  });

  test('that contradict each other are refused, and not repeated', async () => {
    const reply = await send(service, `${searchPath}?source=a&apikey=s3cret`, {
      headers: { apikey: '0ther' },
    });
    expect(reply.status).toBe(400);
    expect(reply.json.detail).toBe(
      'apikey: is given in the query string and in the apikey header, with different values',
    );
    expect(reply.text).not.toMatch(/s3cret|0ther/);
  });
});

describe('a header of ours that is there twice', () => {
  let service: Service;
  const sendTwice = async (...lines: string[]) => {
    const source = fakeSource();
    service = await startService(source);
    const socket = connectRaw(service);
    const reply = readRaw(socket);
    const head = [`GET ${searchPath}?source=a HTTP/1.1`, 'Host: a', 'Connection: close', ...lines, '', ''];
    socket.write(head.join('\r\n'));
    return { asked: source.asked, text: (await reply).text };
  };

  test.each([
    ['apikey: K1', 'apikey: K2', 'apikey: is given twice in the apikey header'],
    [
      'Authorization: Apikey K1',
      'Authorization: Apikey K2',
      'apikey: is given twice in the Authorization header',
    ],
    [
      'Authorization: Bearer T1',
      'authorization: bearer T2',
      'access_token: is given twice in the Authorization header',
    ],
  ])('with different values is refused: %s, %s', async (one, other, detail) => {
    const { asked, text } = await sendTwice(one, other);
    await service.close();
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain(detail);
    expect(text).not.toMatch(/[KT][12]/);
    expect(asked).toEqual([]);
  });

  test.each<[string, string, object]>([
    ['apikey: K', 'Apikey: K', { apikey: 'K' }],
    ['Authorization: Basic eA==', 'Authorization: Apikey K', { apikey: 'K' }],
    ['Authorization: Apikey K', 'Authorization: Bearer T', { apikey: 'K', token: 'T' }],
  ])('is taken as it is meant: %s, %s', async (one, other, credentials) => {
    const { asked, text } = await sendTwice(one, other);
    await service.close();
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(asked[0]?.[1].credentials).toEqual(credentials);
  });
});
