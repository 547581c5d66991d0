import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMask } from '../../src/query/index.js';

const KEY = 'SRV~SECRET!key';

describe('a secret is masked in every writing', () => {
  const form = new URLSearchParams({ k: KEY }).toString().slice(2);
  test.each([
    ['as it is', KEY],
    ['in another case', KEY.toUpperCase()],
    ['in a form', form],
    ['in a form, hex in lower case', form.toLowerCase()],
    ['in a path', encodeURIComponent(KEY)],
    ['encoded twice', encodeURIComponent(form)],
    ['every character encoded', [...KEY].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')],
    ['as character references', [...KEY].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join('')],
  ])('%s', (_, written) => {
    expect(createMask([KEY])(`/wfs?apikey=${written}&request=x`)).toBe('/wfs?apikey=***&request=x');
  });

  test('one that holds what the writings escape', () => {
    const key = 'a"b\\c&d<e>f\'g h+i%j';
    const mask = createMask([key]);
    const xml = key.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
    for (const written of [key, JSON.stringify(key).slice(1, -1), xml, encodeURIComponent(key)]) {
      expect(mask(`<${written}>`)).toBe('<***>');
    }
    expect(mask(new URLSearchParams({ key }).toString())).toBe('key=***');
  });

  test('the longer of two that begin alike is masked whole', () => {
    expect(createMask(['abc', 'abcdef'])('abcdef abc')).toBe('*** ***');
  });

  test('nothing to mask leaves the text alone', () => {
    expect(createMask([])('text')).toBe('text');
    expect(createMask([''])('text')).toBe('text');
  });
});

test('whatever the key, no writing of it is left, and the text around it stays', () => {
  const secret = fc.string({ unit: 'grapheme', minLength: 4, maxLength: 30 });
  fc.assert(
    fc.property(secret, (key) => {
      fc.pre(!key.includes('|'));
      const mask = createMask([key]);
      for (const written of [
        key,
        encodeURIComponent(key),
        new URLSearchParams({ '': key }).toString().slice(1),
      ]) {
        expect(mask(`|${written}|`)).toBe('|***|');
      }
    }),
    { numRuns: 300 },
  );
});
