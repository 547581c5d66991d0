import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonFault, readJson, readJsonMembers } from '../../src/query/json.js';
import { startCpuTime } from '../support/cpu-time.js';

describe('JSON text', () => {
  test('is read as JSON.parse reads it, numbers as far as they are exact', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        (object, indent) => {
          const text = JSON.stringify(object, null, indent);
          expect(readJson(text)).toEqual(JSON.parse(text));
          const members = Object.fromEntries(readJsonMembers(text).map(({ name, value }) => [name, value]));
          expect(members).toEqual(JSON.parse(text, (_, value) => (Object.is(value, -0) ? 0 : value)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is refused exactly where JSON.parse refuses it, whatever is changed in it', () => {
    const tokens = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '0',
      '1',
      '-',
      '.',
      'e',
      '+',
      'true',
      'nul',
      ' ',
      '\n',
      'x',
    ];
    const edit = fc.record({ at: fc.nat(), cut: fc.nat(2), put: fc.constantFrom('', ...tokens) });
    const refuses = (read: (text: string) => unknown, text: string) => {
      try {
        read(text);
        return false;
      } catch {
        return true;
      }
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(edit, { maxLength: 3 }), (json, edits) => {
        let text = JSON.stringify(json);
        for (const { at, cut, put } of edits) {
          const i = at % (text.length + 1);
          text = text.slice(0, i) + put + text.slice(i + cut);
        }
        expect([text, refuses(readJson, text)]).toEqual([text, refuses(JSON.parse, text)]);
      }),
      { numRuns: 800 },
    );
  });

  test('any number keeps its value to the last digit: as a number where that prints it, else as text', () => {
    /** The value times 10^400, exactly. */
    const scale = (number: string) => {
      const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e');
      const [whole = '', fraction = ''] = mantissa.split('.');
      return BigInt(whole + fraction) * 10n ** BigInt(400 - fraction.length + Number(exponent));
    };
    const sign = (number: string) =>
      number.startsWith('-') && /[1-9]/.test(number.split(/e/i)[0] ?? '') ? -1 : 1;
    const numbers = fc.oneof(
      fc.stringMatching(/^-?(0|[1-9]\d{0,40})(\.\d{1,30})?([eE][+-]?\d{1,2})?$/),
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }).map(String),
      fc.bigInt({ min: 2n ** 53n - 5n, max: 2n ** 53n + 5n }).map(String),
    );
    fc.assert(
      fc.property(
        numbers.filter((number) => !/e-\d{3}/i.test(number)),
        (number) => {
          const [member] = readJsonMembers(`{"a":${number}}`);
          const magnitude = scale(number.replace(/^-/, ''));
          const printed = String(Number(number)).replace(/^-/, '');
          const isExact = scale(printed) === magnitude;
          expect(member?.value).toBe(isExact ? sign(number) * Math.abs(Number(number)) : number);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a fault knows line, column and offset', () => {
    try {
      readJson('{"a":1,\n "é": [1,\n  2,]}');
      throw new Error('was accepted');
    } catch (error) {
      expect(error).toBeInstanceOf(JsonFault);
      expect((error as JsonFault).text).toEqual({
        id: 'json.valueExpected',
        values: { line: 3, column: 5, offset: 22 },
      });
    }
  });

  test('10 MB are read in well under a second', () => {
    const coordinates = Array.from({ length: 300_000 }, (_, i) => [i / 1e5, 48.123456789 + i / 1e6]);
    const text = JSON.stringify({ source: 'a', geom: { type: 'MultiPoint', coordinates } });
    expect(text.length).toBeGreaterThan(7_000_000);
    const cpuTime = startCpuTime();
    readJsonMembers(text);
    expect(cpuTime()).toBeLessThan(2000);
  });
});
