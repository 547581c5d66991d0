import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createClient,
  type Feature,
  IncompleteAnswerError,
  ProblemError,
  type SearchQuery,
} from '../../src/client/index.js';
import { type ServiceProcess, startProcess } from '../support/process.js';

// The client over the service as it is started, on loopback.

const parcels = 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle';
const communes: SearchQuery = { source: 'ADMINEXPRESS-COG.LATEST:commune', _sortBy: 'nom' };
let service: ServiceProcess;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  service = await startProcess({}, ['--demo']);
  client = createClient({ url: service.url });
}, 120_000);
afterAll(() => service?.stop('SIGKILL'));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const square = (half: number, positions = 4): SearchQuery['geom'] => {
  const [lon, lat] = [1.4886, 48.4476];
  const ring = Array.from({ length: positions }, (_, i): [number, number] => {
    const turn = (2 * Math.PI * i) / positions;
    return [lon + half * Math.cos(turn), lat + half * Math.sin(turn)];
  });
  return { type: 'Polygon', coordinates: [[...ring, ring[0] as [number, number]]] };
};

describe('a search', () => {
  test('answers a page, with what each feature shares with the geometry', async () => {
    const page = await client.search({ source: parcels, geom: square(0.001), _overlap: true, _limit: 5 });
    expect(page.features).toHaveLength(5);
    expect(page.features[0]?.overlap?.area).toBeGreaterThan(0);
    expect(page.numberMatched).toBeGreaterThan(5);
  });

  test('is a GET while the URL is short, and a POST with the same answer when the geometry is large', async () => {
    const query = (positions: number): SearchQuery => ({
      source: parcels,
      geom: square(0.001, positions),
      attributes: { section: ['AF', 'AE'] },
      _propertyNames: ['idu', 'section'],
    });
    expect(client.toRequest(query(40)).method).toBe('GET');
    expect(client.toRequest(query(2000))).toMatchObject({
      method: 'POST',
      url: `${service.url}/api/wfs-geoportail/search`,
      body: { section: ['AF', 'AE'] },
    });
    const [small, large] = [await client.search(query(40)), await client.search(query(2000))];
    expect(small.features.length).toBeGreaterThan(0);
    // A circle of 2000 corners holds the one of 40.
    expect(large.features.map(({ id }) => id)).toEqual(
      expect.arrayContaining(small.features.map(({ id }) => id)),
    );
    expect(Object.keys(small.features[0]?.properties ?? {})).toEqual(['idu', 'section']);
  });

  test('asks for attributes that are missing, and for those with names of ours', async () => {
    expect(
      client.toRequest({ source: 'a', attributes: { rep: null, source: 'x', _id: 1, none: undefined } }).url,
    ).toBe(`${service.url}/api/wfs-geoportail/search?source=a&rep=&property:source=x&property:_id=1`);
    const { features } = await client.search({
      source: 'BAN.DATA.GOUV:ban',
      attributes: { rep: null },
      _limit: 3,
    });
    expect(features.map(({ properties }) => properties.rep)).toEqual([null, null, null]);
  });
});

describe('paging', () => {
  test('gives every page once, and every feature once', async () => {
    const whole = await client.search(communes);
    const names = (features: readonly Feature[]) => features.map(({ properties }) => properties.nom);
    const pages = await collect(client.pages({ ...communes, _limit: 4 }));
    expect(pages.map(({ features }) => features.length)).toEqual([4, 4, 1]);
    expect(names(pages.flatMap(({ features }) => features))).toEqual(names(whole.features));
    expect(names(await collect(client.features({ ...communes, _limit: 2 })))).toEqual(names(whole.features));
  });

  test('goes on after a POST', async () => {
    const query = { ...communes, geom: square(0.05, 1500), _limit: 3 };
    const pages = await collect(client.pages(query));
    expect(pages.length).toBeGreaterThan(1);
    const ids = pages.flatMap(({ features }) => features.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('ends when the reader has seen enough', async () => {
    const seen: unknown[] = [];
    for await (const feature of client.features({ ...communes, _limit: 2 })) {
      seen.push(feature.id);
      if (seen.length === 3) break;
    }
    expect(seen).toHaveLength(3);
  });
});

test('the catalogue, the schema and the plan of a search', async () => {
  const { sources } = await client.sources({ q: 'adresses' });
  expect(sources.map(({ name }) => name)).toEqual(['BAN.DATA.GOUV:ban']);
  expect((await client.schema(parcels)).properties).toHaveProperty('contenance');
  expect((await client.explain(communes)).steps.length).toBeGreaterThan(0);
  expect((await client.about()).numberOfSources).toBeGreaterThan(5);
  expect((await client.modules()).modules.map(({ name }) => name)).toEqual(['wfs-geoportail']);
});

describe('what goes wrong', () => {
  test('is an error with the problem as the service tells it', async () => {
    const search = client.search({ source: 'nope', geom: '{"type":"Point"}', _limit: 0 });
    await expect(search).rejects.toBeInstanceOf(ProblemError);
    const { status, problem, message } = (await search.catch((error: unknown) => error)) as ProblemError;
    expect(status).toBe(400);
    expect(message).toBe(problem.detail);
    expect(problem.errors?.map(({ parameter }) => parameter)).toEqual(['geom', '_limit']);
  });

  test('an aborted search ends with the reason of its signal', async () => {
    const aborted = new AbortController();
    const search = client.search(communes, { signal: aborted.signal });
    aborted.abort(new Error('enough'));
    await expect(search).rejects.toThrow('enough');
  });

  async function against(listener: RequestListener, run: (url: string) => Promise<void>) {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  const half = '{"type":"FeatureCollection","features":[{"type":"Feature","id":"a"},{"type":"Fea';

  test.each([
    ['is reset', (end: { reset(): void }) => end.reset()],
    ['is closed as if it were whole', (end: { close(): void }) => end.close()],
  ])('an answer that %s on its way is no answer, but its features were seen', async (_, finish) => {
    await against(
      (_req, res) => {
        res.write(half, () => finish({ reset: () => res.socket?.resetAndDestroy(), close: () => res.end() }));
      },
      async (url) => {
        const seen: Feature[] = [];
        const reading = async () => {
          for await (const feature of createClient({ url }).features(communes)) seen.push(feature);
        };
        await expect(reading()).rejects.toBeInstanceOf(IncompleteAnswerError);
        expect(seen.length).toBeLessThanOrEqual(1);
      },
    );
  });

  test('features are given while the answer is still under way; the key is a header, and no part of the URL', async () => {
    const asked: unknown[] = [];
    let finish = () => {};
    await against(
      (req, res) => {
        asked.push([req.url, req.headers.apikey]);
        res.write('{"type":"FeatureCollection","features":[{"type":"Feature","id":"a"}');
        finish = () => void res.end('],"numberReturned":1,"timeStamp":"","links":[]}');
      },
      async (url) => {
        const reading = createClient({ url, apikey: 's3cret', module: 'other' }).batches({ source: 'x' });
        expect(await reading.next()).toEqual({ done: false, value: [{ type: 'Feature', id: 'a' }] });
        finish();
        expect(await reading.next()).toMatchObject({ done: true, value: { numberReturned: 1, links: [] } });
        expect(asked).toEqual([['/api/other/search?source=x', 's3cret']]);
      },
    );
  });

  test('an error of a proxy has a status all the same, and Retry-After is told', async () => {
    await against(
      (_req, res) => res.writeHead(503, { 'Retry-After': '7' }).end('<html>busy</html>'),
      async (url) => {
        const error: unknown = await createClient({ url })
          .about()
          .catch((fault: unknown) => fault);
        expect(error).toMatchObject({ status: 503, retryAfter: 7, message: '503 Service Unavailable' });
      },
    );
  });
});
