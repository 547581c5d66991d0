import { afterEach, describe, expect, test } from '@jest/globals';
import { fakeSource, type Service, send, startModules, startService, toModule } from './service.js';

let service: Service;
afterEach(() => service.close());

describe('/', () => {
  test.each([
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['who says nothing', undefined],
    ['who takes anything', '*/*'],
  ])('is the page to %s', async (_, accept) => {
    service = await startService(fakeSource());
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const reply = await send(service, '/', { headers });
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(reply.text).toContain('<script src="assets/explorer/main.js" type="module"></script>');
    expect(reply.text).not.toMatch(/style=|<style|<script>|\son\w+=|https?:/);
    expect(reply.headers.vary).toContain('Accept');
  });

  test('leads to the list of modules who asks for JSON', async () => {
    service = await startService(fakeSource());
    const reply = await send(service, '/', { headers: { accept: 'application/json' } });
    expect([reply.status, reply.headers.location]).toEqual([303, 'api']);
  });

  test('loads what is there, and is told what is not', async () => {
    service = await startService(fakeSource());
    for (const [path, type] of [
      ['explorer/main.js', 'text/javascript'],
      ['client/index.js', 'text/javascript'],
      ['explorer/style.css', 'text/css'],
      ['explorer/leaflet/leaflet.js', 'text/javascript'],
      ['explorer/leaflet/leaflet.css', 'text/css'],
      ['explorer/icon.svg', 'image/svg+xml'],
    ]) {
      const reply = await send(service, `/assets/${path}`);
      expect([path, reply.status, reply.headers['content-type']?.split(';')[0]]).toEqual([path, 200, type]);
      const same = await send(service, `/assets/${path}`, {
        headers: { 'if-none-match': String(reply.headers.etag) },
      });
      expect([path, same.status]).toEqual([path, 304]);
    }
    for (const path of ['explorer/nope.js', 'http/app.js', 'explorer/../main.js', 'explorer']) {
      const reply = await send(service, `/assets/${path}`);
      expect([path, reply.status, reply.headers['content-type']]).toEqual([
        path,
        404,
        'application/problem+json',
      ]);
    }
  });
});

describe('what the page is told', () => {
  const settings = async () => (await send(service, '/assets/settings.json')).json;
  const imagesOf = async () =>
    /img-src ([^;]*)/.exec(String((await send(service, '/')).headers['content-security-policy']))?.[1];

  test('the modules, each with what to begin with', async () => {
    service = await startModules([
      toModule({ limits: { limitMax: 50 } }),
      toModule({ name: 'a', title: 'Un', example: { source: 'x:y', position: [4.83, 45.76] } }),
      toModule({ name: 'b', title: 'Deux' }),
    ]);
    const { modules, tiles } = await settings();
    expect(tiles).toBeUndefined();
    expect(modules[0]).toMatchObject({
      name: 'wfs-geoportail',
      limitMax: 50,
      example: { source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle', geom: { type: 'Polygon' } },
    });
    expect(modules[1]).toMatchObject({ title: 'Un', example: { source: 'x:y' } });
    const [west, south] = modules[1].example.geom.coordinates[0][0];
    expect([Math.abs(west - 4.83) < 0.01, Math.abs(south - 45.76) < 0.01]).toEqual([true, true]);
    expect(modules[2]).toEqual({ name: 'b', title: 'Deux', limitMax: 5000 });
  });

  test.each([
    ['https://tiles.example.org/{z}/{x}/{y}.png?key=1', 'https://tiles.example.org'],
    ['https://{s}.tiles.example.org:8443/{z}/{x}/{y}.png', 'https://*.tiles.example.org:8443'],
  ])('the tiles of %s, and no other host is allowed', async (url, origin) => {
    service = await startModules([toModule({})], { explorerTiles: { url, attribution: '© Example' } });
    expect((await settings()).tiles).toEqual({ url, attribution: '© Example' });
    expect(await imagesOf()).toBe(`'self' ${origin}`);
  });

  test('no tiles: no other host at all', async () => {
    service = await startModules([toModule({})]);
    expect(await imagesOf()).toBe("'self'");
  });
});
