import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import proj4 from 'proj4';
import {
  countVertices,
  createWithinDistance,
  densify,
  type GeoJsonGeometry,
  type Geometry,
  isWithinDistance,
  type Position,
  signedArea,
  toBbox,
  toBboxGeometries,
  toPositions,
} from '../../src/geometry/index.js';
import { geometry } from './random-geometries.js';

const point = (x: number, y: number): GeoJsonGeometry => ({ type: 'Point', coordinates: [x, y] });
const line = (...coordinates: Position[]) => ({ type: 'LineString', coordinates }) satisfies Geometry;

describe('boxes', () => {
  test('around one geometry, around several, around nothing', () => {
    const collection: GeoJsonGeometry = {
      type: 'GeometryCollection',
      geometries: [line([3, -1], [0, 5]), point(-2, 1)],
    };
    expect(toBbox(collection)).toEqual([-2, -1, 3, 5]);
    expect(toBbox([point(1, 2), point(3, 0)])).toEqual([1, 0, 3, 2]);
    expect(toBbox([])).toEqual([Infinity, Infinity, -Infinity, -Infinity]);
  });

  // biome-ignore format: a case a line
  test.each<[string, [number, number, number, number], Geometry[]]>([
    ['a polygon', [1, 2, 3, 4], [{ type: 'Polygon', coordinates: [[[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]] }]],
    ['a line where it has no width', [1, 2, 1, 4], [{ type: 'LineString', coordinates: [[1, 2], [1, 4]] }]],
    ['a line where it has no height', [1, 2, 3, 2], [{ type: 'LineString', coordinates: [[1, 2], [3, 2]] }]],
    ['a point where it has neither', [1, 2, 1, 2], [{ type: 'Point', coordinates: [1, 2] }]],
    ['two polygons across the antimeridian', [170, 0, -170, 5], [
      { type: 'Polygon', coordinates: [[[170, 0], [180, 0], [180, 5], [170, 5], [170, 0]]] },
      { type: 'Polygon', coordinates: [[[-180, 0], [-170, 0], [-170, 5], [-180, 5], [-180, 0]]] },
    ]],
    ['a line and a polygon where it starts on the antimeridian', [180, 0, -170, 5], [
      { type: 'LineString', coordinates: [[180, 0], [180, 5]] },
      { type: 'Polygon', coordinates: [[[-180, 0], [-170, 0], [-170, 5], [-180, 5], [-180, 0]]] },
    ]],
  ])('a box is %s', (_, bbox, expected) => {
    expect(toBboxGeometries(bbox)).toEqual(expected);
  });
});

test('positions are counted and listed with the closing ones', () => {
  fc.assert(
    fc.property(fc.array(geometry), (geometries) => {
      const positions = toPositions(geometries);
      expect(countVertices(geometries)).toBe(positions.length);
      expect(JSON.stringify(geometries.map((g) => g.coordinates)).match(/\[-?\d+,-?\d+\]/g) ?? []).toEqual(
        positions.map((p) => JSON.stringify(p)),
      );
    }),
  );
});

test('an area is positive counterclockwise, also for a parcel of a metre', () => {
  const ring: Position[] = [
    [0, 0],
    [4, 0],
    [4, 2],
    [0, 0],
  ];
  expect(signedArea(ring)).toBe(4);
  expect(signedArea([...ring].reverse())).toBe(-4);
  expect(signedArea(ring.map(([x, y]) => [2.3 + x * 1e-6, 48.8 + y * 1e-6]))).toBeCloseTo(4e-12, 16);
  expect(signedArea([])).toBe(0);
});

describe('within a distance', () => {
  // biome-ignore format: a case a line
  test.each<[string, GeoJsonGeometry, GeoJsonGeometry, number]>([
    // Geodesics by Vincenty's formulae, below.
    ['two points', point(2.35, 48.85), point(2.36, 48.86), toGeodesic([2.35, 48.85], [2.36, 48.86])],
    ['a point and the middle of an edge due south', point(2, 49), line([1.9, 48.9], [2.1, 48.9]), toGeodesic([2, 49], [2, 48.9])],
    ['a point and a corner', point(3, 49), line([1, 48], [2, 48.5]), toGeodesic([3, 49], [2, 48.5])],
    ['points on two sides of the antimeridian', point(179.9, -17), point(-179.9, -17.1), toGeodesic([179.9, -17], [-179.9, -17.1])],
    ['two edges', line([0, 0], [1, 0]), line([0.5, 0.3], [0.5, 2]), toGeodesic([0.5, 0], [0.5, 0.3])],
  ])('%s: yes at 0.1 %% more, no at 0.1 %% less, both ways round', (_, one, other, metres) => {
    expect(isWithinDistance(one, other, metres * 1.001)).toBe(true);
    expect(isWithinDistance(other, one, metres * 1.001)).toBe(true);
    expect(isWithinDistance(one, other, metres * 0.999)).toBe(false);
    expect(isWithinDistance(other, one, metres * 0.999)).toBe(false);
  });

  test('a point and a long edge that slants across the latitudes', () => {
    const [from, to]: [Position, Position] = [
      [0.5, 49],
      [2.5, 51],
    ];
    const metres = Math.min(
      ...Array.from({ length: 10_001 }, (_, i) =>
        toGeodesic([0, 51], [from[0] + (i / 10_000) * 2, from[1] + (i / 10_000) * 2]),
      ),
    );
    expect(isWithinDistance(point(0, 51), line(from, to), metres * 1.001)).toBe(true);
    expect(isWithinDistance(line(from, to), point(0, 51), metres * 0.999)).toBe(false);
  });

  test('points up to 100 km apart, up to 75° north and south', () => {
    const position = fc.tuple(fc.integer({ min: -1800, max: 1800 }), fc.integer({ min: -740, max: 740 }));
    const offset = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(position, offset, offset, ([x, y], dx, dy) => {
        const from: Position = [x / 10, y / 10];
        const to: Position = [from[0] + dx / 1130 / Math.cos((from[1] * Math.PI) / 180), from[1] + dy / 1130];
        const metres = toGeodesic(from, to);
        fc.pre(metres > 1 && metres < 100_000 && Math.abs(to[1]) < 75);
        expect(
          isWithinDistance(
            point(...(from as [number, number])),
            point(...(to as [number, number])),
            metres * 1.001,
          ),
        ).toBe(true);
        expect(
          isWithinDistance(
            point(...(from as [number, number])),
            point(...(to as [number, number])),
            metres * 0.999,
          ),
        ).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('what intersects is within 0 m; a polygon is near in its inside; nothing is near null', () => {
    const box: GeoJsonGeometry = {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [9, 0],
          [9, 9],
          [0, 9],
          [0, 0],
        ],
      ],
    };
    expect(isWithinDistance(box, point(5, 5), 0)).toBe(true);
    expect(isWithinDistance(point(5, 5), box, 0)).toBe(true);
    expect(isWithinDistance(box, point(9.001, 5), 0)).toBe(false);
    expect(isWithinDistance(box, null, 1e9)).toBe(false);
    expect(isWithinDistance(null, box, 1e9)).toBe(false);
    expect(isWithinDistance(box, point(5, 5), Number.NaN)).toBe(false);
  });

  test('one of many is enough', () => {
    const isNear = createWithinDistance([point(0, 0), point(5, 5), line([8, 0], [8, 9])], 1200);
    expect([point(5.01, 5), point(8.01, 4), point(3, 3)].map(isNear)).toEqual([true, true, false]);
  });
});

describe('densified edges', () => {
  proj4.defs(
    'EPSG:2154',
    '+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 +units=m',
  );
  const lambert93 = proj4('EPSG:4326', 'EPSG:2154');
  const toXY = (lon: number, lat: number) => lambert93.forward([lon, lat]) as [number, number];

  test('follow, in Lambert-93, the edges that are straight in lon/lat, to the metre', () => {
    const position = fc.tuple(fc.integer({ min: -50, max: 100 }), fc.integer({ min: 410, max: 510 }));
    const positions = fc
      .array(position, { minLength: 2, maxLength: 5 })
      .map((list) => list.map(([x, y]): Position => [x / 10, y / 10]));
    fc.assert(
      fc.property(positions, (coordinates) => {
        const dense = densify(line(...coordinates), 1, toXY).coordinates;
        expect(dense.filter((p) => coordinates.includes(p))).toEqual(coordinates);
        expect(toDeviation(dense, toXY)).toBeLessThan(1.02);
      }),
      { numRuns: 20 },
    );
  });

  test('are as many as needed: none for a parcel, some for France', () => {
    const parcel = line([1.48, 48.44], [1.481, 48.44], [1.481, 48.441]);
    expect(densify(parcel, 1, toXY)).toEqual(parcel);
    const count = countVertices(densify(line([-5, 48], [9, 48]), 1, toXY));
    // The arc rises some 20 km above its chord: sqrt(20,000) pieces, to the next power of two.
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThan(400);
  });

  test('stay in place in every kind of geometry, heights with them', () => {
    const ring: Position[] = [
      [0, 45, 10],
      [4, 45, 20],
      [4, 49, 30],
      [0, 45, 10],
    ];
    const dense = densify({ type: 'MultiPolygon', coordinates: [[ring]] }, 1000, toXY);
    expect(dense.type).toBe('MultiPolygon');
    expect(dense.coordinates[0]?.[0]).toEqual(expect.arrayContaining([...ring, [2, 45, 15]]));
    const given = {
      type: 'MultiPoint',
      coordinates: [
        [0, 45],
        [4, 45],
      ],
    } satisfies Geometry;
    expect(densify(given, 1, toXY)).toEqual(given);
    const lines = { type: 'MultiLineString', coordinates: [ring, ring] } satisfies Geometry;
    expect(densify(lines, 1000, toXY).coordinates).toEqual([
      dense.coordinates[0]![0],
      dense.coordinates[0]![0],
    ]);
  });

  test('of two neighbours are the same, whichever way they run', () => {
    const there = densify(line([-4.1, 48.3], [7.7, 43.2]), 1, toXY).coordinates;
    const back = densify(line([7.7, 43.2], [-4.1, 48.3]), 1, toXY).coordinates;
    expect([...back].reverse()).toEqual(there);
  });

  test('bend through a point of inflection too', () => {
    const toWave = (lon: number) => [lon * 100_000, 1000 * Math.sin(lon * Math.PI)] as const;
    const dense = densify(line([0, 0], [2, 0]), 1, toWave).coordinates;
    expect(toDeviation(dense, toWave)).toBeLessThan(1.02);
  });

  test('are bounded, and left alone where a projection fails', () => {
    expect(() => densify(line([-5, 48], [9, 48]), 1, toXY, 50)).toThrow(
      expect.objectContaining({
        kind: 'notAnswerable',
        message: expect.stringMatching('more than 50 positions'),
      }),
    );
    const given = line([0, 0], [10, 10]);
    expect(densify(given, 1, () => [Number.NaN, Infinity])).toEqual(given);
  });
});

/** The furthest that the projected edges stray from the chords, in metres, measured at nine points of each. */
function toDeviation(
  dense: readonly Position[],
  toXY: (lon: number, lat: number) => readonly [number, number],
): number {
  let worst = 0;
  for (let i = 1; i < dense.length; i++) {
    const [a, b] = [dense[i - 1]!, dense[i]!];
    const [ax, ay] = toXY(a[0], a[1]);
    const [bx, by] = toXY(b[0], b[1]);
    const length = Math.hypot(bx - ax, by - ay);
    for (let part = 0.1; length > 0 && part < 1; part += 0.1) {
      const [x, y] = toXY(a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]));
      worst = Math.max(worst, Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length);
    }
  }
  return worst;
}

/** The geodesic on WGS84 in metres, by Vincenty's inverse formulae (Survey Review 23, 1975): 0.5 mm. */
function toGeodesic(from: Position, to: Position): number {
  const [a, f] = [6378137, 1 / 298.257223563];
  const b = a * (1 - f);
  const toRadians = (degrees: number) => (degrees * Math.PI) / 180;
  let difference = toRadians(to[0] - from[0]);
  if (difference > Math.PI) difference -= 2 * Math.PI;
  if (difference < -Math.PI) difference += 2 * Math.PI;
  const [u1, u2] = [from, to].map(([, lat]) => Math.atan((1 - f) * Math.tan(toRadians(lat))));
  const [sin1, cos1, sin2, cos2] = [Math.sin(u1!), Math.cos(u1!), Math.sin(u2!), Math.cos(u2!)];
  let lambda = difference;
  for (let round = 0; round < 100; round++) {
    const sinSigma = Math.hypot(cos2 * Math.sin(lambda), cos1 * sin2 - sin1 * cos2 * Math.cos(lambda));
    if (sinSigma === 0) return 0;
    const cosSigma = sin1 * sin2 + cos1 * cos2 * Math.cos(lambda);
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (cos1 * cos2 * Math.sin(lambda)) / sinSigma;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2M = cos2Alpha === 0 ? 0 : cosSigma - (2 * sin1 * sin2) / cos2Alpha;
    const c = (f / 16) * cos2Alpha * (4 + f * (4 - 3 * cos2Alpha));
    const next =
      difference +
      (1 - c) * f * sinAlpha * (sigma + c * sinSigma * (cos2M + c * cosSigma * (-1 + 2 * cos2M ** 2)));
    if (Math.abs(next - lambda) < 1e-13 || round === 99) {
      const u = (cos2Alpha * (a * a - b * b)) / (b * b);
      const k = 1 + (u / 16384) * (4096 + u * (-768 + u * (320 - 175 * u)));
      const l = (u / 1024) * (256 + u * (-128 + u * (74 - 47 * u)));
      const turn =
        cosSigma * (-1 + 2 * cos2M ** 2) - (l / 6) * cos2M * (-3 + 4 * sinSigma ** 2) * (-3 + 4 * cos2M ** 2);
      return b * k * (sigma - l * sinSigma * (cos2M + (l / 4) * turn));
    }
    lambda = next;
  }
  return Number.NaN;
}
