import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFeatureBox } from '../../src/formats/index.js';
import { type GeoJsonGeometry, toBbox } from '../../src/geometry/index.js';

const toFeature = (geometry: string, { id = 'a.1', properties = {} } = {}) =>
  Buffer.from(
    `{"type":"Feature","id":${JSON.stringify(id)},"geometry":${geometry},"properties":${JSON.stringify(properties)}}`,
  );

/** As JSON can write numbers: few digits, many, none behind the point, with an exponent, -0. */
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ min: -180, max: 180, noNaN: true }).map(String),
  fc
    .tuple(fc.integer({ min: -180, max: 180 }), fc.integer({ min: 0, max: 25 }))
    .map(([value, decimals]) => value.toFixed(decimals)),
  fc
    .tuple(
      fc.integer({ min: -180, max: 180 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 }),
    )
    .map(([value, digits]) => `${value}.${digits.join('')}`),
  fc.constantFrom(
    '-0',
    '0',
    '-0.0',
    '1e2',
    '1E-7',
    '9007199254740991',
    '9007199254740993',
    '0.1',
    '123456789012345678',
  ),
);
const position = fc.array(number, { minLength: 2, maxLength: 3 }).map((numbers) => `[${numbers.join(',')}]`);
const listOf = (part: fc.Arbitrary<string>) =>
  fc.array(part, { maxLength: 4 }).map((parts) => `[${parts.join(',')}]`);
const toSimple = (type: string, coordinates: fc.Arbitrary<string>) =>
  coordinates.map((text) => `{"type":"${type}","coordinates":${text}}`);
const simple = fc.oneof(
  toSimple('Point', fc.oneof(position, fc.constant('[]'))),
  toSimple('MultiPoint', listOf(position)),
  toSimple('LineString', listOf(position)),
  toSimple('MultiLineString', listOf(listOf(position))),
  toSimple('Polygon', listOf(listOf(position))),
  toSimple('MultiPolygon', listOf(listOf(listOf(position)))),
);
const geometry = fc.oneof(
  { weight: 4, arbitrary: simple },
  listOf(simple).map((parts) => `{"type":"GeometryCollection","geometries":${parts}}`),
  // in other words than the converter's
  simple.map((text) => JSON.stringify(JSON.parse(text), null, 1)),
  simple.map((text) => text.replace('{"type"', '{"bbox":[1,2,3,4],"type"')),
);

test('the box of any geometry is the one that is parsed', () => {
  fc.assert(
    fc.property(geometry, fc.string(), fc.dictionary(fc.string(), fc.string()), (text, id, properties) => {
      const parsed = toBbox(JSON.parse(text) as GeoJsonGeometry);
      expect(readFeatureBox(toFeature(text, { id, properties }))).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
});

test('of coordinates that stand behind others, not those', () => {
  const all = toFeature('{"type":"Point","coordinates":[1,2]}');
  const second = toFeature('{"type":"Point","coordinates":[3,-4.5]}', { id: '"geometry":null' });
  const batch = Buffer.concat([all, Buffer.from(','), second]);
  expect(readFeatureBox(batch.subarray(all.length + 1))).toEqual([3, -4.5, 3, -4.5]);
  expect(readFeatureBox(batch, all.length + 1, batch.length)).toEqual([3, -4.5, 3, -4.5]);
  const inOtherWords = Buffer.from('{ "geometry" : { "coordinates" : [5, 6], "type" : "Point" } }');
  const three = Buffer.concat([inOtherWords, Buffer.from(','), batch]);
  expect(readFeatureBox(three, 0, inOtherWords.length)).toEqual([5, 6, 5, 6]);
  expect(readFeatureBox(Uint8Array.from(all))).toEqual([1, 2, 1, 2]);
});

test('none where there is no geometry', () => {
  expect(
    readFeatureBox(toFeature('null', { id: '"geometry":{"type":"Point","coordinates":[1,2]}' })),
  ).toBeUndefined();
});
