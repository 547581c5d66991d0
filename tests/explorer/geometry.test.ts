import { describe, expect, test } from '@jest/globals';
import type { Geometry } from '../../src/client/index.js';
import { countPositions, readGeometry, toWkt } from '../../src/explorer/geometry.js';

const corners = [
  [1, 48],
  [2, 48],
  [2, 49],
  [1, 49],
  [1, 48],
];

describe('what was pasted', () => {
  test.each([
    ['1.4886 48.4476', { type: 'Point', coordinates: [1.4886, 48.4476] }],
    ['  -61.5, 16.2 ', { type: 'Point', coordinates: [-61.5, 16.2] }],
    ['1,48,2,49', { type: 'Polygon', coordinates: [corners] }],
    ['1 48; 2 48\n2 49', { type: 'LineString', coordinates: corners.slice(0, 3) }],
    ['1 48, 2 48, 2 49, 1 49, 1 48', { type: 'Polygon', coordinates: [corners] }],
    ['{"type":"Feature","geometry":null}', { type: 'Feature', geometry: null }],
  ])('%s', (text, geom) => {
    expect(readGeometry(text)).toEqual(geom);
  });

  test.each([
    '',
    '1',
    '1 2 3',
    'Chartres',
    '48°N 1°E',
    '{"type":"Topology"}',
    '[1,2]',
    'null',
    '{"type":"Point"',
  ])('is nothing: %s', (text) => {
    expect(readGeometry(text)).toBeUndefined();
  });

  test('is counted, however deep', () => {
    const point = { type: 'Point', coordinates: [1, 2] };
    const collection = {
      type: 'GeometryCollection',
      geometries: [point, { type: 'LineString', coordinates: corners }],
    };
    const text = JSON.stringify({
      type: 'FeatureCollection',
      features: [{ type: 'Feature', geometry: collection }],
    });
    expect(countPositions(readGeometry(text) as Geometry)).toBe(6);
  });
});

test.each([
  [{ type: 'Point', coordinates: [1, 2, 3] }, 'POINT (1 2)'],
  [
    {
      type: 'MultiPoint',
      coordinates: [
        [1, 2],
        [3, 4],
      ],
    },
    'MULTIPOINT ((1 2), (3 4))',
  ],
  [
    {
      type: 'LineString',
      coordinates: [
        [1, 2],
        [3, 4],
      ],
    },
    'LINESTRING (1 2, 3 4)',
  ],
  [
    {
      type: 'MultiLineString',
      coordinates: [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    },
    'MULTILINESTRING ((1 2, 3 4))',
  ],
  [{ type: 'Polygon', coordinates: [corners] }, 'POLYGON ((1 48, 2 48, 2 49, 1 49, 1 48))'],
  [{ type: 'MultiPolygon', coordinates: [[corners]] }, 'MULTIPOLYGON (((1 48, 2 48, 2 49, 1 49, 1 48)))'],
  [{ type: 'MultiPolygon', coordinates: [] }, 'MULTIPOLYGON EMPTY'],
  [
    { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 2] }] },
    'GEOMETRYCOLLECTION (POINT (1 2))',
  ],
] as [Geometry, string][])('WKT of %j', (geometry, wkt) => {
  expect(toWkt(geometry)).toBe(wkt);
});
