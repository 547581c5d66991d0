import { afterEach, describe, expect, test } from '@jest/globals';
import type { PageEnd } from '../../src/query/index.js';
import {
  type Config,
  fakeSource,
  feature,
  generate,
  postForm,
  postJson,
  type Reply,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

let service: Service;
afterEach(() => service.close());

const start = async (next?: PageEnd['next'], settings: Partial<Config> = {}) => {
  const end = { numberReturned: 1, ...(next === undefined ? {} : { next }) };
  const search = async () => ({ isPrivate: false, features: generate([toBatch(feature(1))], end) });
  service = await startService(fakeSource({ search }), settings);
};
type Links = Record<string, { href: string; [member: string]: unknown }>;
const linksOf = (reply: Reply): Links => {
  expect(reply.status).toBe(200);
  return Object.fromEntries(reply.json.links.map((link: { rel: string }) => [link.rel, link]));
};
/** Path and decoded parameters of a link. */
const parts = (href = '') => {
  const url = new URL(href);
  return [url.origin + url.pathname, ...[...url.searchParams].map(([name, value]) => `${name}=${value}`)];
};

describe('of a GET', () => {
  test('the last and only page links to itself', async () => {
    await start();
    const links = linksOf(
      await send(service, `${searchPath}?source=a:b&geom={"type":"Point","coordinates":[1,2]}`),
    );
    expect(Object.keys(links)).toEqual(['self']);
    expect(links.self).toEqual({
      rel: 'self',
      type: 'application/geo+json',
      href: `${service.url}${searchPath}?source=a:b&geom=%7B%22type%22:%22Point%22,%22coordinates%22:%5B1,2%5D%7D`,
    });
    expect((await send(service, links.self?.href.slice(service.url.length) ?? '')).status).toBe(200);
  });

  test('next and prev ask the same with another offset', async () => {
    await start({ startIndex: 300 });
    const query = 'source=a&nom=Saint+Prest&nom=Évreux&_start=200&_limit=100'.replace('É', '%C3%89');
    const { next, prev } = linksOf(await send(service, `${searchPath}?${query}`));
    const same = [service.url + searchPath, 'source=a', 'nom=Saint Prest', 'nom=Évreux'];
    expect(parts(next?.href)).toEqual([...same, '_limit=100', '_start=300']);
    expect(parts(prev?.href)).toEqual([...same, '_limit=100', '_start=100']);
  });

  test('a page before the first is only as long as there is room', async () => {
    await start();
    const { prev, next } = linksOf(await send(service, `${searchPath}?source=a&_start=300`));
    expect(next).toBeUndefined();
    expect(parts(prev?.href).slice(1)).toEqual(['source=a', '_start=0', '_limit=300']);
  });

  test('next may go on with the ids that are left', async () => {
    await start({ featureIds: ['p.2', 'p.3'] });
    const { next, prev } = linksOf(
      await send(service, `${searchPath}?source=a&_featureId=p.1,p.2,p.3&_limit=1`),
    );
    expect(parts(next?.href).slice(1)).toEqual(['source=a', '_limit=1', '_featureId=p.2,p.3']);
    expect(prev).toBeUndefined();
  });

  test('none carries a key, a token or a cache buster', async () => {
    await start({ startIndex: 1 });
    const query = 'source=a&apikey=s3cret&access_token=t0ken&_=123&_start=1';
    const reply = await send(service, `${searchPath}?${query}`, { headers: { apikey: 's3cret' } });
    expect(Object.keys(linksOf(reply))).toEqual(['self', 'next', 'prev']);
    expect(reply.text).not.toMatch(/s3cret|t0ken|apikey|access_token|_=/);
  });
});

describe('of a POST', () => {
  test('say the method, and a body that holds only what changes', async () => {
    await start({ startIndex: 1000 });
    const links = linksOf(await postJson(service, { source: 'a', _start: 0 }));
    const href = service.url + searchPath;
    const type = 'application/geo+json';
    expect(links.self).toEqual({ rel: 'self', type, href, method: 'POST', merge: true, body: {} });
    expect(links.next).toEqual({
      rel: 'next',
      type,
      href,
      method: 'POST',
      merge: true,
      body: { _start: 1000 },
    });
  });

  test('keep in the URL what does not change, and only that', async () => {
    await start({ startIndex: 20 });
    const { next, prev } = linksOf(
      await postForm(service, 'nom=x&apikey=s3cret', `${searchPath}?source=a&_start=5&_limit=10`),
    );
    expect(parts(next?.href).slice(1)).toEqual(['source=a', '_limit=10']);
    expect(next?.body).toEqual({ _start: 20 });
    expect(parts(prev?.href).slice(1)).toEqual(['source=a']);
    expect(prev?.body).toEqual({ _start: 0, _limit: 5 });
  });

  test('merged into the body that was sent, ask for the next page without contradiction', async () => {
    await start({ startIndex: 20 });
    const body = { nom: 'x' };
    const { next } = linksOf(await postJson(service, body, `${searchPath}?source=a&_start=10&_limit=10`));
    const path = next?.href.slice(service.url.length) ?? '';
    const reply = await postJson(service, { ...body, ...(next?.body as object) }, path);
    expect(reply.status).toBe(200);
  });
});

describe('lead to this service', () => {
  const forwarded = { 'x-forwarded-host': 'carto.example', 'x-forwarded-proto': 'https' };
  const self = async (headers: Record<string, string> = {}) =>
    linksOf(await send(service, `${searchPath}?source=a`, { headers })).self?.href;

  test('as the request names it', async () => {
    await start();
    expect(await self({ host: 'localhost:1234' })).toBe(`http://localhost:1234${searchPath}?source=a`);
  });
  test('as PUBLIC_URL names it', async () => {
    await start(undefined, { publicUrl: 'https://example.org/carto' });
    expect(await self(forwarded)).toBe(`https://example.org/carto${searchPath}?source=a`);
  });
  test('as a proxy forwards it, where that is trusted', async () => {
    await start(undefined, { trustProxy: ['loopback'] });
    expect(await self(forwarded)).toBe(`https://carto.example${searchPath}?source=a`);
  });
  test.each(['javascript', 'ftp', 'https:', ''])(
    'with a scheme of HTTP, also where a proxy forwards %j',
    async (scheme) => {
      await start(undefined, { trustProxy: ['loopback'] });
      const headers = { ...forwarded, 'x-forwarded-proto': scheme };
      expect(await self(headers)).toBe(`http://carto.example${searchPath}?source=a`);
    },
  );
  test('not as anybody forwards it', async () => {
    await start();
    expect(await self(forwarded)).toBe(`${service.url}${searchPath}?source=a`);
  });
  test('whatever a Host header tries', async () => {
    await start();
    expect(await self({ host: 'a"b<c>' })).toBe(`${service.url}${searchPath}?source=a`);
  });
});
