import { describe, expect, test } from '@jest/globals';
import { toAttributeTest } from '../../src/wfs/attribute-test.js';
import { encodeFilter } from '../../src/wfs/filter.js';

type Type = Parameters<typeof toAttributeTest>[1]['type'];

function read(type: Type, ...values: (string | number | boolean | null)[]) {
  const attribute = { name: 'n', type, xsdType: '', nullable: true, repeated: false };
  const { test: attributeTest, faults } = toAttributeTest({ name: 'n', parameter: 'n', values }, attribute);
  expect(faults).toEqual([]);
  return attributeTest;
}
const asked = (type: Type, value: string | number | null) => {
  const { filter, isExact } = read(type, value);
  return {
    isExact,
    xml:
      filter &&
      encodeFilter(filter)
        .replace(/<\/?ogc:|\/?>/g, ' ')
        .replace(/\s+/g, ' '),
  };
};

describe('what can be asked exactly is asked exactly', () => {
  test.each<[Type, string | number | null]>([
    ['string', '01004'],
    ['string', `O'Hara & "Cie" <x> ]]> % _ *`],
    ['string', 'x'.repeat(100_000)],
    ['integer', '-42'],
    ['integer', 'true'],
    ['number', '1234.56'],
    ['boolean', 'true'],
    ['date', '2024-02-29'],
    ['string', null],
  ])('%s %j', (type, value) => {
    expect(asked(type, value).isExact).toBe(true);
  });

  test('a date is asked as a range of one day', () => {
    expect(asked('date', '2024-02-29').xml).toMatch(
      /PropertyIsBetween .* Literal 2024-02-29 .* Literal 2024-02-29 /,
    );
  });
});

test('a date, and a boolean declared an integer, can be asked for in other words', () => {
  const toWords = (type: Type, value: string) => {
    const { otherwise } = read(type, value);
    return otherwise && encodeFilter(otherwise);
  };
  expect(toWords('date', '2024-02-29')).toMatch(/PropertyIsLike.*2024-02-29\*</);
  expect(toWords('integer', 'false')).toMatch(/PropertyIsEqualTo.*>0</);
  expect(toWords('integer', '1')).toBeUndefined();
  expect(toWords('dateTime', '2024-02-29T00:00:00Z')).toBeUndefined();
});

describe('what servers read differently is asked wider, and compared here', () => {
  test.each([
    ['\\', undefined],
    ['a\\" or 1', / PropertyIsLike .* Literal \*or\* /],
    ['[n]', / PropertyIsLike .* Literal \*n\* /],
    ['[[[]', undefined],
    [' abc', / Literal \*abc\* /],
    ['\u00a0', undefined],
    ['un 😀 là', / Literal \*un\* /],
  ])('the text %j', (value, expected) => {
    const { isExact, xml } = asked('string', value);
    expect(isExact).toBe(false);
    if (expected === undefined) expect(xml).toBeUndefined();
    else expect(xml).toMatch(expected);
    expect(read('string', value).matches(JSON.stringify(value))).toBe(true);
    expect(read('string', value).matches(JSON.stringify(`${value}x`))).toBe(false);
    expect(read('string', value).matches('null')).toBe(false);
  });

  test('an integer beyond 2^53 is compared digit by digit', () => {
    const { isExact, xml } = asked('integer', '9007199254740993');
    expect(isExact).toBe(false);
    expect(xml).toContain('Literal 9007199254736897');
    const integer = read('integer', '9007199254740993');
    expect(integer.matches('9007199254740993')).toBe(true);
    expect(integer.matches('9007199254740992')).toBe(false);
  });

  test('a number of more than six digits is compared by value', () => {
    expect(asked('number', '123456789.125').isExact).toBe(false);
    const number = read('number', '123456789.125');
    expect(['123456789.1250', '123456789.126', 'null', '""'].map(number.matches)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('an instant is the same in any time zone, and on the clock where one has none', () => {
    const dateTime = read('dateTime', '2021-03-28T01:59:59Z');
    expect(asked('dateTime', '2021-03-28T01:59:59Z').xml).toContain('Literal 2021-03-27');
    expect(
      [
        '"2021-03-28T01:59:59Z"',
        '"2021-03-28T03:59:59+02:00"',
        '"2021-03-28T01:59:59.000"',
        '"2021-03-28 01:59:59+00:00"',
        '"2021-03-28T01:59:58Z"',
        'null',
      ].map(dateTime.matches),
    ).toEqual([true, true, true, true, false, false]);
  });
});

describe('values are combined', () => {
  test('any of several values, null among them', () => {
    const any = read('string', 'A', null);
    expect(['"A"', 'null', '""', '"B"'].map(any.matches)).toEqual([true, true, true, false]);
  });

  test('a repeated attribute matches when one of its values does', () => {
    expect(read('string', 'b').matches('["a","b"]')).toBe(true);
    expect(read('integer', 3).matches('[1,2]')).toBe(false);
  });
});
