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
import { type Feature, forms, type Service, startService, toIds } from './service.js';

jest.setTimeout(120_000);

// Every geometry kind against every kind of layer, over every kind of store, with nothing configured but WFS_URL. Each
// layer is asked with a share of the kind's geometries. The departments span the world, so that lon and lat cannot be told
// apart by looking at them; the squares of `carreau` lie on sixty-fourths of a degree, so that touching is exact.
const shares = {
  parcelle: 60,
  carreau: 40,
  troncon: 30,
  adresse: 30,
  commune: 20,
  arbre: 10,
  departement: 10,
  troncon_l93: 10,
  commune_l93: 20,
  troncon_merc: 10,
  commune_merc: 10,
  adresse_merc: 10,
};
type Layer = keyof typeof shares;
const everyLayer = Object.keys(shares) as Layer[];

/** One server over one kind of store: all hold the same rows, and are asked with the same geometries. */
interface Store {
  readonly store: string;
  readonly server: 'mapserver' | 'cadastre' | 'qgis';
  /** Of every hundred geometries of a share. */
  readonly percent: number;
  /** Requests at once. */
  readonly width: number;
  readonly layers: readonly Layer[];
  /** Of the layers' names. */
  readonly suffix: string;
  /** The column that a layer's feature ids are made of, if not of its key. */
  readonly ids: Partial<Record<Layer, string>>;
  /** Attributes that tell the rows of a layer apart that comes without ids. */
  readonly attributes: Partial<Record<Layer, readonly string[]>>;
  /** Degrees. What lies no farther from touching may be found or not: the README says why. */
  readonly tolerance: number;
}

const plain = { layers: everyLayer, suffix: '', ids: {}, attributes: {}, tolerance: 0 };
const mapserver = {
  ...plain,
  server: 'mapserver',
  width: 6,
  ids: { parcelle: 'id', commune: 'insee', commune_l93: 'insee', commune_merc: 'insee' },
} as const;
const withoutKey = {
  ...mapserver,
  attributes: {
    carreau: ['ligne', 'colonne'],
    troncon: ['nom'],
    troncon_l93: ['nom'],
    troncon_merc: ['nom'],
    adresse: ['numero'],
    adresse_merc: ['numero'],
    arbre: ['espece'],
    departement: ['code'],
  },
} as const;
const geopackage = {
  ...withoutKey,
  width: 2, // it compares every feature for every Or
  suffix: '_gpkg',
  tolerance: 1e-6,
} as const;
const flatgeobuf = { ...withoutKey, suffix: '_fgb' } as const;
const cadastre = { server: 'cadastre', percent: 5 } as const;

const stores: readonly Store[] = [
  { ...mapserver, store: 'MapServer over PostGIS', percent: 20 },
  { ...mapserver, ...cadastre, store: 'MapServer over PostGIS, other namespace' },
  { ...geopackage, store: 'MapServer over GeoPackage', percent: 6 },
  { ...geopackage, ...cadastre, percent: 3, store: 'MapServer over GeoPackage, other namespace' },
  { ...flatgeobuf, store: 'MapServer over FlatGeobuf', percent: 8 },
  { ...flatgeobuf, ...cadastre, percent: 3, store: 'MapServer over FlatGeobuf, other namespace' },
  { ...plain, store: 'QGIS Server over GeoPackage', server: 'qgis', percent: 8, width: 2 },
];

// A mix in which empty answers for all, or everything for all, could not pass.
test.each(kinds)('the geometries find much, little and nothing: %s', async (kind) => {
  const sizes = (await toQuestions(stores[0] as Store, kind)).map(({ sure }) => sure.length);
  expect(sizes.filter((size) => size > 0).length).toBeGreaterThan(sizes.length / 5);
  expect(sizes.filter((size) => size === 0).length).toBeGreaterThan(0);
  expect(Math.max(...sizes)).toBeGreaterThan(1);
});

describe.each(stores)('$store finds what PostGIS finds', (store) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab()[store.server]);
  });
  afterAll(() => service?.stop());

  test.each(kinds)('for %s', async (kind) => {
    const asked = await toQuestions(store, kind);
    const answers = await mapConcurrently(asked, store.width, async ({ source, geometry, toRow }, n) => {
      const form = forms[n % forms.length] as (typeof forms)[number];
      const page = await service.search({ source, geom: geometry, _limit: 5000 }, form);
      return page.status === 200 ? page.features.map(toRow) : [`${page.status} ${page.detail}`];
    });

    const wrong = asked.flatMap(({ source, geometry, sure, unsure }, n) => {
      const found = answers[n] as string[];
      const missing = sure.filter((id) => !found.includes(id));
      const extra = found.filter((id) => !sure.includes(id) && !unsure.includes(id));
      const isRight = missing.length === 0 && extra.length === 0 && new Set(found).size === found.length;
      return isRight ? [] : [{ source, missing, extra, geometry: JSON.stringify(geometry) }];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
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
  /** The layer as the store calls it. */
  readonly source: string;
  readonly geometry: GeoJson;
  /** What a feature is known by. */
  readonly toRow: (feature: Feature) => string;
  /** Rows that must be found, and rows that may be, by PostGIS. */
  readonly sure: readonly string[];
  readonly unsure: readonly string[];
}

async function toQuestions(store: Store, kind: Kind): Promise<Question[]> {
  const perLayer = store.layers.map(async (layer) => {
    const source = `${layer}${store.suffix}`;
    const names = store.attributes[layer];
    const toRow = ({ id, properties }: Feature) =>
      names === undefined ? (id ?? 'without id') : names.map((name) => properties[name]).join(' ');
    const columns = names ?? [store.ids[layer] ?? 'gid'];
    const rows = await toRowsByKey(
      layer,
      columns.join(" || ' ' || "),
      names === undefined ? `${source}.` : '',
    );
    const toRows = (keys: readonly number[]) => keys.map((key) => rows.get(key) ?? `no row ${key}`);
    const count = Math.max(1, Math.round((shares[layer] * store.percent) / 100));
    const tolerance = isProjected(layer) ? PROJECTED_TOLERANCE : store.tolerance;
    const judged = await toJudged(layer, kind, tolerance, count);
    return judged.map(({ geometry, sure, unsure }) => ({
      source,
      geometry,
      toRow,
      sure: toRows(sure),
      unsure: toRows(unsure),
    }));
  });
  return (await Promise.all(perLayer)).flat();
}

const isProjected = (layer: string): boolean => /_(l93|merc)$/.test(layer);

/** A metre of longitude: what edges may move by on the way to Lambert-93 or Web Mercator. */
const PROJECTED_TOLERANCE = 1.4e-5;

interface Judged {
  readonly geometry: GeoJson;
  /** Keys of the rows. */
  readonly sure: readonly number[];
  readonly unsure: readonly number[];
}

/** The first of a layer's share of a kind's geometries, and what PostGIS finds. */
const toJudged = once(
  async (layer: Layer, kind: Kind, tolerance: number, count: number): Promise<Judged[]> => {
    const seed = 28 + everyLayer.indexOf(layer);
    const geometries = createGeometries(kind, seed, count, await toSurroundings(layer));
    const found = await findByPostgis(layer, geometries, tolerance);
    return geometries.map((geometry, n) => ({ geometry, ...(found[n] as Omit<Judged, 'geometry'>) }));
  },
);

const toRowsByKey = once(
  async (layer: Layer, expression: string, prefix: string): Promise<Map<number, string>> => {
    const rows = await sql<{ gid: number; row: string }>(`select gid, ${expression} "row" from ${layer}`);
    return new Map(rows.map(({ gid, row }) => [gid, `${prefix}${row}`]));
  },
);

/** Asks once for the same arguments. */
function once<Args extends readonly (string | number)[], Result>(
  ask: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  const known = new Map<string, Promise<Result>>();
  return (...args) => {
    const key = args.join(' ');
    const result = known.get(key) ?? ask(...args);
    known.set(key, result);
    return result;
  };
}

const toSurroundings = once(async (layer: Layer): Promise<Surroundings> => {
  const [row] = await sql<{ bbox: Surroundings['bbox']; vertices: number[][] }>(
    `with t as materialized (select gid, ST_Transform(geom, 4326) geom from ${layer})
     select array[ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)] bbox,
            (select json_agg(json_build_array(ST_X(p), ST_Y(p)) order by md5(gid || ST_AsText(p, 17))) filter (where n % step = 0)
               from (select gid, (d).geom p, row_number() over (order by gid, (d).path) n, count(*) over () / 400 + 1 step
                       from (select gid, ST_DumpPoints(geom) d from t) x) points) vertices
       from (select ST_Extent(geom)::geometry e from t) extent`,
  );
  if (row === undefined) throw new Error(`${layer} is empty`);
  return row;
});

/**
 * The keys of the rows that intersect each geometry, by PostGIS itself: surely where they still do when the geometry is
 * moved by the tolerance, whichever way; unsurely where they are no farther from it.
 */
async function findByPostgis(
  layer: Layer,
  geometries: readonly GeoJson[],
  tolerance: number,
): Promise<Omit<Judged, 'geometry'>[]> {
  const values = geometries.map(
    (geometry, n) =>
      `(${n}, ST_SetSRID(ST_GeomFromGeoJSON(${quote(JSON.stringify(toGeometry(geometry)))}), 4326))`,
  );
  const moves = [0, 1, 3, 5, 7].map((k) => {
    const [x, y] = [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)];
    return k === 0 ? '(0, 0)' : `(${x * tolerance}, ${y * tolerance})`;
  });
  const isSure = `(select bool_and(ST_Intersects(t.geom, ST_Translate(d.geom, x, y))) from (values ${moves}) v(x, y))`;
  const isNear = `t.geom && ST_Expand(d.geom, ${tolerance}) and ST_DWithin(t.geom, d.geom, ${tolerance})`;
  const rows = `(select gid, ST_Transform(geom, 4326) geom from ${layer})`;
  // Part by part: PostGIS, too, defines ST_Intersects with a collection as "with any of its members".
  const found = await sql<{ sure: number[]; near: number[]; fault: string | null }>(
    `with moved as materialized ${rows}
     select n, coalesce(array_agg(distinct t.gid) filter (where sure), '{}') sure,
            coalesce(array_agg(distinct t.gid) filter (where t.gid is not null), '{}') near,
            min(ST_IsValidReason(d.geom)) filter (where not ST_IsValid(d.geom)) fault
       from (values ${values.join(',')}) asked(n, g) cross join ST_Dump(g) d
       left join lateral (select gid, ${tolerance === 0 ? 'true' : isSure} sure
                            from ${isProjected(layer) ? 'moved' : layer} t
                           where ${tolerance === 0 ? 'ST_Intersects(t.geom, d.geom)' : isNear}) t on true
      group by n order by n`,
  );
  const faults = found.filter((row) => row.fault !== null);
  if (faults.length > 0) throw new Error(`the test asks with invalid geometries: ${JSON.stringify(faults)}`);
  return found.map(({ sure, near }) => ({ sure, unsure: near.filter((key) => !sure.includes(key)) }));
}
