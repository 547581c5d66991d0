import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mapConcurrently } from '../support/concurrently.js';
import { CAP, sqlList, toLab } from './lab.js';
import { type Form, type Page, type Parameters, type Service, startService, toIds } from './service.js';

jest.setTimeout(120_000);

// PostgreSQL scans in parallel in this lab: pages that are not asked in a total order overlap and miss rows.

const ids = async (layer: string, column: string, where = 'true'): Promise<string[]> =>
  (await sqlList(`select '${layer}.' || ${column} from ${layer} where ${where}`)).sort();

/** Each id once, no page over its limit, and every count that is given is right. */
function expectPages(pages: readonly Page[], limit: number, expected: readonly string[]): void {
  expect(pages.map(({ status, detail }) => detail ?? status).filter((status) => status !== 200)).toEqual([]);
  expect(toIds(pages)).toEqual(expected);
  for (const page of pages) {
    expect(page.features.length).toBeLessThanOrEqual(limit);
    expect(page.numberReturned).toBe(page.features.length);
    expect([undefined, expected.length]).toContain(page.numberMatched);
  }
  // The last page knows the count, and no page is asked in vain.
  expect(pages.at(-1)?.numberMatched).toBe(expected.length);
  if (pages.length > 1) expect(pages.at(-1)?.features.length).toBeGreaterThan(0);
}

describe('following next over MapServer and PostGIS', () => {
  let service: Service;
  // The default of 25 requests a second is meant for the Géoplateforme: 5,000 pages would take minutes.
  beforeAll(async () => {
    service = await startService(toLab().mapserver, { WFS_RATE_LIMIT: '1000' });
  });
  afterAll(() => service?.stop());

  test.each([1, 7, 13, 1000])('commune with _limit %i', async (limit) => {
    const pages = await service.walk({ source: 'commune', _limit: limit });
    expectPages(pages, limit, await ids('commune', 'insee'));
    expect(pages).toHaveLength(Math.ceil(13 / limit));
  });

  test.each<[number, Form]>([
    [600, 'get'],
    [1000, 'json'],
    [5000, 'form'],
  ])('parcelle with _limit %i, asked by %s', async (limit, form) => {
    const pages = await service.walk({ source: 'parcelle', _limit: limit }, form);
    expectPages(pages, limit, await ids('parcelle', 'id'));
    expect(pages).toHaveLength(Math.ceil(5000 / limit));
  });

  test.each<[string, Parameters, string]>([
    ['an attribute', { code_com: '209' }, "code_com = '209'"],
    ['a sort that many rows share', { _sortBy: 'code_com' }, 'true'],
    ['a sort that is null in places, descending', { _sortBy: '-valeur' }, 'true'],
    [
      'a geometry',
      { geom: { type: 'LineString', coordinates: [[1.65, 48.11], [1.7, 48.14]] } }, // biome-ignore format: one line
      "ST_Intersects(geom, 'SRID=4326;LINESTRING(1.65 48.11,1.7 48.14)')",
    ],
    [
      'a box',
      { bbox: '1.66,48.12,1.67,48.13' },
      'ST_Intersects(geom, ST_MakeEnvelope(1.66, 48.12, 1.67, 48.13, 4326))',
    ],
  ])('with %s every feature comes once', async (_, parameters, where) => {
    const expected = await ids('parcelle', 'id', where);
    expect(expected.length).toBeGreaterThan(50);
    expectPages(await service.walk({ source: 'parcelle', _limit: 97, ...parameters }), 97, expected);
  });

  test('a sort by text comes in order, page after page', async () => {
    const pages = await service.walk({ source: 'parcelle', _limit: 600, _sortBy: '-section' });
    const sections = pages.flatMap((page) =>
      page.features.map((feature) => String(feature.properties.section)),
    );
    expect(sections).toEqual([...sections].sort().reverse());
  });

  test('_start beyond the end is an empty page without next', async () => {
    const [page, ...others] = await service.walk({ source: 'commune', _start: 13 });
    expect([page?.features, page?.numberReturned, others]).toEqual([[], 0, []]);
  });
});

describe('parcelle page by page over MapServer', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab().cadastre, { WFS_RATE_LIMIT: '1000' });
  });
  afterAll(() => service?.stop());

  test('with _limit 7', async () => {
    const pages = await service.walk({ source: 'parcelle', _limit: 7 });
    expectPages(pages, 7, await ids('parcelle', 'id'));
    expect(pages).toHaveLength(715);
  });

  test('with _limit 1: 5,000 pages, walked in four stretches at once', async () => {
    const stretch = 1250;
    const walks = await mapConcurrently([0, 1, 2, 3], 4, (n) =>
      service.walk({ source: 'parcelle', _limit: 1, _start: n * stretch, _count: 'false' }, 'get', stretch),
    );
    expect(walks.map((pages) => pages.length)).toEqual(walks.map(() => stretch));
    expectPages(walks.flat(), 1, await ids('parcelle', 'id'));
  }, 400_000);
});

describe.each([
  { limitMax: undefined, limits: [CAP - 1, CAP, CAP + 1, 1000, 5000] },
  { limitMax: String(CAP), limits: [CAP] },
])('an upstream that never sends more than 500, with LIMIT_MAX $limitMax', ({ limitMax, limits }) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab().capped, limitMax === undefined ? {} : { LIMIT_MAX: limitMax });
  });
  afterAll(() => service?.stop());

  test.each(limits)('loses nothing with _limit %i', async (limit) => {
    const pages = await service.walk({ source: 'parcelle', _limit: limit });
    expectPages(pages, limit, await ids('parcelle', 'id'));
  });

  test('loses nothing without a _limit, and never takes a cut page for the last', async () => {
    const pages = await service.walk({
      source: 'parcelle',
      ...(limitMax === undefined ? {} : { _limit: limitMax }),
    });
    expectPages(pages, 1000, await ids('parcelle', 'id'));
    const where = "code_com = '085'";
    const few = await ids('parcelle', 'id', where);
    expectPages(await service.walk({ source: 'parcelle', code_com: '085', _limit: 500 }), 500, few);
  });

  test('counts right', async () => {
    const page = await service.search({ source: 'parcelle', _count: 'true', _limit: 500 });
    expect(page.numberMatched).toBe(5000);
  });
});

// Over these no layer is sorted by a key of the table: GeoPackage has none that MapServer tells, FlatGeobuf refuses to sort.
// Their order does not change, but nothing says so: `warnings` does wherever there is more than one page.
describe.each(['_gpkg', '_fgb'] as const)('following next over MapServer and NAME%s', (suffix) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab().mapserver, { WFS_RATE_LIMIT: '1000' });
  });
  afterAll(() => service?.stop());

  test.each<[string, string, number]>([
    ['adresse', 'numero', 97],
    ['adresse', 'numero', 1000],
    ['troncon', 'nom', 50],
    ['troncon_l93', 'nom', 499],
    ['adresse_merc', 'numero', 600],
  ])('%s by its %s, with _limit %i', async (layer, attribute, limit) => {
    const pages = await service.walk({ source: `${layer}${suffix}`, _limit: limit });
    const rows = (await sqlList(`select ${attribute} from ${layer}`)).sort();
    expect(pages).toHaveLength(Math.ceil(rows.length / limit));
    const walked = pages.flatMap(({ features }) =>
      features.map(({ properties }) => String(properties[attribute])),
    );
    expect(walked.sort()).toEqual(rows);
    for (const { numberMatched } of pages) expect([undefined, rows.length]).toContain(numberMatched);
    expect(pages.at(-1)?.numberMatched).toBe(rows.length);
    for (const { warnings } of pages)
      expect(warnings?.map(({ code }) => code)).toEqual(['wfs.unstableOrder']);
  });

  test.each([700, 5000])('parcelle, with _limit %i', async (limit) => {
    const pages = await service.walk({ source: `parcelle${suffix}`, _limit: limit });
    const expected = (await sqlList(`select 'parcelle${suffix}.' || id from parcelle`)).sort();
    expectPages(pages, limit, expected);
    const isTold = suffix === '_fgb' && limit < 5000;
    for (const { warnings } of pages) expect(warnings === undefined).toBe(!isTold);
  });
});

describe('following next over QGIS Server', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(toLab().qgis, { WFS_RATE_LIMIT: '1000' });
  });
  afterAll(() => service?.stop());

  test.each([1, 7, 1000])('commune with _limit %i', async (limit) => {
    const pages = await service.walk({ source: 'commune', _limit: limit });
    expectPages(pages, limit, await ids('commune', 'gid'));
    expect(pages).toHaveLength(Math.ceil(13 / limit));
  });

  // One commune's parcels for the small limits: QGIS Server sorts the whole layer for every page.
  test.each<[number, Parameters, string]>([
    [1, { section: 'DA', code_com: '901' }, "section = 'DA' and code_com = '901'"],
    [7, { code_com: '209' }, "code_com = '209'"],
    [7, { code_com: '209', _sortBy: '-feuille' }, "code_com = '209'"],
    [1000, {}, 'true'],
    [5000, {}, 'true'],
  ])('parcelle with _limit %i and %j', async (limit, parameters, where) => {
    const expected = await ids('parcelle', 'gid', where);
    expect(expected.length).toBeGreaterThan(50);
    expectPages(await service.walk({ source: 'parcelle', _limit: limit, ...parameters }), limit, expected);
  });

  test('a sort by number comes in order, page after page', async () => {
    const pages = await service.walk({ source: 'parcelle', _limit: 900, _sortBy: 'contenance' });
    const values = pages.flatMap((page) =>
      page.features.map((feature) => Number(feature.properties.contenance)),
    );
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });
});
