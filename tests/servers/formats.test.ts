import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sql, toLab } from './lab.js';
import { parseLossless } from './lossless.js';
import { type Feature, type Service, startService } from './service.js';

jest.setTimeout(120_000);

// What ogr2ogr reads from a format is what the GeoJSON says, feature by feature, digit by digit.

const folder = mkdtempSync(join(tmpdir(), 'carto-wfs-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const layers = [
  'parcelle',
  'commune',
  'troncon',
  'adresse',
  'arbre',
  'borne_3d',
  'valeur',
  'texte',
  'bord',
  'departement',
];

/** The answer in a format, as a file. */
async function download(service: Service, query: Record<string, string>): Promise<string> {
  const url = `${service.url}/api/wfs-geoportail/search?${new URLSearchParams(query)}`;
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const extensions: Record<string, string> = { flatgeobuf: 'fgb', geojsonseq: 'geojsons' };
  const format = query._format ?? '';
  const file = join(folder, `answer.${extensions[format] ?? format.slice(0, 3)}`);
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  return file;
}

async function readByOgr(file: string, ...options: string[]): Promise<Feature[]> {
  const args = ['-f', 'GeoJSON', '/vsistdout/', file, '-lco', 'COORDINATE_PRECISION=17', ...options];
  const { stdout } = await promisify(execFile)('ogr2ogr', args, { maxBuffer: 1 << 28 });
  return (parseLossless(stdout) as { features: Feature[] }).features;
}

/**
 * GDAL knows no days without a time in FlatGeobuf, and milliseconds at most; whether there is a zone stays. MapServer's
 * booleans are declared integers, and are 1 and 0 there.
 */
function toComparable(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  const [, day, time, zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:T([\d:.]+)(Z|[+-][\d:]+)?)?$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (day === undefined) return value;
  const isMidnight = time === undefined || /^[0:.]+$/.test(time);
  return isMidnight && zone === '' ? day : [Date.parse(`${day}T${time}${zone || 'Z'}`), zone !== ''];
}

/** The id's column steps aside for an attribute of the name. */
function takeId(properties: Feature['properties'] = {}): [id: unknown, others: Record<string, unknown>] {
  const { _id, ...others } = properties;
  if (_id !== undefined) return [_id, others];
  const { id, ...rest } = properties;
  return [id, rest];
}

/** A field of CSV, which has no types, against the value: numbers as the same number, digit by digit where whole. */
function isField(text: unknown, value: unknown): boolean {
  if (value === null) return text === '' || text === undefined || text === null;
  if (typeof value === 'bigint') return BigInt(String(text)) === value;
  if (typeof value === 'number') return text !== '' && Number(text) === value;
  // GDAL 3.6 takes the CR of a CRLF inside a field for none of it
  const read = (typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll('\r\n', '\n');
  return text === read;
}

describe.each(['mapserver', 'qgis'] as const)('over %s', (server) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab()[server]);
  });
  afterAll(() => service?.stop());

  const read = async (source: string) => {
    const { features } = await service.search({ source, _limit: 1000 });
    expect(features.length).toBeGreaterThan(0);
    return features;
  };

  test.each(layers)('FlatGeobuf and the text sequence: %s', async (source) => {
    const expected = await read(source);
    for (const _format of ['flatgeobuf', 'geojsonseq']) {
      const file = await download(service, { source, _limit: '1000', _format });
      const actual = await readByOgr(file);
      expect(actual).toHaveLength(expected.length);
      for (const [i, { id, geometry, properties }] of expected.entries()) {
        // of a GeoJSON feature GDAL leaves the id out where an attribute is called so
        const isLost = _format === 'geojsonseq' && 'id' in properties;
        const [itsId, its] = isLost ? [id, actual[i]?.properties ?? {}] : takeId(actual[i]?.properties);
        expect(itsId).toBe(id);
        expect(actual[i]?.geometry).toEqual(geometry);
        const [wanted, given] = [properties, its].map((values) =>
          Object.keys(properties).map((name) => [name, toComparable(values[name] ?? null)]),
        );
        expect(given).toEqual(wanted);
      }
    }
  });

  test.each(layers)('CSV: %s', async (source) => {
    const expected = await read(source);
    const file = await download(service, { source, _limit: '1000', _format: 'csv' });
    const actual = await readByOgr(file, '-oo', 'KEEP_GEOM_COLUMNS=NO');
    expect(actual).toHaveLength(expected.length);
    for (const [i, { id, geometry, properties }] of expected.entries()) {
      const [itsId, its] = takeId(actual[i]?.properties);
      expect(itsId).toBe(id);
      // -0 is 0 in text
      expect(JSON.stringify(actual[i]?.geometry)).toBe(JSON.stringify(geometry));
      const wrong = Object.entries(properties).filter(([name, value]) => !isField(its[name], value));
      expect(wrong.map(([name, value]) => [name, value, its[name]])).toEqual([]);
    }
  });

  test('types: what the schema says is what GDAL takes the columns of FlatGeobuf for', async () => {
    const file = await download(service, { source: 'valeur', _format: 'flatgeobuf' });
    const { stdout } = await promisify(execFile)('ogrinfo', ['-so', '-al', file]);
    const types = Object.fromEntries(
      [...stdout.matchAll(/^(\w+): ([\w() ]+) \(\d+\.\d+\)$/gm)].map(([, name = '', type]) => [name, type]),
    );
    expect(types).toMatchObject({
      id: 'String',
      code: 'String',
      grand: 'Integer64',
      vrai: server === 'qgis' ? 'Integer(Boolean)' : 'Integer64',
    });
    expect(stdout).toMatch(/ID\["EPSG",4326\]/);
  });

  test.each(['commune', 'troncon', 'adresse'])('centroids are those of PostGIS: %s', async (source) => {
    const file = await download(service, { source, _limit: '1000', _format: 'csv-centroid' });
    const key = server === 'qgis' ? 'fid' : 'gid';
    const possible = ['-oo', 'X_POSSIBLE_NAMES=lon', '-oo', 'Y_POSSIBLE_NAMES=lat'];
    const actual = await readByOgr(file, ...possible);

    const rows = await sql<{ gid: number; lon: number; lat: number }>(
      `select gid, st_x(st_centroid(geom)) lon, st_y(st_centroid(geom)) lat from ${source}`,
    );
    const expected = new Map(rows.map((row) => [String(row.gid), row]));
    expect(actual.length).toBeGreaterThan(0);
    for (const { geometry, properties } of actual) {
      const [lon, lat] = (geometry?.coordinates ?? []) as number[];
      const { lon: x, lat: y } = expected.get(String(properties[key])) ?? {};
      // the servers write six decimals, and eight
      expect(lon).toBeCloseTo(x ?? Number.NaN, 5);
      expect(lat).toBeCloseTo(y ?? Number.NaN, 5);
    }
  });

  test('what is shared comes as columns of numbers', async () => {
    const [first] = await read('commune');
    const query = { source: 'commune', _overlap: 'true', _limit: '5', geom: JSON.stringify(first?.geometry) };
    const { features } = (await service.search(query)) as unknown as {
      features: { id: string; overlap: { area: number; shareOfFeature: number; shareOfGeom: number } }[];
    };
    for (const [_format, options] of [
      ['flatgeobuf', []],
      ['csv', ['-oo', 'AUTODETECT_TYPE=YES', '-oo', 'KEEP_GEOM_COLUMNS=NO']],
    ] as const) {
      const actual = await readByOgr(await download(service, { ...query, _format }), ...options);
      expect(actual.map(({ properties }) => [properties.id, properties.overlap_area])).toEqual(
        features.map(({ id, overlap }) => [id, overlap.area]),
      );
      expect(actual.map(({ properties }) => properties.overlap_share_of_feature)).toEqual(
        features.map(({ overlap }) => overlap.shareOfFeature),
      );
    }
  });
});
