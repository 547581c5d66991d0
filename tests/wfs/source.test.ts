import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLayer, type Layer } from '../../src/demo/index.js';
import { type Geometry, type Position, toPositions } from '../../src/geometry/index.js';
import {
  box,
  caller,
  filter,
  firstPosition,
  follow,
  here,
  layers,
  PARCEL,
  parcels,
  start,
  toExpected,
} from './embedded.js';

/** A box around the first feature of a layer, in degrees; the whole layer's where it is stored in another CRS. */
const toWgs84Box = ({ code, features, wgs84Bbox }: Layer) => {
  if (code !== 4326) return wgs84Bbox;
  const [lon, lat] = firstPosition(features.find(({ geometry }) => geometry !== null)?.geometry);
  return [lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01] as const;
};

describe('a geometry finds the features that intersect it', () => {
  test.each(['standard', 'lonLat', 'latLon'] as const)(
    'whatever order filters are read in: %s',
    async (order) => {
      for (const out of ['standard', 'lonLat', 'latLon'] as const) {
        const { search } = await start({ axisOrder: { in: order, out } });
        const { ids, features } = await search({ geometries: [here] });
        expect(ids.sort()).toEqual(toExpected(parcels, [here]).sort());
        expect(ids.length).toBeGreaterThan(3);
        const [lon, lat] = firstPosition(features[0]?.geometry);
        expect([Math.round(lon), Math.round(lat)]).toEqual([1, 48]);
      }
    },
  );

  test('in every layer, in its own CRS or not', async () => {
    const { search } = await start();
    for (const layer of layers) {
      const [west, south, east, north] = toWgs84Box(layer);
      const middle = box(west, south, east, north);
      const { ids, end } = await search({
        source: layer.typeName,
        geometries: [middle],
        limit: 5000,
        count: 'always',
      });
      expect(ids.length).toBeGreaterThan(0);
      if (layer.code !== 4326) continue; // the edges bend on the way: compared with PostGIS elsewhere
      const expected = new Set(toExpected(layer, [middle]));
      expect(end.numberMatched).toBe(expected.size);
      expect(ids.filter((id) => !expected.has(id))).toEqual([]);
    }
  });

  test('several geometries are a union, a bbox must hold as well', async () => {
    const { search } = await start();
    const [a, b, c] = parcels.features.slice(100, 103).map(({ geometry }) => geometry as Geometry) as [
      Geometry,
      Geometry,
      Geometry,
    ];
    const union = await search({ geometries: [a, b, c] });
    expect(union.ids.sort()).toEqual(toExpected(parcels, [a, b, c]).sort());
    const [west, south] = firstPosition(a);
    const both = await search({
      geometries: [a, b, c],
      bbox: [west - 1e-6, south - 1e-6, west + 1e-6, south + 1e-6],
    });
    expect(both.ids.length).toBeGreaterThan(0);
    expect(both.ids.length).toBeLessThan(union.ids.length);
  });

  test('points, lines and their multiples', async () => {
    const { search } = await start();
    const ring = toPositions(here);
    const kinds: Geometry[] = [
      { type: 'Point', coordinates: ring[0] as Position },
      { type: 'MultiPoint', coordinates: ring },
      { type: 'LineString', coordinates: ring.slice(0, 3) },
      { type: 'MultiLineString', coordinates: [ring.slice(0, 2), ring.slice(2, 4)] },
      { type: 'MultiPolygon', coordinates: [[ring]] },
    ];
    for (const kind of kinds) {
      const { ids } = await search({ geometries: [kind] });
      expect(ids.sort()).toEqual(toExpected(parcels, [kind]).sort());
    }
    const { ids } = await search({ geometries: kinds });
    expect(ids.sort()).toEqual(toExpected(parcels, kinds).sort());
  });
});

describe('attributes', () => {
  test('equality, any of several values, all of several names', async () => {
    const { search } = await start();
    const row = (values: Record<string, unknown>) =>
      values.section === 'AB' && ['0001', '0002'].includes(String(values.numero));
    const world = box(-10, 40, 10, 55);
    const { ids } = await search({ attributes: [filter('SECTION', 'AB'), filter('numero', '0001', '0002')] });
    expect(ids.sort()).toEqual(toExpected(parcels, [world], row).sort());
    expect(ids.length).toBeGreaterThan(0);
  });

  test('any text is found exactly and injects nothing', async () => {
    const texts = [
      ']]>',
      '</ogc:Literal>',
      "l'été",
      '"',
      '&amp;',
      '\\',
      'a\\" or 1',
      '[valeur]',
      ' devant',
      'derrière ',
      '%',
      '_',
      '*',
      '.',
      '!',
      '日本 😀',
      'a\tb',
      '01004',
      '1e0',
      'null',
      'true',
      "' OR '1'='1",
      '<x y="z">',
      'x'.repeat(100_000),
      '\u00a0',
    ];
    const layer = createLayer(
      {
        prefix: 't',
        name: 'texte',
        title: '',
        abstract: '',
        keywords: [],
        geometryName: 'g',
        geometryType: 'Point',
        code: 4326,
        attributes: [{ name: 'valeur', type: 'string' }],
      },
      texts.map((text, k) => ({
        id: `texte.${k}`,
        geometry: { type: 'Point', coordinates: [1 + k / 100, 48] },
        values: [text],
      })),
    );
    const { search } = await start({ layers: [layer] });
    for (const [k, text] of texts.entries()) {
      const { features, end } = await search({ source: 't:texte', attributes: [filter('valeur', text)] });
      expect(features.map(({ id }) => id)).toEqual([`texte.${k}`]);
      expect(features[0]?.properties.valeur).toBe(text);
      expect(end).toEqual({ numberReturned: 1, numberMatched: 1 });
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), async (text) => {
        const { features } = await search({ source: 't:texte', attributes: [filter('valeur', text)] });
        expect(features.map(({ properties }) => properties.valeur)).toEqual(
          texts.filter((candidate) => candidate === text),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('types: numbers beyond 2^53, decimals, booleans, dates, instants, nulls', async () => {
    const layer = createLayer(
      {
        prefix: 't',
        name: 'v',
        title: '',
        abstract: '',
        keywords: [],
        geometryName: 'g',
        geometryType: 'Point',
        code: 4326,
        attributes: [
          { name: 'l', type: 'long' },
          { name: 'd', type: 'double' },
          { name: 'b', type: 'boolean' },
          { name: 'j', type: 'date' },
          { name: 't', type: 'dateTime' },
          { name: 's', type: 'string' },
        ],
      },
      [
        {
          id: 'v.0',
          geometry: { type: 'Point', coordinates: [1, 48] },
          values: [2n ** 53n + 1n, 123456789.125, true, '2024-02-29Z', '2024-02-29T10:00:00Z', '01004'],
        },
        {
          id: 'v.1',
          geometry: { type: 'Point', coordinates: [1, 48] },
          values: [2n ** 53n, 3.5, false, '2024-03-01Z', '2024-02-29T10:00:01Z', '1004'],
        },
        { id: 'v.2', geometry: null, values: [null, null, null, null, null, null] },
      ],
    );
    const { search } = await start({ layers: [layer] });
    const find = async (name: string, value: string | number | boolean | null) =>
      (await search({ source: 't:v', attributes: [filter(name, value)] })).ids;
    expect(await find('l', '9007199254740993')).toEqual(['v.0']);
    expect(await find('l', '9007199254740992')).toEqual(['v.1']);
    expect(await find('d', '123456789.125')).toEqual(['v.0']);
    expect(await find('d', 3.5)).toEqual(['v.1']);
    expect(await find('b', true)).toEqual(['v.0']);
    expect(await find('b', 'false')).toEqual(['v.1']);
    expect(await find('j', '2024-02-29')).toEqual(['v.0']);
    expect(await find('t', '2024-02-29T11:00:00+01:00')).toEqual(['v.0']);
    expect(await find('s', '01004')).toEqual(['v.0']);
    expect(await find('s', 1004)).toEqual(['v.1']);
    for (const name of ['l', 'd', 'b', 'j', 't', 's']) expect(await find(name, null)).toEqual(['v.2']);
  });

  test('every fault against the schema in one answer, before anything is asked', async () => {
    const { search, requests } = await start();
    const faults = search({
      attributes: [filter('nope', '1'), filter('contenance', 'abc'), filter('geom', 'x')],
      propertyNames: ['nope2'],
      sortBy: { name: 'nope3', descending: false },
    });
    await expect(faults).rejects.toMatchObject({
      kind: 'invalidRequest',
      faults: [
        { parameter: 'nope' },
        { parameter: 'contenance' },
        { parameter: 'geom' },
        { parameter: '_propertyNames' },
        { parameter: '_sortBy' },
      ],
      message: expect.stringMatching(
        /no attribute nope; the attributes are gid, idu.*abc is no integer.*geom is the geometry/,
      ),
    });
    expect(requests.filter(({ body }) => body.includes('GetFeature'))).toEqual([]);
  });
});

describe('pages', () => {
  const expected = toExpected(parcels, [here]).sort();

  test.each([1, 2, 1000, expected.length, expected.length - 1])(
    'of %d features hold each feature once',
    async (limit) => {
      const { search } = await start();
      const { ids, ends } = await follow(search, { geometries: [here], limit });
      expect(ids.sort()).toEqual(expected);
      expect(ends.map(({ numberMatched }) => numberMatched ?? expected.length)).toEqual(
        ends.map(() => expected.length),
      );
      expect(ends[0]?.numberMatched).toBe(expected.length);
    },
  );

  test.each([3, expected.length, 1])(
    'past a cap of %d that the upstream keeps quiet about',
    async (maxFeaturesCap) => {
      const { search } = await start({ maxFeaturesCap });
      for (const limit of [2, maxFeaturesCap, 1000]) {
        const { ids } = await follow(search, { geometries: [here], limit });
        expect(ids.sort()).toEqual(expected);
      }
    },
  );

  test('of a layer without a primary key, which GeoServer pages only when sorted', async () => {
    const { search } = await start({ lacks: new Set(['primaryKey']) });
    const { ids } = await follow(search, { geometries: [here], limit: 2 });
    expect(ids.sort()).toEqual(expected);
  });

  test('sorted as asked, ties in a stable order', async () => {
    const { search } = await start();
    const { features } = await search({
      geometries: [here],
      sortBy: { name: 'contenance', descending: true },
    });
    const areas = features.flatMap(({ properties }) => (properties.contenance as number | null) ?? []);
    expect(areas.length).toBeGreaterThan(5);
    expect(areas).toEqual([...areas].sort((a, b) => b - a));
  });

  test('a known layer costs one request, a new one three more', async () => {
    const { search, requests } = await start();
    await search({ geometries: [here] });
    const first = requests.length;
    expect(first).toBeLessThanOrEqual(6); // capabilities, schema, sample, probe, features, what may stand behind them
    await search({
      geometries: [
        {
          type: 'Point',
          coordinates: firstPosition(here),
        },
      ],
    });
    expect(requests.length).toBe(first + 1);
  });

  test('the count: asked once on the first page, awaited no longer than its timeout, never guessed', async () => {
    const { search, requests } = await start({ countDelay: 400 }, { countTimeoutMs: 100 });
    expect((await search({ geometries: [here], limit: 2 })).end).toEqual({
      numberReturned: 2,
      next: { startIndex: 2 },
    });
    expect((await search({ geometries: [here], limit: 2, count: 'always' })).end.numberMatched).toBe(
      expected.length,
    );
    await search({ geometries: [here], limit: 2, startIndex: 2, count: 'never' }); // proves once that startIndex is known
    const asked = requests.length;
    expect((await search({ geometries: [here], limit: 2, count: 'never' })).end).toEqual({
      numberReturned: 2,
      next: { startIndex: 2 },
    });
    expect((await search({ geometries: [here], limit: 2, startIndex: 2 })).end).toEqual({
      numberReturned: 2,
      next: { startIndex: 4 },
    });
    expect(requests.length).toBe(asked + 2);
  });

  test('only the attributes asked for, in schema order, geometry and id always', async () => {
    const { search } = await start();
    const { features } = await search({ geometries: [here], limit: 1, propertyNames: ['contenance', 'IDU'] });
    expect(Object.keys(features[0]?.properties ?? {})).toEqual(['idu', 'contenance']);
    expect(features[0]).toMatchObject({
      id: expect.stringContaining('parcelle.'),
      geometry: { type: expect.stringContaining('Polygon') },
    });
    const none = await search({ geometries: [here], limit: 1, propertyNames: [] });
    expect(none.features[0]?.properties).toEqual({});
  });

  test('by id: many, twice the same, unknown ones left out, in pages', async () => {
    const { search } = await start();
    const some = parcels.features.slice(0, 120).map(({ id }) => id);
    const { ids, end } = await search({
      featureIds: [...some, some[0] as string, 'parcelle.nope', 'autre.1'],
    });
    expect(ids.sort()).toEqual([...some].sort());
    expect(end).toEqual({ numberReturned: 120, numberMatched: 120 });
    const first = await search({ featureIds: some, limit: 100 });
    const rest = (first.end.next as { featureIds: string[] }).featureIds;
    const second = await search({ featureIds: rest, limit: 100 });
    expect([...first.ids, ...second.ids].sort()).toEqual([...some].sort());
    expect(second.end.next).toBeUndefined();
  });
});

describe('where the order of the axes cannot be told', () => {
  /** Around lon = lat, in a box that both orders fit. */
  const points: [number, number][] = [
    [5, 5],
    [5.5, 5.6],
    [5.6, 5.5],
  ];
  const layer = createLayer(
    {
      prefix: 'd',
      name: 'diagonale',
      title: '',
      abstract: '',
      keywords: [],
      geometryName: 'g',
      geometryType: 'Point',
      code: 4326,
      attributes: [{ name: 'n', type: 'int' }],
      wgs84Bbox: [5, 5, 6, 6],
    },
    points.map((coordinates, k) => ({
      id: `diagonale.${k}`,
      geometry: { type: 'Point', coordinates },
      values: [k],
    })),
  );

  test('the standard\u2019s order is taken for the answer, and filters are probed', async () => {
    const { search } = await start({ layers: [layer] });
    for (const [k, coordinates] of points.entries()) {
      const { ids } = await search({ source: 'd:diagonale', geometries: [{ type: 'Point', coordinates }] });
      expect(ids).toEqual([`diagonale.${k}`]);
    }
  });

  test('both orders are asked and the answer is intersected here, page by page', async () => {
    const lone = createLayer({ ...layer, attributes: [...layer.attributes] }, [
      { id: 'diagonale.0', geometry: { type: 'Point', coordinates: [5, 5] }, values: [0] },
    ]);
    const { search, requests } = await start({ layers: [lone] });
    const { ids, end } = await search({ source: 'd:diagonale', geometries: [box(4.9, 4.9, 5.1, 5.1)] });
    expect(ids).toEqual(['diagonale.0']);
    expect(end).toEqual({ numberReturned: 1, numberMatched: 1 });
    expect(requests.at(-1)?.body).toContain('<ogc:Or>');
    expect((await search({ source: 'd:diagonale', geometries: [box(1, 4.9, 2, 5.1)] })).end).toEqual({
      numberReturned: 0,
      numberMatched: 0,
    });
  });

  test('an empty layer answers with nothing', async () => {
    const empty = createLayer({ ...layer, attributes: [...layer.attributes] }, []);
    const { search } = await start({ layers: [empty] });
    expect((await search({ source: 'd:diagonale', geometries: [here] })).end).toEqual({
      numberReturned: 0,
      numberMatched: 0,
    });
  });
});

describe('the catalogue', () => {
  test('lists what the upstream has, and what it says of itself', async () => {
    const { source } = await start();
    const list = await source.list(caller());
    expect(list.sources.map(({ name }) => name)).toEqual(
      expect.arrayContaining(layers.map(({ typeName }) => typeName)),
    );
    expect(list.title).toBeTruthy();
  });

  test('describes a source by its schema', async () => {
    const { source } = await start();
    const described = await source.describe(PARCEL, caller());
    expect(described.attributes.find(({ name }) => name === 'contenance')).toMatchObject({ type: 'integer' });
    expect(described.geometry?.name).toBe(parcels.geometryName);
  });

  test('an unknown source is a 404 that names the nearest', async () => {
    const { source, search } = await start();
    const unknown = { kind: 'notFound', message: expect.stringContaining(PARCEL) };
    await expect(
      source.describe('CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcele', caller()),
    ).rejects.toMatchObject(unknown);
    await expect(search({ source: 'PARCELLAIRE_EXPRESS:parcelles' })).rejects.toMatchObject({
      kind: 'notFound',
    });
  });
});
