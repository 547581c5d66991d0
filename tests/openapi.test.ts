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

describe('the document in French', () => {
  const folded = (text: string) => text.replace(/\s+/g, ' ').trim();
  const pairs: { en: string; fr: string }[] = parse(readFileSync('openapi/wfs-geoportail.fr.yml', 'utf8'));
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, item] of Object.entries(value)) {
      const isText = (name === 'summary' || name === 'description') && typeof item === 'string';
      if (isText) texts.push(folded(item));
      else collect(item);
    }
  };
  collect(parse(readFileSync('openapi/wfs-geoportail.yml', 'utf8')));

  test('has every text, and no other, but for the names of geometries', () => {
    const names = /^(?:Geometry|Feature)Collection$|^Feature$|^(?:Multi)?(?:Point|LineString|Polygon)$/;
    const expected = new Set(texts.filter((text) => !names.test(text)));
    expect(pairs.map(({ en }) => folded(en)).sort()).toEqual([...expected].sort());
  });

  test.each(pairs.map(({ en, fr }) => [folded(en).slice(0, 60), en, fr]))(
    'names the same: %s',
    (_, en, fr) => {
      const named = (text: string) =>
        [...new Set(text.match(/\{\w+\}|`[^`]+`|\b[45]\d\d\b|RFC \d+/g) ?? [])].sort();
      expect(named(fr)).toEqual(named(en));
      expect(fr).not.toBe(en);
    },
  );

  test('is the same document in other words', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: the document is looked into freely
    const french = loadDocument({ name: 'wfs-geoportail', title: 'API' }, limits, 'fr') as any;
    await checkDocument(french);
    expect(french.paths[searchPath].get.summary).toBe(
      'Les objets d’une couche qui intersectent une géométrie',
    );
    expect(french.components.parameters.geom.description).toContain('50000 sommets au plus');
    expect(Object.keys(french.paths)).toEqual(Object.keys(document.paths));
  });

  test.each(['en', 'fr'] as const)(
    'shows a problem of each kind, as it would be answered: %s',
    (language) => {
      // biome-ignore lint/suspicious/noExplicitAny: the document is looked into freely
      const { responses } = (loadDocument({ name: 'a', title: 'A' }, limits, language) as any).components;
      const problems = Object.values<{ content?: Record<string, { example?: { status: number } }> }>(
        responses,
      )
        .map(({ content }) => content?.['application/problem+json'])
        .filter((one) => one !== undefined);
      const statuses = problems.map(({ example }) => example?.status);
      expect(statuses.sort()).toEqual([...new Set(Object.values(statusOf))].sort());
      const { detail } = responses.BadRequest.content['application/problem+json'].example;
      expect(detail).toMatch(language === 'fr' ? /n’est pas fermé/ : /is not closed/);
    },
  );
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
