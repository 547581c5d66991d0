import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toText } from '../../src/errors.js';
import { type AttributeValue, toLiteral } from '../../src/wfs/literal.js';

type Type = Parameters<typeof toLiteral>[1]['type'];
const read = (value: AttributeValue, type: Type) =>
  toLiteral(value, { name: 'n', type, xsdType: '', nullable: true, repeated: false });
const literal = (value: AttributeValue, type: Type) => {
  const result = read(value, type);
  return 'literal' in result ? result.literal : undefined;
};

describe('a value becomes a literal of the attribute\u2019s type', () => {
  test.each<[AttributeValue, Type, string]>([
    ['01004', 'string', '01004'],
    [28, 'string', '28'],
    [1e21, 'string', '1000000000000000000000'],
    [true, 'string', 'true'],
    [' é <&> ', 'string', ' é <&> '],
    ['9007199254740993', 'integer', '9007199254740993'],
    ['+007', 'integer', '7'],
    ['-0', 'integer', '0'],
    [12.0, 'integer', '12'],
    ['1e3', 'integer', '1000'],
    ['true', 'integer', 'true'], // MapServer declares booleans as integers
    ['1.50', 'number', '1.5'],
    ['.5', 'number', '0.5'],
    ['1.25e-3', 'number', '0.00125'],
    [1e-7, 'number', '0.0000001'],
    ['true', 'boolean', 'true'],
    [0, 'boolean', 'false'],
    ['2024-02-29', 'date', '2024-02-29'],
    [' 2024-02-29Z ', 'date', '2024-02-29'],
    ['2024-02-29T23:59:59.5+02:00', 'dateTime', '2024-02-29T23:59:59.5+02:00'],
    ['12:00:00Z', 'time', '12:00:00Z'],
  ])('%j as %s is %s', (value, type, expected) => {
    expect(literal(value, type)).toBe(expected);
  });

  test.each<[AttributeValue, Type]>([
    ['abc', 'integer'],
    ['', 'integer'],
    ['1.5', 'integer'],
    ['0x10', 'integer'],
    ['1 2', 'number'],
    ['NaN', 'number'],
    ['.', 'number'],
    ['oui', 'boolean'],
    ['constructor', 'boolean'],
    ['__proto__', 'boolean'],
    ['2023-02-29', 'date'],
    ['2023-13-01', 'date'],
    ['28/02/2023', 'date'],
    ['2023-01-01', 'dateTime'],
    ['2023-01-01T25:00:00', 'dateTime'],
  ])('%j as %s is a fault that names value, attribute and type', (value, type) => {
    const result = read(value, type);
    expect('fault' in result && toText(result.fault)).toBe(`${value} is no ${type}, which n is`);
  });

  test.each(['\u0000', 'a\u0001b', '\ufffe', '\ud800'])(
    '%j says that XML cannot carry it, whatever the type',
    (value) => {
      for (const type of ['string', 'integer', 'date'] as const) {
        const result = read(value, type);
        expect('fault' in result && toText(result.fault)).toBe(
          'the value for n holds characters that XML, and so the upstream, cannot be sent',
        );
      }
    },
  );

  test('any integer keeps every digit', () => {
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        expect(literal(String(value), 'integer')).toBe(String(value));
      }),
    );
  });

  test('any double compares by value', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(literal(value, 'number'))).toBe(Object.is(value, -0) ? 0 : value);
        expect(literal(value, 'number')).not.toMatch(/e/i);
      }),
    );
  });
});
