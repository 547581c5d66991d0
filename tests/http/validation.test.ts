import { describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { toText } from '../../src/errors.js';
import { loadDocument } from '../../src/http/openapi.js';
import { createRequestValidator, type RequestValidator } from '../../src/http/validation.js';
import type { RawParameter } from '../../src/query/index.js';

const limits = { limitMax: 200, geomMaxVertices: 1000, bodyLimit: 1_000_000 };
const validate = createRequestValidator(
  loadDocument({ name: 'wfs-geoportail', title: 'API Carto WFS-Géoportail' }, limits),
);

type Asked = [method: string, path: string, parameters: RawParameter[], contentType?: string];

const check = (...request: Asked) => checkWith(validate, ...request);

/** As much of an Express request as the validator looks at. */
function checkWith(validate: RequestValidator, ...[method, path, parameters, contentType]: Asked) {
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  const app = { enabled: () => false, param: () => {} };
  const req = { method, path, originalUrl: path, baseUrl: '', headers, app, res: {} };
  return validate(req as unknown as Request, parameters);
}

const search = '/api/wfs-geoportail/search';
const inQuery = (name: string, value: string): RawParameter => ({ name, value, place: 'query' });
const inForm = (name: string, value: string): RawParameter => ({ name, value, place: 'form' });
const inJson = (name: string, value: RawParameter['value']): RawParameter => ({ name, value, place: 'json' });

describe('the OpenAPI document, as requests are validated by it', () => {
  test('a plain search passes', async () => {
    expect(await check('GET', search, [inQuery('source', 'a:b')])).toEqual([]);
  });

  test('a missing source is refused', async () => {
    const [fault] = await check('GET', search, []);
    expect(fault?.parameter).toBe('source');
  });

  test('the limit of this installation is in it', async () => {
    expect(await check('GET', search, [inQuery('source', 'a'), inQuery('_limit', '200')])).toEqual([]);
    const [fault] = await check('GET', search, [inQuery('source', 'a'), inQuery('_limit', '201')]);
    expect(fault?.parameter).toBe('_limit');
    expect(fault && toText(fault.message)).toBe('must be <= 200');
  });

  test('a fault inside a JSON body has its pointer', async () => {
    const parameters = [inJson('source', 'a'), inJson('code', [1, { a: 1 }])];
    const [fault] = await check('POST', search, parameters, 'application/json');
    expect(fault).toMatchObject({ parameter: 'code', pointer: '/1' });
  });

  test('later requests are checked as the first, whatever type their body is of', async () => {
    const fresh = createRequestValidator(
      loadDocument({ name: 'wfs-geoportail', title: 'API Carto WFS-Géoportail' }, limits),
    );
    const source = inQuery('source', 'a');
    const questions = [[], [source], [source, inQuery('_limit', '201')], [source, inQuery('_count', 'x')]];
    const asked = questions.flatMap((parameters): Asked[] => [
      ['GET', search, parameters],
      ['HEAD', search, parameters],
      ['POST', search, [inJson('source', 'a'), ...parameters], 'application/json'],
      ['POST', search, [inForm('source', 'a'), ...parameters], 'application/x-www-form-urlencoded'],
      ['POST', search, parameters],
    ]);
    const first: Awaited<ReturnType<typeof check>>[] = [];
    for (const one of asked) first.push(await checkWith(fresh, ...one));
    expect(first.filter((faults) => faults.length === 0).length).toBeGreaterThan(4);
    for (const [i, one] of asked.entries()) expect(await checkWith(fresh, ...one)).toEqual(first[i]);
    const parameters = (method: string) =>
      first.flatMap((faults, i) => (asked[i]?.[0] === method ? [faults.map((one) => one.parameter)] : []));
    expect(parameters('GET')).toEqual([['source'], [], ['_limit'], ['_count']]);
    expect(parameters('HEAD')).toEqual(parameters('GET'));
  });

  test('an attribute may be called attributes', async () => {
    expect(await check('GET', search, [inQuery('source', 'a'), inQuery('attributes', 'x')])).toEqual([]);
  });

  test('HEAD is validated as GET is', async () => {
    expect(await check('HEAD', search, [])).toHaveLength(1);
  });

  test('the catalogue is validated too', async () => {
    const path = '/api/wfs-geoportail/sources';
    expect(await check('GET', path, [inQuery('q', 'a b'), inQuery('_limit', '3')])).toEqual([]);
    expect(await check('GET', path, [inQuery('_limit', 'x')])).toMatchObject([{ parameter: '_limit' }]);
  });
});
