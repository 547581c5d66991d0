import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toText } from '../../src/errors.js';
import { type Geometry, type Position, readGeometries } from '../../src/geometry/index.js';
import { sweepRings } from '../../src/geometry/sweep.js';
import { startCpuTime } from '../support/cpu-time.js';
import { mapPositions, polygonRings, tameRing, wildRing } from './random-geometries.js';

function toFaults(geojson: unknown): string[] {
  const { faults = [] } = readGeometries(geojson, { maxVertices: 50_000 });
  return faults.map(({ pointer, message }) => `${pointer}: ${toText(message)}`);
}

const isValid = (geojson: unknown) => toFaults(geojson).length === 0;
const polygon = (...rings: number[][][]) => ({ type: 'Polygon', coordinates: rings });
const multiPolygon = (...parts: number[][][][]) => ({ type: 'MultiPolygon', coordinates: parts });
const box = (x: number, y: number, size: number) => [
  [x, y],
  [x + size, y],
  [x + size, y + size],
  [x, y + size],
  [x, y],
];

const onCircle = (degrees: number) => [
  Math.cos((degrees * Math.PI) / 180),
  Math.sin((degrees * Math.PI) / 180),
];

/** Turned and mirrored: left is not right for a sweep. */
const symmetries = [1, -1].flatMap((sx) =>
  [1, -1].flatMap((sy) => [
    ([x, y]: Position): Position => [sx * x, sy * y],
    ([x, y]: Position): Position => [sx * y, sy * x],
  ]),
);

describe('polygons that are fine', () => {
  // biome-ignore format: a case a line
  test.each([
    ['a hole that touches the exterior at a vertex', polygon(box(0, 0, 4), [[0, 0], [1, 2], [2, 1], [0, 0]])],
    ['a hole whose corner lies on an edge of the exterior', polygon(box(0, 0, 4), [[0, 2], [2, 1], [2, 3], [0, 2]])],
    ['two holes that touch at a corner', polygon(box(0, 0, 9), box(1, 1, 2), box(3, 3, 2))],
    ['parts that touch at a corner', multiPolygon([box(0, 0, 2)], [box(2, 2, 2)])],
    ['a part in a hole of another', multiPolygon([box(0, 0, 9), box(1, 1, 5)], [box(2, 2, 2)])],
    ['a part in a hole, touching it', multiPolygon([box(0, 0, 9), box(1, 1, 5)], [[[1, 3], [3, 2], [6, 3], [3, 4], [1, 3]]])],
    ['parts all around a point', multiPolygon(...[0, 6, 1, 7, 8, 5, 4, 2, 3].map((i) => [toClosed([[0, 0], onCircle(40 * i), onCircle(40 * i + 30)])]))],
    ['collinear vertices', polygon([[0, 0], [1, 0], [2, 0], [4, 0], [4, 4], [0, 0]])],
  ])('%s, however turned', (_, geojson) => {
    expect(toFaults(geojson)).toEqual([]);
    expect(symmetries.filter((turn) => !isValid(mapPositions(geojson, turn)))).toEqual([]);
  });
});

describe('polygons that are not', () => {
  // biome-ignore format: a case a line
  test.each([
    [
      'a bow tie',
      polygon([[1, 1], [3, 1], [1, 3], [3, 3], [1, 1]]),
      ['/coordinates/0/1: ring 0 crosses itself near 2, 2: edge 1 crosses edge 3'],
    ],
    [
      'places count as they stood in the request, repeated positions and all',
      polygon([[1, 1], [1, 1], [3, 1], [3, 1], [1, 3], [3, 3], [1, 1]]),
      ['/coordinates/0/2: ring 0 crosses itself near 2, 2: edge 2 crosses edge 5'],
    ],
    [
      'edges that meet only once a wedge between them has ended',
      polygon([[0, 0], [10, 10], [10, -5], [0, 5], [1, 2.5], [0, 0]]),
      ['/coordinates/0/0: ring 0 crosses itself near 2.5, 2.5: edge 0 crosses edge 2'],
    ],
    [
      'edges that cross where a hole ends',
      polygon([[0, 0], [10, 10], [8, 2], [2, 8], [0, 0]], [[1, 2], [5, 5], [1, 3], [1, 2]]),
      ['/coordinates/0/0: ring 0 crosses itself near 5, 5: edge 0 crosses edge 2'],
    ],
    [
      'a ring through one of its own vertices again',
      polygon([[0, 0], [2, 2], [4, 0], [4, 4], [2, 2], [0, 4], [0, 0]]),
      ['/coordinates/0/1: ring 0 touches itself at 2, 2: edge 1 meets edge 4'],
    ],
    [
      'a vertex on another edge of the ring',
      polygon([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4], [0, 0]]),
      ['/coordinates/0/0: ring 0 touches itself at 2, 0: edge 0 meets edge 3'],
    ],
    [
      'a spike',
      polygon([[0, 0], [2, 0], [2, 5], [2, 0], [4, 0], [4, 4], [0, 0]]),
      ['/coordinates/0/1: ring 0 runs back along itself near 2, 0: edge 1 overlaps edge 2'],
    ],
    [
      'a ring without area',
      polygon([[0, 0], [1, 1], [3, 3], [0, 0]]),
      ['/coordinates/0/0: ring 0 runs back along itself near 0, 0: edge 0 overlaps edge 2'],
    ],
    [
      'a hole that crosses the exterior',
      polygon(box(0, 0, 4), box(3, 1, 2)),
      ['/coordinates/0/1: ring 0 crosses ring 1 near 4, 1: edge 1 crosses edge 0 of the other'],
    ],
    [
      'rings that cross at a vertex of both',
      polygon([[0, 0], [4, 0], [4, 1], [4, 3], [4, 4], [0, 4], [0, 0]], [[2, 2], [4, 1], [5, 2], [4, 3], [2, 2]]),
      ['/coordinates/0/2: ring 0 crosses ring 1 near 4, 1: edge 2 crosses edge 1 of the other'],
    ],
    [
      'a hole along the exterior',
      polygon(box(0, 0, 4), box(0, 1, 2)),
      ['/coordinates/0/3: ring 0 runs along ring 1 near 0, 1: edge 3 overlaps edge 3 of the other'],
    ],
    ['a hole beside the exterior', polygon(box(0, 0, 4), box(5, 5, 2)), ['/coordinates/1: ring 1, a hole, is outside of the exterior ring']],
    ['an exterior inside its hole', polygon(box(1, 1, 2), box(0, 0, 4)), ['/coordinates/1: ring 1, a hole, is outside of the exterior ring']],
    ['a hole in a hole', polygon(box(0, 0, 9), box(1, 1, 5), box(2, 2, 2)), ['/coordinates/2: ring 2, a hole, is inside ring 1, another hole']],
    [
      'a hole from wall to wall',
      polygon(box(0, 0, 4), [[0, 2], [2, 1], [4, 2], [2, 3], [0, 2]]),
      ['/coordinates: the rings touch at so many points that they cut the interior into pieces'],
    ],
    [
      'overlapping parts',
      multiPolygon([box(0, 0, 4)], [box(9, 9, 1)], [box(2, 2, 4)]),
      ['/coordinates/0/0/2: part 0 overlaps part 2 near 2, 4: edge 2 crosses edge 3 of the other'],
    ],
    ['a part inside another', multiPolygon([box(1, 1, 1)], [box(0, 0, 4)]), ['/coordinates/0: part 0 is inside part 1']],
    [
      'parts side by side',
      multiPolygon([box(0, 0, 2)], [box(2, 0, 2)]),
      [
        '/coordinates/0/0/1: part 0 shares an edge with part 1 near 2, 0 (edges 1 and 3), which a MultiPolygon may not; a GeometryCollection may',
      ],
    ],
    [
      'every part at fault says so',
      multiPolygon([[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], [box(5, 5, 2), box(8, 8, 1)]),
      [
        '/coordinates/0/0/0: ring 0 crosses itself near 0.5, 0.5: edge 0 crosses edge 2',
        '/coordinates/1/1: ring 1, a hole, is outside of the exterior ring',
      ],
    ],
  ])('%s, however turned', (_, geojson, expected) => {
    expect(toFaults(geojson)).toEqual(expected);
    expect(symmetries.filter((turn) => isValid(mapPositions(geojson, turn)))).toEqual([]);
  });

  test('not by an epsilon, but by the last bit of a coordinate', () => {
    // The apex at (x, 0.5) nears the edge from (-12, -12) to (24, 24) from below; differences of its coordinates with
    // those of the edge do not fit a double.
    const apex = (x: number) =>
      polygon([
        [-12, -12],
        [24, 24],
        [24, 0.5],
        [x, 0.5],
        [24, 0],
        [-12, -12],
      ]);
    expect(toFaults(apex(0.5 + 2 ** -53))).toEqual([]);
    expect(toFaults(apex(0.5))[0]).toMatch('touches itself at 0.5, 0.5');
    expect(toFaults(apex(0.5 - 2 ** -54))[0]).toMatch('crosses itself near 0.5, 0.5');
  });
});

test('verdicts are those of GEOS', () => {
  const file = new URL('../fixtures/geos-verdicts/validity.json', import.meta.url);
  const cases = JSON.parse(readFileSync(file, 'utf8')) as { reason: string | null; geometry: unknown }[];
  const different = cases.filter(({ reason, geometry }) => isValid(geometry) !== (reason === null));
  expect(different).toEqual([]);
  expect(cases.length).toBeGreaterThan(400);
});

describe('on an integer grid', () => {
  test('a ring is valid exactly when no two of its edges meet but at the vertex they share', () => {
    fc.assert(
      fc.property(fc.oneof(wildRing, tameRing), (ring) => {
        expect(isValid(polygon(ring))).toBe(isSimple(ring));
      }),
      { numRuns: 400 },
    );
  });

  test('nor does the sweep find anything else, though it is not asked about small rings', () => {
    fc.assert(
      fc.property(fc.oneof(wildRing, tameRing), (ring) => {
        const distinct = ring.filter((p, i) => i === 0 || String(p) !== String(ring[i - 1]));
        fc.pre(distinct.length > 3);
        const open = distinct.slice(0, -1);
        const { clashes } = sweepRings({
          xs: Float64Array.from(open, ([x]) => x),
          ys: Float64Array.from(open, ([, y]) => y),
          starts: Uint32Array.of(0, open.length),
        });
        expect(clashes.length === 0).toBe(isSimple(ring));
      }),
      { numRuns: 400 },
    );
  });

  test('two triangles that share a vertex may be two parts exactly when they lie in different directions', () => {
    const direction = fc
      .tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 }))
      .filter(([x, y]) => x !== 0 || y !== 0);
    const triangle = fc
      .tuple(direction, direction)
      .map(([a, b]): Position[] => (cross([0, 0], a, b) > 0 ? [a, b] : [b, a]))
      .filter(([a, b]) => cross([0, 0], a!, b!) !== 0);
    const isBetween = (a: Position, p: Position, b: Position) =>
      cross([0, 0], a, p) >= 0 && cross([0, 0], p, b) >= 0;
    fc.assert(
      fc.property(triangle, triangle, ([a, b], [c, d]) => {
        const isApart =
          !isBetween(a!, c!, b!) &&
          !isBetween(a!, d!, b!) &&
          !isBetween(c!, a!, d!) &&
          !isBetween(c!, b!, d!);
        const parts = [
          [a!, b!],
          [c!, d!],
        ].map((ends) => [toClosed([[0, 0], ...ends])]);
        expect(isValid(multiPolygon(...parts))).toBe(isApart);
      }),
      { numRuns: 400 },
    );
  });

  test('where a polygon lies, how it is turned and where its rings begin does not matter', () => {
    const move: fc.Arbitrary<(p: Position) => Position> = fc.oneof(
      fc.constant((p: Position): Position => [p[1], p[0]]),
      fc.constant((p: Position): Position => [-p[0], p[1]]),
      fc.constant((p: Position): Position => [p[0] + p[1], p[1]]),
      fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })).map(
        ([x, y]) =>
          (p: Position): Position => [p[0] + x, p[1] + y],
      ),
    );
    const parts = fc.array(polygonRings, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(parts, move, fc.nat(), fc.boolean(), (coordinates, change, start, isReversed) => {
        const given = { type: 'MultiPolygon', coordinates } satisfies Geometry;
        const moved = mapPositions(given, change);
        const restarted = moved.coordinates.map((rings) =>
          rings.map((ring) => toRestarted(isReversed ? [...ring].reverse() : ring, start)),
        );
        expect(isValid(multiPolygon(...restarted))).toBe(isValid(given));
      }),
      { numRuns: 400 },
    );
  });
});

describe('50,000 vertices in well under a second, however they lie', () => {
  const n = 49_998;
  const around = (toRadius: (i: number) => number) =>
    toClosed(
      Array.from({ length: n }, (_, i) => {
        const [angle, radius] = [(i / n) * 2 * Math.PI, toRadius(i)];
        return [2 + radius * Math.cos(angle), 48 + radius * Math.sin(angle)];
      }),
    );
  /** Teeth side by side in a direction: on a diagonal the boxes of all of them overlap. */
  const comb = (dx: number, dy: number) => {
    const teeth = Array.from({ length: 12_000 }, (_, i) => {
      const [x, y] = [(i / 12_000) * dy, -(i / 12_000) * dx];
      const [w, h] = [dy / 36_000, -dx / 36_000];
      return [
        [x, y],
        [x + dx, y + dy],
        [x + dx + w, y + dy + h],
        [x + w, y + h],
      ];
    });
    return toClosed([...teeth.flat(), [dy - dx / 9, -dx - dy / 9], [-dx / 9, -dy / 9]]);
  };
  const random = toRandom(7);
  const walk = toClosed(
    Array.from({ length: n }, () => [random() - 0.5, random() - 0.5]).reduce<number[][]>((path, [x, y]) => {
      const [lastX, lastY] = path.at(-1) ?? [0, 0];
      path.push([lastX! + x! / 10, lastY! + y! / 10]);
      return path;
    }, []),
  );

  // biome-ignore format: a case a line
  test.each([
    ['a circle', around(() => 1), true],
    ['a star', around((i) => (i % 2 === 0 ? 1 : 0.001)), true],
    ['a comb', comb(0, 1), true],
    ['a diagonal comb', comb(1, 1), true],
    ['a random walk', walk, false],
    ['a tangle', toClosed(Array.from({ length: n }, () => [random(), random()])), false],
  ])('%s', (_, ring, expected) => {
    const cpuTime = startCpuTime();
    expect(isValid(polygon(ring))).toBe(expected);
    // 50 to 150 ms where this was measured; anything quadratic takes tens of seconds.
    expect(cpuTime()).toBeLessThan(3000);
  });

  test('ten thousand holes, and as many parts around one point', () => {
    const holes = Array.from({ length: 9_900 }, (_, i) =>
      box((i % 100) + 0.2, Math.floor(i / 100) * 0.5 - 40, 0.3),
    );
    const fan = Array.from({ length: 10_000 }, (_, i) => [
      toClosed([
        [0, 0],
        [1, i / 10_000],
        [1, (i + 0.5) / 10_000],
      ]),
    ]);
    const cpuTime = startCpuTime();
    expect(
      isValid(
        polygon(
          [
            [0, -45],
            [101, -45],
            [101, 45],
            [0, 45],
            [0, -45],
          ],
          ...holes,
        ),
      ),
    ).toBe(true);
    expect(isValid(multiPolygon(...fan))).toBe(true);
    expect(cpuTime()).toBeLessThan(5000);
  });
});

function toClosed(positions: number[][]): number[][] {
  return [...positions, positions[0]!];
}

function toRestarted(ring: readonly Position[], start: number): Position[] {
  const open = ring.slice(0, -1);
  const from = start % open.length;
  const turned = [...open.slice(from), ...open.slice(0, from)];
  return [...turned, turned[0]!];
}

function toRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** The reference: every edge against every other, in integers. */
function isSimple(ring: readonly Position[]): boolean {
  const open = ring.filter((p, i) => i > 0 && String(p) !== String(ring[i - 1]));
  const n = open.length;
  if (n < 3) return false;
  const edges = open.map((p, i) => [p, open[(i + 1) % n]!] as const);
  return edges.every((edge, i) =>
    edges.every((other, j) => {
      if (j <= i) return true;
      if (j === i + 1) return !isFolded(edge[0], edge[1], other[1]);
      if (i === 0 && j === n - 1) return !isFolded(other[0], other[1], edge[1]);
      return !isMeeting(edge, other);
    }),
  );
}

const cross = (a: Position, b: Position, c: Position) =>
  (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

function isFolded(a: Position, b: Position, c: Position): boolean {
  const dot = (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1]);
  return cross(a, b, c) === 0 && dot > 0;
}

function isMeeting([a, b]: readonly [Position, Position], [c, d]: readonly [Position, Position]): boolean {
  const isOn = (p: Position, q: Position, r: Position) =>
    cross(p, q, r) === 0 && (r[0] - p[0]) * (r[0] - q[0]) + (r[1] - p[1]) * (r[1] - q[1]) <= 0;
  if (isOn(a, b, c) || isOn(a, b, d) || isOn(c, d, a) || isOn(c, d, b)) return true;
  return cross(a, b, c) * cross(a, b, d) < 0 && cross(c, d, a) * cross(c, d, b) < 0;
}
