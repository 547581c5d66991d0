import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFeatureText } from '../../src/formats/index.js';

describe('a feature is taken apart without reading its numbers', () => {
  test('values stay digit by digit', () => {
    const text =
      '{"type":"Feature","id":"a\\"{","geometry":{"type":"Point","coordinates":[1.50,48]},"geometry_name":"g","properties":{"n":9007199254740993,"x":1.10,"s":"}\\\\","o":{"a":[1,"]"]},"z":null}}';
    const feature = readFeatureText(text);
    expect([...feature.properties]).toEqual([
      ['n', '9007199254740993'],
      ['x', '1.10'],
      ['s', '"}\\\\"'],
      ['o', '{"a":[1,"]"]}'],
      ['z', 'null'],
    ]);
    expect(feature.geometry).toBe('{"type":"Point","coordinates":[1.50,48]}');
    expect(feature.withProperties(new Set(['n', 'z']))).toBe(
      text.replace(/"properties":.*/, '"properties":{"n":9007199254740993,"z":null}}'),
    );
  });

  test('any feature keeps its values, and loses just the properties not wanted', () => {
    const jsonValue = fc.json().map((json): unknown => JSON.parse(JSON.stringify(JSON.parse(json)))); // no -0
    const feature = fc.record({
      type: fc.constant('Feature'),
      geometry: fc.constantFrom(null, { type: 'Point', coordinates: [1, 2] }),
      properties: fc.dictionary(fc.string(), jsonValue, { maxKeys: 6 }),
    });
    fc.assert(
      fc.property(feature, fc.integer({ min: 0, max: 6 }), (value, kept) => {
        const names = Object.keys(value.properties).slice(0, kept);
        const read = readFeatureText(JSON.stringify(value, null, kept % 2));
        expect(JSON.parse(read.withProperties(new Set(names)))).toEqual({
          ...value,
          properties: Object.fromEntries(names.map((name) => [name, value.properties[name]])),
        });
        expect([...read.properties].map(([name, json]) => [name, JSON.parse(json)])).toEqual(
          Object.entries(value.properties),
        );
      }),
    );
  });
});
