import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { booleanIntersects } from '@turf/turf';
import fc from 'fast-check';
import { createIntersects, type GeoJsonGeometry, readGeometries } from '../../src/geometry/index.js';
import { startCpuTime } from '../support/cpu-time.js';
import { geometry, mapPositions } from './random-geometries.js';

/** turf's types know no readonly. */
type Turf = Parameters<typeof booleanIntersects>[0];

const point = (x: number, y: number): GeoJsonGeometry => ({ type: 'Point', coordinates: [x, y] });
const line = (...coordinates: [number, number][]): GeoJsonGeometry => ({ type: 'LineString', coordinates });
const polygon = (...coordinates: [number, number][][]): GeoJsonGeometry => ({ type: 'Polygon', coordinates });
const collection = (...geometries: GeoJsonGeometry[]): GeoJsonGeometry => ({
  type: 'GeometryCollection',
  geometries,
});
const ring = (x: number, y: number, size: number): [number, number][] => [
  [x, y],
  [x + size, y],
  [x + size, y + size],
  [x, y + size],
  [x, y],
];
const box = (x: number, y: number, size: number) => polygon(ring(x, y, size));
const frame = polygon(ring(0, 0, 10), ring(2, 2, 6));

const isIntersecting = (one: GeoJsonGeometry, other: GeoJsonGeometry) => createIntersects([one])(other);

// biome-ignore format: a case a line
describe('two geometries', () => {
  test.each<[string, GeoJsonGeometry, GeoJsonGeometry, boolean]>([
    ['equal points meet', point(1, 2), point(1, 2), true],
    ['points a last bit apart do not', point(0.1, 0), point(0.1 + 2 ** -56, 0), false],
    ['a point in a polygon', box(0, 0, 2), point(1, 1), true],
    ['a point on an edge', box(0, 0, 2), point(2, 1), true],
    ['a point on a vertex', box(0, 0, 2), point(2, 2), true],
    ['a point level with a vertex, outside', polygon([[0, 0], [2, 1], [0, 2], [0, 0]]), point(-1, 1), false],
    ['a point level with a horizontal edge, outside', box(0, 0, 2), point(-1, 2), false],
    ['a point in a hole', frame, point(5, 5), false],
    ['a point on the edge of a hole', frame, point(2, 5), true],
    ['a point on a line', line([0, 0], [4, 2]), point(2, 1), true],
    ['a point in line with a line, beyond it', line([0, 0], [4, 2]), point(6, 3), false],
    ['a point a last bit off a line', line([-12, -12], [24, 24]), point(0.5, 0.5 + 2 ** -53), false],
    ['a point a last bit outside of a polygon', polygon([[-12, -12], [24, -12], [24, 24], [-12, -12]]), point(0.5, 0.5 + 2 ** -53), false],
    ['lines that cross', line([0, 0], [2, 2]), line([0, 2], [2, 0]), true],
    ['lines that touch end to end', line([0, 0], [1, 1]), line([1, 1], [2, 0]), true],
    ['a line that ends on another', line([0, 0], [4, 0]), line([2, 0], [2, 3]), true],
    ['collinear lines that overlap', line([0, 0], [3, 3]), line([2, 2], [5, 5]), true],
    ['collinear lines apart', line([0, 0], [1, 1]), line([2, 2], [5, 5]), false],
    ['parallel lines', line([0, 0], [3, 3]), line([0, 1], [3, 4]), false],
    ['a line through a polygon, no vertex of either in the other', box(0, 0, 2), line([-1, 1], [3, 1]), true],
    ['a line within a hole', frame, line([3, 3], [7, 7]), false],
    ['a line from hole to hole edge', frame, line([3, 3], [8, 5]), true],
    ['a polygon in another', box(0, 0, 9), box(2, 2, 1), true],
    ['a polygon in a hole', frame, box(3, 3, 2), false],
    ['a polygon that fills a hole', frame, box(2, 2, 6), true],
    ['a polygon around everything', frame, box(-5, -5, 50), true],
    ['a frame around a polygon', polygon(ring(-5, -5, 50), ring(-1, -1, 20)), frame, false],
    ['polygons side by side', box(0, 0, 2), box(2, 0, 2), true],
    ['polygons corner to corner', box(0, 0, 2), box(2, 2, 2), true],
    ['polygons whose boxes alone meet', polygon([[0, 0], [4, 0], [0, 4], [0, 0]]), polygon([[4, 4], [4, 1], [1, 4], [4, 4]]), false],
    ['one part of a multipoint', box(0, 0, 2), { type: 'MultiPoint', coordinates: [[9, 9], [1, 1]] }, true],
    ['one part of a multipolygon', point(6, 6), { type: 'MultiPolygon', coordinates: [[ring(0, 0, 2)], [ring(5, 5, 2)]] }, true],
    ['a collection in a collection', box(0, 0, 2), collection(point(9, 9), collection(line([1, 1], [9, 1]))), true],
    ['an empty collection', box(0, 0, 2), collection(), false],
    ['an empty polygon', box(0, 0, 2), polygon(), false],
    ['an empty multipoint', box(0, 0, 2), { type: 'MultiPoint', coordinates: [] }, false],
    ['a line of repeated positions', line([0, 0], [0, 0], [2, 2]), line([1, 1], [1, 1]), true],
  ])('%s', (_, one, other, expected) => {
    expect([isIntersecting(one, other), isIntersecting(other, one)]).toEqual([expected, expected]);
  });
});

test('no geometry intersects nothing, and nothing intersects no geometry', () => {
  expect(createIntersects([box(0, 0, 2)])(null)).toBe(false);
  expect(createIntersects([])(box(0, 0, 2))).toBe(false);
});

test('a union: overlapping parts do not cancel each other out', () => {
  const isMeeting = createIntersects([box(0, 0, 4), box(1, 1, 4), point(9, 9)]);
  expect([point(2, 2), point(9, 9), point(6, 6)].map(isMeeting)).toEqual([true, true, false]);
});

test('verdicts are those of GEOS', () => {
  const file = new URL('../fixtures/geos-verdicts/intersects.json', import.meta.url);
  const cases: { intersects: boolean; one: GeoJsonGeometry; other: GeoJsonGeometry }[] = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const different = cases.filter(({ one, other, intersects }) => isIntersecting(one, other) !== intersects);
  expect(different).toEqual([]);
  expect(cases.length).toBeGreaterThan(300);
});

describe('on an integer grid', () => {
  const valid = geometry.filter((given) => !readGeometries(given, { maxVertices: 100 }).faults);

  test('verdicts are those of turf', () => {
    fc.assert(
      fc.property(valid, valid, (one, other) => {
        expect(isIntersecting(one, other)).toBe(booleanIntersects(one as Turf, other as Turf));
      }),
      { numRuns: 350 },
    );
  });

  test('neither the order of the two, nor where they lie, nor more of the same matters', () => {
    const offset = fc.integer({ min: -80, max: 80 });
    fc.assert(
      fc.property(valid, valid, offset, offset, (one, other, dx, dy) => {
        const expected = isIntersecting(one, other);
        const [movedOne, movedOther] = [one, other].map((g) => mapPositions(g, ([x, y]) => [x + dx, y + dy]));
        expect(isIntersecting(other, one)).toBe(expected);
        expect(isIntersecting(movedOne!, movedOther!)).toBe(expected);
        expect(createIntersects([one, one])(collection(other, other))).toBe(expected);
        expect(isIntersecting(one, one)).toBe(true);
      }),
      { numRuns: 350 },
    );
  });

  test('a union is met exactly when one of its parts is', () => {
    fc.assert(
      fc.property(fc.array(valid, { minLength: 1, maxLength: 5 }), valid, (parts, other) => {
        const expected = parts.some((part) => isIntersecting(part, other));
        expect(createIntersects(parts)(other)).toBe(expected);
        expect(isIntersecting(other, collection(...parts))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});

test('a polygon of 50,000 vertices answers for 20,000 small ones in well under a second', () => {
  const circle = Array.from({ length: 49_999 }, (_, i): [number, number] => {
    const angle = (i / 49_999) * 2 * Math.PI;
    return [Math.cos(angle), Math.sin(angle)];
  });
  const isMeeting = createIntersects([polygon([...circle, circle[0]!])]);
  const boxes = Array.from({ length: 20_000 }, (_, i) =>
    box((i % 200) / 80 - 1.25, Math.floor(i / 200) / 40 - 1.25, 0.001),
  );
  const cpuTime = startCpuTime();
  const met = new Set(boxes.filter(isMeeting));
  // 100 to 200 ms where this was measured.
  expect(cpuTime()).toBeLessThan(3000);
  const isExpected = (given: GeoJsonGeometry) => {
    const corners = given.type === 'Polygon' ? given.coordinates[0]! : [];
    return corners.some(([x, y]) => Math.hypot(x, y) < 0.9999);
  };
  expect(met.size).toBeGreaterThan(9_000);
  expect(boxes.filter(isExpected).every((given) => met.has(given))).toBe(true);
});
