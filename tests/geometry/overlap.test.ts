import { describe, expect, test } from '@jest/globals';
import { featureCollection, intersect, polygon, union } from '@turf/turf';
import fc from 'fast-check';
import geographiclib from 'geographiclib-geodesic';
import { createOverlap, type Geometry, type Position, readGeometries } from '../../src/geometry/index.js';
import { mapPositions, polygonRings, tameRing } from './random-geometries.js';

const { Geodesic } = geographiclib;

/** The oracle: an overlay by another library, and the area of its rings by GeographicLib's own polygon. */
function toArea(geometry: { type: string; coordinates: unknown } | undefined): number {
  if (geometry === undefined) return 0;
  const parts = (
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  ) as Position[][][];
  const toRingArea = (ring: Position[]) => {
    const area = Geodesic.WGS84.Polygon(false);
    for (const [lon, lat] of ring.slice(0, -1)) area.AddPoint(lat, lon);
    return Math.abs(area.Compute(false, true).area as number);
  };
  const toPartArea = ([exterior, ...holes]: Position[][]) =>
    toRingArea(exterior ?? []) - holes.reduce((sum, hole) => sum + toRingArea(hole), 0);
  return parts.reduce((sum, part) => sum + toPartArea(part), 0);
}

const square = (west: number, south: number, size: number): Position[] => [
  [west, south],
  [west + size, south],
  [west + size, south + size],
  [west, south + size],
  [west, south],
];
const toPolygon = (...coordinates: Position[][]): Geometry => ({ type: 'Polygon', coordinates });
const overlap = (feature: Geometry, ...geom: Geometry[]) => createOverlap(geom)(feature);

describe('polygons', () => {
  test('a parcel half inside a project', () => {
    const parcel = toPolygon(square(1.49, 48.44, 0.001));
    const project = toPolygon(square(1.4905, 48.43, 0.02));
    const shared = overlap(parcel, project);
    expect(shared).toEqual({
      area: expect.closeTo(4111, -1),
      shareOfFeature: expect.closeTo(0.5, 5),
      shareOfGeom: expect.closeTo(0.00125, 6),
    });
  });

  test('a parcel and itself share all of it', () => {
    const parcel = toPolygon(square(1.49, 48.44, 0.001), square(1.4902, 48.4402, 0.0003));
    expect(overlap(parcel, parcel)).toMatchObject({ shareOfFeature: 1, shareOfGeom: 1 });
  });

  test.each([
    ['along a side', toPolygon(square(1.491, 48.44, 0.001))],
    ['along a part of a side', toPolygon(square(1.491, 48.4403, 0.0001))],
    ['in a corner', toPolygon(square(1.491, 48.441, 0.001))],
    ['in its hole', toPolygon(square(1.4902, 48.4402, 0.0003))],
    ['not at all', toPolygon(square(2, 48, 0.001))],
  ])('touching %s share nothing', (_, other) => {
    const parcel = toPolygon(square(1.49, 48.44, 0.001), square(1.4902, 48.4402, 0.0003));
    expect(overlap(parcel, other)).toEqual({ area: 0, shareOfFeature: 0, shareOfGeom: 0 });
    expect(overlap(other, parcel)).toEqual({ area: 0, shareOfFeature: 0, shareOfGeom: 0 });
  });

  test('what lies under two parts of a geometry counts once', () => {
    const parcel = toPolygon(square(1.49, 48.44, 0.001));
    const parts = [toPolygon(square(1.489, 48.43, 0.02)), toPolygon(square(1.488, 48.435, 0.02))];
    const shared = createOverlap(parts)(parcel);
    expect(shared?.shareOfFeature).toBe(1);
    const whole = toArea(
      union(featureCollection(parts.map((part) => polygon(part.coordinates as Position[][]))))?.geometry,
    );
    expect(shared?.shareOfGeom).toBeCloseTo(toArea(parcel) / whole, 6);
  });

  test('a sliver far from the equator keeps its digits', () => {
    const one = toPolygon(square(1.49, 48.44, 0.001));
    const other = toPolygon(square(1.49 + 0.001 - 1e-7, 48.44, 0.001));
    // 0.74 cm by 111 m
    expect((overlap(one, other) as { area: number }).area).toBeCloseTo(0.8222, 2);
  });

  // A figure of eight: even-odd, as two triangles.
  test('an invalid feature is measured by its even-odd inside', () => {
    const eight = toPolygon([
      [0, 48],
      [0.01, 48.01],
      [0.01, 48],
      [0, 48.01],
      [0, 48],
    ]);
    const left = toPolygon(square(-0.025, 47.99, 0.03));
    const shared = overlap(eight, left) as { area: number; shareOfFeature: number };
    expect(shared.shareOfFeature).toBeCloseTo(0.5, 3);
    expect(shared.area).toBeCloseTo(
      toArea(
        toPolygon([
          [0, 48],
          [0.005, 48.005],
          [0, 48.01],
          [0, 48],
        ]),
      ),
      0,
    );
  });

  test('a feature beyond the budget is given up, the next one is measured', () => {
    const comb = (turn: number): Geometry =>
      toPolygon([
        ...Array.from(
          { length: 400 },
          (_, i): Position => (turn ? [1 + (i % 2), 48 + i / 400] : [1 + i / 400, 48 + (i % 2)]),
        ),
        turn ? [0.5, 49.5] : [2.5, 48.5],
        turn ? [1, 48] : [1, 48],
      ]);
    const measure = createOverlap([comb(0)], { budget: 20_000 });
    expect(measure(comb(1))).toBeUndefined();
    expect(measure(toPolygon(square(1.2, 48.2, 0.0001)))).toBeDefined();
  });

  test('all features together have a budget too', () => {
    const parcel = toPolygon(square(1.49, 48.44, 0.001));
    const measure = createOverlap([toPolygon(square(1.4905, 48.43, 0.02))], { total: 100 });
    const measured = Array.from({ length: 20 }, () => measure(parcel) !== undefined);
    expect(measured[0]).toBe(true);
    expect(measured.at(-1)).toBe(false);
  });
});

/** From the grid of `random-geometries` to somewhere in France, some hundred metres wide. */
const toFrance = (geometry: Geometry): Geometry =>
  mapPositions(geometry, ([x, y]) => [1.4 + x / 1024, 48.4 + y / 1024]);
const isValid = (geometry: Geometry) =>
  readGeometries(geometry, { maxVertices: 1000 }).geometries !== undefined;
const anyPolygon = polygonRings.map((rings) => toFrance(toPolygon(...rings)));
const validPolygon = anyPolygon.filter(isValid);

/** What the other library says; undefined where it gives up ("Unable to complete output ring"). */
function toOraclesArea(one: Geometry, other: Geometry): number | undefined {
  const [a, b] = [one, other].map((each) => polygon(each.coordinates as Position[][]));
  try {
    return toArea(intersect(featureCollection([a!, b!]))?.geometry);
  } catch {
    return undefined;
  }
}

// Cells of 7,500 m². Where one side has a vertex on a long edge of the other, the geodesic bends there or not: up to 5 m².
describe('polygons of a grid, which touch, coincide and cross', () => {
  test('share what an overlay by another library says', () => {
    fc.assert(
      fc.property(validPolygon, validPolygon, (one, other) => {
        const expected = toOraclesArea(one, other);
        fc.pre(expected !== undefined);
        const shared = overlap(one, other) as { area: number };
        expect(Math.abs(shared.area - (expected as number))).toBeLessThan(
          2e-5 * Math.min(toArea(one), toArea(other)) + 10,
        );
      }),
      { numRuns: 150 },
    );
  });

  test('share as much the other way round, and what is not shared is outside: also invalid ones', () => {
    const around: Position[] = [
      [1, 48],
      [1, 49],
      [2, 49],
      [2, 48],
      [1, 48],
    ];
    fc.assert(
      fc.property(anyPolygon, fc.array(tameRing, { minLength: 1, maxLength: 2 }), (one, rings) => {
        const other = toFrance(toPolygon(...rings));
        const inside = overlap(one, other) as { area: number; shareOfFeature: number };
        const back = overlap(other, one) as { area: number };
        const outside = overlap(
          one,
          toPolygon(around, ...(other.coordinates as Position[][])),
        ) as typeof inside;
        expect(Math.abs(back.area - inside.area)).toBeLessThan(10);
        const whole = overlap(one, toPolygon(around)) as typeof inside;
        expect(Math.abs(inside.area + outside.area - whole.area)).toBeLessThan(1e-4 * whole.area + 10);
      }),
      { numRuns: 150 },
    );
  });
});

describe('lines and points', () => {
  const line: Geometry = {
    type: 'LineString',
    coordinates: [
      [1, 48],
      [1.02, 48],
      [1.02, 48.01],
    ],
  };

  test('a line half in a polygon has a length in it', () => {
    const half = toPolygon(square(0.99, 47.99, 0.02));
    const length = Geodesic.WGS84.Inverse(48, 1, 48, 1.01).s12;
    expect(overlap(line, half)).toEqual({
      length: expect.closeTo(length as number, 6),
      shareOfFeature: expect.closeTo(0.286, 2),
      shareOfGeom: 0,
    });
  });

  test('a polygon crossed by a line shares a length, which is a part of the line', () => {
    const half = toPolygon(square(0.99, 47.99, 0.02));
    expect(overlap(half, line)).toEqual({
      length: expect.closeTo(745.8, 0),
      shareOfFeature: 0,
      shareOfGeom: expect.closeTo(0.286, 2),
    });
  });

  test('a line along the boundary is in the polygon', () => {
    const along: Geometry = {
      type: 'LineString',
      coordinates: [
        [0.995, 48],
        [1.005, 48],
      ],
    };
    expect(overlap(along, toPolygon(square(1, 48, 0.01)))).toMatchObject({
      shareOfFeature: expect.closeTo(0.5, 9),
    });
  });

  test('lines share where they run along each other, not where they cross', () => {
    const same: Geometry = {
      type: 'LineString',
      coordinates: [
        [1.01, 48],
        [1.03, 48],
      ],
    };
    expect(overlap(line, same)).toMatchObject({ shareOfGeom: expect.closeTo(0.5, 6) });
    const crossing: Geometry = {
      type: 'LineString',
      coordinates: [
        [1.01, 47.9],
        [1.01, 48.1],
      ],
    };
    expect(overlap(line, crossing)).toEqual({ length: 0, shareOfFeature: 0, shareOfGeom: 0 });
  });

  test('points have no area; of several, some may be in', () => {
    const points: Geometry = {
      type: 'MultiPoint',
      coordinates: [
        [1, 48],
        [1.005, 48.005],
        [3, 3],
      ],
    };
    expect(overlap(points, toPolygon(square(1, 48, 0.01)))).toEqual({
      area: 0,
      shareOfFeature: 2 / 3,
      shareOfGeom: 0,
    });
    const point: Geometry = { type: 'Point', coordinates: [1.001, 48.001] };
    expect(overlap(toPolygon(square(1, 48, 0.01)), point)).toEqual({
      area: 0,
      shareOfFeature: 0,
      shareOfGeom: 1,
    });
  });

  test.each<Geometry>([
    { type: 'MultiPolygon', coordinates: [] },
    { type: 'MultiLineString', coordinates: [] },
    { type: 'MultiPoint', coordinates: [] },
    { type: 'Polygon', coordinates: [] },
  ])('an empty $type shares nothing', (empty) => {
    expect(overlap(empty, toPolygon(square(1, 48, 0.01)))).toMatchObject({
      shareOfFeature: 0,
      shareOfGeom: 0,
    });
  });
});
