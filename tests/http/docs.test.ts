import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { fakeSource, postJson, type Service, searchPath, send, startService } from './service.js';

let service: Service;
beforeAll(async () => {
  service = await startService(fakeSource(), { limitMax: 321, geomMaxVertices: 654 });
});
afterAll(() => service.close());

describe('the OpenAPI document', () => {
  test('is the same as YAML and as JSON, with the limits of this installation', async () => {
    const json = await send(service, '/api/doc/wfs-geoportail.json');
    const yaml = await send(service, '/api/doc/wfs-geoportail.yml');
    expect(json.headers['content-type']).toMatch(/^application\/json/);
    expect(yaml.headers['content-type']).toMatch(/^application\/yaml/);
    expect(parse(yaml.text)).toEqual(json.json);
    expect(json.json.components.parameters.limit.schema).toMatchObject({ maximum: 321, default: 321 });
    expect(json.json.components.parameters.geom.description).toContain('At most 654 vertices');
    expect(json.text).not.toMatch(/\{(limitMax|geomMaxVertices|bodyLimit|defaultLimit|exampleLimit)\}/);
    expect(json.headers['cache-control']).toBe('public, max-age=300');
    expect(json.headers['access-control-allow-origin']).toBe('*');
  });

  test('is in the language of the reader, or that of the address', async () => {
    const url = '/api/doc/wfs-geoportail';
    const french = { 'accept-language': 'fr-FR,fr;q=0.9,en;q=0.5' };
    for (const [path, headers, language] of [
      [`${url}.json`, {}, 'en'],
      [`${url}.json`, french, 'fr'],
      [`${url}.yml`, french, 'fr'],
      [`${url}.json?lang=en`, french, 'en'],
      [`${url}.json?lang=fr`, {}, 'fr'],
      [`${url}.json?lang=de`, french, 'fr'],
    ] as const) {
      const reply = await send(service, path, { headers });
      expect(reply.headers['content-language']).toBe(language);
      expect(reply.headers.vary).toContain('Accept-Language');
      const document = path.includes('.yml') ? parse(reply.text) : reply.json;
      expect(document.tags[1].description).toBe(
        language === 'fr'
          ? 'Quelles couches y a-t-il, et quels attributs ont-elles ?'
          : 'Which layers are there, and which attributes do they have?',
      );
    }
  });

  test('leads to this service from whatever host it is read', async () => {
    const { json } = await send(service, '/api/doc/wfs-geoportail.json');
    const server = new URL(json.servers[0].url, 'https://proxy.example/carto/api/doc/wfs-geoportail.json');
    expect(server.href).toBe('https://proxy.example/carto/');
  });

  test('has an example of each kind of geometry, and each is accepted', async () => {
    const { json } = await send(service, '/api/doc/wfs-geoportail.json');
    const inQuery: Record<string, { value: string }> = json.components.parameters.geom.examples;
    const kinds = Object.values(inQuery).map(({ value }) => JSON.parse(value).type);
    expect(kinds).toEqual([
      'Point',
      'MultiPoint',
      'LineString',
      'MultiLineString',
      'Polygon',
      'MultiPolygon',
      'GeometryCollection',
      'Feature',
      'FeatureCollection',
    ]);
    expect(JSON.parse(inQuery.polygon?.value ?? '').coordinates).toHaveLength(2);
    const { source } = json.components.parameters;
    for (const { value } of Object.values(inQuery)) {
      const query = new URLSearchParams({
        source: source.example,
        geom: value,
        _limit: '10',
      });
      const reply = await send(service, `${searchPath}?${query}`);
      expect([reply.status, reply.json.detail]).toEqual([200, undefined]);
    }
    const bodies = json.paths[searchPath].post.requestBody.content['application/json'].examples;
    expect(Object.keys(bodies)).toEqual(expect.arrayContaining(Object.keys(inQuery)));
    for (const { value } of Object.values<{ value: object }>(bodies)) {
      expect((await postJson(service, value)).status).toBe(200);
    }
  });
});

describe('Swagger UI', () => {
  const policyOf = (csp: unknown) => String(csp).split(';');

  test('is served with a policy under which it runs', async () => {
    const page = await send(service, '/api/doc/');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(policyOf(page.headers['content-security-policy'])).toEqual([
      "default-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
    // No script in the page itself, and every file it names is there.
    expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    const files = [...page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => file);
    expect(files).toContain('swagger-ui-init.js');
    for (const file of files) expect((await send(service, `/api/doc/${file}`)).status).toBe(200);
  });

  test('reads our document', async () => {
    const { text } = await send(service, '/api/doc/swagger-ui-init.js');
    expect(text).toContain('"url": "wfs-geoportail.json"');
  });

  test('is found without the last slash', async () => {
    const reply = await send(service, '/api/doc');
    expect([reply.status, reply.headers.location]).toEqual([308, 'doc/']);
  });

  test('everything else has a policy that allows nothing', async () => {
    const { headers } = await send(service, `${searchPath}?source=a`);
    expect(policyOf(headers['content-security-policy'])).toEqual([
      "default-src 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});
