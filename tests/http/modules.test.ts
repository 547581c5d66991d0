import { afterEach, describe, expect, test } from '@jest/globals';
import type { SourceStatus } from '../../src/query/index.js';
import { checkDocument } from '../support/openapi.js';
import { fakeSource, postJson, type Service, send, startModules, toModule, until } from './service.js';

let service: Service;
afterEach(() => service.close());

const status = (isReady: boolean, detail: SourceStatus['detail'] = {}) =>
  fakeSource({ status: () => ({ isReady, detail }) });

describe('the list of modules', () => {
  test('names each with its title and where everything of it is', async () => {
    service = await startModules(
      [
        toModule({ name: 'a', title: 'Un titre', description: 'Une description' }),
        toModule({ name: 'b', title: 'Autre' }),
      ],
      { publicUrl: 'https://example.org/carto' },
    );
    const { status, json, headers } = await send(service, '/api');
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    const api = 'https://example.org/carto/api';
    const linksOf = (name: string) => [
      ['self', `${api}/${name}`],
      ['search', `${api}/${name}/search`],
      ['data', `${api}/${name}/sources`],
      ['service-doc', `${api}/doc/${name}/`],
      ['service-desc', `${api}/doc/${name}.yml`],
      ['service-desc', `${api}/doc/${name}.json`],
    ];
    const [a, b] = json.modules;
    const toPairs = (links: { rel: string; href: string }[]) => links.map(({ rel, href }) => [rel, href]);
    expect(a).toMatchObject({ name: 'a', title: 'Un titre', description: 'Une description' });
    expect(toPairs(a.links)).toEqual(linksOf('a'));
    expect(Object.keys(b)).toEqual(['name', 'title', 'links']);
    expect(toPairs(b.links)).toEqual(linksOf('b'));
    expect(toPairs(json.links)).toEqual([
      ['self', api],
      ['service-doc', `${api}/doc/`],
    ]);
    expect(toPairs((await send(service, '/api/b')).json.links)).toEqual(linksOf('b'));
  });

  test('is found with a slash, by HEAD, and by no other method', async () => {
    service = await startModules([toModule({})]);
    expect((await send(service, '/api/')).status).toBe(200);
    expect((await send(service, '/api', { method: 'HEAD' })).status).toBe(200);
    const refused = await send(service, '/api', { method: 'DELETE' });
    expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});

test('what is not there is told apart: a module, or something of one', async () => {
  service = await startModules([toModule({ name: 'a' }), toModule({ name: 'b' })]);
  for (const [path, detail] of [
    ['/api/c', 'There is no module c; there are a, b.'],
    ['/api/c/search?source=x', 'There is no module c; there are a, b.'],
    ['/api/a/nope', 'There is nothing at /api/a/nope.'],
    ['/api/doc/nope.json', 'There is nothing at /api/doc/nope.json.'],
    ['/apis', 'There is nothing at /apis.'],
  ] as const) {
    const { status, json } = await send(service, path);
    expect([status, json.detail]).toEqual([404, detail]);
  }
});

describe('ready', () => {
  const start = async (...states: readonly boolean[]) => {
    service = await startModules(
      states.map((isReady, i) => toModule({ name: 'abc'.charAt(i), source: status(isReady, { seen: i }) })),
    );
  };

  test('is a service as long as one module is, and each tells its state', async () => {
    await start(false, true);
    const { status, json } = await send(service, '/health/ready');
    expect(status).toBe(200);
    expect(json).toEqual({
      status: 'ready',
      upstream: { a: { status: 'unavailable', seen: 0 }, b: { status: 'ready', seen: 1 } },
    });
  });

  test('is not a service of which no module is', async () => {
    await start(false, false);
    const { status, json, headers } = await send(service, '/health/ready');
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(json.detail).toMatch(/^Not ready: a, b\. .*"seen":1/);
  });

  test('is a module by itself', async () => {
    await start(false, true);
    const [down, up] = [await send(service, '/api/a/health'), await send(service, '/api/b/health')];
    expect([down.status, down.json.detail]).toEqual([
      503,
      'Not ready: a. {"a":{"status":"unavailable","seen":0}}',
    ]);
    expect([up.status, up.json]).toEqual([
      200,
      { status: 'ready', upstream: { b: { status: 'ready', seen: 1 } } },
    ]);
    expect((await send(service, '/api/b/health', { method: 'POST' })).status).toBe(405);
  });
});

describe('limits', () => {
  test('are those of the module, in what it refuses and in what its document says', async () => {
    const narrow = { limitMax: 2, geomMaxVertices: 3, bodyLimit: 200 };
    const wide = { limitMax: 4, geomMaxVertices: 6, bodyLimit: 400 };
    service = await startModules([
      toModule({ name: 'narrow', limits: narrow }),
      toModule({ name: 'wide', limits: wide }),
    ]);
    const geom = { type: 'MultiPoint', coordinates: [[1, 1], [2, 2], [3, 3], [4, 4]] }; // biome-ignore format: as it is read
    const requests = [{ source: 'a', _limit: 3 }, { source: 'a', geom }, { source: 'x'.repeat(300) }];
    const statusesOf = async (name: string) => {
      const replies = requests.map((body) => postJson(service, body, `/api/${name}/search`));
      return (await Promise.all(replies)).map(({ status }) => status);
    };
    expect(await statusesOf('narrow')).toEqual([400, 400, 413]);
    expect(await statusesOf('wide')).toEqual([200, 200, 200]);
    for (const [name, limits] of Object.entries({ narrow, wide })) {
      const { text, json } = await send(service, `/api/doc/${name}.json`);
      expect(json.components.parameters.limit.schema.maximum).toBe(limits.limitMax);
      expect(json.components.schemas.SearchBody.properties._limit.maximum).toBe(limits.limitMax);
      expect(json.components.parameters.limit.example).toBe(limits.limitMax);
      expect(text).toContain(`at most ${limits.limitMax} features`);
      expect(text).toContain(`At most ${limits.geomMaxVertices} vertices`);
      expect(text).toContain(`more than ${limits.bodyLimit} bytes`);
    }
  });
});

describe('the document of a module', () => {
  const example = { source: 'x:y', position: [10, -20] as const, attributes: { n: ['1', '2'] } };
  const documentOf = async (name: string) => (await send(service, `/api/doc/${name}.json`)).json;

  test('is OpenAPI 3.1 with its own title, paths and examples, and nothing of another', async () => {
    service = await startModules([
      toModule({ name: 'a', title: 'A & <b>', description: 'Pour {limitMax}', example }),
      toModule({ name: 'wfs-geoportail' }),
    ]);
    const document = await documentOf('a');
    await checkDocument(document);
    expect(document.info).toMatchObject({
      title: 'A & <b>',
      description: expect.stringMatching(/^Pour {limitMax}\n/),
    });
    expect(Object.keys(document.paths).filter((path) => path.startsWith('/api/'))).toEqual([
      '/api/a/search',
      '/api/a',
      '/api/a/sources',
      '/api/a/sources/{source}',
      '/api/a/health',
    ]);
    expect(JSON.stringify(document)).not.toMatch(/wfs-geoportail|CADASTRAL|parcellaire/i);

    const { source, geom } = document.components.parameters;
    expect(source.example).toBe('x:y');
    const { point, multiPoint, feature } = geom.examples;
    expect(JSON.parse(point.value)).toEqual({ type: 'Point', coordinates: [10, -20] });
    expect(JSON.parse(multiPoint.value).coordinates[1]).toEqual([10.0035, -19.9974]);
    expect(JSON.parse(feature.value).geometry.coordinates).toEqual([10, -20]);
    const bodies = document.paths['/api/a/search'].post.requestBody.content['application/json'].examples;
    expect(bodies.point.value).toEqual({
      source: 'x:y',
      geom: { type: 'Point', coordinates: [10, -20] },
      _limit: 10,
    });
    expect(bodies.attributes.value).toEqual({ source: 'x:y', n: ['1', '2'], _limit: 10 });
    for (const { value } of Object.values<{ value: object }>(bodies)) {
      expect((await postJson(service, value, '/api/a/search')).status).toBe(200);
    }

    const first = await documentOf('wfs-geoportail');
    expect(first.info.title).toBe('API Carto WFS-Géoportail');
    expect(first.components.parameters.source.example).toBe('CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle');
    expect(first.paths).toHaveProperty('/api/wfs-geoportail/search');
  });

  test('makes up no layer where none is named', async () => {
    service = await startModules([
      toModule({ name: 'a' }),
      toModule({ name: 'b', example: { source: 'x:y' } }),
    ]);
    const [a, b] = [await documentOf('a'), await documentOf('b')];
    expect(a.components.parameters.source).not.toHaveProperty('example');
    expect(a.paths['/api/a/sources/{source}'].get.parameters[0]).not.toHaveProperty('example');
    const bodies = b.paths['/api/b/search'].post.requestBody.content['application/json'].examples;
    expect(bodies).not.toHaveProperty('attributes');
    expect(bodies.point.value).toMatchObject({ source: 'x:y', geom: { coordinates: [1.4886, 48.4476] } });
    await checkDocument(a);
    await checkDocument(b);
  });
});

describe('Swagger UI', () => {
  test('shows all modules on one page, and each on its own', async () => {
    service = await startModules([
      toModule({ name: 'a', title: '<b>$& &' }),
      toModule({ name: 'b', title: 'Bé' }),
    ]);
    const init = (await send(service, '/api/doc/swagger-ui-init.js')).text;
    expect(init.match(/"url": "[^"]+"/g)).toEqual(['"url": "a.json"', '"url": "b.json"']);
    expect((await send(service, '/api/doc/')).text).not.toContain('.download-url-wrapper { display: none }');

    expect((await send(service, '/api/doc/b')).headers.location).toBe('b/');
    const page = await send(service, '/api/doc/b/');
    expect(page.text).toContain('<title>Bé</title>');
    expect(page.text).toContain('.download-url-wrapper { display: none }');
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const own = (await send(service, '/api/doc/b/swagger-ui-init.js')).text;
    expect(own.match(/"url": "[^"]+"/g)).toEqual(['"url": "../b.json"']);
    const files = [...page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect((await send(service, `/api/doc/b/${file}`)).status).toBe(200);
    expect((await send(service, '/api/doc/a/')).text).toContain('<title>&#60;b&#62;&#36;&#38; &#38;</title>');
  });
});

test('a line of the log names the module', async () => {
  const failing = fakeSource({
    search: async () => {
      throw new Error('a defect');
    },
  });
  service = await startModules([toModule({ name: 'a' }), toModule({ name: 'b', source: failing })]);
  await send(service, '/api/a/search?source=x');
  await send(service, '/api/b/search?source=x');
  await send(service, '/health/live');
  await until(() => service.log.length === 4, 'three requests and a fault are logged');
  expect(service.log.map(({ msg, module, status }) => [msg, module, status])).toEqual([
    ['request', 'a', 200],
    ['answered with an error', 'b', undefined],
    ['request', 'b', 500],
    ['request', undefined, 200],
  ]);
});
