import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createDemoLayers,
  createDemoServer,
  type DemoServer,
  type RecordedRequest,
} from '../../src/demo/index.js';
import { checkDocument, createAnswerCheck } from '../support/openapi.js';
import { type ServiceProcess, startProcess } from '../support/process.js';

// The file of the README, in a process of its own over two embedded upstreams and a third that is down.

const PARCELS = 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle';
const DEPARTMENTS = 'ADMINEXPRESS-DEMO:departement';
const SERVER_KEY = 'k3y-of-the-service';

interface Upstream {
  readonly server: DemoServer;
  readonly requests: RecordedRequest[];
}

async function startUpstream(source: string): Promise<Upstream> {
  const requests: RecordedRequest[] = [];
  const layers = createDemoLayers().filter(({ typeName }) => typeName === source);
  const server = await createDemoServer({ layers, onRequest: (request) => void requests.push(request) });
  return { server, requests };
}

let folder: string;
let parcels: Upstream;
let departments: Upstream;
let service: ServiceProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carto-wfs-'));
  parcels = await startUpstream(PARCELS);
  departments = await startUpstream(DEPARTMENTS);
  const [, example = ''] = /```yaml\n(modules:\n.*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
  const file = example
    .replace('https://data.geopf.fr/wfs/ows', parcels.server.url)
    .replace('https://wfs.example.org/ows', departments.server.url);
  expect(file.match(/127\.0\.0\.1/g)).toHaveLength(2);
  const path = join(folder, 'modules.yml');
  writeFileSync(path, `${file}  - name: down\n    url: http://127.0.0.1:1/wfs\n`);
  service = await startProcess({
    WFS_MODULES_FILE: path,
    REGIONS_APIKEY: SERVER_KEY,
    WFS_URL: 'http://127.0.0.1:1/nobody-asks-this',
    LIMIT_MAX: '700',
  });
}, 60_000);

afterAll(async () => {
  await service?.stop('SIGKILL');
  await parcels?.server.close();
  await departments?.server.close();
  rmSync(folder, { recursive: true });
});

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(path.startsWith('http') ? path : service.url + path, { headers });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
    json: (isJson ? JSON.parse(text) : undefined) as any,
  };
}

const api = (name: string) => `/api/${name}`;
const search = (name: string, source: string, rest = '') => `${api(name)}/search?source=${source}${rest}`;

describe('each module', () => {
  test('answers from its own upstream, with links that stay in it', async () => {
    for (const [name, source, id] of [
      ['wfs-geoportail', PARCELS, /^parcelle\./],
      ['regions', DEPARTMENTS, /^departement\./],
    ] as const) {
      const seen = new Set<string>();
      let path: string | undefined = search(
        name,
        source,
        `&_limit=30&_sortBy=${name === 'regions' ? 'nom' : 'idu'}`,
      );
      for (let page = 1; page <= 3; page += 1) {
        const { status, json } = await get(path ?? '');
        expect(status).toBe(200);
        for (const feature of json.features) {
          expect(feature.id).toMatch(id);
          seen.add(feature.id);
        }
        for (const link of json.links) expect(link.href).toContain(`${service.url}${api(name)}/search?`);
        path = json.links.find(({ rel }: { rel: string }) => rel === 'next')?.href;
      }
      expect(seen.size).toBe(90);
    }
  });

  test('knows only its own layers', async () => {
    const { status, json } = await get(search('regions', PARCELS));
    expect(status).toBe(404);
    expect(json.detail).toContain(`There is no source ${PARCELS}`);
    const { json: list } = await get(`${api('regions')}/sources`);
    expect(list.sources.map(({ name }: { name: string }) => name)).toEqual([DEPARTMENTS]);
    const schema = await get(`${api('regions')}/sources/${DEPARTMENTS}`);
    expect(schema.json.$id).toBe(`${service.url}/api/regions/sources/${encodeURIComponent(DEPARTMENTS)}`);
  });

  test('keeps its own limits, and the environment’s where it has none', async () => {
    const over = await get(search('regions', DEPARTMENTS, '&_limit=51'));
    expect(over.json.errors).toEqual([{ parameter: '_limit', message: 'must be an integer from 1 to 50' }]);
    const inherited = await get(search('wfs-geoportail', PARCELS, '&_limit=701'));
    expect(inherited.json.errors).toEqual([
      { parameter: '_limit', message: 'must be an integer from 1 to 700' },
    ]);
    expect((await get(search('wfs-geoportail', PARCELS, '&_limit=700'))).json.features).toHaveLength(700);
    expect((await get(search('regions', DEPARTMENTS))).json.numberReturned).toBe(50);
  });
});

describe('keys', () => {
  const everything = ({ requests }: Upstream) => JSON.stringify(requests);

  test('of the service go to the upstream of the module they are for, and to no other', async () => {
    await get(search('regions', DEPARTMENTS, '&_limit=1'));
    expect(departments.requests.length).toBeGreaterThan(0);
    for (const { headers } of departments.requests) {
      expect(headers['x-api-key']).toBe(SERVER_KEY);
      expect(headers.referer).toBe('https://carto.example.org');
    }
    expect(everything(parcels)).not.toContain(SERVER_KEY);
    expect(everything(parcels)).not.toContain('carto.example.org');
  });

  test('of a caller go to the module that is asked, where it wants one', async () => {
    departments.requests.length = 0;
    const headers = { apikey: 'k3y-of-a-caller' };
    expect((await get(search('wfs-geoportail', PARCELS, '&_limit=2'), headers)).status).toBe(200);
    expect(departments.requests).toEqual([]);
    expect((await get(search('regions', DEPARTMENTS, '&_limit=2'), headers)).status).toBe(200);
    expect(departments.requests.length).toBeGreaterThan(0);
    for (const request of departments.requests) expect(request.headers['x-api-key']).toBe('k3y-of-a-caller');
    expect(everything(parcels)).not.toContain('k3y-of-a-caller');
  });

  test('are in no answer and no log', async () => {
    const answers = [
      '/api',
      api('regions'),
      '/health/ready',
      `${api('regions')}/health`,
      '/api/doc/regions.yml',
    ];
    for (const path of answers) expect((await get(path)).text).not.toContain('k3y');
    expect(service.log()).not.toContain('k3y');
  });
});

describe('documents', () => {
  test.each(['wfs-geoportail', 'regions', 'down'])(
    'of %s are OpenAPI 3.1, and its answers are as they say',
    async (name) => {
      const { json: document } = await get(`/api/doc/${name}.json`);
      await checkDocument(document);
      const check = createAnswerCheck(document);
      const source = name === 'regions' ? DEPARTMENTS : PARCELS;
      const own = api(name);
      const paths = {
        '/api': '/api',
        [own]: own,
        [`${own}/health`]: `${own}/health`,
        [`${own}/sources`]: `${own}/sources?q=a`,
        [`${own}/sources/{source}`]: `${own}/sources/${encodeURIComponent(source)}`,
        [`${own}/search`]: search(name, source, '&_limit=3'),
        '/health/live': '/health/live',
        '/health/ready': '/health/ready',
        '/metrics': '/metrics',
      };
      expect(Object.keys(document.paths).sort()).toEqual(Object.keys(paths).sort());
      for (const [path, url] of Object.entries(paths)) {
        const reply = await get(url);
        expect([url, reply.status >= 500]).toEqual([url, name === 'down' && path.startsWith(own)]);
        check(path, 'get', path === '/metrics' ? { ...reply, json: reply.text } : reply);
      }
      const faulty = await get(search(name, source, '&_limit=0'));
      check(`${own}/search`, 'get', faulty);
      expect(faulty.json.instance).toBe(`urn:uuid:${faulty.headers['x-request-id']}`);
    },
  );

  test('begin with what the file says: each example finds something', async () => {
    const { json: document } = await get('/api/doc/regions.json');
    expect(document.info).toMatchObject({
      title: 'Régions et départements',
      description: expect.stringMatching(/^Limites administratives\n/),
    });
    const { source, geom } = document.components.parameters;
    for (const { value } of Object.values<{ value: string }>(geom.examples)) {
      const { json } = await get(search('regions', source.example, `&geom=${encodeURIComponent(value)}`));
      expect(
        json.features.map(({ properties }: { properties: { nom: string } }) => properties.nom),
      ).toContain('Rhône');
    }
    const { examples } = document.paths['/api/regions/search'].post.requestBody.content['application/json'];
    const { _limit, source: _, ...attributes } = examples.attributes.value;
    const query = new URLSearchParams(
      Object.entries<string[]>(attributes).flatMap(([k, v]) => v.map((x): [string, string] => [k, x])),
    );
    expect((await get(search('regions', source.example, `&${query}`))).json.numberMatched).toBe(2);
  });
});

describe('all together', () => {
  test('are listed, and every link leads somewhere', async () => {
    const { json } = await get('/api');
    expect(json.modules.map(({ name, title }: { name: string; title: string }) => [name, title])).toEqual([
      ['wfs-geoportail', 'Géoplateforme'],
      ['regions', 'Régions et départements'],
      ['down', 'down'],
    ]);
    for (const { name, links } of json.modules.slice(0, 2)) {
      for (const { rel, href } of links) {
        expect([name, rel, (await get(href)).status]).toEqual([name, rel, rel === 'search' ? 400 : 200]);
      }
    }
    expect((await get('/api/nope/search')).json.detail).toBe(
      'There is no module nope; there are wfs-geoportail, regions, down.',
    );
  });

  test('are ready although one is down, which says so itself', async () => {
    await get(api('down')); // by now it is known
    const ready = await get('/health/ready');
    expect([ready.status, ready.json]).toEqual([
      200,
      {
        status: 'ready',
        upstream: {
          'wfs-geoportail': { status: 'ready', capabilities: 'read', sources: 1, upstream: 'answers' },
          regions: { status: 'ready', capabilities: 'read', sources: 1, upstream: 'answers' },
          down: {
            status: 'unavailable',
            capabilities: expect.stringContaining('ECONNREFUSED'),
            upstream: expect.stringContaining('ECONNREFUSED'),
          },
        },
      },
    ]);
    expect((await get('/api/regions/health')).status).toBe(200);
    const down = await get('/api/down/health');
    expect([down.status, down.json.title]).toEqual([503, 'Service Unavailable']);
    expect(down.json.detail).toContain('ECONNREFUSED');
  });

  test('are told apart in the log, which says what of the environment is not used', async () => {
    const lines = service
      .log()
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    const modulesOf = (msg: string) =>
      new Set(lines.filter((line) => line.msg === msg).map(({ module }) => module));
    expect(modulesOf('capabilities read')).toEqual(new Set(['wfs-geoportail', 'regions']));
    expect(modulesOf('layer learnt')).toEqual(new Set(['wfs-geoportail', 'regions']));
    expect(modulesOf('request')).toEqual(new Set(['wfs-geoportail', 'regions', 'down', undefined]));
    expect(lines.find(({ variables }) => variables)).toMatchObject({ level: 40, variables: 'WFS_URL' });
    const { upstreams } = lines.find(({ msg }) => msg === 'listening');
    expect(Object.keys(upstreams)).toEqual(['wfs-geoportail', 'regions', 'down']);
  });

  test('end together', async () => {
    expect(await service.stop('SIGTERM')).toBe(0);
  });
});

test('a file that cannot be used stops the start, with every fault told', async () => {
  const path = join(folder, 'bad.yml');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so a file refers to a variable
  writeFileSync(path, 'modules:\n  - name: doc\n    url: ${HERE}\n');
  await expect(startProcess({ WFS_MODULES_FILE: path, LIMIT_MAX: '0' })).rejects.toThrow(
    /LIMIT_MAX: .*\n.*bad\.yml:2:5 modules\[0\]\.name: .*\n.*bad\.yml:3:5 modules\[0\]\.url: refers to HERE/,
  );
});
