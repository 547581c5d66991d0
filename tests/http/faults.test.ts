import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { invalidRequest, ServiceError, toMessage } from '../../src/errors.js';
import { fakeSource, postForm, postJson, type Service, searchPath, send, startService } from './service.js';

let service: Service;
const source = fakeSource({
  search: async (query) => {
    if (query.source === 'ghost') throw new ServiceError('notFound', toMessage('internal'));
    if (query.source === 'schema') {
      throw invalidRequest([{ parameter: 'nom', message: toMessage('query.notText') }]);
    }
    throw new Error('no request with a fault may get here');
  },
});
beforeAll(async () => {
  service = await startService(source, { limitMax: 2000, geomMaxVertices: 5 });
});
afterAll(() => service.close());

type Errors = { parameter?: string; pointer?: string; message: string }[];
const get = (query: string) => send(service, `${searchPath}?${query}`);

describe('one fault', () => {
  test.each<[string, string, Errors]>([
    ['source is missing', '', [{ parameter: 'source', message: 'is required' }]],
    ['source is empty', 'source=', [{ parameter: 'source', message: 'is empty' }]],
    [
      '_limit over the limit',
      'source=a&_limit=2001',
      [{ parameter: '_limit', message: 'must be an integer from 1 to 2000' }],
    ],
    [
      '_limit 0',
      'source=a&_limit=0',
      [{ parameter: '_limit', message: 'must be an integer from 1 to 2000' }],
    ],
    [
      '_limit that is no number',
      'source=a&_limit=NaN',
      [{ parameter: '_limit', message: 'must be an integer from 1 to 2000' }],
    ],
    [
      '_limit with a fraction',
      'source=a&_limit=1.5',
      [{ parameter: '_limit', message: 'must be an integer from 1 to 2000' }],
    ],
    [
      '_limit twice',
      'source=a&_limit=1&_limit=2',
      [{ parameter: '_limit', message: 'is given twice in the query string, with different values' }],
    ],
    [
      '_start below 0',
      'source=a&_start=-1',
      [{ parameter: '_start', message: 'must be an integer from 0 to 2147483647' }],
    ],
    [
      '_count that is neither',
      'source=a&_count=yes',
      [{ parameter: '_count', message: 'must be one of auto, true, false' }],
    ],
    [
      '_count named like a method',
      'source=a&_count=toString',
      [{ parameter: '_count', message: 'must be one of auto, true, false' }],
    ],
    ['_sortBy of nothing', 'source=a&_sortBy=-', [{ parameter: '_sortBy', message: 'is empty' }]],
    [
      '_propertyNames with a gap',
      'source=a&_propertyNames=a,,b',
      [{ parameter: '_propertyNames', message: 'holds an empty item, or none' }],
    ],
    [
      'an empty geom, which would drop a condition',
      'source=a&geom=',
      [{ parameter: 'geom', message: 'is empty' }],
    ],
    [
      'an unknown name, near to one of ours',
      'source=a&_limits=3',
      [
        {
          parameter: '_limits',
          message: 'is no parameter; _limit is. An attribute of this name is written property:_limits',
        },
      ],
    ],
    [
      'an unknown name in another case',
      'source=a&_featureid=3',
      [
        {
          parameter: '_featureid',
          message: 'is no parameter; _featureId is. An attribute of this name is written property:_featureid',
        },
      ],
    ],
    [
      'an unknown name, near to none',
      'source=a&_xyz=3',
      [
        {
          parameter: '_xyz',
          message:
            'is no parameter; those are _featureId, _limit, _start, _propertyNames, _sortBy, _count, _overlap, _format, _explain. An attribute of this name is written property:_xyz',
        },
      ],
    ],
    ['no name', 'source=a&=3', [{ parameter: '', message: 'a parameter has no name' }]],
    [
      'bbox of three',
      'source=a&bbox=1,2,3',
      [{ parameter: 'bbox', message: 'must be four numbers: west,south,east,north in degrees' }],
    ],
    [
      'bbox out of range',
      'source=a&bbox=1,-91,2,3',
      [{ parameter: 'bbox', pointer: '/1', message: 'south must be a number from -90 to 90' }],
    ],
    [
      'bbox of words',
      'source=a&bbox=1,2,NaN,3',
      [{ parameter: 'bbox', pointer: '/2', message: 'east must be a number from -180 to 180' }],
    ],
    [
      'bbox upside down',
      'source=a&bbox=1,3,2,2',
      [{ parameter: 'bbox', message: 'south is greater than north; the order is west,south,east,north' }],
    ],
    [
      'an open ring',
      'source=a&geom={"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}',
      [{ parameter: 'geom', pointer: '/coordinates/0', message: 'ring 0 is not closed' }],
    ],
    ['text that is not UTF-8', 'source=a&nom=%C9vreux', [{ parameter: 'nom', message: 'is not UTF-8' }]],
  ])('%s', async (_, query, errors) => {
    const { status, headers, json } = await get(query);
    expect(json.errors).toEqual(errors);
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json');
    const [first] = errors;
    expect(json.detail).toBe(`${first?.parameter}: ${first?.message}`);
  });

  test.each([
    ['{"type":"Point","coordinates":[1,]}', 'line 1, column 34 (offset 33): a value expected'],
    ['{"type":"Point","coordinates":[1,2]', 'line 1, column 36 (offset 35): it ends too early'],
    ['{"type":"Point",\n "coordinates":[01,2]}', 'line 2, column 18 (offset 34): a number begins with 0'],
    ["{'type':'Point'}", 'line 1, column 2 (offset 1): a name in quotes expected'],
    ['{"type":"Point","coordinates":[NaN,2]}', 'line 1, column 32 (offset 31): a value expected'],
    ['{"type":"Point","coordinates":[1.,2]}', 'line 1, column 34 (offset 33): a digit expected'],
    ['{"type":"Point"} x', 'line 1, column 18 (offset 17): something follows the value'],
    ['POINT(1 2)', 'line 1, column 1 (offset 0): a value expected'],
  ])('geom that is not JSON says where: %s', async (geom, where) => {
    const { json } = await get(`source=a&geom=${encodeURIComponent(geom)}`);
    expect(json.errors).toEqual([{ parameter: 'geom', message: `is not JSON: ${where}` }]);
  });

  test('geom with more vertices than this installation takes', async () => {
    const coordinates = Array.from({ length: 6 }, (_, i) => [i, i]);
    const { status, json } = await postJson(service, {
      source: 'a',
      geom: { type: 'MultiPoint', coordinates },
    });
    expect(status).toBe(400);
    expect(json.errors).toMatchObject([{ parameter: 'geom' }]);
    expect(json.detail).toMatch(/5/);
  });

  test('geom nested without end is refused before anything recurses into it', async () => {
    const body = `{"source":"a","geom":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const { status, json } = await postJson(service, body);
    expect(status).toBe(400);
    expect(json.detail).toMatch(/nested too deeply/);
  });

  test.each<[string, unknown, Errors]>([
    [
      'an object as attribute',
      { code: { a: 1 } },
      [
        {
          parameter: 'code',
          pointer: '',
          message: 'must be a text, a number, a boolean, null, or an array of these',
        },
      ],
    ],
    [
      'an object in a list',
      { code: [1, { a: 1 }] },
      [
        {
          parameter: 'code',
          pointer: '/1',
          message: 'must be a text, a number, a boolean, null, or an array of these',
        },
      ],
    ],
    ['any of nothing', { code: [] }, [{ parameter: 'code', message: 'holds an empty item, or none' }]],
    ['geom null, which would drop a condition', { geom: null }, [{ parameter: 'geom', message: 'is empty' }]],
    [
      'bbox as an object',
      { bbox: { west: 1 } },
      [{ parameter: 'bbox', message: 'must be four numbers: west,south,east,north in degrees' }],
    ],
    [
      '_limit as a list',
      { _limit: [1] },
      [{ parameter: '_limit', message: 'must be an integer from 1 to 2000' }],
    ],
    [
      '_propertyNames as a number',
      { _propertyNames: 3 },
      [{ parameter: '_propertyNames', message: 'must be a comma list of texts' }],
    ],
    ['apikey as a number', { apikey: 3 }, [{ parameter: 'apikey', message: 'must be a text' }]],
  ])('%s', async (_, members, errors) => {
    const { status, json } = await postJson(service, { source: 'a', ...(members as object) });
    expect(json.errors).toEqual(errors);
    expect(status).toBe(400);
  });

  test('source as a number', async () => {
    const { json } = await postJson(service, { source: 3 });
    expect(json.errors).toEqual([{ parameter: 'source', message: 'must be a text' }]);
  });
});

describe('a parameter given twice with different values names both places', () => {
  test('query string and JSON', async () => {
    const { json } = await postJson(service, { source: 'b', _limit: 3 }, `${searchPath}?source=a&_limit=3`);
    expect(json.errors).toEqual([
      {
        parameter: 'source',
        message: 'is given in the query string and in the JSON body, with different values',
      },
    ]);
  });
  test('query string and form', async () => {
    const { json } = await postForm(service, '_limit=3', `${searchPath}?source=a&_limit=4`);
    expect(json.detail).toBe(
      '_limit: is given in the query string and in the form body, with different values',
    );
  });
  test('the same name twice in a JSON object', async () => {
    const { json } = await postJson(service, '{"source":"a","source":"b"}');
    expect(json.detail).toBe('source: is given twice in the JSON body, with different values');
  });
});

test('_featureId stands alone', async () => {
  const query =
    'source=a&_featureId=p.1&_start=0&_sortBy=nom&nom=x&bbox=1,2,3,4&geom={"type":"Point","coordinates":[1,2]}';
  const { json } = await get(query);
  const parameters = (json.errors as Errors).map(({ parameter }) => parameter);
  expect(parameters).toEqual(['geom', 'bbox', '_start', '_sortBy', 'nom']);
  expect(json.errors[0].message).toBe('cannot be combined with _featureId');
});

test('all faults of form come in one answer, in a fixed order', async () => {
  const query = '_count=perhaps&nom=%20&_foo=1&_limit=0&bbox=a,b,c,d&geom={"type":"Dot"}&_start=x';
  const { status, json } = await get(query);
  expect(status).toBe(400);
  const parameters = (json.errors as Errors).map(({ parameter }) => parameter);
  expect([...new Set(parameters)]).toEqual(['source', 'geom', 'bbox', '_limit', '_start', '_count', '_foo']);
  expect(json.detail).toMatch(/^10 faults: source: is required; geom: /);
  expect(json.message).toBe(json.detail);
});

test('faults against the schema come as the source tells them', async () => {
  const { status, json } = await get('source=schema');
  expect(status).toBe(400);
  expect(json.errors).toEqual([{ parameter: 'nom', message: 'must be a text' }]);
});

test('a body full of faults does not make an answer of its size', async () => {
  const names = Array.from({ length: 5000 }, (_, i) => `"_x${i}":1`);
  const { status, json, text } = await postJson(service, `{"source":"a",${names.join(',')}}`);
  expect(status).toBe(400);
  expect(json.errors).toHaveLength(50);
  expect(text.length).toBeLessThan(50_000);
});

describe('a body that cannot be read', () => {
  const post = (headers: Record<string, string>, body: string | Buffer) =>
    send(service, searchPath, { method: 'POST', headers, body });

  test.each([
    [
      'malformed JSON',
      'application/json',
      '{"source":"a",\n"geom":}',
      400,
      'body: is not JSON: line 2, column 8 (offset 22): a value expected',
    ],
    ['JSON that is no object', 'application/json', '["source"]', 400, 'body: must be a JSON object'],
    [
      'another type',
      'text/xml',
      '<a/>',
      415,
      'The body must be one of application/json, application/x-www-form-urlencoded.',
    ],
    [
      'no type',
      '',
      'source=a',
      415,
      'The body must be one of application/json, application/x-www-form-urlencoded.',
    ],
    [
      'another charset',
      'application/json; charset=latin1',
      '{"source":"a"}',
      415,
      'The charset of the body must be utf-8.',
    ],
  ])('%s', async (_, type, body, status, detail) => {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    const reply = await post(headers, body);
    expect(reply.json).toMatchObject({ status, detail });
    expect(reply.status).toBe(status);
    expect(reply.headers['access-control-allow-origin']).toBe('*');
  });

  test('bytes that are not UTF-8', async () => {
    const reply = await post(
      { 'content-type': 'application/json' },
      Buffer.from('{"source":"\xe9"}', 'latin1'),
    );
    expect(reply.json).toMatchObject({ status: 400, detail: 'body: is not UTF-8' });
  });

  test('an unknown content encoding', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'zstd' };
    expect((await post(headers, '{}')).json.status).toBe(415);
  });

  test('gzip that is none', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const { json } = await post(headers, '{"source":"a"}');
    expect(json).toMatchObject({
      status: 400,
      detail: 'body: cannot be read: it is broken off, or not compressed as it says',
    });
  });

  test('more than BODY_LIMIT, said beforehand or not', async () => {
    const body = `{"source":"a","x":"${'x'.repeat(1_100_000)}"}`;
    const reply = await post({ 'content-type': 'application/json' }, body);
    expect(reply.json).toMatchObject({ status: 413, detail: 'The body is larger than 1048576 bytes.' });
    const chunked = await post({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, body);
    expect(chunked.json).toMatchObject({ status: 413 });
  });
});
