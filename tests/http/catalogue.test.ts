import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ServiceError, toMessage } from '../../src/errors.js';
import type { Caller, SourceDescription, SourceList } from '../../src/query/index.js';
import { fakeSource, type Service, send, startService } from './service.js';

const base = '/api/wfs-geoportail';
const list: SourceList = {
  title: 'Géoplateforme',
  abstract: 'Service de téléchargement',
  keywords: ['wfs'],
  provider: { name: 'IGN', site: 'https://www.ign.fr' },
  contact: { name: 'Support', email: 'support@example.org' },
  fees: 'none',
  accessConstraints: 'Etalab 2.0',
  sources: [
    {
      name: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
      title: 'Parcelle',
      abstract: 'Parcelles du cadastre',
      keywords: ['Parcellaire Express', 'PCI'],
      bbox: [-63.2, -21.4, 55.9, 51.1],
      crs: 'urn:ogc:def:crs:EPSG::4326',
    },
    { name: 'BDTOPO_V3:ecole', title: 'École', keywords: ['Éducation'] },
    { name: 'BDTOPO_V3:commune', title: 'Commune', keywords: [] },
  ],
};
const parcelle: SourceDescription = {
  name: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
  title: 'Parcelle',
  abstract: 'Parcelles du cadastre',
  keywords: ['PCI'],
  bbox: [-63.2, -21.4, 55.9, 51.1],
  crs: 'urn:ogc:def:crs:EPSG::4326',
  geometry: { name: 'geom', type: 'MultiPolygon' },
  attributes: [
    { name: 'numero', type: 'string', nullable: false, repeated: false },
    { name: 'contenance', type: 'integer', nullable: true, repeated: false },
    { name: 'maj', type: 'date', nullable: true, repeated: false },
    { name: 'vu', type: 'dateTime', nullable: true, repeated: false },
    { name: 'noms', type: 'string', nullable: true, repeated: true },
    { name: 'bati', type: 'boolean', nullable: false, repeated: false },
  ],
  upstream: { axisOrder: 'latLon' },
};

let service: Service;
const callers: Caller[] = [];
const described: string[] = [];
const source = fakeSource({
  list: async (caller) => {
    callers.push(caller);
    return list;
  },
  describe: async (name, caller) => {
    callers.push(caller);
    described.push(name);
    if (name === 'none')
      throw new ServiceError('notFound', toMessage('wfs.sourceUnknown', { source: name, nearest: '' }));
    if (name === 'key') throw new ServiceError('keyMissing', toMessage('wfs.keyMissing'));
    return parcelle;
  },
});
beforeAll(async () => {
  service = await startService(source);
});
afterAll(() => service.close());

const names = (json: { sources: { name: string }[] }) => json.sources.map(({ name }) => name.split(':')[1]);

test("the module's page says what the upstream says of itself, and links to all below", async () => {
  const { status, json, headers } = await send(service, base);
  expect(status).toBe(200);
  const { sources, ...about } = list;
  expect(json).toMatchObject({ name: 'wfs-geoportail', ...about, numberOfSources: sources.length });
  expect(json).not.toHaveProperty('sources');
  expect(headers['cache-control']).toBe('no-store');
  const links = (json.links as { rel: string; href: string }[]).map(({ rel, href }) => [rel, href]);
  const url = service.url + base;
  const doc = `${service.url}/api/doc/`;
  expect(links).toEqual([
    ['self', url],
    ['search', `${url}/search`],
    ['data', `${url}/sources`],
    ['service-doc', doc],
    ['service-desc', `${doc}wfs-geoportail.yml`],
    ['service-desc', `${doc}wfs-geoportail.json`],
  ]);
  for (const [rel, href = ''] of links) {
    const reply = await send(service, href.slice(service.url.length));
    expect([rel, reply.status]).toEqual([rel, rel === 'search' ? 400 : 200]);
  }
});

describe('the list of sources', () => {
  test('is whole, in the order of the upstream', async () => {
    const { json } = await send(service, `${base}/sources`);
    expect(json.sources).toEqual(list.sources);
    expect(json).toMatchObject({ numberMatched: 3, numberReturned: 3 });
    expect(json.links).toEqual([
      { rel: 'self', type: 'application/json', href: `${service.url}${base}/sources` },
    ]);
  });

  test.each([
    ['ecole', ['ecole']],
    ['ÉCOLE', ['ecole']],
    ['education', ['ecole']],
    ['bdtopo', ['ecole', 'commune']],
    ['bdtopo commune', ['commune']],
    ['cadastre express', ['parcelle']],
    ['bdtopo parcelle', []],
    ['  ', ['parcelle', 'ecole', 'commune']],
  ])('with q=%s', async (q, found) => {
    const { json } = await send(service, `${base}/sources?q=${encodeURIComponent(q)}`);
    expect(names(json)).toEqual(found);
    expect(json.numberMatched).toBe(found.length);
  });

  test('comes in pages that follow each other', async () => {
    const seen: (string | undefined)[] = [];
    let path: string | undefined = `${base}/sources?q=e&_limit=1`;
    while (path !== undefined) {
      const { json } = await send(service, path);
      seen.push(...names(json));
      expect(json).toMatchObject({ numberReturned: 1, numberMatched: 3 });
      const next = (json.links as { rel: string; href: string }[]).find(({ rel }) => rel === 'next');
      path = next?.href.slice(service.url.length);
    }
    expect(seen).toEqual(['parcelle', 'ecole', 'commune']);
  });

  test('refuses what it does not know', async () => {
    const { status, json } = await send(service, `${base}/sources?query=x&_limit=0`);
    expect(status).toBe(400);
    expect(json.errors).toEqual([
      { parameter: '_limit', message: 'must be an integer from 1 to 5000' },
      {
        parameter: 'query',
        message: 'is no parameter here; those are q, apikey, access_token, _limit, _start',
      },
    ]);
  });

  test('is asked with the key of the caller, which no link carries', async () => {
    callers.length = 0;
    const reply = await send(service, `${base}/sources?apikey=s3cret`, {
      headers: { authorization: 'Bearer t0ken' },
    });
    expect(callers[0]?.credentials).toEqual({ apikey: 's3cret', token: 't0ken' });
    expect(reply.text).not.toMatch(/s3cret|t0ken/);
  });
});

describe('one source', () => {
  test('is described as JSON Schema', async () => {
    const { status, json, headers } = await send(
      service,
      `${base}/sources/${encodeURIComponent(parcelle.name)}`,
    );
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/schema\+json/);
    expect(json).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `${service.url}${base}/sources/${encodeURIComponent(parcelle.name)}`,
      title: 'Parcelle',
      description: 'Parcelles du cadastre',
      type: 'object',
      properties: {
        numero: { type: 'string' },
        contenance: { type: ['integer', 'null'] },
        maj: { type: ['string', 'null'], format: 'date' },
        vu: { type: ['string', 'null'], format: 'date-time' },
        noms: { type: ['array', 'null'], items: { type: 'string' } },
        bati: { type: 'boolean' },
      },
      additionalProperties: false,
      name: parcelle.name,
      keywords: ['PCI'],
      'x-geometry': { name: 'geom', type: 'MultiPolygon' },
      bbox: parcelle.bbox,
      crs: parcelle.crs,
      upstream: { axisOrder: 'latLon' },
    });
  });

  test.each([
    ['a:b', 'a:b'],
    ['a%3Ab', 'a:b'],
    ['a/b:c', 'a/b:c'],
    ['a%2Fb%3Ac', 'a/b:c'],
    ['%C3%A9cole', 'école'],
    ['a%20b', 'a b'],
  ])('may be called %s', async (path, name) => {
    await send(service, `${base}/sources/${path}`);
    expect(described.at(-1)).toBe(name);
  });

  test('that is not there is a 404', async () => {
    const { status, json } = await send(service, `${base}/sources/none`);
    expect(status).toBe(404);
    expect(json.detail).toBe('There is no source none.');
  });

  test('behind a key says how to send one', async () => {
    const { status, headers } = await send(service, `${base}/sources/key`);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Apikey realm="upstream WFS", Bearer realm="upstream WFS"');
  });

  test('HEAD gives the headers alone', async () => {
    const { status, text } = await send(service, `${base}/sources/a`, { method: 'HEAD' });
    expect([status, text]).toEqual([200, '']);
  });
});
