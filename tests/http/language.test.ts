import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toMessage } from '../../src/errors.js';
import { toLanguage } from '../../src/http/language.js';
import {
  fakeSource,
  feature,
  generate,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['*', 'en'],
  ['de', 'en'],
  ['fr', 'fr'],
  ['FR-ca', 'fr'],
  ['fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7', 'fr'],
  ['en-US,en;q=0.9,fr;q=0.8', 'en'],
  ['de, fr;q=0.5', 'fr'],
  ['de, fr;q=0.5, en;q=0.7', 'en'],
  ['fr;q=0', 'en'],
  ['fr;q=0, *', 'en'],
  ['en;q=0.1, *', 'fr'],
  ['fr, en', 'fr'],
  ['en, fr', 'en'],
  ['fr;q=nonsense', 'en'],
  ['french', 'en'],
])('Accept-Language: %s', (header, language) => {
  expect(toLanguage(header)).toBe(language);
});

describe('the words of an answer', () => {
  let service: Service;
  const warnings = [toMessage('wfs.unstableOrder')];
  const validity = { tag: 'T-1', ageS: 7, freshS: 300, staleIfErrorS: 3600, isByKey: false };
  const whole = { batches: [toBatch(feature(1))], end: { numberReturned: 1, warnings } };
  const source = fakeSource({
    search: async () => ({ isPrivate: false, validity, whole, features: generate(whole.batches, whole.end) }),
    explain: async () => ({
      request: { method: 'GET', url: 'http://localhost/' },
      upstream: {},
      steps: [toMessage('explain.intersected')],
    }),
  });
  beforeAll(async () => {
    service = await startService(source);
  });
  afterAll(() => service.close());
  const get = (query: string, language: string, headers: Record<string, string> = {}) =>
    send(service, `${searchPath}?${query}`, { headers: { 'accept-language': language, ...headers } });

  test('problems', async () => {
    const { status, headers, json } = await get('source=a&_limit=many', 'fr-FR,fr;q=0.9,en;q=0.8');
    expect(status).toBe(400);
    expect(headers).toMatchObject({
      'content-language': 'fr',
      vary: expect.stringContaining('Accept-Language'),
    });
    expect(json).toMatchObject({
      title: 'Requête incorrecte',
      detail: '_limit: doit être un entier de 1 à 5000',
      message: '_limit: doit être un entier de 1 à 5000',
      errors: [{ parameter: '_limit', message: 'doit être un entier de 1 à 5000' }],
    });
    const english = await get('source=a&_limit=many', 'de');
    expect(english.headers['content-language']).toBe('en');
    expect(english.json).toMatchObject({
      title: 'Bad Request',
      detail: '_limit: must be an integer from 1 to 5000',
    });
  });

  test('problems of geometries, with the words inside', async () => {
    const { json } = await get('source=a&geom={"type":"Point","coordinates":[48,148]}', 'fr');
    expect(json.detail).toBe('geom: latitude 148 hors limites ; GeoJSON met la longitude en premier');
    const list = await get('source=a&geom={"type":"MultiPolygon","coordinates":7}', 'fr');
    expect(list.json.detail).toBe('geom: doit être un tableau de polygones, et non 7');
  });

  test('problems of routes and of parameters in two places', async () => {
    expect((await send(service, '/nowhere', { headers: { 'accept-language': 'fr' } })).json.detail).toBe(
      'Il n’y a rien à l’adresse /nowhere.',
    );
    const twice = await send(service, `${searchPath}?source=a`, {
      method: 'POST',
      headers: { 'accept-language': 'fr', 'content-type': 'application/json' },
      body: '{"source":"b"}',
    });
    expect(twice.json.detail).toBe(
      'source: est donné dans l’URL et dans le corps JSON, avec des valeurs différentes',
    );
  });

  test('warnings, which have a tag for each language', async () => {
    const [french, english] = [await get('source=a', 'fr'), await get('source=a', 'en')];
    expect(french.json.warnings[0]).toMatchObject({
      code: 'wfs.unstableOrder',
      message: expect.stringMatching(/^Le WFS/),
    });
    expect(english.json.warnings[0].message).toMatch(/^The upstream/);
    expect([french.headers.etag, english.headers.etag]).toEqual(['W/"T-1.g.fr"', 'W/"T-1.g.en"']);
    expect(french.headers['content-language']).toBe('fr');
    const other = await get('source=a', 'fr', { 'if-none-match': 'W/"T-1.g.en"' });
    expect(other.status).toBe(200);
    expect((await get('source=a', 'fr', { 'if-none-match': 'W/"T-1.g.fr"' })).status).toBe(304);
  });

  test('explanations', async () => {
    const { headers, json } = await get('source=a&_explain=true', 'fr');
    expect(json.steps).toEqual(['Le serveur amont calcule l’intersection.']);
    expect(headers['content-language']).toBe('fr');
    expect(headers.vary).toContain('Accept-Language');
  });
});
