import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type GeoJsonGeometry, toCentroid } from '../../src/geometry/index.js';

const square = (x: number, y: number, size: number) => [
  [x, y],
  [x + size, y],
  [x + size, y + size],
  [x, y + size],
  [x, y],
];
const of = (type: string, coordinates: unknown) => ({ type, coordinates }) as unknown as GeoJsonGeometry;

describe('the centroid', () => {
  test.each([
    ['a point', of('Point', [1, 2, 3]), [1, 2]],
    [
      'points',
      of('MultiPoint', [
        [0, 0],
        [1, 0],
        [2, 3],
      ]),
      [1, 1],
    ],
    [
      'a line, by its length',
      of('LineString', [
        [0, 0],
        [2, 0],
        [2, 2],
      ]),
      [1.5, 0.5],
    ],
    [
      'a polygon, by its area',
      of('Polygon', [
        [
          [0, 0],
          [3, 0],
          [0, 3],
          [0, 0],
        ],
      ]),
      [1, 1],
    ],
    [
      'a polygon that turns the other way',
      of('Polygon', [
        [
          [0, 0],
          [0, 3],
          [3, 0],
          [0, 0],
        ],
      ]),
      [1, 1],
    ],
    ['a hole takes away', of('Polygon', [square(0, 0, 4), square(2, 2, 2)]), [5 / 3, 5 / 3]],
    ['however it turns', of('Polygon', [square(0, 0, 4), square(2, 2, 2).reverse()]), [5 / 3, 5 / 3]],
    ['larger parts weigh more', of('MultiPolygon', [[square(0, 0, 2)], [square(10, 0, 1)]]), [2.9, 0.9]],
    [
      'a polygon without area is a line',
      of('Polygon', [
        [
          [0, 0],
          [2, 0],
          [0, 0],
          [0, 0],
        ],
      ]),
      [1, 0],
    ],
    [
      'a line without length is points',
      of('LineString', [
        [3, 4],
        [3, 4],
      ]),
      [3, 4],
    ],
    ['across the antimeridian', of('MultiPolygon', [[square(178, 0, 2)], [square(-180, 0, 2)]]), [180, 1]],
    ['west of it', of('MultiPolygon', [[square(179, 0, 1)], [square(-180, 0, 3)]]), [-178.7, 1.4]],
    [
      'all around the world',
      of('Polygon', [
        [
          [-180, -90],
          [180, -90],
          [180, -60],
          [-180, -60],
          [-180, -90],
        ],
      ]),
      [0, -75],
    ],
  ])('%s', (_, geometry, [lon = 0, lat = 0]) => {
    const centroid = toCentroid(geometry) ?? [];
    expect(centroid[0]).toBeCloseTo(lon, 9);
    expect(centroid[1]).toBeCloseTo(lat, 9);
  });

  test.each([of('Polygon', []), of('MultiPoint', []), of('Point', [])])(
    'nothing has none: %j',
    (geometry) => {
      expect(toCentroid(geometry)).toBeUndefined();
    },
  );

  test('of a collection, what has most dimensions counts', () => {
    const geometries = [of('Point', [50, 50]), of('Polygon', [square(0, 0, 2)])];
    expect(toCentroid({ type: 'GeometryCollection', geometries })).toEqual([1, 1]);
  });

  test('small shapes far from the origin keep their digits: a metre, to a tenth of a millimetre', () => {
    const places = fc.tuple(
      fc.double({ min: -170, max: 170, noNaN: true }),
      fc.double({ min: -80, max: 80, noNaN: true }),
    );
    fc.assert(
      fc.property(places, ([lon, lat]) => {
        const [x = 0, y = 0] = toCentroid(of('Polygon', [square(lon, lat, 1e-5)])) ?? [];
        expect(Math.abs(x - lon - 5e-6)).toBeLessThan(1e-9);
        expect(Math.abs(y - lat - 5e-6)).toBeLessThan(1e-9);
      }),
    );
  });
});
