import { describe, expect, test } from '@jest/globals';
import proj4 from 'proj4';
import type { LayerFeature } from '../../src/demo/index.js';
import {
  BUILDINGS,
  EASEMENTS,
  flat,
  LAMBERT,
  layerOf,
  layers,
  PARCELS,
  ROADS,
  serveSamples,
} from './samples.js';
import {
  allOf,
  ask,
  exceptionOf,
  featuresOf,
  get,
  idsOf,
  pairsOf,
  post,
  readNode,
  toParameters,
  toXml,
} from './wfs.js';

const server = serveSamples();

const positionsOf = ({ geometry }: LayerFeature) => (geometry === null ? [] : flat(geometry.coordinates));

const swap = ([a, b]: [number, number]): [number, number] => [b, a];

describe('a feature as it is written', () => {
  test.each(layers.map((layer) => [layer.typeName, layer] as const))(
    '%s: every value, none for null, and every position, latitude first where the CRS says so',
    async (typeName, layer) => {
      const features = featuresOf(await get(server.url, toParameters({ typeName, maxFeatures: 1000 })));
      expect(features.map(({ id }) => id)).toEqual(layer.features.slice(0, 1000).map(({ id }) => id));
      for (const [i, feature] of features.entries()) {
        const raw = layer.features[i]!;
        const given = layer.attributes.flatMap(({ name }, k) => {
          const value = raw.values[k] ?? null;
          return value === null ? [] : [[name, String(value)] as const];
        });
        // Order counts: the schema is a sequence.
        if (JSON.stringify(Object.entries(feature.values)) !== JSON.stringify(given))
          expect(Object.entries(feature.values)).toEqual(given);
        const written = feature.geometryNode === undefined ? [] : pairsOf(feature.geometryNode);
        const expected = layer.code === 4326 ? positionsOf(raw).map(swap) : positionsOf(raw);
        if (JSON.stringify(written) !== JSON.stringify(expected)) expect(written).toEqual(expected);
      }
    },
  );

  test('each kind of geometry is the element GeoServer writes, named once', async () => {
    const features = featuresOf(
      await get(server.url, toParameters({ typeName: 'wfs_sup:assiette_sup', maxFeatures: 7 })),
    );
    const shapes = features.map(
      ({ geometryNode }) =>
        geometryNode && [
          geometryNode.name,
          [...new Set(geometryNode.children.map(({ name }) => name))].join(),
        ],
    );
    expect(shapes).toEqual([
      ['gml:Point', 'gml:pos'],
      ['gml:MultiPoint', 'gml:pointMember'],
      ['gml:LineString', 'gml:posList'],
      ['gml:MultiCurve', 'gml:curveMember'],
      ['gml:Polygon', 'gml:exterior'],
      undefined,
      ['gml:MultiSurface', 'gml:surfaceMember'],
    ]);
    for (const { geometryNode } of features) {
      const named =
        geometryNode === undefined
          ? []
          : [
              geometryNode,
              ...geometryNode.children.flatMap((child) => allOf(child, 'Point')),
              ...geometryNode.children.flatMap((child) => allOf(child, 'Polygon')),
            ].filter(({ attributes }) => 'srsName' in attributes);
      expect(named).toHaveLength(geometryNode === undefined ? 0 : 1);
    }
  });

  test('holes are interiors, in the places the layer has them', async () => {
    const reply = await get(server.url, toParameters({ typeName: 'wfs_du:zone_urba', maxFeatures: 2 }));
    const counts = featuresOf(reply).map(({ geometryNode }) => [
      allOf(geometryNode!, 'Polygon').length,
      allOf(geometryNode!, 'exterior').length,
      allOf(geometryNode!, 'interior').length,
    ]);
    expect(counts).toEqual([
      [1, 1, 2],
      [2, 2, 1],
    ]);
  });

  test('markup in values is escaped, not repaired', async () => {
    const reply = await ask(server.url, { typeName: 'wfs_sup:assiette_sup', propertyNames: ['nomsuplitt'] });
    expect(reply.text).toContain('Ligne "225 kV" l\'Épine]]&gt;'.replaceAll('"', '&quot;'));
    expect(reply.text).toContain('&lt;haute pression&gt; &amp; ouvrages');
  });
});

describe('the CRS of the answer', () => {
  const [longitude, latitude] = positionsOf(layerOf(ROADS).features[0]!)[0]!;
  const [x, y] = proj4('WGS84', LAMBERT, [longitude, latitude]) as [number, number];
  const radians = Math.PI / 180;
  const mercator = [
    6378137 * longitude * radians,
    6378137 * Math.log(Math.tan(Math.PI / 4 + (latitude * radians) / 2)),
  ] as const;
  const OLD = 'http://www.opengis.net/gml/srs/epsg.xml#';

  test.each([
    [undefined, 'urn:x-ogc:def:crs:EPSG:4326', [latitude, longitude]],
    ['urn:x-ogc:def:crs:EPSG:4326', 'urn:x-ogc:def:crs:EPSG:4326', [latitude, longitude]],
    ['urn:x-ogc:def:crs:EPSG:6.9:4326', 'urn:x-ogc:def:crs:EPSG:4326', [latitude, longitude]],
    ['urn:ogc:def:crs:EPSG::4326', 'urn:x-ogc:def:crs:EPSG:4326', [latitude, longitude]],
    ['http://www.opengis.net/def/crs/EPSG/0/4326', 'urn:x-ogc:def:crs:EPSG:4326', [latitude, longitude]],
    ['EPSG:4326', `${OLD}4326`, [longitude, latitude]],
    [`${OLD}4326`, `${OLD}4326`, [longitude, latitude]],
    ['CRS:84', `${OLD}4326`, [longitude, latitude]],
    ['urn:ogc:def:crs:OGC:1.3:CRS84', `${OLD}4326`, [longitude, latitude]],
    ['urn:ogc:def:crs:EPSG::2154', 'urn:x-ogc:def:crs:EPSG:2154', [x, y]],
    ['EPSG:2154', `${OLD}2154`, [x, y]],
    ['urn:ogc:def:crs:EPSG::3857', 'urn:x-ogc:def:crs:EPSG:3857', mercator],
    ['urn:ogc:def:crs:EPSG::4258', 'urn:x-ogc:def:crs:EPSG:4258', [latitude, longitude]],
  ])('%s is answered as %s', async (srsName, label, [first, second]) => {
    const question = { typeName: ROADS, maxFeatures: 1, ...(srsName === undefined ? {} : { srsName }) };
    const [feature] = featuresOf(await ask(server.url, question));
    expect(feature!.geometryNode!.attributes).toMatchObject({ srsName: label, srsDimension: '2' });
    const [pair] = pairsOf(feature!.geometryNode!);
    expect(pair![0]).toBeCloseTo(first!, 6);
    expect(pair![1]).toBeCloseTo(second!, 6);
  });

  test('northing comes first in a projected CRS whose registry entry says so', async () => {
    const pairOf = async (srsName: string) =>
      pairsOf(
        featuresOf(await ask(server.url, { typeName: ROADS, maxFeatures: 1, srsName }))[0]!.geometryNode!,
      )[0]!;
    const [official, xFirst] = [await pairOf('urn:ogc:def:crs:EPSG::3035'), await pairOf('EPSG:3035')];
    expect(official).toEqual(swap(xFirst));
    // Chartres, by EPSG:3035, is some 3,690 km east and 2,830 km north of the false origin.
    expect(xFirst[0]).toBeGreaterThan(3_650_000);
    expect(xFirst[0]).toBeLessThan(3_730_000);
    expect(xFirst[1]).toBeLessThan(2_900_000);
  });

  test('a layer in Lambert-93 answers in Lambert-93, and in degrees when asked', async () => {
    const [own] = featuresOf(await ask(server.url, { typeName: BUILDINGS, maxFeatures: 1 }));
    expect(own!.geometryNode!.attributes.srsName).toBe('urn:x-ogc:def:crs:EPSG:2154');
    const [degrees] = featuresOf(
      await ask(server.url, { typeName: BUILDINGS, maxFeatures: 1, srsName: 'EPSG:4326' }),
    );
    const expected = positionsOf(layerOf(BUILDINGS).features[0]!).map((position) =>
      proj4(LAMBERT, 'WGS84', position),
    );
    for (const [i, pair] of pairsOf(degrees!.geometryNode!).entries()) {
      expect(pair[0]).toBeCloseTo(expected[i]![0]!, 7);
      expect(pair[1]).toBeCloseTo(expected[i]![1]!, 7);
    }
  });
});

describe('which features', () => {
  test('pages through a layer give every feature once', async () => {
    const ids: string[] = [];
    for (let startIndex = 0; startIndex < 84; startIndex += 10)
      ids.push(
        ...idsOf(await ask(server.url, { typeName: 'wfs_sup:assiette_sup', maxFeatures: 10, startIndex })),
      );
    expect(ids).toEqual(layerOf(EASEMENTS).features.map(({ id }) => id));
  });

  test('a page behind the last feature is empty', async () => {
    expect(idsOf(await ask(server.url, { typeName: ROADS, maxFeatures: 5, startIndex: 800 }))).toEqual([]);
    expect(idsOf(await ask(server.url, { typeName: ROADS, maxFeatures: 5, startIndex: 799 }))).toEqual([
      'troncon_de_route.800',
    ]);
  });

  test('hits counts without features, and no further than maxFeatures', async () => {
    const all = await ask(server.url, { typeName: PARCELS, resultType: 'hits' });
    expect([all.root.attributes.numberOfFeatures, all.root.children]).toEqual(['20000', []]);
    const some = await ask(server.url, { typeName: PARCELS, resultType: 'hits', maxFeatures: 12 });
    expect(some.root.attributes.numberOfFeatures).toBe('12');
  });

  test('features are found by id, in KVP even without their type', async () => {
    const wanted = ['troncon_de_route.3', 'troncon_de_route.8'];
    const byId = {
      service: 'WFS',
      version: '1.1.0',
      request: 'GetFeature',
      featureId: [...wanted, 'troncon_de_route.999999'].join(),
    };
    expect(idsOf(await get(server.url, byId))).toEqual(wanted);
    expect(idsOf(await get(server.url, { ...byId, typeName: ROADS }))).toEqual(wanted);
    const elements = wanted.map((id) => `<ogc:FeatureId fid="${id}"/>`).join('');
    expect(idsOf(await ask(server.url, { typeName: ROADS, filter: elements }))).toEqual(wanted);
    const objects = wanted.map((id) => `<ogc:GmlObjectId gml:id="${id}"/>`).join('');
    expect(idsOf(await ask(server.url, { typeName: ROADS, filter: objects }))).toEqual(wanted);
  });

  test('only the properties asked for come, in schema order; the geometry is one of them', async () => {
    const [feature] = featuresOf(
      await ask(server.url, { typeName: PARCELS, maxFeatures: 1, propertyNames: ['section', 'idu'] }),
    );
    expect(feature).toEqual({
      id: 'parcelle.28220000AA0001',
      geometryNode: undefined,
      values: { idu: '28220000AA0001', section: 'AA' },
    });
    const [shape] = featuresOf(
      await ask(server.url, { typeName: PARCELS, maxFeatures: 1, propertyNames: ['geom'] }),
    );
    expect([shape!.geometryNode!.name, shape!.values]).toEqual(['gml:MultiSurface', {}]);
    const [prefixed] = featuresOf(
      await get(
        server.url,
        toParameters({ typeName: PARCELS, maxFeatures: 1, propertyNames: [`${PARCELS.split(':')[0]}:idu`] }),
      ),
    );
    expect(Object.keys(prefixed!.values)).toEqual(['idu']);
  });

  test('several queries are answered in one collection, with one maxFeatures', async () => {
    const reply = await get(server.url, {
      ...toParameters({ typeName: `${BUILDINGS},${ROADS}`, startIndex: 1498, maxFeatures: 4 }),
    });
    expect(idsOf(reply)).toEqual([
      'batiment.1499',
      'batiment.1500',
      'troncon_de_route.1',
      'troncon_de_route.2',
    ]);
    const [first, second] = [toXml({ typeName: BUILDINGS }), toXml({ typeName: ROADS })];
    const query = second.slice(second.indexOf('<wfs:Query'), second.indexOf('</wfs:GetFeature>'));
    const both = first
      .replace('</wfs:GetFeature>', `${query}</wfs:GetFeature>`)
      .replace('version="1.1.0"', 'version="1.1.0" startIndex="1498" maxFeatures="4"');
    expect(idsOf(await post(server.url, both))).toEqual(idsOf(reply));
  });

  test('lists in parentheses go with one feature type each', async () => {
    const filter = (name: string, value: string) =>
      `<Filter xmlns="http://www.opengis.net/ogc"><PropertyIsEqualTo><PropertyName>${name}</PropertyName><Literal>${value}</Literal></PropertyIsEqualTo></Filter>`;
    const reply = await get(server.url, {
      ...toParameters({ typeName: `(${BUILDINGS})(${ROADS})` }),
      filter: `(${filter('ID', 'BATIMENT0000000000000007')})(${filter('cleabs', 'TRONROUT0000000000000009')})`,
      propertyName: '(NATURE)(cleabs,fictif)',
    });
    expect(featuresOf(reply).map(({ id, values }) => [id, Object.keys(values)])).toEqual([
      ['batiment.7', ['NATURE']],
      ['troncon_de_route.9', ['cleabs', 'fictif']],
    ]);
  });
});

describe('order', () => {
  const roads = layerOf(ROADS);
  const at = (name: string) => roads.attributes.findIndex((attribute) => attribute.name === name);
  const sorted = (...keys: readonly [name: string, descending: boolean][]) =>
    [...roads.features]
      .sort((a, b) => {
        for (const [name, descending] of keys) {
          const [left, right] = [a.values[at(name)] ?? null, b.values[at(name)] ?? null];
          if (left === right) continue;
          // Null is greater than anything.
          const order = left === null ? 1 : right === null ? -1 : left < right ? -1 : 1;
          return descending ? -order : order;
        }
        return 0;
      })
      .map(({ id }) => id);

  test.each([
    'nature',
    'nom_voie',
    'nombre_de_voies',
    'largeur_de_chaussee',
    'identifiant_voie',
    'fictif',
    'date_creation',
  ])('by %s, up and down, numbers as numbers and nulls at the far end', async (name) => {
    expect(
      idsOf(
        await ask(server.url, { typeName: ROADS, propertyNames: [name], sortBy: [{ name, order: 'A' }] }),
      ),
    ).toEqual(sorted([name, false]));
    expect(
      idsOf(
        await ask(server.url, { typeName: ROADS, propertyNames: [name], sortBy: [{ name, order: 'D' }] }),
      ),
    ).toEqual(sorted([name, true]));
  });

  test('by several keys, before the page is cut', async () => {
    const sortBy = [
      { name: 'nature', order: 'D' },
      { name: 'identifiant_voie', order: 'A' },
    ] as const;
    const ids = idsOf(await ask(server.url, { typeName: ROADS, sortBy, startIndex: 100, maxFeatures: 50 }));
    expect(ids).toEqual(sorted(['nature', true], ['identifiant_voie', false]).slice(100, 150));
  });
});

test('the collection says where the schema of its features is, and it is there', async () => {
  const { root } = await ask(server.url, { typeName: ROADS, maxFeatures: 1 });
  const [, , namespace, location] = root.attributes['xsi:schemaLocation']!.split(' ');
  expect(namespace).toBe('http://BDTOPO_V3');
  const schema = readNode(await (await fetch(location!)).text());
  expect([schema.local, schema.attributes.targetNamespace]).toEqual(['schema', namespace]);
});

test('hits of an unknown type is an exception, not a zero', async () => {
  const reply = await get(server.url, toParameters({ typeName: 'BDTOPO_V3:nothing', resultType: 'hits' }));
  expect(exceptionOf(reply)).toEqual({
    code: 'InvalidParameterValue',
    locator: 'typeName',
    text: 'Feature type BDTOPO_V3:nothing unknown',
  });
});
