import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toText } from '../../src/errors.js';
import { readGeometries } from '../../src/geometry/index.js';

/** The faults of a document, as a user sees them. */
function toFaults(geojson: unknown, maxVertices = 1000): string[] {
  const { faults = [] } = readGeometries(geojson, { maxVertices });
  return faults.map(({ pointer, message }) => `${pointer}: ${toText(message)}`);
}

const read = (geojson: unknown) => readGeometries(geojson, { maxVertices: 1000 });
const polygon = (...rings: number[][][]) => ({ type: 'Polygon', coordinates: rings });
const square = [
  [0, 0],
  [4, 0],
  [4, 4],
  [0, 4],
  [0, 0],
];

describe('what is read', () => {
  // biome-ignore format: a case a line
  test.each([
    ['a Point', { type: 'Point', coordinates: [1.5, 48] }],
    ['a Point with a height', { type: 'Point', coordinates: [1.5, 48, 120.5] }],
    ['the corners of the world', { type: 'MultiPoint', coordinates: [[-180, -90], [180, 90]] }],
    ['a LineString that crosses itself', { type: 'LineString', coordinates: [[0, 0], [2, 2], [2, 0], [0, 2]] }],
    ['a MultiLineString', { type: 'MultiLineString', coordinates: [[[0, 0], [1, 1]], [[0, 0], [1, 1]]] }],
    ['a Polygon', polygon(square)],
    ['a Polygon the other way round', polygon([...square].reverse())],
    ['a MultiPolygon', { type: 'MultiPolygon', coordinates: [[square], [[[5, 0], [6, 0], [6, 1], [5, 0]]]] }],
  ])('%s comes back as it is', (_, geojson) => {
    expect(read(geojson)).toEqual({ geometries: [geojson] });
  });

  test('a FeatureCollection with nested collections becomes the list of its simple parts', () => {
    const point = { type: 'Point', coordinates: [1, 2] };
    const line = {
      type: 'LineString',
      coordinates: [
        [0, 0],
        [1, 1],
      ],
    };
    const nested = {
      type: 'GeometryCollection',
      geometries: [{ type: 'GeometryCollection', geometries: [line] }, point],
    };
    const features = [point, nested].map((geometry) => ({ type: 'Feature', properties: null, geometry }));
    expect(read({ type: 'FeatureCollection', features })).toEqual({ geometries: [point, line, point] });
  });

  test('equal positions in a row are left out, in lines and rings', () => {
    const ring = [
      [0, 0],
      [0, 0],
      [4, 0],
      [4, 4],
      [4, 4],
      [4, 4],
      [0, 0],
      [0, 0],
    ];
    expect(read(polygon(ring)).geometries).toEqual([
      polygon([
        [0, 0],
        [4, 0],
        [4, 4],
        [0, 0],
      ]),
    ]);
    const line = {
      type: 'LineString',
      coordinates: [
        [1, 1],
        [1, 1],
        [2, 1],
      ],
    };
    expect(read(line).geometries).toEqual([
      {
        type: 'LineString',
        coordinates: [
          [1, 1],
          [2, 1],
        ],
      },
    ]);
  });

  test('-0 equals 0, and exponents are numbers', () => {
    const ring = JSON.parse('[[-0,0],[4e0,0],[4,40E-1],[0,-0]]');
    expect(toFaults(polygon(ring))).toEqual([]);
  });

  test('members that GeoJSON does not know, bbox and ids change nothing', () => {
    const geometry = { type: 'Point', coordinates: [1, 2], bbox: [1, 2, 1, 2] };
    const feature = { type: 'Feature', id: 7, properties: { crs: 'EPSG:2154' }, geometry, name: 'x' };
    expect(read(feature)).toEqual({ geometries: [{ type: 'Point', coordinates: [1, 2] }] });
  });

  // biome-ignore format: a case a line
  test.each([
    'urn:ogc:def:crs:OGC:1.3:CRS84',
    'EPSG:4326',
    'urn:ogc:def:crs:EPSG::4326',
    'CRS:84',
    'http://www.opengis.net/def/crs/OGC/1.3/CRS84',
  ])(
    'a crs member that says %s is fine',
    (name) => {
      const crs = { type: 'name', properties: { name } };
      expect(toFaults({ type: 'Point', coordinates: [1, 2], crs })).toEqual([]);
    },
  );
});

describe('faults of form, each with its place', () => {
  // biome-ignore format: a case a line
  test.each<[string, unknown, string[]]>([
    ['no object', null, [': must be a GeoJSON object, not null']],
    ['text', 'POINT(1 2)', [': must be a GeoJSON object, not "POINT(1 2)"']],
    ['no type', {}, [': the member "type" is missing']],
    ['a type in small letters', { type: 'multipolygon' }, ['/type: type "multipolygon" is unknown; it is spelt "MultiPolygon"']],
    ['a type that is a number', { type: 7 }, ['/type: type 7 is unknown; expected one of Point, MultiPoint, LineString, MultiLineString, Polygon, MultiPolygon, GeometryCollection, Feature, FeatureCollection']],
    ['no coordinates', { type: 'Point' }, [': the member "coordinates" is missing']],
    ['empty coordinates', { type: 'MultiPoint', coordinates: [] }, ['/coordinates: no positions: it is empty']],
    ['an empty polygon', polygon(), ['/coordinates: no rings: it is empty']],
    ['an empty ring', polygon(square, []), ['/coordinates/1: no positions: it is empty']],
    ['an empty collection', { type: 'GeometryCollection', geometries: [] }, ['/geometries: no geometries: it is empty']],
    ['no features', { type: 'FeatureCollection', features: [] }, ['/features: no features: it is empty']],
    ['a feature without geometry', { type: 'Feature', geometry: null }, ['/geometry: the feature has no geometry']],
    ['a feature in a geometry', { type: 'GeometryCollection', geometries: [{ type: 'Feature', geometry: null }] }, ['/geometries/0/type: "Feature" cannot stand here; expected one of Point, MultiPoint, LineString, MultiLineString, Polygon, MultiPolygon, GeometryCollection']],
    ['too few dimensions', { type: 'Point', coordinates: [1] }, ['/coordinates: a position has 2 or 3 numbers, this one has 1']],
    ['too many dimensions', { type: 'LineString', coordinates: [[0, 0], [1, 1, 1, 1]] }, ['/coordinates/1: a position has 2 or 3 numbers, this one has 4']],
    ['a number as text', { type: 'Point', coordinates: [1, '48'] }, ['/coordinates/1: must be a number, not "48"']],
    ['a null in a position', { type: 'MultiPoint', coordinates: [[1, 2, null]] }, ['/coordinates/0/2: must be a number, not null']],
    ['a number beyond doubles', { type: 'Point', coordinates: JSON.parse('[1e999,0]') }, ['/coordinates/0: must be a number, not Infinity']],
    ['coordinates one level too flat', { type: 'Polygon', coordinates: [[0, 0]] }, ['/coordinates/0/0: must be a position [longitude, latitude], not 0', '/coordinates/0/1: must be a position [longitude, latitude], not 0']],
    ['coordinates one level too deep', { type: 'LineString', coordinates: [[[0, 0], [1, 1]]] }, ['/coordinates/0/0: must be a number, not an array']],
    ['a longitude out of range', { type: 'Point', coordinates: [180.5, 90] }, ['/coordinates: longitude 180.5 is out of range (-180 to 180)']],
    ['latitude first', { type: 'Point', coordinates: [48.1, 91.2] }, ['/coordinates: latitude 91.2 is out of range; GeoJSON is longitude first']],
    ['a latitude no swap would mend', { type: 'Point', coordinates: [120, -91] }, ['/coordinates: latitude -91 is out of range (-90 to 90)']],
    ['Lambert-93', { type: 'Point', coordinates: [652000, 6862000] }, ['/coordinates: latitude 6862000 is out of range; coordinates must be degrees, WGS84 longitude and latitude']],
    ['an open ring', polygon([[0, 0], [4, 0], [4, 4], [0, 4]]), ['/coordinates/0: ring 0 is not closed']],
    ['a ring of three', polygon([[0, 0], [4, 0], [0, 0]]), ['/coordinates/0: ring 0 has 3 positions; a ring needs at least 4']],
    ['a ring of two places', polygon([[0, 0], [4, 0], [4, 0], [0, 0]]), ['/coordinates/0: ring 0 has fewer than 3 different positions']],
    ['a line of one position', { type: 'LineString', coordinates: [[0, 0]] }, ['/coordinates: a line needs at least 2 positions, this one has 1']],
    ['a line of one place', { type: 'MultiLineString', coordinates: [[[0, 0], [1, 1]], [[2, 2], [2, 2]]] }, ['/coordinates/1: all positions of the line are the same']],
    ['a projected crs', { type: 'Point', coordinates: [1, 2], crs: { type: 'name', properties: { name: 'EPSG:2154' } } }, ['/crs: coordinates must be WGS84 longitude and latitude, not "EPSG:2154"']],
  ])('%s', (_, geojson, expected) => {
    expect(toFaults(geojson)).toEqual(expected);
  });

  test('all faults of a collection come together, the sound members giving none', () => {
    const features = [
      { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] } },
      { type: 'Feature' },
      {
        type: 'Feature',
        geometry: polygon([
          [0, 0],
          [4, 0],
          [4, 4],
          [0, 4],
        ]),
      },
      { type: 'feature', geometry: null },
      {
        type: 'Feature',
        geometry: polygon([
          [0, 0],
          [2, 2],
          [2, 0],
          [0, 2],
          [0, 0],
        ]),
      },
    ];
    expect(toFaults({ type: 'FeatureCollection', features })).toEqual([
      '/features/1: the member "geometry" is missing',
      '/features/2/geometry/coordinates/0: ring 0 is not closed',
      '/features/3/type: type "feature" is unknown; it is spelt "Feature"',
      '/features/4/geometry/coordinates/0/0: ring 0 crosses itself near 1, 1: edge 0 crosses edge 2',
    ]);
  });
});

describe('bounds', () => {
  test('a thousand faults are told as the first twenty', () => {
    const coordinates = Array.from({ length: 1000 }, () => [200, 0]);
    expect(toFaults({ type: 'MultiPoint', coordinates })).toHaveLength(20);
  });

  test('one position too many is one fault, whatever else is wrong', () => {
    const ring = [
      [0, 0],
      [2, 2],
      [2, 0],
      [0, 2],
      [0, 0],
    ];
    const document = {
      type: 'GeometryCollection',
      geometries: [polygon(ring), { type: 'Point', coordinates: [0, 0] }],
    };
    expect(toFaults(document, 5)).toEqual([': more than 5 positions']);
    expect(toFaults(document, 6)).toHaveLength(1);
    expect(toFaults(document, 6)[0]).toMatch('crosses itself');
  });

  test('collections nested a hundred thousand deep are refused, not followed', () => {
    const depth = 100_000;
    const text = '{"type":"GeometryCollection","geometries":['.repeat(depth) + ']}'.repeat(depth);
    expect(toFaults(JSON.parse(text))).toEqual([
      `${'/geometries/0'.repeat(32)}: more than 32 geometry collections inside each other`,
    ]);
  });

  test('whatever JSON comes, there is an answer and no throw', () => {
    const key = fc.constantFrom('type', 'coordinates', 'geometry', 'geometries', 'features', 'crs', 'x');
    const type = fc.constantFrom(
      'Point',
      'Polygon',
      'MultiPolygon',
      'GeometryCollection',
      'Feature',
      'FeatureCollection',
      'LineString',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.oneof(fc.integer({ min: -200, max: 200 }), type, fc.constant(null), fc.double(), fc.string()),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(key, fc.oneof(type, tie('value')), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const { geometries, faults } = read(json);
        expect((geometries ?? faults)?.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
