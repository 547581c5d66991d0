import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import {
  createGeometries,
  type GeoJson,
  type Kind,
  kinds,
  type Surroundings,
  toGeometry,
} from './geometries.js';
import { quote, sql, toLab } from './lab.js';
import { forms, type Service, startService, toIds } from './service.js';

jest.setTimeout(120_000);

// Every geometry kind against every kind of layer. Each layer is asked with a share of the kind's geometries. The
// departments span the world, so that lon and lat cannot be told apart by looking at them; the squares of `carreau`
// lie on sixty-fourths of a degree, so that touching is exact.
const shares = {
  parcelle: 60,
  carreau: 40,
  troncon: 30,
  adresse: 30,
  commune: 20,
  arbre: 10,
  departement: 10,
};
type Layer = keyof typeof shares;

/** What the ids of each server are made of. */
const idColumns: Readonly<Record<string, Partial<Record<Layer, string>>>> = {
  mapserver: { parcelle: 'id', commune: 'insee' },
  qgis: {},
};

describe.each([
  { server: 'mapserver', of: 200, width: 6 },
  { server: 'qgis', of: 20, width: 2 },
] as const)('$server finds what PostGIS finds', ({ server, of, width }) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab()[server]);
  });
  afterAll(() => service?.stop());

  test.each(kinds)(`for ${of} random geometries: %s`, async (kind) => {
    const asked = await toQuestions(kind, of, idColumns[server] ?? {});
    const answers = await mapConcurrently(asked, width, async ({ layer, geometry }, n) => {
      const form = forms[n % forms.length] as (typeof forms)[number];
      const page = await service.search({ source: layer, geom: geometry, _limit: 5000 }, form);
      return page.status === 200 ? toIds([page]) : [`${page.status} ${page.detail}`];
    });

    const wrong = asked.flatMap(({ layer, geometry, expected }, n) => {
      const found = answers[n] as string[];
      const missing = expected.filter((id) => !found.includes(id));
      const extra = found.filter((id) => !expected.includes(id));
      const isRight = missing.length === 0 && extra.length === 0 && found.length === expected.length;
      return isRight ? [] : [{ layer, missing, extra, geometry: JSON.stringify(geometry) }];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    // A mix in which empty answers for all, or everything for all, could not pass.
    const sizes = asked.map(({ expected }) => expected.length);
    expect(asked.length).toBeGreaterThanOrEqual(of);
    expect(sizes.filter((size) => size > 0).length).toBeGreaterThan(asked.length / 4);
    expect(sizes.filter((size) => size === 0).length).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  });
});

// The layer is stored in Lambert-93, where an edge that is straight in lon/lat is bent: by 8 m in the middle of these.
describe('in Lambert-93 the edges of a geometry are straight in lon/lat, to one metre', () => {
  const asked = toLongTriangles(16);
  let expected: Found[];
  beforeAll(async () => {
    expected = await findInLambert93(asked);
  });

  test('an edge between its two ends alone would be noticed', () => {
    expect(expected.flatMap(({ wrongWhenBent }) => wrongWhenBent).length).toBeGreaterThan(2);
  });

  test.each(['mapserver', 'qgis'] as const)('over %s', async (server) => {
    const service = await startService(toLab()[server]);
    const wrong: unknown[] = [];
    for (const [n, geometry] of asked.entries()) {
      const page = await service.search({ source: 'troncon_l93', geom: geometry, _limit: 5000 });
      const found = toIds([page]);
      const { sure, unsure } = expected[n] as Found;
      const missing = sure.filter((id) => !found.includes(id));
      const extra = found.filter((id) => !sure.includes(id) && !unsure.includes(id));
      if (page.status !== 200 || missing.length + extra.length > 0) {
        wrong.push({ status: page.status, missing, extra, geometry: JSON.stringify(geometry) });
      }
    }
    await service.stop();
    expect(wrong.slice(0, 3)).toEqual([]);
  });
});

/** Triangles with edges of some 25 km through the layer. */
function toLongTriangles(count: number): GeoJson[] {
  return Array.from({ length: count }, (_, n) => {
    const south = 48.1 + n * 0.005;
    const ring = [
      [1.6, south],
      [2.05, south + 0.01],
      [1.8, 48.6],
      [1.6, south],
    ];
    return { type: 'Polygon', coordinates: [ring] };
  });
}

interface Found {
  readonly sure: string[];
  /** Less than 1.5 m from the geometry's edges: either answer is right. */
  readonly unsure: string[];
  /** What an answer would get wrong in which only the vertices of the geometry were transformed. */
  readonly wrongWhenBent: string[];
}

function findInLambert93(geometries: readonly GeoJson[]): Promise<Found[]> {
  const values = geometries.map(
    (geometry, n) => `(${n}, ST_SetSRID(ST_GeomFromGeoJSON('${JSON.stringify(geometry)}'), 4326))`,
  );
  const ids = (where: string) => `coalesce(array_agg('troncon_l93.' || gid) filter (where ${where}), '{}')`;
  return sql<Found>(
    `with asked as materialized (
       select n, ST_Transform(ST_Segmentize(g, 0.01), 2154) straight, ST_Transform(g, 2154) bent
         from (values ${values.join(',')}) v(n, g)),
     edges as materialized (select n, ST_Subdivide(ST_Boundary(straight), 20) edge from asked)
     select ${ids('isin and not isnear')} sure, ${ids('isnear')} unsure,
            ${ids('not isnear and isin <> ST_Intersects(geom, bent)')} "wrongWhenBent"
       from (select n, gid, geom, bent, ST_Intersects(geom, straight) isin,
                    exists (select from edges e where e.n = a.n and ST_DWithin(geom, edge, 1.5)) isnear
               from asked a cross join troncon_l93) x
      group by n order by n`,
  );
}

interface Question {
  readonly layer: Layer;
  readonly geometry: GeoJson;
  /** Sorted ids, by PostGIS. */
  readonly expected: string[];
}

const surroundings = new Map<Layer, Promise<Surroundings>>();

/** `of` geometries of a kind, shared out to the layers, and what PostGIS finds for each. */
async function toQuestions(kind: Kind, of: number, ids: Partial<Record<Layer, string>>): Promise<Question[]> {
  const perLayer = (Object.keys(shares) as Layer[]).map(async (layer, index) => {
    const around = surroundings.get(layer) ?? toSurroundings(layer);
    surroundings.set(layer, around);
    const count = Math.max(1, Math.round((shares[layer] * of) / 200));
    const geometries = createGeometries(kind, 28 + index, count, await around);
    const expected = await findByPostgis(layer, ids[layer] ?? 'gid', geometries);
    return geometries.map((geometry, n) => ({ layer, geometry, expected: expected[n] as string[] }));
  });
  return (await Promise.all(perLayer)).flat();
}

async function toSurroundings(layer: Layer): Promise<Surroundings> {
  const [row] = await sql<{ bbox: Surroundings['bbox']; vertices: number[][] }>(
    `select array[ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)] bbox,
            (select json_agg(json_build_array(ST_X(p), ST_Y(p)) order by md5(gid || ST_AsText(p, 17))) filter (where n % step = 0)
               from (select gid, (d).geom p, row_number() over (order by gid, (d).path) n, count(*) over () / 400 + 1 step
                       from (select gid, ST_DumpPoints(geom) d from ${layer}) x) points) vertices
       from (select ST_Extent(geom)::geometry e from ${layer}) extent`,
  );
  if (row === undefined) throw new Error(`${layer} is empty`);
  return row;
}

/** The sorted ids of the features that intersect each geometry, by PostGIS itself. */
async function findByPostgis(
  layer: Layer,
  idColumn: string,
  geometries: readonly GeoJson[],
): Promise<string[][]> {
  const values = geometries.map(
    (geometry, n) =>
      `(${n}, ST_SetSRID(ST_GeomFromGeoJSON(${quote(JSON.stringify(toGeometry(geometry)))}), 4326))`,
  );
  // Part by part: PostGIS, too, defines ST_Intersects with a collection as "with any of its members".
  const rows = await sql<{ n: number; ids: string[]; fault: string | null }>(
    `select n, coalesce(array_agg(distinct '${layer}.' || ${idColumn}) filter (where t.gid is not null), '{}') ids,
            min(ST_IsValidReason(d.geom)) filter (where not ST_IsValid(d.geom)) fault
       from (values ${values.join(',')}) asked(n, g) cross join ST_Dump(g) d
       left join ${layer} t on ST_Intersects(t.geom, d.geom) group by n order by n`,
  );
  const faults = rows.filter((row) => row.fault !== null);
  if (faults.length > 0) throw new Error(`the test asks with invalid geometries: ${JSON.stringify(faults)}`);
  return rows.map((row) => row.ids.sort());
}
