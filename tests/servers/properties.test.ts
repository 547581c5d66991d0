import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { toGeoJsonByOgr, toLab } from './lab.js';
import { parseLossless } from './lossless.js';
import { type Feature, type Service, startService } from './service.js';

jest.setTimeout(120_000);

// What ogr2ogr reads from PostGIS, through no WFS, is what the service must answer, to the precision the server writes.
// Both servers hold the same rows: QGIS Server reads the GeoPackage that PostGIS was filled from, gid = fid.

type Values = Readonly<Record<string, unknown>>;
interface Server {
  readonly server: 'mapserver' | 'qgis';
  /** The table's key, as the server calls it. */
  readonly key: string;
  /** Largest deviation of a coordinate, in degrees: half of the last decimal the server writes. */
  readonly toPrecision: (layer: string) => number;
  /** What becomes of a text: the server's own deviations, each named. An empty text is null (contract). */
  readonly says: (text: string) => string;
}

const servers: readonly Server[] = [
  { server: 'mapserver', key: 'gid', toPrecision: () => 0.5e-6, says: (text) => toTextOfXml(text) },
  {
    server: 'qgis',
    key: 'fid',
    // The eight decimals of the project, but six where it transforms a projected layer to degrees.
    toPrecision: (layer) => (layer.endsWith('_l93') ? 0.5e-6 : 0.5e-8),
    says: (text) => toTextWithoutZone(toTextOfQt(text)),
  },
];

// MapServer writes a carriage return as it is, and XML 1.0 §2.11 reads it as a line feed.
const toTextOfXml = (text: string): string => text.replaceAll('\r\n', '\n');
// QGIS Server 3.22 leaves out the characters beyond U+FFFF, and the `]]>` of a text that it wraps in CDATA.
const toTextOfQt = (text: string): string => {
  const bmp = text.replaceAll(/[\u{10000}-\u{10FFFF}]/gu, '');
  return /[<&]/.test(bmp) ? bmp.replaceAll(']]>', '') : bmp;
};
// QGIS Server writes a dateTime without its zone, to the millisecond.
const toTextWithoutZone = (text: string): string =>
  text.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z$/, '$1.000');

// Where a row has neither geometry nor ring direction to compare (null, bow-tie), see the test of `bord` below.
const layers = {
  parcelle: 'Polygon',
  commune: 'MultiPolygon',
  troncon: 'LineString',
  troncon_l93: 'MultiLineString',
  commune_l93: 'MultiPolygon',
  adresse: 'Point',
  arbre: 'MultiPoint',
  carreau: 'Polygon',
  valeur: 'Point',
  texte: 'Point',
  departement: 'MultiPolygon',
} as const;

describe.each(servers)('$server answers what ogr2ogr reads', ({ server, key, toPrecision, says }) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab()[server]);
  });
  afterAll(() => service?.stop());

  const answer = async (source: string): Promise<Map<unknown, Feature>> => {
    const pages = await service.walk({ source, _limit: 5000 });
    expect(pages.map((page) => page.status)).toEqual(pages.map(() => 200));
    const features = pages.flatMap((page) => page.features);
    return new Map(features.map((feature) => [feature.properties[key], feature]));
  };

  test.each(Object.entries(layers))('on %s', async (layer, type) => {
    const expected = await readByOgr(layer);
    const actual = await answer(layer);
    expect(actual.size).toBe(expected.length);

    const wrong = expected.flatMap(({ fid, properties, geometry }): object[] => {
      const feature = actual.get(fid);
      if (feature === undefined) return [{ fid, fault: 'missing' }];
      const { [key]: _, ...others } = feature.properties;
      const faults = [
        ...toDifferences(
          others,
          mapStrings(properties, (text) => says(text) || null),
        ),
        ...(feature.geometry?.type === type ? [] : [`geometry is ${feature.geometry?.type}`]),
        ...toDeviations(feature.geometry?.coordinates, toCoordinates(geometry, type), toPrecision(layer)),
      ];
      return faults.length === 0 ? [] : [{ fid, faults: faults.slice(0, 3) }];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  test('every attribute of every feature, in the order of the schema', async () => {
    const [first] = await readByOgr('valeur');
    for (const feature of (await answer('valeur')).values()) {
      expect(Object.keys(feature.properties)).toEqual([key, ...Object.keys(first?.properties ?? {})]);
    }
  });

  test('codes with leading zeros are strings, integers beyond 2^53 keep every digit, nulls are null', async () => {
    const rows = await answer('valeur');
    expect(rows.get(1)?.properties).toMatchObject({
      code: '01004',
      grand: 9007199254740993n,
      entier: 0,
      vrai: true,
    });
    expect(rows.get(5)?.properties).toMatchObject({ code: '1.0', grand: 9223372036854775807n, vrai: false });
    const { [key]: _, ...nulls } = rows.get(10)?.properties ?? {};
    expect(Object.values(nulls)).toEqual(Array(8).fill(null));
  });

  test('a feature without geometry, or with an empty one, is a feature with null', async () => {
    const rows = [...(await answer('bord')).values()].map(({ properties, geometry }) => [
      properties.nom,
      geometry?.type ?? null,
    ]);
    expect(rows).toEqual(
      expect.arrayContaining([
        ['sens anti-horaire', 'Polygon'],
        ['sens horaire', 'Polygon'],
        ['noeud papillon', 'Polygon'],
        ['antiméridien', 'Polygon'],
      ]),
    );
    for (const [nom, type] of rows) if (nom === 'sans géométrie' || nom === null) expect(type).toBeNull();
  });

  test('heights stay where the server writes them, and never move lon and lat', async () => {
    const actual = await answer('borne_3d');
    for (const { fid, geometry } of await readByOgr('borne_3d')) {
      const [x, y, z = Number.NaN] = toPosition(geometry);
      const [lon, lat, height = z] = toPosition(actual.get(fid)?.geometry);
      expect(toDeviations([lon, lat], [x, y], toPrecision('borne_3d'))).toEqual([]);
      expect(height).toBeCloseTo(z, 2);
    }
  });
});

const toPosition = (geometry: Row['geometry'] | undefined): number[] =>
  (geometry?.coordinates ?? []) as number[];

interface Row {
  readonly fid: number;
  readonly properties: Values;
  readonly geometry: { readonly type: string; readonly coordinates: unknown } | null;
}

/** ogr2ogr writes a Multi* of one part, where it looks for the antimeridian, as that part. */
const toCoordinates = (geometry: Row['geometry'], type: string): unknown =>
  type === `Multi${geometry?.type}` ? [geometry?.coordinates] : geometry?.coordinates;

async function readByOgr(layer: string): Promise<Row[]> {
  const collection = parseLossless(await toGeoJsonByOgr(layer)) as {
    features: { properties: Values; geometry: Row['geometry'] }[];
  };
  return collection.features.map(({ properties: { fid, gid: _, ...properties }, geometry }) => ({
    fid: fid as number,
    properties,
    geometry,
  }));
}

const mapStrings = (values: Values, map: (text: string) => string | null): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? map(value) : value]),
  );

/** Where two sets of properties differ in name, type or value; doubles to 14 digits, which is what ogr2ogr writes. */
function toDifferences(actual: Values, expected: Values): string[] {
  return [...new Set([...Object.keys(actual), ...Object.keys(expected)])].flatMap((name) => {
    const [a, b] = [actual[name], expected[name]];
    const isSame =
      typeof a === 'number' && typeof b === 'number'
        ? Math.abs(a - b) <= 1e-14 * Math.abs(b)
        : Object.is(a, b);
    return isSame ? [] : [`${name}: ${show(a)} instead of ${show(b)}`];
  });
}

/** Where two coordinate arrays differ in shape, or in a number by more than `precision`. */
function toDeviations(actual: unknown, expected: unknown, precision: number, path = ''): string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length)
      return [`${path}: ${show(actual)} instead of ${show(expected)}`];
    return expected.flatMap((one, index) => toDeviations(actual[index], one, precision, `${path}/${index}`));
  }
  const isNear = typeof actual === 'number' && Math.abs(actual - (expected as number)) <= precision * 1.001;
  return isNear ? [] : [`${path}: ${show(actual)} instead of ${show(expected)}`];
}

const show = (value: unknown): string =>
  `${typeof value} ${typeof value === 'bigint' ? value : (JSON.stringify(value) ?? '').slice(0, 200)}`;
