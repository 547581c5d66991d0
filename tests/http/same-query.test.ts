import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  fakeSource,
  postForm,
  postJson,
  type Reply,
  type Service,
  searchPath,
  send,
  startService,
} from './service.js';

let service: Service;
const source = fakeSource();
beforeAll(async () => {
  service = await startService(source);
});
afterAll(() => service.close());

async function asked(reply: Promise<Reply>) {
  source.asked.length = 0;
  const { status, text } = await reply;
  return status === 200 ? source.asked[0]?.[0] : text;
}

/** Names of attributes as upstreams may have them, ours among them; texts of any kind. */
const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.constantFrom(
    'geom',
    '_limit',
    'source',
    'apikey',
    'a[b]',
    'a.b',
    '__proto__',
    'property:x',
    '_',
    'nom+',
    '%41',
  ),
);
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '01004',
    "l'Étang",
    '<&>"]]>',
    '%25',
    '+',
    'a+b',
    'a&b=c',
    '\u0000\n',
    'null',
    '1e5',
    '\ufffd',
    '1E+5',
  ),
);
const attributes = fc.dictionary(name, fc.array(value, { minLength: 1, maxLength: 3 }), { maxKeys: 4 });

/** An attribute is written as it is called, unless it bears one of our names. */
const ours = ['source', 'geom', 'bbox', 'apikey', 'access_token'];
const toParameter = (attribute: string) =>
  ours.includes(attribute) || /^(_|property:)/.test(attribute) ? `property:${attribute}` : attribute;

describe('any attributes', () => {
  test('are the same query by GET, by form, by JSON and mixed', async () => {
    await fc.assert(
      fc.asyncProperty(attributes, async (given) => {
        const pairs = Object.entries(given).map(([key, values]) => [toParameter(key), values] as const);
        const all = pairs.flatMap(([key, values]) => values.map((one) => [key, one] as [string, string]));
        const form = new URLSearchParams([['source', 'a:b'], ...all]).toString();
        const percent = [['source', 'a:b'], ...all]
          .map(([key = '', one = '']) => `${encodeURIComponent(key)}=${encodeURIComponent(one)}`)
          .join('&');
        const body = JSON.stringify(Object.fromEntries([['source', 'a:b'], ...pairs]));
        const expected = {
          source: 'a:b',
          attributes: Object.entries(given).map(([key, values]) => ({
            name: key,
            values: [...new Set(values.map((one) => (one === '' ? null : one)))],
            parameter: toParameter(key),
          })),
          limit: 1000,
          startIndex: 0,
          count: 'auto',
        };
        expect(await asked(send(service, `${searchPath}?${percent}`))).toEqual(expected);
        expect(await asked(send(service, `${searchPath}?${form}`))).toEqual(expected);
        expect(await asked(postForm(service, form))).toEqual(expected);
        expect(await asked(postJson(service, body))).toEqual(expected);
        expect(await asked(postJson(service, '{"source":"a:b"}', `${searchPath}?${form}`))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});
