import { describe, expect, test } from '@jest/globals';
import type { FeatureType, SchemaAttribute } from '../../src/gml/index.js';
import { convert, feature } from './convert.js';

function written(content: string, type?: SchemaAttribute['type']): string {
  const featureType: FeatureType = {
    name: 'thing',
    namespace: 'http://example.org/app',
    attributes:
      type === undefined ? [] : [{ name: 'v', type, xsdType: type, nullable: true, repeated: false }],
    geometries: [],
  };
  const gml = feature(content.startsWith('<app:v') ? content : `<app:v>${content}</app:v>`);
  const { text, error } = convert(gml, type === undefined ? {} : { featureType });
  if (error !== undefined) throw error;
  return /"properties":\{"v":(.*)\}\}$/s.exec(text)?.[1] ?? '';
}

describe('numbers of the declared types are JSON numbers, exactly', () => {
  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-123456789012345678901234567890.10', '-123456789012345678901234567890.10'],
    ['1.10', '1.10'],
    ['+1.0', '1.0'],
    ['1.', '1'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['007', '7'],
    ['-007.0', '-7.0'],
    ['1E5', '1E5'],
    ['+1.e-5', '1e-5'],
    [' \n12\t', '12'],
    ['NaN', 'null'],
    ['INF', 'null'],
    ['-INF', 'null'],
    ['', 'null'],
    ['  ', 'null'],
    ['true', 'true'],
    ['abc', '"abc"'],
    ['1,5', '"1,5"'],
    ['1 2', '"1 2"'],
    ['.', '"."'],
    ['0x10', '"0x10"'],
    ['é"', '"é\\""'],
    ['<![CDATA[12]]>', '12'],
    ['1<!-- -->2', '12'],
    ['&#49;2', '12'],
  ])('%j declared integer or number is %s', (lexical, json) => {
    expect(written(lexical, 'integer')).toBe(json);
    expect(written(lexical, 'number')).toBe(json);
  });
});

test.each([
  ['true', 'true'],
  ['false', 'false'],
  ['1', 'true'],
  ['0', 'false'],
  [' true ', 'true'],
  ['', 'null'],
  ['2', '2'],
  ['yes', '"yes"'],
  ['007', '"007"'],
])('%j declared boolean is %s', (lexical, json) => {
  expect(written(lexical, 'boolean')).toBe(json);
});

test.each([
  ['date', ' 2024-01-31Z ', '"2024-01-31"'],
  ['date', '2024-01-31+02:00', '"2024-01-31"'],
  ['date', '31/01/2024Z', '"31/01/2024Z"'],
  ['dateTime', '2024-01-31T10:00:00.000+01:00', '"2024-01-31T10:00:00.000+01:00"'],
  ['dateTime', '2026-04-15 00:00:00+00:00', '"2026-04-15T00:00:00+00:00"'],
  ['dateTime', '\n2026-04-15 10:20:30.123456-03:30 ', '"2026-04-15T10:20:30.123456-03:30"'],
  ['dateTime', '2026-04-15 10:20:30Z', '"2026-04-15T10:20:30Z"'],
  ['dateTime', '2026-04-15 10:20:30', '"2026-04-15 10:20:30"'],
  ['dateTime', "2026-04-15 at ten o'clock", '"2026-04-15 at ten o\'clock"'],
  ['date', '2026-04-15 00:00:00+00:00', '"2026-04-15"'],
  ['date', '2026-04-14 22:00:00+00:00', '"2026-04-14T22:00:00+00:00"'],
  ['string', '2026-04-15 00:00:00+00:00', '"2026-04-15 00:00:00+00:00"'],
  ['time', '10:00:00', '"10:00:00"'],
  ['date', '', 'null'],
  ['date', 'a"b', '"a\\"b"'],
  ['date', '<gml:timePosition>2001-02-02</gml:timePosition>', '"2001-02-02"'],
] as const)('a %s %j is %s', (type, lexical, json) => {
  expect(written(lexical, type)).toBe(json);
});

describe('strings', () => {
  test.each([
    ['01004', '"01004"'],
    ['42', '"42"'],
    ['true', '"true"'],
    ['', 'null'],
    [' ', '" "'],
    [' a  b ', '" a  b "'],
    ['<![CDATA[<a> & "b" ]] \\]]>', '"<a> & \\"b\\" ]] \\\\"'],
    ['<![CDATA[]]>', 'null'],
    ['a&amp;b&lt;c&gt;d&quot;e&apos;f', '"a&b<c>d\\"e\'f"'],
    ['&#233;&#xE9;&#x1F600;&#10;', '"éé😀\\n"'],
    ['tab\tline\nend', '"tab\\tline\\nend"'],
    ['a\r\nb\rc', '"a\\nb\\nc"'],
    ['a]b]]c', '"a]b]]c"'],
    ['a<!-- x -->b<?pi y?>c', '"abc"'],
    ['Łódź 東京 é', '"Łódź 東京 é"'],
    ['\u007f\u0085\u2028', '"\u007f\u0085\u2028"'],
  ])('%j is %s, with a schema and without', (lexical, json) => {
    expect(written(lexical)).toBe(json);
    expect(written(lexical, 'string')).toBe(json);
  });
});

test.each(['string', 'integer', 'boolean', 'date', 'object'] as const)(
  'nil and empty are null for %s',
  (type) => {
    expect(written('<app:v xsi:nil="true"/>', type)).toBe('null');
    expect(written('<app:v xsi:nil="1">\n</app:v>', type)).toBe('null');
    expect(written('<app:v xsi:nil="false"></app:v>', type)).toBe('null');
    expect(written('<app:v/>', type)).toBe('null');
    expect(written('<app:v></app:v>', type)).toBe('null');
  },
);

test('what JavaScript takes for white space and XML does not is text', () => {
  expect(written('\u2028', 'string')).toBe('"\u2028"');
  expect(written('\u00a01', 'integer')).toBe('"\u00a01"');
  expect(written('<app:v xsi:nil="\u00a0true">1</app:v>', 'integer')).toBe('1');
  expect(written('<app:a>\u00a0</app:a>')).toBe('{"a":"\u00a0"}');
  expect(written('\u3000<app:a/>')).toBe('{"a":null,"#text":"\u3000"}');
  expect(written('<app:v xlink:href="#x">\u00a0</app:v>')).toBe('"\u00a0"');
});

test('elements behind text that is no number, in what is declared one', () => {
  expect(written('"\\x<app:a>1</app:a>', 'integer')).toBe('{"a":"1","#text":"\\"\\\\x"}');
});

test('a geometry deep inside, beside an element that is called geometry', () => {
  const gml = '<app:a><gml:Point><gml:pos>1 2</gml:pos></gml:Point><app:geometry>g</app:geometry></app:a>';
  expect(written(gml)).toBe('{"a":{"geometry":[{"type":"Point","coordinates":[1,2]},"g"]}}');
});
