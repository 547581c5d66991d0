import { setTimeout } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { createProjection } from '../../src/crs/index.js';
import {
  type Ability,
  createLayer,
  type DemoServerOptions,
  type Layer,
  type RecordedRequest,
} from '../../src/demo/index.js';
import {
  createIntersects,
  type Geometry,
  mapPositions,
  type Position,
  toPositions,
} from '../../src/geometry/index.js';
import { createAbilities } from '../../src/wfs/abilities.js';
import {
  box,
  caller,
  filter,
  firstPosition,
  follow,
  layers,
  parcels,
  start,
  toExpected,
} from './embedded.js';
import { few, lat, lon, triangle } from './few.js';

const PARCEL = parcels.typeName;
/** Far from the first features, which its filter keeps away. */
const [farthestX, farthestY] = firstPosition(few.features.at(-1)?.geometry);
const beyond = box(farthestX - 0.0012, farthestY - 0.0012, farthestX + 0.0012, farthestY + 0.0012);
const line: Geometry = {
  type: 'LineString',
  coordinates: [
    [lon, lat],
    [lon + 0.003, lat + 0.003],
  ],
};
const someAt = few.features.slice(0, 40).map(({ geometry }) => firstPosition(geometry));
const away = (distance: number) => mapPositions(triangle, (x, y) => [x - distance, y - distance]);
/** Each kind of geometry, by itself and in a union; and how many features a page holds. */
const everyKind: readonly (readonly [readonly Geometry[], number])[] = [
  [[triangle], 1000],
  [[line], 3],
  [[{ type: 'Point', coordinates: [lon, lat] }], 1000],
  [[{ type: 'MultiPoint', coordinates: someAt }], 20],
  [[{ type: 'MultiLineString', coordinates: [toPositions(line), someAt.slice(0, 2)] }], 1000],
  [
    [
      {
        type: 'MultiPolygon',
        coordinates: [triangle, away(0.005)].map(({ coordinates }) => coordinates as Position[][]),
      },
    ],
    1000,
  ],
  // a square with a hole in its middle
  [
    [
      {
        type: 'Polygon',
        coordinates: [
          ...(box(lon - 0.003, lat - 0.003, lon + 0.003, lat + 0.003).coordinates as Position[][]),
          ...(box(lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002).coordinates as Position[][]),
        ],
      },
    ],
    1000,
  ],
  [[away(0.004), line, { type: 'Point', coordinates: someAt[7] as Position }], 5],
];
const numeroAt = few.attributes.findIndex(({ name }) => name === 'numero');
const numbers = few.features.slice(0, 30).map(({ values }) => String(values[numeroAt]));
const startFew = (options: DemoServerOptions, wfs = {}) => start({ ...options, layers: [few] }, wfs);

describe('an upstream that lacks something still answers rightly', () => {
  const lacking: Ability[][] = [
    [],
    ['Intersects'],
    ['Intersects', 'BBOX'],
    ['filter'],
    ['startIndex'],
    ['sortBy'],
    ['sorting'],
    ['sorting', 'Intersects'],
    ['sorting', 'startIndex'],
    ['hits'],
    ['primaryKey'],
    ['propertyName'],
    ['post'],
    ['post', 'Intersects'],
    ['PropertyIsLike', 'PropertyIsBetween'],
    // Opendatasoft, when it passes over what it does not know
    ['filter', 'startIndex', 'sortBy'],
  ];
  const orders = ['standard', 'lonLat', 'latLon'] as const;
  for (const [k, lacks] of lacking.entries()) {
    test.each(lacks.length === 0 ? orders : orders.filter((_, n) => n === k % 3))(
      `${lacks.length === 0 ? 'nothing' : lacks.join(', ')}; its axis order %s`,
      async (order) => {
        const { search } = await startFew({ lacks: new Set(lacks), axisOrder: { in: order, out: order } });
        for (const [geometries, limit] of everyKind) {
          const expected = toExpected(few, geometries).sort();
          expect(expected.length).toBeGreaterThan(geometries[0]?.type === 'Point' ? 0 : 3);
          const { ids, ends } = await follow(search, { source: PARCEL, geometries, limit, count: 'always' });
          expect(ids.sort()).toEqual(expected);
          for (const { numberMatched = expected.length } of ends) expect(numberMatched).toBe(expected.length);
        }
        const isNumbered = ({ numero }: Record<string, unknown>) => numbers.includes(String(numero));
        const numbered = toExpected(few, [box(-180, -90, 180, 90)], isNumbered);
        expect(numbered.length).toBeGreaterThan(numbers.length - 1);
        const found = await follow(search, {
          source: PARCEL,
          attributes: [filter('numero', ...numbers)],
          limit: 20,
        });
        expect(found.ids.sort()).toEqual(numbered.sort());
        const both = toExpected(few, [triangle], isNumbered).sort();
        const page = await search({
          source: PARCEL,
          geometries: [triangle],
          attributes: [filter('numero', ...numbers)],
          propertyNames: ['idu'],
        });
        expect(page.ids.sort()).toEqual(both);
        expect(page.features.every(({ properties }) => Object.keys(properties).join() === 'idu')).toBe(true);
      },
    );
  }

  test('no startIndex and a cap kept quiet about: what lies behind the cap is a 422, never an empty page', async () => {
    const { search } = await startFew({ lacks: new Set(['startIndex']), maxFeaturesCap: 20 });
    const whole = await search({ source: PARCEL, limit: 1000 });
    expect(whole.ids).toHaveLength(20);
    expect(whole.end.numberMatched).toBeUndefined();
    expect(whole.end.warnings?.map(({ id }) => id)).toEqual(['wfs.mayBeCut']);
    const first = await search({ source: PARCEL, limit: 19 });
    expect(first.end.next).toEqual({ startIndex: 19 });
    const small = await search({ source: PARCEL, geometries: [{ type: 'Point', coordinates: [lon, lat] }] });
    expect(small.end.numberMatched).toBe(small.ids.length);
    await expect(search({ source: PARCEL, limit: 20, startIndex: 20 })).rejects.toMatchObject({
      kind: 'notAnswerable',
      text: { id: 'wfs.mayNotPage' },
    });
  });

  test('filters passed over, no sort, no startIndex, and a cap kept quiet about: what may be missing is said', async () => {
    const lacks = new Set<Ability>(['filter', 'sorting', 'startIndex']);
    for (const query of [
      { geometries: [triangle] },
      { geometries: [beyond] },
      { attributes: [filter('numero', '1')] },
    ]) {
      const { search } = await startFew({ lacks, maxFeaturesCap: 20 });
      for (let asked = 0; asked < 2; asked += 1) {
        const { end } = await search({ source: PARCEL, ...query });
        expect(end.numberMatched).toBeUndefined();
        expect(end.warnings?.map(({ id }) => id)).toContain('wfs.mayBeCut');
      }
    }
  });

  test('more to read than is allowed: one match at the very end is found or a 422, never an empty answer', async () => {
    const last = few.features.at(-1);
    const attributes = [
      filter('idu', String(last?.values[few.attributes.findIndex(({ name }) => name === 'idu')])),
    ];
    const lacks = new Set<Ability>(['filter']);
    const enough = await startFew({ lacks }, { maxScanFeatures: few.features.length });
    expect((await enough.search({ source: PARCEL, attributes, limit: 1 })).ids).toEqual([last?.id]);
    const tooFew = await startFew({ lacks }, { maxScanFeatures: few.features.length - 1 });
    await expect(tooFew.search({ source: PARCEL, attributes, limit: 1 })).rejects.toMatchObject({
      kind: 'notAnswerable',
      text: { id: 'wfs.tooManyToScan' },
    });
  });

  test('what was found out is told with the source', async () => {
    const { search, source } = await startFew({ lacks: new Set(['Intersects', 'post']) });
    await search({ source: PARCEL, geometries: [line] });
    const caller = { credentials: {}, signal: new AbortController().signal };
    const { upstream } = await source.describe(PARCEL, caller);
    expect(upstream).toMatchObject({
      spatialFilter: 'BBOX',
      method: 'GET',
      axisOrderOut: 'latLon',
      code: 4326,
    });
  });
});

describe('an upstream that refuses to sort', () => {
  const toKind = ({ method, url, body }: RecordedRequest) => {
    if (method === 'GET') return /request=(\w+)/.exec(url)?.[1] ?? url;
    if (body.includes('startIndex=')) return 'behind';
    const size = /maxFeatures="(\d+)"/.exec(body)?.[1] ?? 'hits';
    return `${size}${body.includes('<ogc:Filter') ? ' filtered' : ''}${body.includes('<ogc:SortBy') ? ' sorted' : ''}`;
  };
  const startRefusing = (order: 'standard' | 'lonLat', layer = few) =>
    start({ layers: [layer], lacks: new Set(['sorting']), axisOrder: { in: order, out: order } });
  const learning = ['GetCapabilities', 'DescribeFeatureType', '10', '40 filtered sorted'];
  const mirrored: Geometry = mapPositions(triangle, (x, y) => [y, x]);

  test.each<[string, Geometry, string]>([
    ['elsewhere', beyond, '3 filtered'],
    ['where nothing is', box(lon + 1, lat, lon + 1.1, lat + 0.1), '3 filtered'],
    // which does not tell whether filters are read at all: compared here, until another page tells
    ['around all there is', box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01), '100001 filtered'],
  ])('costs three requests before the page, and none when known: %s', async (_, geometry, again) => {
    const { search, requests } = await startRefusing('standard');
    const expected = toExpected(few, [geometry]).sort();
    const query = { source: PARCEL, geometries: [geometry], limit: 1000, count: 'never' as const };
    expect((await search(query)).ids.sort()).toEqual(expected);
    // where the page is as large as none before, nothing may stand behind it
    const behind = expected.length > 10 ? ['behind'] : [];
    expect(requests.map(toKind)).toEqual([...learning, '100001 filtered', ...behind]);
    requests.length = 0;
    expect((await search({ ...query, limit: 2 })).ids).toHaveLength(Math.min(2, expected.length));
    expect(requests.map(toKind)).toEqual([again]);
  });

  test('is asked for a page in two orders until one tells which is read', async () => {
    const { search, requests } = await startRefusing('standard');
    const world = box(-179, -89, 179, 89);
    for (const geometry of [world, mirrored, beyond, world]) {
      const { ids } = await search({ source: PARCEL, geometries: [geometry], count: 'never' });
      expect(ids.sort()).toEqual(toExpected(few, [geometry]).sort());
    }
    expect(requests.map(toKind).filter((kind) => kind !== 'behind')).toEqual([
      ...learning,
      ...Array(3).fill('100001 filtered'),
      '1001 filtered',
    ]);
  });

  test('and reads filters in another order than the standard’s is found out by that', async () => {
    for (const geometry of [triangle, box(lon + 1, lat, lon + 1.1, lat + 0.1), mirrored]) {
      const { search, requests } = await startRefusing('lonLat');
      for (const asked of [geometry, beyond, geometry]) {
        const { ids } = await search({ source: PARCEL, geometries: [asked], count: 'never' });
        expect(ids.sort()).toEqual(toExpected(few, [asked]).sort());
      }
      expect(
        requests
          .map(toKind)
          .filter((kind) => kind !== 'behind')
          .at(-1),
      ).toBe('1001 filtered');
    }
  });

  test('says so with the layer, and once pages are asked for', async () => {
    const { search, source } = await startRefusing('standard');
    const { end } = await search({ source: PARCEL, geometries: [beyond], limit: 2 });
    expect(end.warnings?.map(({ id }) => id)).toEqual(['wfs.unstableOrder']);
    const { upstream } = await source.describe(PARCEL, caller());
    expect(upstream).toMatchObject({
      canSort: false,
      isCertain: true,
      filterForms: [{ axisOrder: 'latLon' }],
    });
    expect(upstream).not.toHaveProperty('open');
  });
});

describe('a layer that is offered in its own CRS alone, which the upstream holds to', () => {
  const toLambert = (name: string): Layer => {
    const projection = createProjection(2154);
    const features = few.features.map((feature) => ({
      ...feature,
      geometry:
        feature.geometry && mapPositions(feature.geometry, (x, y) => projection?.fromLonLat(x, y) ?? [x, y]),
    }));
    return createLayer(
      { ...parcels, typeName: `l93:${name}`, prefix: 'l93', name, code: 2154 } as Layer,
      features,
    );
  };
  const [one, other] = [toLambert('one'), toLambert('other')];
  const toSrsName = ({ body }: RecordedRequest) => /<wfs:Query[^>]*srsName="([^"]+)"/.exec(body)?.[1];

  test('costs three requests, is read in that, and says nothing of other layers', async () => {
    const { search, source, requests } = await start({
      layers: [one, other, few],
      lacks: new Set(['unlistedSrs']),
    });
    const expected = toExpected(few, [beyond]).sort();
    const asked: (number | (string | undefined)[])[] = [];
    for (const layer of [one, other, few, one]) {
      requests.length = 0;
      const query = { source: layer.typeName, geometries: [beyond], count: 'never' as const };
      expect((await search(query)).ids.sort()).toEqual(expected);
      const features = requests.filter(({ body }) => body !== '' && !body.includes('startIndex='));
      asked.push(features.map(toSrsName));
    }
    const wgs84 = 'urn:ogc:def:crs:EPSG::4326';
    expect(asked).toEqual([
      [undefined, wgs84, undefined], // the first features; refused; the page, which tells how its filter is read
      [undefined, undefined, undefined], // the first features, the filter, the page
      [wgs84, wgs84, wgs84],
      [undefined],
    ]);
    for (const [layer, isAskedInWgs84] of [
      [one, false],
      [other, false],
      [few, true],
    ] as const) {
      const { upstream } = await source.describe(layer.typeName, caller());
      const form = isAskedInWgs84 ? { code: 4326, axisOrder: 'latLon' } : { code: 2154, axisOrder: 'lonLat' };
      const read = { spatialFilter: 'Intersects', filterForms: [form] };
      expect(upstream).toMatchObject({ isAskedInWgs84, isCertain: true, ...read });
    }
  });
});

describe('a layer of which capabilities name its own CRS alone', () => {
  const buildings = layers.find(({ code }) => code === 2154) as Layer;
  const toSrsNames = (requests: readonly RecordedRequest[]) =>
    requests
      .filter(({ body }) => body !== '' && !body.includes('startIndex='))
      .map(({ body }) => /<wfs:Query[^>]*srsName="([^"]+)"/.exec(body)?.[1]);

  test.each(['standard', 'lonLat', 'latLon'] as const)(
    'is asked in WGS84 by an upstream that answers in that all the same, its axis order %s',
    async (order) => {
      const own: Layer = createLayer({ ...buildings }, buildings.features.slice(0, 100));
      const axisOrder = { in: order, out: order };
      const { search, source, requests } = await start({
        layers: [own],
        lacks: new Set(['srsList']),
        axisOrder,
      });
      const whole = await search({ source: own.typeName, limit: 5000, count: 'never' });
      expect(whole.ids).toHaveLength(own.features.length);
      const wgs84 = 'urn:ogc:def:crs:EPSG::4326';
      expect(toSrsNames(requests)).toEqual([undefined, wgs84, wgs84]); // features, the filter, the page
      const toLonLat = createProjection(2154)?.toLonLat;
      const [x, y] = firstPosition(own.features.find(({ id }) => id === whole.ids[0])?.geometry);
      const [foundX, foundY] = firstPosition(whole.features[0]?.geometry);
      const [expectedX, expectedY] = toLonLat?.(x, y) ?? [0, 0];
      expect(Math.hypot(foundX - expectedX, foundY - expectedY)).toBeLessThan(1e-6);
      const { upstream } = await source.describe(own.typeName, caller());
      expect(upstream).toMatchObject({
        isAskedInWgs84: true,
        code: 4326,
        unlistedSrs: true,
        isCertain: true,
      });
    },
  );
});

describe('a layer in Lambert-93, by an upstream that transforms nothing', () => {
  const buildings = layers.find(({ code }) => code === 2154) as Layer;
  const own: Layer = createLayer({ ...buildings }, buildings.features.slice(0, 100));
  const toWgs84 = createProjection(2154);
  const shown = own.features.map(({ id, geometry }) => ({
    id,
    geometry:
      geometry && mapPositions(geometry, (x, y) => [...(toWgs84?.toLonLat(x, y) ?? [])] as [number, number]),
  }));
  const [first] = shown.flatMap(({ geometry }) => (geometry ? toPositions(geometry) : []));
  const area = box(
    (first?.[0] ?? 0) - 0.004,
    (first?.[1] ?? 0) - 0.003,
    (first?.[0] ?? 0) + 0.004,
    (first?.[1] ?? 0) + 0.003,
  );
  const intersects = createIntersects([area]);
  const expected = shown.filter(({ geometry }) => geometry && intersects(geometry)).map(({ id }) => id);

  test.each<{ lacks: Ability[] }>([
    { lacks: [] },
    { lacks: ['reprojection'] },
    { lacks: ['reprojection', 'Intersects'] },
    { lacks: ['reprojection', 'filter'] },
  ])('answers in WGS84 ($lacks)', async ({ lacks }) => {
    expect(expected.length).toBeGreaterThan(3);
    expect(expected.length).toBeLessThan(own.features.length);
    const { search } = await start({ layers: [own], lacks: new Set(lacks) });
    const { ids, features } = await search({ source: own.typeName, geometries: [area] });
    expect(ids.sort()).toEqual(expected.sort());
    const [x, y] = firstPosition(features.find(({ id }) => id === shown[0]?.id)?.geometry);
    expect(Math.hypot(x - (first?.[0] ?? 0), y - (first?.[1] ?? 0))).toBeLessThan(1e-7);
  });

  test('the whole world is asked for as far as the projection reaches', async () => {
    const { search } = await start({ layers: [own] });
    for (const bbox of [
      [-180, -90, 180, 90],
      [-170, -90, 170, 90],
      [-180, -90, 180, 84],
    ] as const) {
      expect((await search({ source: own.typeName, bbox })).ids).toHaveLength(
        own.features.filter(({ geometry }) => geometry !== null).length,
      );
      const [w, s, e, n] = bbox;
      const geometries = [box(w, s, e, n)];
      expect((await search({ source: own.typeName, geometries })).end.numberMatched).toBeGreaterThan(80);
    }
  });
});

describe('a search is explained', () => {
  const caller = { credentials: {}, signal: new AbortController().signal };
  const query = {
    source: PARCEL,
    attributes: [filter('section', 'AB')],
    limit: 5,
    startIndex: 0,
    count: 'auto',
  } as const;

  test('the request that would be sent, what was learnt, and what is done where', async () => {
    const { source, search, requests } = await startFew({});
    const { request, steps } = await source.explain({ ...query, geometries: [triangle] }, caller);
    await search({ ...query, geometries: [triangle], count: 'never' });
    expect(request.body).toBe(requests.find(({ body }) => body.includes('maxFeatures="6"'))?.body);
    expect(steps.map(({ id }) => id)).toEqual(['explain.intersected', 'explain.swapped', 'explain.sorted']);
  });

  test('by GET, with boxes, attributes compared here', async () => {
    const { source } = await startFew({ lacks: new Set(['post', 'Intersects']) });
    const { request, steps } = await source.explain({ ...query, geometries: [triangle] }, caller);
    expect(request.method).toBe('GET');
    expect(new URL(request.url).searchParams.get('filter')).toMatch(/<ogc:BBOX>.*<ogc:Literal>AB</);
    expect(steps[0]).toMatchObject({ id: 'explain.boxed' });
  });
});

describe('what was learnt is learnt anew when an answer contradicts it', () => {
  test('the upstream changes the order of its axes', async () => {
    const axisOrder: { in: 'standard' | 'lonLat'; out: 'standard' | 'lonLat' } = {
      in: 'standard',
      out: 'standard',
    };
    const { search } = await startFew({ axisOrder });
    const expected = toExpected(few, [triangle]).sort();
    expect((await search({ source: PARCEL, geometries: [triangle] })).ids.sort()).toEqual(expected);
    axisOrder.out = 'lonLat';
    const { features } = await search({ source: PARCEL, geometries: [triangle] });
    expect(features.map(({ id }) => id).sort()).toEqual(expected);
    const [x, y] = firstPosition(features[0]?.geometry);
    expect([Math.round(x), Math.round(y)]).toEqual([Math.round(lon), Math.round(lat)]);
  });
});

describe('an upstream that loses something after it was learnt still answers rightly', () => {
  const lost: Ability[][] = [
    ['filter'],
    ['Intersects'],
    ['sorting'],
    ['hits'],
    ['post'],
    ['primaryKey'],
    ['filter', 'sorting'],
  ];
  const wide = createLayer(
    { ...parcels },
    parcels.features.filter((_, k) => k % 20 === 0),
  );
  const [x, y] = firstPosition(wide.features[wide.features.length >> 1]?.geometry);
  const part = box(x - 0.005, y - 0.004, x + 0.005, y + 0.004);
  test.each(lost.map((names) => ({ names })))('$names', async ({ names }) => {
    const { search, lacks } = await start({ layers: [wide] });
    const expected = toExpected(wide, [part]).sort();
    expect(expected.length).toBeGreaterThan(10);
    expect(expected.length).toBeLessThan(wide.features.length / 2);
    const walk = (limit: number) =>
      follow(search, { source: PARCEL, geometries: [part], limit, count: 'always' });
    expect((await walk(7)).ids.sort()).toEqual(expected);
    for (const name of names) lacks.add(name);
    for (const limit of [1000, 7]) {
      const { ids, ends } = await walk(limit);
      expect(ids.sort()).toEqual(expected);
      for (const { numberMatched = expected.length } of ends) expect(numberMatched).toBe(expected.length);
    }
  });
});

test('operators that capabilities do not list any more are not asked for once those were read', async () => {
  const { search, lacks, requests } = await startFew({});
  const query = { source: PARCEL, geometries: [triangle] };
  const expected = toExpected(few, [triangle]).sort();
  expect((await search(query)).ids.sort()).toEqual(expected);
  for (const operator of ['Intersects', 'BBOX'] as const) lacks.add(operator);
  const now = performance.now.bind(performance);
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + 11 * 60_000);
  try {
    await search({ source: PARCEL, limit: 1 }); // capabilities are read anew behind its back
    while (requests.filter(({ url }) => url.includes('GetCapabilities')).length < 2) await setTimeout(10);
    await setTimeout(50);
    expect((await search(query)).ids.sort()).toEqual(expected);
  } finally {
    clock.mockRestore();
  }
});

describe('WFS_AXIS_ORDER', () => {
  test.each([
    ['lonLat', { in: 'lonLat', out: 'lonLat' }, 'lonLat'],
    ['latLon', { in: 'latLon', out: 'latLon' }, 'latLon'],
  ] as const)(
    '%s overrides what would be learnt: the filter is tried in that order alone',
    async (_, axisOrder, set) => {
      const { search, source, requests } = await startFew({ axisOrder }, { axisOrder: set });
      const { ids } = await search({ source: PARCEL, geometries: [triangle], count: 'never' });
      expect(ids.sort()).toEqual(toExpected(few, [triangle]).sort());
      const [tried] = requests.filter(({ body }) => body.includes('maxFeatures="40"'));
      const swapped = new RegExp(`<gml:posList>${set === 'lonLat' ? '48' : '1'}[.]`);
      expect(tried?.body).toContain('<gml:posList>');
      expect(tried?.body).not.toMatch(swapped);
      const { upstream } = await source.describe(PARCEL, caller());
      expect(upstream).toMatchObject({ axisOrderOut: set, axisOrderFrom: 'setting' });
    },
  );

  test('is believed even where it is wrong', async () => {
    const { search } = await startFew({}, { axisOrder: 'lonLat' });
    await expect(search({ source: PARCEL, limit: 50 })).rejects.toMatchObject({
      kind: 'upstreamUnusable',
      text: { id: 'wfs.contradictory' },
    });
  });
});

describe('an upstream that finds nothing by polygons, and refuses to sort', () => {
  const startUnread = (lacks: Ability[], order: 'standard' | 'lonLat') =>
    start({
      layers: [few],
      lacks: new Set<Ability>(['posList', 'sorting', ...lacks]),
      axisOrder: { in: order, out: order },
    });
  const toOperators = ({ body }: RecordedRequest) => [
    ...new Set([...body.matchAll(/<ogc:(Intersects|BBOX)>/g)].map(([, name]) => name)),
  ];
  /** But for what may stand behind them. */
  const toPages = (requests: readonly RecordedRequest[]) =>
    requests.filter(({ body }) => body.includes('maxFeatures="100001"') && !body.includes('startIndex='));
  const nowhere = box(lon + 1, lat, lon + 1.1, lat + 0.1);

  test.each<['standard' | 'lonLat', string, Geometry]>([
    ['standard', 'elsewhere', beyond],
    ['lonLat', 'elsewhere', beyond],
    ['standard', 'where nothing is', nowhere],
    ['lonLat', 'where nothing is', nowhere],
    ['standard', 'around the features that could tell', triangle],
  ])('is asked by boxes too, until a page tells: %s, %s', async (order, _, geometry) => {
    const { search, source, requests } = await startUnread([], order);
    const query = { source: PARCEL, count: 'never' as const };
    expect((await search({ ...query, geometries: [geometry] })).ids.sort()).toEqual(
      toExpected(few, [geometry]).sort(),
    );
    expect(toPages(requests).map(toOperators)).toEqual([['Intersects', 'BBOX']]);
    const { upstream } = await source.describe(PARCEL, caller());
    const isTold = geometry !== triangle;
    expect(upstream).toMatchObject({ spatialFilter: isTold ? 'BBOX' : 'Intersects', isCertain: isTold });
    for (const kind of [triangle, beyond, nowhere, ...everyKind.flatMap(([geometries]) => geometries)]) {
      requests.length = 0;
      const { ids } = await search({ ...query, geometries: [kind] });
      expect(ids.sort()).toEqual(toExpected(few, [kind]).sort());
      const pages = toPages(requests).map(toOperators);
      expect(pages).toEqual([isTold ? ['BBOX'] : expect.anything()]);
    }
  });

  test('is not taken to read them for what its boxes, turned in the CRS of the layer, find beside', async () => {
    const [west, south] = [-4.4, 48.4]; // where Lambert-93 is turned by five degrees
    const squares = Array.from({ length: 36 }, (_, k) => {
      const [x, y] = [west + 0.002 * (k % 6), south + 0.002 * Math.floor(k / 6)];
      return box(x, y, x + 0.001, y + 0.001);
    });
    const inLambert = (geometry: Geometry) => mapPositions(geometry, (x, y) => [...toLambert(x, y)]);
    const toLambert = (x: number, y: number) => createProjection(2154)?.fromLonLat(x, y) ?? ([x, y] as const);
    const layer = createLayer(
      { ...few, code: 2154, wgs84Bbox: [west, south, west + 0.02, south + 0.02] } as Layer,
      squares.map((square, k) => ({ ...few.features[k]!, geometry: inLambert(square) })),
    );
    for (const lacks of [['posList', 'sorting'], ['sorting']] as Ability[][]) {
      const { search } = await start({ layers: [layer], lacks: new Set(lacks) });
      // long and flat, above the first rows
      const flat = box(west - 0.1, south + 0.0062, west + 0.12, south + 0.0066);
      for (const [geometry, count] of [
        [flat, 6],
        [box(west, south, west + 0.001, south + 0.001), 1],
        [flat, 6],
      ] as const) {
        const { ids } = await search({ source: PARCEL, geometries: [geometry], count: 'never' });
        expect(ids).toHaveLength(count);
      }
    }
  });

  test('and lists no BBOX is asked by Intersects with boxes', async () => {
    for (const geometry of [beyond, nowhere, triangle]) {
      const { search, requests } = await startUnread(['BBOX'], 'standard');
      for (const kind of [geometry, triangle, beyond]) {
        requests.length = 0;
        const { ids } = await search({ source: PARCEL, geometries: [kind], count: 'never' });
        expect(ids.sort()).toEqual(toExpected(few, [kind]).sort());
        expect(toPages(requests)).toHaveLength(1);
      }
    }
  });

  test('is asked by boxes no more once polygons were seen to be read on another layer', async () => {
    const other = createLayer({ ...few, prefix: 'd', name: 'others' }, few.features);
    const { search, requests } = await start({ layers: [few, other], lacks: new Set<Ability>(['sorting']) });
    await search({ source: PARCEL, geometries: [beyond] });
    requests.length = 0;
    const { ids } = await search({ source: 'd:others', geometries: [triangle] });
    expect(ids.sort()).toEqual(toExpected(few, [triangle]).sort());
    expect(requests.flatMap(toOperators)).not.toContain('BBOX');
  });
});

describe('forms of filters that find nothing, though they are accepted', () => {
  const far = parcels.features.filter((_, k) => k % 200 === 0);
  const spread = createLayer({ ...parcels }, far);
  const [a, b] = [far[3], far[90]].map((feature) => firstPosition(feature?.geometry));
  const around = ([x, y]: readonly [number, number]) => box(x - 1e-5, y - 1e-5, x + 1e-5, y + 1e-5);
  const [one, other] = [around(a ?? [0, 0]), around(b ?? [0, 0])];
  const kinds: Geometry[] = [
    { type: 'MultiPolygon', coordinates: [one, other].map(({ coordinates }) => coordinates as Position[][]) },
    {
      type: 'MultiPoint',
      coordinates: far.slice(0, 60).map(({ geometry }) => firstPosition(geometry)),
    },
    { type: 'MultiLineString', coordinates: [toPositions(one), toPositions(other)] },
  ];

  test.each<{ lacks: Ability[]; multiGeometry: boolean | undefined }>([
    { lacks: [], multiGeometry: true },
    { lacks: ['multiGeometry'], multiGeometry: false },
    { lacks: ['posList'], multiGeometry: undefined },
    { lacks: ['posList', 'multiGeometry'], multiGeometry: undefined },
    { lacks: ['posList', 'BBOX'], multiGeometry: undefined },
  ])('are found out by the probe, and nothing is lost: $lacks', async ({ lacks, multiGeometry }) => {
    for (const order of ['standard', 'lonLat'] as const) {
      const { source, search, requests } = await start({
        layers: [spread],
        lacks: new Set(lacks),
        axisOrder: { in: order, out: order },
      });
      for (const kind of kinds) {
        const expected = toExpected(spread, [kind]).sort();
        expect(expected.length).toBeGreaterThan(1);
        expect((await search({ source: PARCEL, geometries: [kind] })).ids.sort()).toEqual(expected);
      }
      const { upstream } = await source.describe(PARCEL, caller());
      expect(upstream?.multiGeometry).toBe(multiGeometry);
      const hasMulti = requests.some(({ body }) => /maxFeatures="1001".*<gml:Multi/.test(body));
      expect(hasMulti).toBe(multiGeometry === true);
    }
  });

  test('where too little is there to tell, several parts are asked for one by one, or by the box around them', async () => {
    const two = createLayer({ ...parcels }, far.slice(0, 2));
    const { source, search } = await start({ layers: [two], lacks: new Set(['multiGeometry']) });
    for (const count of [3, 60]) {
      const coordinates = far.slice(0, count).map(({ geometry }) => firstPosition(geometry));
      const { ids } = await search({ source: PARCEL, geometries: [{ type: 'MultiPoint', coordinates }] });
      expect(ids).toHaveLength(2);
    }
    expect((await source.describe(PARCEL, caller())).upstream).not.toHaveProperty('multiGeometry');
  });

  test('the one feature of a layer is found, whatever is lacking', async () => {
    const lone = createLayer({ ...parcels }, few.features.slice(0, 1));
    for (const lacks of [[], ['posList'], ['Intersects'], ['filter']] as Ability[][]) {
      const { search } = await start({ layers: [lone], lacks: new Set(lacks) });
      expect((await search({ source: PARCEL, geometries: [triangle] })).ids).toHaveLength(1);
      expect((await search({ source: PARCEL, geometries: [around([lat, lon])] })).ids).toEqual([]);
    }
  });
});

describe('a layer all over the world, whose first features could lie in either order', () => {
  const at = (id: number, x: number, y: number) => ({
    id: `monde.${id}`,
    geometry: { type: 'Point' as const, coordinates: [x, y] as [number, number] },
    values: [id],
  });
  /** So many in Europe before one in Japan, which can lie there in one order alone. */
  const createWorld = (inEurope: number) =>
    createLayer(
      {
        ...few,
        prefix: 'd',
        name: 'monde',
        geometryType: 'Point',
        attributes: [{ name: 'n', type: 'int' }],
        wgs84Bbox: [-180, -90, 180, 90],
      },
      [...Array.from({ length: inEurope }, (_, k) => at(k, 1 + k / 100, 48)), at(1000, 139.7, 35.7)],
    );
  const source = 'd:monde';
  const japan = box(139, 35, 140, 36);
  const france = box(0.5, 47, 1.105, 49);

  test.each(['standard', 'lonLat', 'latLon'] as const)('is told by a later one: %s', async (order) => {
    const { search } = await start({ layers: [createWorld(50)], axisOrder: { in: order, out: order } });
    const found = await search({ source, geometries: [france] });
    expect(found.ids).toHaveLength(11);
    expect(firstPosition(found.features[0]?.geometry)).toEqual([1, 48]);
    expect(found.end.warnings).toBeUndefined();
    expect((await search({ source, geometries: [japan] })).ids).toEqual(['monde.1000']);
  });

  test('is taken for what the standard says where none tells, and the answer says so', async () => {
    const { search } = await start({ layers: [createWorld(300)] });
    const found = await search({ source, geometries: [france] });
    expect(found.ids).toHaveLength(11);
    expect(found.end.warnings?.map(({ id }) => id)).toEqual(['wfs.axisOrderUntold']);
  });

  test('is taken for what other layers of the upstream told', async () => {
    const axisOrder = { in: 'lonLat', out: 'lonLat' } as const;
    const { search } = await start({ layers: [few, createWorld(300)], axisOrder });
    await search({ source: PARCEL, geometries: [triangle] });
    const found = await search({ source, geometries: [france] });
    expect([found.ids.length, found.end.warnings]).toEqual([11, undefined]);
    expect(firstPosition(found.features[0]?.geometry)).toEqual([1, 48]);
  });

  test('is told by a feature that comes later and can lie in one order alone', async () => {
    const axisOrder = { in: 'lonLat', out: 'lonLat' } as const;
    const { search } = await start({ layers: [createWorld(300)], axisOrder });
    const sortBy = { name: 'n', descending: true };
    await search({ source, limit: 1 });
    const last = await search({ source, sortBy, limit: 1 });
    expect(firstPosition(last.features[0]?.geometry)).toEqual([139.7, 35.7]);
    const found = await search({ source, geometries: [france] });
    expect([found.ids.length, found.end.warnings]).toEqual([11, undefined]);
  });
});

describe('a row that is wrong in itself', () => {
  test('its coordinates the wrong way round, is no reason to doubt the others', async () => {
    const wrong = { ...few.features[0]!, geometry: { type: 'Point' as const, coordinates: [lat, lon] } };
    const layer = createLayer({ ...parcels }, [wrong as (typeof few.features)[0], ...few.features.slice(1)]);
    const { search } = await start({ layers: [layer] });
    const { ids } = await search({ source: PARCEL, limit: 5000 });
    expect(ids).toHaveLength(few.features.length);
    expect((await search({ source: PARCEL, geometries: [triangle] })).ids.length).toBeGreaterThan(3);
  });
});

describe('a layer whose first features have no geometry', () => {
  test('is read in the order of those that have one', async () => {
    const blank = Array.from({ length: 12 }, (_, k) => ({
      id: `parcelle.null${k}`,
      geometry: null,
      values: few.features[0]?.values ?? [],
    }));
    const layer = createLayer({ ...parcels }, [...blank, ...few.features]);
    const { search, requests } = await start({ layers: [layer], axisOrder: { in: 'lonLat', out: 'lonLat' } });
    const { ids, features } = await search({ source: PARCEL, geometries: [triangle], count: 'never' });
    expect(requests.length).toBeLessThanOrEqual(6); // capabilities, three of learning, the page, what may be behind it
    expect(ids.sort()).toEqual(toExpected(few, [triangle]).sort());
    expect(Math.round(firstPosition(features[0]?.geometry)[1])).toBe(Math.round(lat));
  });
});

describe('parcels that share their corners', () => {
  test('are asked for by Intersects, though the probe finds a neighbour of both it asks for', async () => {
    // three in a row, each written from its south-eastern or south-western corner: one that the middle one has, too
    const toSquare = (west: number, x: number, opposite: number): Geometry => {
      const [south, north] = [lat, lat + 0.001];
      const ring: Position[] = [
        [x, south],
        [x, north],
        [opposite, north],
        [opposite, south],
        [x, south],
      ].map(([dx = 0, y = 0]) => [west + dx, y]);
      return { type: 'Polygon', coordinates: [ring] };
    };
    const squares = [
      toSquare(lon, 0.001, 0),
      toSquare(lon + 0.002, 0, 0.001),
      toSquare(lon + 0.001, 0, 0.001),
    ];
    const features = squares.map((geometry, k) => ({ ...few.features[k]!, geometry }));
    const layer = createLayer({ ...parcels }, features);
    const { source, search } = await start({ layers: [layer] });
    expect((await search({ source: PARCEL, geometries: [triangle] })).ids).toHaveLength(3);
    const { upstream } = await source.describe(PARCEL, caller());
    expect(upstream).toMatchObject({ spatialFilter: 'Intersects', filterForms: [{ axisOrder: 'latLon' }] });
  });
});

describe('a heavy filter', () => {
  const circle = (vertices: number): Geometry => {
    const ring = Array.from({ length: vertices }, (_, k): Position => {
      const angle = (2 * Math.PI * k) / vertices;
      return [lon + 0.004 * Math.cos(angle), lat + 0.003 * Math.sin(angle)];
    });
    return { type: 'Polygon', coordinates: [[...ring, ring[0] as Position]] };
  };

  test('is compared here where the box alone finds few', async () => {
    const { search, requests } = await startFew({});
    const geometry = circle(3000);
    expect((await search({ source: PARCEL, geometries: [geometry] })).ids.sort()).toEqual(
      toExpected(few, [geometry]).sort(),
    );
    expect(Math.max(...requests.map(({ body }) => body.length))).toBeLessThan(5000);
  });

  test('is asked of an upstream that was quick with one before', () => {
    const abilities = createAbilities();
    expect(abilities.isTooHeavy(900)).toBe(false);
    expect(abilities.isTooHeavy(9000)).toBeUndefined();
    abilities.took(1000, 30);
    expect(abilities.isTooHeavy(9000)).toBe(false);
    abilities.took(1000, 400); // QGIS Server 3.22
    expect(abilities.isTooHeavy(9000)).toBe(true);
  });
});
