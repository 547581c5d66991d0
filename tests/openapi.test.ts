import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { invalidRequest, type Kind, ServiceError, statusOf, toMessage } from '../src/errors.js';
import { loadDocument } from '../src/http/openapi.js';
import type { FeatureSource } from '../src/query/index.js';
import { fakeSource, postJson, type Service, searchPath, send, startService } from './http/service.js';
import { checkDocument, createAnswerCheck } from './support/openapi.js';

const limits = { limitMax: 5000, geomMaxVertices: 50_000, bodyLimit: 10_485_760 };
// biome-ignore lint/suspicious/noExplicitAny: the document is looked into freely
const document = loadDocument({ name: 'wfs-geoportail', title: 'API Carto WFS-Géoportail' }, limits) as any;

const checkAnswer = createAnswerCheck(document);

describe('the document', () => {
  test('is OpenAPI 3.1', async () => {
    await checkDocument(document);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  test('defines everything it refers to, and refers to everything it defines', () => {
    const text = readFileSync('openapi/wfs-geoportail.yml', 'utf8');
    const used = new Set([...text.matchAll(/\$ref: '#\/components\/([^']+)'/g)].map(([, name]) => name));
    const { securitySchemes: _, ...components } = parse(text).components;
    const defined = Object.entries(components).flatMap(([kind, entries]) =>
      Object.keys(entries as object).map((name) => `${kind}/${name}`),
    );
    expect([...used].sort()).toEqual(defined.sort());
  });

  test('names every status of the one table, and no other', () => {
    const documented = Object.keys(document.paths[searchPath].post.responses).map(Number);
    const table = [...new Set(Object.values(statusOf))];
    expect(documented.sort()).toEqual([200, ...table].sort());
  });

  test('names every parameter the search knows', () => {
    const { parameters } = document.paths[searchPath].get;
    const names = parameters.map(
      ({ $ref }: { $ref: string }) => document.components.parameters[$ref.split('/')[3] ?? ''].name,
    );
    expect(names).toEqual([
      'source',
      'geom',
      'bbox',
      '_featureId',
      'attributes',
      '_limit',
      '_start',
      '_propertyNames',
      '_sortBy',
      '_count',
      '_overlap',
      '_format',
      '_explain',
    ]);
    expect(Object.keys(document.components.schemas.SearchBody.properties).sort()).toEqual(
      [...names.filter((name: string) => name !== 'attributes'), 'apikey', 'access_token'].sort(),
    );
  });
});

describe('answers are what the document says', () => {
  let service: Service;
  let failure: ServiceError | undefined;
  const inner = fakeSource();
  const fail = () => {
    if (failure !== undefined) throw failure;
  };
  const source: FeatureSource = fakeSource({
    search: async (query, caller) => {
      fail();
      return inner.search(query, caller);
    },
    list: async () => {
      fail();
      return { keywords: [], title: 't', sources: [{ name: 'a:b', keywords: [], bbox: [0, 0, 1, 1] }] };
    },
    describe: async (name) => {
      fail();
      const attributes = [{ name: 'n', type: 'integer', nullable: true, repeated: false }] as const;
      return { name, keywords: [], attributes, geometry: { name: 'geom', type: 'Point' } };
    },
  });
  beforeAll(async () => {
    service = await startService(source);
  });
  afterAll(() => service.close());

  test('of a search, in both JSON types and by both methods', async () => {
    failure = undefined;
    const path = `${searchPath}?source=a&_start=3&_limit=2`;
    checkAnswer(searchPath, 'get', await send(service, path));
    checkAnswer(searchPath, 'get', await send(service, path, { headers: { accept: 'application/json' } }));
    checkAnswer(searchPath, 'post', await postJson(service, { source: 'a', _start: 3 }));
  });

  test('of the catalogue and of health', async () => {
    failure = undefined;
    const base = '/api/wfs-geoportail';
    checkAnswer(base, 'get', await send(service, base));
    checkAnswer(`${base}/sources`, 'get', await send(service, `${base}/sources`));
    checkAnswer(`${base}/sources/{source}`, 'get', await send(service, `${base}/sources/a:b`));
    checkAnswer(`${base}/health`, 'get', await send(service, `${base}/health`));
    checkAnswer('/api', 'get', await send(service, '/api'));
    checkAnswer('/api', 'get', await send(service, '/api?nope=1'));
    checkAnswer('/health/live', 'get', await send(service, '/health/live'));
    checkAnswer('/health/ready', 'get', await send(service, '/health/ready'));
    service.stopping = true;
    checkAnswer('/health/ready', 'get', await send(service, '/health/ready'));
    service.stopping = false;
  });

  test.each(Object.keys(statusOf) as Kind[])('with an error: %s', async (kind) => {
    failure =
      kind === 'invalidRequest'
        ? invalidRequest([{ parameter: 'geom', pointer: '/a', message: toMessage('query.empty') }])
        : new ServiceError(
            kind,
            toMessage('internal'),
            kind === 'methodNotAllowed' ? { headers: { Allow: 'GET' } } : {},
          );
    const reply = await postJson(service, { source: 'a' });
    expect(reply.status).toBe(statusOf[kind]);
    checkAnswer(searchPath, 'post', reply);
    expect(reply.headers['cache-control']).toBe('no-store');
  });
});
