import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import {
  type Ability,
  createDemoLayers,
  createDemoServer,
  createLayer,
  type DemoServerOptions,
  demoExamples,
  type RecordedRequest,
} from '../../src/demo/index.js';
import { PARCELS, ROADS, serveSamples } from './samples.js';
import {
  allOf,
  ask,
  combine,
  compare,
  exceptionOf,
  featuresOf,
  get,
  idsOf,
  like,
  pairsOf,
  post,
  readNode,
  spatial,
  toGml,
  toParameters,
  toXml,
} from './wfs.js';

const server = serveSamples();

const nothing = {
  prefix: 'own',
  name: 'nothing',
  title: 'Nothing & <more>',
  abstract: '',
  keywords: [],
  geometryName: 'g',
  geometryType: 'Geometry',
  code: 4326,
  attributes: [],
} as const;

async function withServer<T>(options: DemoServerOptions, use: (url: string) => Promise<T>): Promise<T> {
  const own = await createDemoServer(options);
  try {
    return await use(own.url);
  } finally {
    await own.close();
  }
}

describe('exceptions', () => {
  const base = { service: 'WFS', version: '1.1.0', request: 'GetFeature', typeName: ROADS };
  type Expected = { code: string; locator?: string; text?: string };

  test.each<[string, Record<string, string>, Expected]>([
    ['no request', { service: 'WFS' }, { code: 'MissingParameterValue', locator: 'request' }],
    [
      'an unknown operation',
      { ...base, request: 'GetFish' },
      { code: 'OperationNotSupported', locator: 'GetFish' },
    ],
    [
      'an operation that is not offered',
      { ...base, request: 'Transaction' },
      { code: 'OperationNotSupported', locator: 'Transaction' },
    ],
    ['another service', { ...base, service: 'WMS' }, { code: 'InvalidParameterValue', locator: 'service' }],
    ['another version', { ...base, version: '2.0.0' }, { code: 'InvalidParameterValue', locator: 'version' }],
    [
      'no type',
      { service: 'WFS', version: '1.1.0', request: 'GetFeature' },
      { code: 'MissingParameterValue', locator: 'typeName' },
    ],
    [
      'an unknown type',
      { ...base, typeName: 'BDTOPO_V3:x' },
      { code: 'InvalidParameterValue', locator: 'typeName', text: 'Feature type BDTOPO_V3:x unknown' },
    ],
    [
      'an id of no type',
      { service: 'WFS', version: '1.1.0', request: 'GetFeature', featureId: 'x.1' },
      { code: 'InvalidParameterValue', locator: 'typeName' },
    ],
    [
      'another format',
      { ...base, outputFormat: 'shape-zip' },
      {
        code: 'InvalidParameterValue',
        locator: 'outputFormat',
        text: 'Failed to find response for output format shape-zip',
      },
    ],
    [
      'a negative maxFeatures',
      { ...base, maxFeatures: '-1' },
      { code: 'InvalidParameterValue', locator: 'maxFeatures' },
    ],
    [
      'a maxFeatures of nothing',
      { ...base, maxFeatures: '0' },
      { code: 'InvalidParameterValue', locator: 'maxFeatures' },
    ],
    [
      'a startIndex that is no number',
      { ...base, startIndex: '1e3' },
      { code: 'InvalidParameterValue', locator: 'startIndex' },
    ],
    [
      'another resultType',
      { ...base, resultType: 'all' },
      { code: 'InvalidParameterValue', locator: 'resultType' },
    ],
    [
      'an unknown property asked for',
      { ...base, propertyName: 'nature,the_geom' },
      {
        code: 'InvalidParameterValue',
        text: `Requested property: the_geom is not available for ${ROADS}.  The possible propertyName values are: [geometrie, cleabs, nature, nom_voie, importance, fictif, nombre_de_voies, largeur_de_chaussee, identifiant_voie, source, date_creation, date_modification]`,
      },
    ],
    [
      'an unknown property to sort by',
      { ...base, sortBy: 'the_geom' },
      { code: 'InvalidParameterValue', text: `Illegal property name: the_geom for feature type ${ROADS}` },
    ],
    [
      'sorting by geometry',
      { ...base, sortBy: 'geometrie' },
      { code: 'InvalidParameterValue', locator: 'sortBy' },
    ],
    [
      'a sort order there is not',
      { ...base, sortBy: 'nature UP' },
      { code: 'InvalidParameterValue', locator: 'sortBy' },
    ],
    [
      'filter and bbox',
      { ...base, bbox: '1,2,3,4', filter: '<x/>' },
      { code: 'NoApplicableCode', text: 'filter and bbox both specified but are mutually exclusive' },
    ],
    [
      'featureId and bbox',
      { ...base, bbox: '1,2,3,4', featureId: 'a.1' },
      { code: 'NoApplicableCode', text: 'featureid and bbox both specified but are mutually exclusive' },
    ],
    [
      'featureId and filter',
      { ...base, filter: '<x/>', featureId: 'a.1' },
      { code: 'NoApplicableCode', text: 'featureid and filter both specified but are mutually exclusive' },
    ],
    ['a filter that is not XML', { ...base, filter: 'nature=1' }, { code: 'NoApplicableCode' }],
    [
      'a filter that is something else',
      { ...base, filter: '<Filter/>' },
      { code: 'InvalidParameterValue', locator: 'filter' },
    ],
  ])('GET: %s', async (_, parameters, expected) => {
    expect(exceptionOf(await get(server.url, parameters))).toMatchObject(expected);
  });

  const good = toXml({ typeName: ROADS, maxFeatures: 1 });
  test.each<[string, string, Expected]>([
    ['not XML', 'hello', { code: 'NoApplicableCode' }],
    ['cut off', good.slice(0, -10), { code: 'NoApplicableCode' }],
    [
      'an undeclared prefix',
      good.replace('xmlns:wfs="http://www.opengis.net/wfs"', ''),
      { code: 'NoApplicableCode' },
    ],
    [
      'a DOCTYPE',
      good.replace('?>', '?><!DOCTYPE x [<!ENTITY a "aaaa">]>'),
      { code: 'NoApplicableCode', text: 'XML getFeature request SAX parsing error: DOCTYPE is disallowed' },
    ],
    [
      'an external entity',
      good.replace('?>', '?><!DOCTYPE x SYSTEM "file:///etc/passwd">'),
      { code: 'NoApplicableCode' },
    ],
    [
      'deeper than anything',
      `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`,
      {
        code: 'NoApplicableCode',
        text: 'XML getFeature request SAX parsing error: elements nested deeper than 200',
      },
    ],
    ['another version', good.replace('version="1.1.0"', 'version="1.0.0"'), { code: 'NoApplicableCode' }],
    [
      'an unknown operation',
      '<LockFeature xmlns="http://www.opengis.net/wfs"/>',
      { code: 'OperationNotSupported', locator: 'LockFeature' },
    ],
    [
      'an operation of another namespace',
      '<GetFeature/>',
      { code: 'OperationNotSupported', locator: 'GetFeature' },
    ],
    [
      'no Query',
      '<GetFeature xmlns="http://www.opengis.net/wfs"/>',
      { code: 'MissingParameterValue', locator: 'Query' },
    ],
    [
      'no typeName',
      '<GetFeature xmlns="http://www.opengis.net/wfs"><Query/></GetFeature>',
      { code: 'MissingParameterValue', locator: 'typeName' },
    ],
    [
      'a Filter in no namespace',
      good.replace('</wfs:Query>', '<Filter/></wfs:Query>'),
      { code: 'InvalidParameterValue', locator: 'Query', text: 'Invalid element in wfs:Query: {}Filter' },
    ],
    [
      'two Filters',
      good.replace('</wfs:Query>', '<ogc:Filter/><ogc:Filter/></wfs:Query>'),
      { code: 'InvalidParameterValue', locator: 'filter' },
    ],
    [
      'bytes that are not UTF-8',
      'latin1:<é/>',
      { code: 'NoApplicableCode', text: 'The request is not in its encoding UTF-8' },
    ],
    [
      'an encoding there is not',
      '<?xml version="1.0" encoding="klingon"?><x/>',
      { code: 'NoApplicableCode', text: 'The request is not in its encoding klingon' },
    ],
  ])('POST: %s', async (name, body, expected) => {
    if (name === 'another version') {
      // The XML declaration has a version too: only the request's own counts.
      const other = good.replace('service="WFS" version="1.1.0"', 'service="WFS" version="1.0.0"');
      expect(exceptionOf(await post(server.url, other))).toMatchObject({
        code: 'InvalidParameterValue',
        locator: 'version',
      });
      return;
    }
    const bytes = body.startsWith('latin1:') ? Buffer.from(body.slice(7), 'latin1') : body;
    const response = await fetch(server.url, { method: 'POST', body: bytes });
    const text = await response.text();
    const reply = {
      status: response.status,
      type: response.headers.get('content-type'),
      text,
      root: readNode(text),
    };
    expect(exceptionOf(reply)).toMatchObject(expected);
  });

  test('what is wrong comes back escaped', async () => {
    const reply = await get(server.url, { ...base, typeName: `x<&"'>]]>\u0001` });
    expect(exceptionOf(reply).text).toBe(`Feature type x<&"'>]]> unknown`);
    expect(exceptionOf(await get(server.url, { ...base, request: '"><script>' })).locator).toBe('"><script>');
  });
});

describe('HTTP', () => {
  test('parameter names are taken in any letters, from the query or a form', async () => {
    const question = {
      SERVICE: 'wfs',
      VERSION: '1.1.0',
      REQUEST: 'getfeature',
      TYPENAME: ROADS,
      MAXFEATURES: '2',
      srsname: 'EPSG:4326',
    };
    const ids = ['troncon_de_route.1', 'troncon_de_route.2'];
    expect(idsOf(await get(server.url, question))).toEqual(ids);
    const form = new URLSearchParams(question).toString();
    expect(idsOf(await post(server.url, form, 'application/x-www-form-urlencoded'))).toEqual(ids);
    const half = `${server.url}?${new URLSearchParams({ request: 'GetFeature', service: 'WFS' })}`;
    expect(
      idsOf(
        await post(
          half,
          `typeName=${ROADS}&maxFeatures=2`,
          'application/x-www-form-urlencoded; charset=utf-8',
        ),
      ),
    ).toEqual(ids);
  });

  test('a request in Latin-1 or with a byte order mark is read', async () => {
    const filter = compare('EqualTo', 'nature', 'Route à 2 chaussées');
    const xml = toXml({ typeName: ROADS, filter, maxFeatures: 3 });
    const wanted = idsOf(await post(server.url, xml));
    expect(wanted).toHaveLength(3);
    const latin = Buffer.from(
      xml.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="ISO-8859-1"?>'),
      'latin1',
    );
    for (const body of [latin, `\ufeff${xml}`]) {
      const text = await (await fetch(server.url, { method: 'POST', body })).text();
      expect(idsOf({ status: 200, type: '', text, root: readNode(text) })).toEqual(wanted);
    }
  });

  test('other paths and methods are not found, not allowed', async () => {
    expect((await fetch(server.url.replace('/wfs', '/'))).status).toBe(404);
    const put = await fetch(server.url, { method: 'PUT', body: 'x' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });

  test('HEAD is GET without a body', async () => {
    const response = await fetch(`${server.url}?${new URLSearchParams(toParameters({ typeName: ROADS }))}`, {
      method: 'HEAD',
    });
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/xml; subtype=gml/3.1.1',
      '',
    ]);
  });

  test('a body beyond 32 MB is refused while it comes', async () => {
    const { hostname, port } = new URL(server.url);
    const upload = httpRequest({
      hostname,
      port,
      path: '/wfs',
      method: 'POST',
      headers: { 'Content-Type': 'text/xml' },
    });
    upload.on('error', () => undefined);
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    const megabyte = Buffer.alloc(1 << 20, 32);
    for (let i = 0; i < 34 && !upload.destroyed; i++) {
      if (!upload.write(megabyte)) await Promise.race([once(upload, 'drain'), answered]);
    }
    const [response] = await answered;
    expect(response.statusCode).toBe(413);
    upload.destroy();
  });

  async function raw(headers: Record<string, string>) {
    const { hostname, port } = new URL(server.url);
    const path = `/wfs?${new URLSearchParams(toParameters({ typeName: ROADS, sortBy: [{ name: 'cleabs', order: 'D' }] }))}`;
    const sent = httpRequest({ hostname, port, path, headers }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) };
  }

  test('answers are compressed when asked, and only then', async () => {
    const plain = await raw({});
    const zipped = await raw({ 'Accept-Encoding': 'deflate, gzip;q=0.5' });
    const refused = await raw({ 'Accept-Encoding': 'gzip;q=0, br' });
    expect([plain.encoding, zipped.encoding, refused.encoding]).toEqual([undefined, 'gzip', undefined]);
    expect(zipped.body.length).toBeLessThan(plain.body.length / 4);
    const bare = (body: Buffer) => body.toString().replace(/timeStamp="[^"]*"/, '');
    expect(bare(gunzipSync(zipped.body))).toBe(bare(plain.body));
    expect(bare(refused.body)).toBe(bare(plain.body));
  });

  test('features are written as they are read, and no more of them once the client leaves', async () => {
    let written = 0;
    const long = 'x'.repeat(20_000);
    const features = Array.from({ length: 5000 }, (_, i) => ({
      id: `thing.${i}`,
      geometry: null,
      get values() {
        written += 1;
        return [long];
      },
    }));
    const layer = createLayer({ ...nothing, attributes: [{ name: 'value', type: 'string' }] }, features);
    await withServer({ layers: [layer] }, async (url) => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      socket.write(
        `GET /wfs?${new URLSearchParams(toParameters({ typeName: 'own:nothing' }))} HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      const [first] = (await once(socket, 'data')) as [Buffer];
      expect(first.toString()).toMatch(/^HTTP\/1.1 200/);
      socket.pause();
      await setTimeout(300);
      const atRest = written;
      await setTimeout(200);
      // 100 MB in all; what the sockets' buffers hold is a small part of it.
      expect([written === atRest, written > 0, written < 2500]).toEqual([true, true, true]);
      socket.destroy();
      await setTimeout(200);
      expect(written).toBe(atRest);
    });
  });

  test('closing ends answers that are under way', async () => {
    const own = await createDemoServer();
    const response = await fetch(`${own.url}?${new URLSearchParams(toParameters({ typeName: PARCELS }))}`);
    await own.close();
    await own.close();
    await expect(response.text()).rejects.toThrow();
    await expect(fetch(own.url)).rejects.toThrow();
  });

  test('two servers stand side by side, each on its own port', async () => {
    await withServer({}, async (url) => expect(url).not.toBe(server.url));
  });
});

describe('options', () => {
  test('every request is told of, as it came', async () => {
    const requests: RecordedRequest[] = [];
    await withServer({ onRequest: (request) => requests.push(request) }, async (url) => {
      await get(url, { service: 'WFS', request: 'GetCapabilities' });
      await fetch(url, { method: 'POST', body: 'é<', headers: { apikey: 'k' } });
    });
    expect(requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/wfs?service=WFS&request=GetCapabilities', ''],
      ['POST', '/wfs', 'é<'],
    ]);
    expect(requests[1]!.headers.apikey).toBe('k');
  });

  test('a hidden cap cuts answers and counts alike', async () => {
    await withServer({ maxFeaturesCap: 5 }, async (url) => {
      expect(idsOf(await ask(url, { typeName: ROADS, maxFeatures: 100, startIndex: 10 }))).toHaveLength(5);
      const hits = await ask(url, { typeName: ROADS, resultType: 'hits' });
      expect(hits.root.attributes.numberOfFeatures).toBe('5');
    });
  });

  test('counting takes its time, features do not', async () => {
    await withServer({ countDelay: 600 }, async (url) => {
      const started = performance.now();
      await get(url, toParameters({ typeName: ROADS, maxFeatures: 1 }));
      expect(performance.now() - started).toBeLessThan(500);
      await get(url, toParameters({ typeName: ROADS, resultType: 'hits' }));
      expect(performance.now() - started).toBeGreaterThanOrEqual(599);
    });
  });

  const at: [number, number] = [1.4877, 48.4477];
  const pointIn = (srsName: string, [a, b]: [number, number]) =>
    spatial('Intersects', 'geom', `<gml:Point srsName="${srsName}"><gml:pos>${a} ${b}</gml:pos></gml:Point>`);

  test.each(['lonLat', 'latLon'] as const)('%s in and out, whatever the name says', async (order) => {
    await withServer({ axisOrder: { in: order, out: order } }, async (url) => {
      for (const srsName of ['EPSG:4326', 'urn:ogc:def:crs:EPSG::4326']) {
        const [right, wrong]: [number, number][] =
          order === 'lonLat' ? [at, [at[1], at[0]]] : [[at[1], at[0]], at];
        const reply = await ask(url, { typeName: PARCELS, filter: pointIn(srsName, right!), srsName });
        const [feature] = featuresOf(reply);
        const [first] = pairsOf(feature!.geometryNode!)[0]!;
        expect(first < 2).toBe(order === 'lonLat');
        expect(idsOf(await ask(url, { typeName: PARCELS, filter: pointIn(srsName, wrong!) }))).toEqual([]);
      }
      const [building] = featuresOf(await ask(url, { typeName: 'BDTOPO_V3:batiment', maxFeatures: 1 }));
      expect(pairsOf(building!.geometryNode!)[0]![0]).toBeLessThan(1_000_000);
    });
  });

  test.each<[Ability, string]>([
    ['Intersects', pointIn('EPSG:4326', at)],
    ['PropertyIsLike', like('idu', '28*')],
    ['Disjoint', pointIn('EPSG:4326', at).replaceAll('Intersects', 'Disjoint')],
  ])('without %s the operator is refused and not advertised', async (ability, filter) => {
    await withServer({ lacks: new Set([ability]) }, async (url) => {
      expect(exceptionOf(await ask(url, { typeName: PARCELS, filter }))).toMatchObject({
        code: 'InvalidParameterValue',
        text: `${ability} is not a supported filter operator`,
      });
      const { text } = await get(url, { service: 'WFS', request: 'GetCapabilities' });
      expect(text).not.toContain(ability === 'PropertyIsLike' ? '>Like<' : `"${ability}"`);
    });
  });

  test('a server without BBOX refuses the parameter too', async () => {
    await withServer({ lacks: new Set<Ability>(['BBOX']) }, async (url) => {
      const reply = await get(url, { ...toParameters({ typeName: PARCELS }), bbox: '48,1,49,2' });
      expect(exceptionOf(reply)).toMatchObject({ locator: 'bbox' });
    });
  });

  test('a server that knows few parameters ignores the others', async () => {
    const lacks = new Set<Ability>(['filter', 'sortBy', 'startIndex', 'propertyName']);
    await withServer({ lacks }, async (url) => {
      const reply = await ask(url, {
        typeName: ROADS,
        filter: compare('EqualTo', 'nature', 'no such'),
        sortBy: [{ name: 'cleabs', order: 'D' }],
        startIndex: 7,
        propertyNames: ['nature'],
        maxFeatures: 2,
      });
      expect(idsOf(reply)).toEqual(['troncon_de_route.1', 'troncon_de_route.2']);
      expect(Object.keys(featuresOf(reply)[0]!.values).length).toBeGreaterThan(3);
    });
  });

  test('without a primary key, startIndex needs a sort', async () => {
    await withServer({ lacks: new Set<Ability>(['primaryKey']) }, async (url) => {
      expect(exceptionOf(await ask(url, { typeName: ROADS, startIndex: 0 })).text).toMatch(
        /^Cannot do natural order without a primary key/,
      );
      expect(
        idsOf(
          await ask(url, {
            typeName: ROADS,
            startIndex: 1,
            maxFeatures: 1,
            sortBy: [{ name: 'cleabs', order: 'A' }],
          }),
        ),
      ).toEqual(['troncon_de_route.2']);
      expect(idsOf(await ask(url, { typeName: ROADS, maxFeatures: 1 }))).toEqual(['troncon_de_route.1']);
    });
  });

  test('without hits, without POST', async () => {
    await withServer({ lacks: new Set<Ability>(['hits', 'post']) }, async (url) => {
      expect(
        exceptionOf(await get(url, toParameters({ typeName: ROADS, resultType: 'hits' }))),
      ).toMatchObject({ locator: 'resultType' });
      expect((await fetch(url, { method: 'POST', body: toXml({ typeName: ROADS }) })).status).toBe(405);
      const { root, text } = await get(url, { service: 'WFS', request: 'GetCapabilities' });
      expect([allOf(root, 'Post').length, text.includes('>hits<')]).toEqual([0, false]);
    });
  });

  test('own layers are served, an empty one too', async () => {
    await withServer({ layers: [createLayer(nothing, [])] }, async (url) => {
      expect(
        idsOf(
          await ask(url, {
            typeName: 'own:nothing',
            filter: spatial('Intersects', 'g', '<gml:Point><gml:pos>0 0</gml:pos></gml:Point>'),
          }),
        ),
      ).toEqual([]);
      const { root } = await get(url, { service: 'WFS', request: 'GetCapabilities' });
      expect(
        allOf(root, 'FeatureType')[0]!
          .children.map(({ local, text }) => [local, text])
          .slice(0, 2),
      ).toEqual([
        ['Name', 'own:nothing'],
        ['Title', 'Nothing & <more>'],
      ]);
    });
  });
});

test.each(demoExamples.map((example) => [example.name, example] as const))(
  'the example %s finds something, not too much',
  async (_, { source, geom, attributes = {} }) => {
    const layer = createDemoLayers().find(({ typeName }) => typeName === source)!;
    const parts = [
      ...(geom === undefined ? [] : [spatial('Intersects', layer.geometryName, toGml(geom))]),
      ...Object.entries(attributes).map(([name, value]) => compare('EqualTo', name, value)),
    ];
    const filter = parts.length === 1 ? parts[0]! : combine('And', ...parts);
    const ids = idsOf(await ask(server.url, { typeName: source, filter }));
    expect(ids.length).toBeGreaterThanOrEqual(1);
    expect(ids.length).toBeLessThanOrEqual(10);
  },
);
