import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createOverlap, type Geometry } from '../../src/geometry/index.js';
import { createGeometries, type GeoJson, type Kind } from './geometries.js';
import { quote, sql, toLab } from './lab.js';
import { type Service, startService } from './service.js';

// What features and geometries share, against PostGIS: ST_Intersection in the plane of lon/lat, measured as geography.

jest.setTimeout(120_000);

const json = (geometry: unknown) => `st_geomfromgeojson(${quote(JSON.stringify(geometry))})`;

interface Pair {
  readonly i: number;
  readonly shared: number;
  readonly a: number;
  readonly b: number;
}

/** Pairs near each other, from a part of a parcel to a region, so that many share something. */
function toPairs(kinds: readonly [Kind, Kind], count: number): [GeoJson, GeoJson][] {
  const surroundings = (i: number) => {
    const size = 10 ** -(1 + (i % 4));
    const [west, south] = [-4 + (i % 11), 42 + (i % 8)];
    return {
      bbox: [west, south, west + size, south + size] as const,
      vertices: [[west + size / 2, south + size / 2]],
    };
  };
  return Array.from({ length: count }, (_, i) => {
    const [one] = createGeometries(kinds[0], 1000 + i, 1, surroundings(i));
    const [other] = createGeometries(kinds[1], 5000 + i, 1, surroundings(i));
    return [one as GeoJson, other as GeoJson];
  });
}

function toMeasured(pairs: readonly [GeoJson, GeoJson][], measure: string, where = 'true'): Promise<Pair[]> {
  const rows = pairs.map(([a, b], i) => `(${i}, ${json(a)}, ${json(b)})`).join(',\n');
  const flat = '(select i, st_force2d(a) a, st_force2d(b) b from given)';
  return sql<Pair>(`with given(i, a, b) as (values ${rows})
    select i, ${measure}(st_intersection(a, b)::geography) shared, ${measure}(a::geography) a, ${measure}(b::geography) b
    from ${flat} f where ${where} order by i`);
}

const overlap = (a: GeoJson, b: GeoJson) =>
  createOverlap([b as unknown as Geometry])(a as unknown as Geometry) as unknown as Record<string, number>;

describe('random pairs', () => {
  test.each<[Kind, Kind, number]>([
    ['Polygon', 'Polygon', 600],
    ['MultiPolygon', 'Polygon', 200],
    ['MultiPolygon', 'MultiPolygon', 200],
  ])('%s and %s: the area is within 0.1 %% of the smaller of both', async (one, other, count) => {
    const pairs = toPairs([one, other], count);
    const measured = await toMeasured(pairs, 'st_area');
    const sharing = measured.filter(({ shared }) => shared > 0);
    expect(sharing.length).toBeGreaterThan(count / 10);
    const wrong = measured.filter(({ i, shared, a, b }) => {
      const { area = Number.NaN } = overlap(...(pairs[i] as [GeoJson, GeoJson]));
      return !(Math.abs(area - shared) <= 0.001 * Math.min(a, b));
    });
    expect(wrong).toEqual([]);
  });

  test.each<[Kind, Kind]>([
    ['LineString', 'Polygon'],
    ['MultiLineString', 'MultiPolygon'],
  ])('%s and %s: the length is within 0.1 %% of the line', async (one, other) => {
    const pairs = toPairs([one, other], 100);
    // PostGIS counts what a line runs along twice once
    const measured = await toMeasured(pairs, 'st_length', 'st_issimple(a)');
    expect(measured.length).toBeGreaterThan(20);
    const wrong = measured.filter(({ i, shared, a }) => {
      const { length = Number.NaN } = overlap(...(pairs[i] as [GeoJson, GeoJson]));
      return !(Math.abs(length - shared) <= 0.001 * a);
    });
    expect(wrong).toEqual([]);
  });
});

describe('over MapServer', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab().mapserver);
  });
  afterAll(() => service?.stop());

  test('each parcel under a project says what PostGIS says', async () => {
    const geom = {
      type: 'Polygon',
      coordinates: [
        [
          [1.6612, 48.1132],
          [1.6671, 48.1121],
          [1.6694, 48.1163],
          [1.6622, 48.1161],
          [1.6612, 48.1132],
        ],
      ],
    };
    const { features } = await service.search({ source: 'parcelle', geom, _overlap: true });
    const rows = await sql<{ id: string; area: number; share: number }>(`
      select p.id::text id, st_area(st_intersection(p.geom, g)::geography) area,
        st_area(st_intersection(p.geom, g)::geography) / st_area(p.geom::geography) share
      from parcelle p, (select st_setsrid(${json(geom)}, 4326) g) q where st_intersects(p.geom, g)`);
    expect(features.length).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(5);
    const found = new Map(features.map((one) => [String(one.id).replace(/^.*\./, ''), one]));
    for (const { id, area, share } of rows) {
      const { overlap: shared } = found.get(id) as unknown as { overlap: Record<string, number> };
      // MapServer writes six decimals: up to 5 cm off along every edge
      expect(Math.abs((shared.area as number) - area)).toBeLessThan(10);
      expect(Math.abs((shared.shareOfFeature as number) - share)).toBeLessThan(0.01);
    }
  });
});
