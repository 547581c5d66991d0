import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sqlList, toLab } from './lab.js';
import { type Recorded, type RecordingProxy, startRecordingProxy } from './recording-proxy.js';
import { type Parameters, type Service, startService } from './service.js';

jest.setTimeout(120_000);

// What a layer costs its server, counted between the service and the server. The capabilities are read once for all layers.

const around = '1.66,48.12,1.97,48.23';
/** Two or three communes of thirteen: whichever ten are looked at, some lie elsewhere. */
const south = '1.66,48.12,1.78,48.15';
/** Four communes of thirteen: a page that holds all that is known of a layer tells nothing of its filter. */
const some = '1.66,48.12,1.9,48.18';
const boxes = {
  parcelle: '1.66,48.12,1.67,48.13',
  commune: some,
  commune_l93: some,
  commune_merc: some,
  troncon: around,
  troncon_l93: around,
  adresse: around,
  adresse_merc: around,
  arbre: '1.65,48.1,1.69,48.12',
  carreau: around,
  departement: '0.5,47.5,3.5,49.5',
};
type Layer = keyof typeof boxes;
const every = Object.keys(boxes) as Layer[];

interface Store {
  readonly store: string;
  readonly server: 'mapserver' | 'cadastre' | 'qgis';
  readonly suffix: string;
  readonly layers: readonly Layer[];
  /** Where a layer's ids make a sort of its pages worth asking for, and the server refuses it. */
  readonly refusesToSort?: readonly Layer[];
}

const stores: readonly Store[] = [
  { store: 'MapServer over PostGIS', server: 'mapserver', suffix: '', layers: every },
  {
    store: 'MapServer over PostGIS, other namespace',
    server: 'cadastre',
    suffix: '',
    layers: ['parcelle', 'troncon_l93'],
  },
  { store: 'MapServer over GeoPackage', server: 'mapserver', suffix: '_gpkg', layers: every },
  {
    store: 'MapServer over FlatGeobuf',
    server: 'mapserver',
    suffix: '_fgb',
    layers: every,
    refusesToSort: ['parcelle', 'commune', 'commune_l93', 'commune_merc'],
  },
  { store: 'QGIS Server over GeoPackage', server: 'qgis', suffix: '', layers: every },
];

describe.each(stores)('$store', ({ server, suffix, layers, refusesToSort = [] }) => {
  let proxy: RecordingProxy;
  let service: Service;
  beforeAll(async () => {
    proxy = await startRecordingProxy(toLab()[server]);
    // each request at most once: none is spared by a cache of answers
    service = await startService(proxy.url, { CACHE_TTL_S: '0', WFS_RATE_LIMIT: '1000' });
    await service.search({ source: `valeur${suffix}`, _limit: 2 }); // the upstream itself is known
    await service.search({ source: `valeur${suffix}`, _limit: 2, _start: 2 });
    expect(proxy.take().filter(({ operation }) => operation === 'GetCapabilities')).toHaveLength(1);
  });
  afterAll(async () => {
    await service?.stop();
    await proxy?.close();
  });

  /** The requests that a search costs, in short. */
  const toCost = async (parameters: Parameters): Promise<string[]> => {
    const page = await service.search(parameters);
    expect([page.status, page.detail]).toEqual([200, undefined]);
    return proxy.take().map(toShort);
  };

  test.each(layers)(
    '%s costs three requests when it is first asked for, and none when known',
    async (layer) => {
      const few = { source: `${layer}${suffix}`, bbox: boxes[layer], _limit: 2 };
      // the first layer of all is asked for in more forms, one whose box does not tell the axes by more features
      const sample = expect.stringMatching(/^(10|200)$/);
      const learning = ['DescribeFeatureType', sample, expect.stringMatching(/^(10|40) filtered$/)];
      // who refuses to sort refuses the filter with it: what it was to tell, the page itself tells, compared here
      const first = refusesToSort.includes(layer) ? '100001 filtered' : '3 filtered';
      expect(await toCost({ ...few, _count: 'false' })).toEqual([...learning, first]);
      expect(await toCost({ ...few, _count: 'false' })).toEqual(['3 filtered']);
      // a count as large as none before is believed once nothing is found behind it
      const [page, hits, behind, ...others] = await toCost(few);
      expect([page, hits, others]).toEqual(['3 filtered', 'hits filtered', []]);
      expect(behind).toMatch(/^1 from \d+ filtered$/);
      expect(await toCost(few)).toEqual(['3 filtered', 'hits filtered']);
      expect(await toCost({ ...few, _start: 2 })).toEqual(['3 from 2 filtered']);
      // the last page: where no larger one was seen, the server could have cut it
      const last = await toCost({ ...few, _limit: 5000 });
      expect([['5001 filtered'], ['5001 filtered', behind]]).toContainEqual(last);
      // smaller ones are known to be whole
      const smaller = await toCost({ ...few, bbox: few.bbox.replace(/[^,]+$/, toSouth(few.bbox)) });
      expect(smaller.every((cost) => !cost.includes('from'))).toBe(true);
    },
  );
});

// MapServer refuses every CRS that a layer is not offered in, and FlatGeobuf every sort: each costs nothing more, whichever
// layer is the first of all, and wherever its first page starts.
describe.each([
  { store: 'PostGIS', suffix: '' },
  { store: 'GeoPackage', suffix: '_gpkg' },
  { store: 'FlatGeobuf', suffix: '_fgb' },
])('MapServer over $store, offered in Lambert-93 alone', ({ suffix }) => {
  const within = (layer: string, column: string) =>
    sqlList(`select ${column} from ${layer}
             where st_intersects(st_transform(geom, 4326), st_makeenvelope(${around}, 4326))`);
  const layers = [
    ['commune_l93', 'insee'],
    ['troncon_l93', 'nom'],
  ] as const;

  test.each<{ first: (typeof layers)[number]; second: (typeof layers)[number]; start: number }>([
    { first: layers[0], second: layers[1], start: 0 },
    { first: layers[1], second: layers[0], start: 0 },
    { first: layers[0], second: layers[1], start: 2 },
  ])('$first.0, then $second.0, from $start', async ({ first, second, start }) => {
    const proxy = await startRecordingProxy(toLab().lambert);
    const service = await startService(proxy.url, { CACHE_TTL_S: '0' });
    try {
      for (const [layer, column] of [first, second]) {
        const all = { source: `${layer}${suffix}`, bbox: around, _count: 'false' };
        const few = { ...all, _limit: 3, ...(start > 0 && { _start: start }) };
        const expected = (await within(layer, column)).sort();
        expect(expected.length).toBeGreaterThan(start + 3);
        const page = await service.search(few);
        const asked = proxy.take().filter(({ operation }) => operation !== 'GetCapabilities');
        expect([page.status, page.features.length]).toEqual([200, 3]);
        // the schema, the first features, the filter, and the page
        expect(asked.map(toShort)).toEqual([
          expect.anything(),
          expect.anything(),
          expect.anything(),
          expect.anything(),
        ]);
        await service.search(few);
        expect(proxy.take()).toHaveLength(1);
        const found = (await service.walk(all)).flatMap(({ features }) => features);
        expect(found.map(({ properties }) => String(properties[column])).sort()).toEqual(expected);
        proxy.take();
      }
    } finally {
      await service.stop();
      await proxy.close();
    }
  });
});

// Nothing is known of the upstream but what its capabilities say: the page is asked by boxes too, and its polygons are seen to be read.
test.each<{ server: 'mapserver' | 'lambert' | 'qgis'; layer: string; box: string; set: string }>([
  { server: 'mapserver', layer: 'parcelle_fgb', box: boxes.parcelle, set: 'auto' },
  { server: 'mapserver', layer: 'commune_fgb', box: south, set: 'auto' },
  { server: 'mapserver', layer: 'commune_l93_fgb', box: south, set: 'auto' },
  { server: 'lambert', layer: 'commune_l93', box: south, set: 'auto' },
  { server: 'lambert', layer: 'commune_l93_fgb', box: south, set: 'auto' },
  { server: 'qgis', layer: 'commune_l93', box: south, set: 'auto' },
  { server: 'mapserver', layer: 'commune_l93', box: south, set: 'latlon' },
  { server: 'mapserver', layer: 'parcelle_fgb', box: boxes.parcelle, set: 'latlon' },
  { server: 'lambert', layer: 'commune_l93', box: south, set: 'latlon' },
  { server: 'lambert', layer: 'commune_l93_fgb', box: south, set: 'latlon' },
])('$server, $layer first of all, WFS_AXIS_ORDER $set', async ({ server, layer, box, set }) => {
  const proxy = await startRecordingProxy(toLab()[server]);
  const service = await startService(proxy.url, { CACHE_TTL_S: '0', WFS_AXIS_ORDER: set });
  try {
    const found = await sqlList(`select gid from ${layer.replace('_fgb', '')}
      where st_intersects(st_transform(geom, 4326), st_makeenvelope(${box}, 4326))`);
    const whole = { source: layer, bbox: box, _limit: 5000, _count: 'false' };
    expect((await service.search(whole)).features).toHaveLength(found.length);
    const asked = proxy.take().map(toShort);
    expect(asked.filter((one) => !one.includes('from'))).toHaveLength(5); // the capabilities, and the page
    await service.search({ ...whole, _limit: 2 });
    expect(proxy.take().map(toShort)).toEqual(['3 filtered']);
  } finally {
    await service.stop();
    await proxy.close();
  }
});

/** The northern edge of a box, at its southern: nothing much lies between. */
const toSouth = (bbox: string): string => bbox.split(',')[1] ?? '';

function toShort({ operation, isHits, body }: Recorded): string {
  if (operation !== 'GetFeature') return operation;
  const attribute = (name: string) => new RegExp(` ${name}="(\\d+)"`).exec(body)?.[1];
  const filter = body.includes('<ogc:Filter') ? ' filtered' : '';
  const start = attribute('startIndex') === undefined ? '' : ` from ${attribute('startIndex')}`;
  return isHits ? `hits${filter}` : `${attribute('maxFeatures')}${start}${filter}`;
}
