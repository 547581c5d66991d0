import { expect, test } from '@jest/globals';
import proj4 from 'proj4';
import { type Geometry, type Position, toPositions } from '../../src/geometry/index.js';
import type { FeatureType } from '../../src/gml/index.js';
import { toPlan } from '../../src/wfs/plan.js';

const type: FeatureType = {
  name: 'a',
  namespace: '',
  attributes: [],
  geometries: [{ name: 'geom', type: 'Polygon' }],
};
const LAMBERT_93 =
  '+proj=lcc +lat_1=49 +lat_2=44 +lat_0=46.5 +lon_0=3 +x_0=700000 +y_0=6600000 +ellps=GRS80 +units=m +no_defs';

/** The positions that are asked for in the place of the geometry. */
function toAsked(geometry: Geometry, crs: string): readonly Position[] {
  const query = {
    source: 'a',
    geometries: [geometry],
    attributes: [],
    limit: 1,
    startIndex: 0,
    count: 'auto' as const,
  };
  return toPositions(toPlan(query, type, crs).unions[0]?.[0] as Geometry);
}

function toBox(west: number, south: number, east: number, north: number): Geometry {
  const ring: Position[] = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return { type: 'Polygon', coordinates: [ring] };
}

/** How far, in metres, the chords between the positions lie from the edges of the geometry, in Lambert-93. */
function toDeviation(asked: readonly Position[]): number {
  let worst = 0;
  for (let k = 1; k < asked.length; k++) {
    const [a, b] = [asked[k - 1] as Position, asked[k] as Position];
    const [from, to] = [proj4(LAMBERT_93, [a[0], a[1]]), proj4(LAMBERT_93, [b[0], b[1]])] as [Xy, Xy];
    const middle = proj4(LAMBERT_93, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]) as Xy;
    worst = Math.max(worst, toDistance(middle, from, to));
  }
  return worst;
}

type Xy = [number, number];

function toDistance([x, y]: Xy, [x0, y0]: Xy, [x1, y1]: Xy): number {
  return Math.abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / Math.hypot(x1 - x0, y1 - y0);
}

test.each(['EPSG:2154', 'EPSG:4326'])(
  'edges stay within a metre in Lambert-93, of a layer said to be in %s',
  (crs) => {
    for (const box of [toBox(1.4, 48.3, 1.6, 48.5), toBox(-4, 43, 8, 50)]) {
      expect(toDeviation(box.coordinates.flat() as Position[])).toBeGreaterThan(1);
      expect(toDeviation(toAsked(box, crs))).toBeLessThan(1);
    }
  },
);

test('a layer said to be geographic is asked with a thousand positions more at most, with coarser pieces then', () => {
  const asked = toAsked(toBox(-60, -60, 60, 60), 'EPSG:4326');
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.length).toBeLessThanOrEqual(1005);
});

test('edges of any size stay within a metre, where they are asked as they are too', () => {
  const counts = new Set<number>();
  for (let south = 41; south < 51.5; south += 0.7) {
    for (let size = 0.005; size < 0.4; size *= 1.3) {
      const asked = toAsked(toBox(-4, south, -4 + size, south + size / 2), 'EPSG:2154');
      expect(toDeviation(asked)).toBeLessThan(1);
      counts.add(asked.length);
    }
  }
  expect(counts.has(5)).toBe(true);
  expect(counts.size).toBeGreaterThan(1);
});

test('small edges stay as they are', () => {
  expect(toAsked(toBox(1.4, 48.3, 1.401, 48.301), 'EPSG:2154')).toHaveLength(5);
});
