import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGeoJsonByOgr, toLab } from './lab.js';
import { parseLossless } from './lossless.js';
import { type Feature, type Service, startService } from './service.js';

// What ogr2ogr reads from PostGIS, through no WFS, is what the service must answer, to the precision the server writes.
// Both servers hold the same rows: QGIS Server reads the GeoPackage that PostGIS was filled from, gid = fid.

type Values = Readonly<Record<string, unknown>>;
interface Server {
  readonly server: string;
  /** The table's key, as the server calls it. */
  readonly key: string;
  /** Largest deviation of a coordinate, in degrees: half of the last decimal the server writes. */
  readonly precision: number;
  /** What this server cannot say: its own deviations, each named. */
  readonly says: (values: Values) => Values;
}

const servers: readonly Server[] = [
  { server: 'MapServer', key: 'gid', precision: 0.5e-6, says: (values) => values },
  {
    server: 'QGIS Server',
    key: 'fid',
    precision: 0.5e-8,
    says: (values) => mapStrings(values, (text) => toTextWithoutZone(toTextOfQt(text))),
  },
];

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
  adresse: 'Point',
  arbre: 'MultiPoint',
  carreau: 'Polygon',
  valeur: 'Point',
  texte: 'Point',
  departement: 'MultiPolygon',
} as const;

describe.each(servers)('$server answers what ogr2ogr reads', ({ server, key, precision, says }) => {
  let service: Service;
  beforeAll(async () => {
    const lab = toLab();
    service = await startService(server === 'MapServer' ? lab.mapserver : lab.qgis);
  });
  afterAll(() => service?.stop());

  const answer = async (source: string): Promise<Map<unknown, Feature>> => {
    const pages = await service.walk({ source, _limit: 5000 });
    expect(pages.map((page) => page.status)).toEqual(pages.map(() => 200));
    const features = pages.flatMap((page) => page.features);
    return new Map(features.map((feature) => [feature.properties[key], feature]));
  };

  test.each(Object.entries(layers))(
    'on %s',
    async (layer, type) => {
      const expected = readByOgr(layer);
      const actual = await answer(layer);
      expect(actual.size).toBe(expected.length);

      const wrong = expected.flatMap(({ fid, properties, geometry }): object[] => {
        const feature = actual.get(fid);
        if (feature === undefined) return [{ fid, fault: 'missing' }];
        const { [key]: _, ...others } = feature.properties;
        const faults = [
          ...toDifferences(others, says(properties)),
          ...(feature.geometry?.type === type ? [] : [`geometry is ${feature.geometry?.type}`]),
          ...toDeviations(feature.geometry?.coordinates, geometry?.coordinates, precision),
        ];
        return faults.length === 0 ? [] : [{ fid, faults: faults.slice(0, 3) }];
      });
      expect(wrong.slice(0, 5)).toEqual([]);
    },
    60_000,
  );

  test('every attribute of every feature, in the order of the schema', async () => {
    const [first] = readByOgr('valeur');
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
    for (const { fid, geometry } of readByOgr('borne_3d')) {
      const [x, y, z] = geometry?.coordinates as number[];
      const [lon, lat, height] = actual.get(fid)?.geometry?.coordinates as number[];
      expect(toDeviations([lon, lat], [x, y], precision)).toEqual([]);
      if (height !== undefined) expect(height).toBeCloseTo(z ?? Number.NaN, 2);
    }
  });
});

interface Row {
  readonly fid: number;
  readonly properties: Values;
  readonly geometry: { readonly coordinates: unknown } | null;
}

function readByOgr(layer: string): Row[] {
  const collection = parseLossless(toGeoJsonByOgr(layer)) as {
    features: { properties: Values; geometry: Row['geometry'] }[];
  };
  return collection.features.map(({ properties: { fid, gid: _, ...properties }, geometry }) => ({
    fid: fid as number,
    properties,
    geometry,
  }));
}

const mapStrings = (values: Values, map: (text: string) => string): Values =>
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
