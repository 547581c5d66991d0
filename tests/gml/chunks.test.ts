import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { convert, convertCut, fixtures } from './convert.js';
import { documents } from './documents.js';

const all = [
  ...fixtures.map(({ name, answer, options }) => ({ name, gml: answer as Uint8Array, options })),
  ...documents.map(({ name, gml, options = {} }) => ({ name, gml: Buffer.from(gml) as Uint8Array, options })),
];

describe('where a document is cut never matters', () => {
  test.each(all.map((one) => [one.name, one] as const))(
    '%s: whole, and byte by byte',
    (_, { gml, options }) => {
      const whole = convert(gml, options);
      const bytewise = convert(gml, options, 1);
      expect(bytewise.text.startsWith(whole.text)).toBe(true);
      expect(bytewise.error).toEqual(whole.error);
      expect(bytewise.warnings).toEqual(whole.warnings);
      if (whole.error === undefined) expect(bytewise.text).toBe(whole.text);
    },
  );

  test('anywhere', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (one, lengths) => {
          const whole = convert(one.gml, one.options);
          let next = 0;
          const cut = convertCut(one.gml, one.options, () => lengths[next++ % lengths.length] as number);
          expect(cut.error).toEqual(whole.error);
          if (whole.error === undefined) expect(cut.text).toBe(whole.text);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test("the bytes of a batch are the caller's own", () => {
  const { gml, options } = all[0]!;
  const copy = Uint8Array.from(gml);
  const first = convert(copy, options);
  copy.fill(0);
  expect(convert(gml, options).text).toBe(first.text);
});
