import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { FeatureCollection } from '../../src/client/index.js';
import type { Answer } from '../../src/query/index.js';
import type { Signal } from '../../src/signal.js';
import {
  fakeSource,
  feature,
  generate,
  type Service,
  startModules,
  startService,
  toBatch,
  toModule,
} from '../http/service.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { expectAccessible, launch, longestTask, open, shoot, tabTo } from './page.js';

// The page at / as a person meets it: headless Chromium over the demo, or over a source that takes its time.

let service: ServiceProcess;
let browser: Browser;

beforeAll(async () => {
  [service, browser] = await Promise.all([startProcess({}, ['--demo']), launch()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await service?.stop('SIGKILL');
});

const rows = (page: Page) => page.locator('tbody tr[data-place]');
const text = (page: Page, selector: string) => page.locator(selector).innerText();
const untilDone = async (page: Page) => {
  await rows(page).first().or(page.locator('#problem:visible')).first().waitFor();
  expect(await page.locator('#problem:visible').allInnerTexts()).toEqual([]);
  await page.locator('#cancel').waitFor({ state: 'hidden' });
};

/** The features in the file that the page gives. */
async function download(page: Page, button: string): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator(button).click()]);
  return readFileSync(await file.path(), 'utf8');
}

async function runShell(code: string): Promise<FeatureCollection> {
  const { stdout } = await promisify(execFile)('sh', ['-c', code], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as FeatureCollection;
}

async function runNode(code: string): Promise<string> {
  const args = ['--input-type=module', '-e', code];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

describe('a newcomer', () => {
  test('finds which parcels a project overlaps, by how much, and the line of code for it', async () => {
    const { page, faults } = await open(browser, service.url);
    await page.locator('#example').click();
    await untilDone(page);
    const [first] = await rows(page).allInnerTexts();
    expect(first).toMatch(/parcelle\.\w+\s+\d[\d.]*%\s+[\d,.]+ m²\s+\d[\d.]*%/);
    const shown = JSON.parse(await download(page, '#download-geojson')) as FeatureCollection;
    expect(shown.features.length).toBeGreaterThan(10);
    expect(await text(page, '#count')).toBe(`${shown.features.length} features`);

    await page.locator('#tab-code').click();
    const { features } = await runShell(await text(page, '#code'));
    expect(features).toEqual(shown.features);
    await page.locator('input[value=fetch]').check();
    expect(await runNode(await text(page, '#code'))).toBe(`${shown.features.length}\n`);
    await page.locator('input[value=URL]').check();
    const answer = (await (await fetch(await text(page, '#code'))).json()) as FeatureCollection;
    expect(answer.features).toEqual(shown.features);
    expect(faults).toEqual([]);
    await page.close();
  }, 60_000);

  test('gets there by keyboard alone', async () => {
    const { page, faults } = await open(browser, service.url);
    await tabTo(page, '#source');
    await page.keyboard.type('parcellaire express');
    await page.locator('#source-list [role=option]').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await page.locator('#source').inputValue()).toBe('CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle');
    await page.locator('#filter-add:enabled').waitFor();

    await tabTo(page, '[data-draw=rectangle]');
    await page.keyboard.press('Enter');
    for (let i = 0; i < 4; i += 1) {
      await page.keyboard.press('+');
      await page.waitForTimeout(400);
    }
    await page.keyboard.press('Enter');
    for (const key of ['ArrowRight', 'ArrowDown']) {
      await page.keyboard.press(key);
      await page.waitForTimeout(400);
    }
    await page.keyboard.press('Enter');
    expect(await text(page, '#geom-about span')).toBe('Polygon, 5 positions');
    await page.keyboard.press('Enter'); // the focus is on Search by now
    await untilDone(page);

    await tabTo(page, 'tbody tr[data-place]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await text(page, '#details')).toMatch(/Shared\s+[\d,.]+ m²/);
    await page.keyboard.press('Escape');
    expect(await page.locator('#details').isVisible()).toBe(false);
    await tabTo(page, '#tab-table', 'Shift+Tab');
    await page.keyboard.press('ArrowRight');
    const { features } = await runShell(await text(page, '#code'));
    expect(`${features.length} features`).toBe((await text(page, '#count')).replaceAll(',', ''));
    expect(features.every(({ overlap }) => overlap !== undefined)).toBe(true);
    expect(faults).toEqual([]);
    await page.close();
  }, 60_000);

  test('reads it in French, where the browser is French', async () => {
    const { page } = await open(browser, service.url, { locale: 'fr-FR' });
    expect(await text(page, '.hello .question')).toBe(
      'Quelles parcelles mon projet recouvre-t-il, et pour quelle part ?',
    );
    expect(await page.locator('html').getAttribute('lang')).toBe('fr');
    await expectAccessible(page);
    await page.close();
  });
});

describe('what a person does', () => {
  test('draws, filters with the values seen, pages, and passes the address on, without the key', async () => {
    const { page, faults } = await open(browser, `${service.url}/#source=BAN.DATA.GOUV%3Aban&limit=50`);
    await untilDone(page);
    expect(await text(page, '#count')).toMatch(/^50 of [\d,]+ features$/);
    await page.locator('#more').click();
    await page.locator('#count', { hasText: /^100 of/ }).waitFor();

    await page.locator('#filter-add').click();
    await page.locator('.filter select').first().selectOption('nom_voie');
    const value = page.locator('.filter input');
    await value.focus();
    const seen = await page
      .locator('.filter datalist option')
      .evaluateAll((options) => options.map((option) => (option as unknown as { value: string }).value));
    expect(seen.length).toBeGreaterThan(1);
    await value.fill(seen[0] as string);
    await page.locator('.options summary').click();
    await page.locator('#key').fill('s3cret');
    await page.locator('#search').click();
    await untilDone(page);
    const streets = JSON.parse(await download(page, '#download-geojson')) as FeatureCollection;
    expect(new Set(streets.features.map(({ properties }) => properties.nom_voie))).toEqual(
      new Set([seen[0]]),
    );

    expect(page.url()).not.toContain('s3cret');
    await page.locator('#tab-code').click();
    expect(await text(page, '#code')).toContain("-H 'apikey: YOUR_KEY'");
    const { page: again } = await open(browser, page.url());
    await untilDone(again);
    expect(await again.locator('.filter input').inputValue()).toBe(seen[0]);
    expect(await text(again, '#count')).toBe(await text(page, '#count'));
    expect(faults).toEqual([]);
    await page.close();
    await again.close();
  }, 60_000);

  test('draws a polygon with the pointer, and takes the table away as CSV', async () => {
    const { page, faults } = await open(browser, service.url);
    await page.locator('#example').click();
    await untilDone(page);
    await page.locator('[data-draw=polygon]').click();
    const map = page.locator('#map');
    for (const position of [
      { x: 300, y: 150 },
      { x: 600, y: 160 },
      { x: 500, y: 350 },
    ]) {
      await map.click({ position });
    }
    await page.locator('#draw-finish').click();
    expect(await text(page, '#geom-about span')).toBe('Polygon, 4 positions');
    await page.locator('#search').click();
    await untilDone(page);
    const [head = '', first = '', ...others] = (await download(page, '#download-csv'))
      .trimEnd()
      .split('\r\n');
    expect(head).toMatch(
      /^\ufeffid,.*,overlap_area,overlap_length,overlap_shareOfFeature,overlap_shareOfGeom,wkt$/,
    );
    expect(first).toMatch(/^parcelle\..*"MULTIPOLYGON \(\(\(1\.48/);
    expect(await text(page, '#count')).toBe(`${others.length + 1} features`);
    expect(faults).toEqual([]);
    await page.close();
  }, 60_000);

  test('pastes coordinates, and is told when it is no geometry', async () => {
    const { page } = await open(browser, service.url);
    await page.locator('#paste summary').click();
    await page.locator('#geom-text').fill('somewhere nice');
    await page.locator('#geom-use').click();
    expect(await text(page, '#geom-fault')).toContain('neither GeoJSON nor coordinates');
    await page.locator('#geom-text').fill('1.4886 48.4476');
    await page.locator('#geom-use').click();
    expect(await text(page, '#geom-about span')).toBe('Point');
    expect(await text(page, '#geom-fault')).toBe('');
    await page.close();
  });

  test('asks by POST where the geometry is large, and so does the code', async () => {
    const { page } = await open(browser, service.url);
    await page.locator('#source').fill('ADMINEXPRESS-COG.LATEST:commune');
    await page.keyboard.press('Enter');
    const circle = Array.from({ length: 1000 }, (_, i) => {
      const turn = (i / 999) * 2 * Math.PI;
      return [1.48 + 0.02 * Math.cos(turn), 48.45 + 0.01 * Math.sin(turn)];
    });
    circle[999] = circle[0] as number[];
    await page.locator('#paste summary').click();
    await page.locator('#geom-text').fill(JSON.stringify({ type: 'Polygon', coordinates: [circle] }));
    await page.locator('#geom-use').click();
    expect(await text(page, '#geom-fault')).toContain('not part of it');
    expect(page.url()).not.toContain('geom=');
    await page.locator('#search').click();
    await untilDone(page);
    const shown = JSON.parse(await download(page, '#download-geojson')) as FeatureCollection;
    await page.locator('#tab-code').click();
    const code = await text(page, '#code');
    expect(code).toContain("-H 'Content-Type: application/json'");
    expect((await runShell(code)).features).toEqual(shown.features);
    await page.locator('input[value=fetch]').check();
    expect(await runNode(await text(page, '#code'))).toBe(`${shown.features.length}\n`);
    await page.locator('input[value=QGIS]').check();
    expect(await text(page, '#code-about')).toContain('download the GeoJSON');
    await page.close();
  }, 60_000);

  test('drops a file, and has its geometry', async () => {
    const { page } = await open(browser, service.url);
    const geometry = { type: 'Point', coordinates: [1.4886, 48.4476] };
    const body = JSON.stringify({
      type: 'FeatureCollection',
      features: [{ type: 'Feature', geometry, properties: {} }],
    });
    await page.locator('#paste summary').click();
    await page
      .locator('#geom-file')
      .setInputFiles({ name: 'a.geojson', mimeType: '', buffer: Buffer.from(body) });
    await page.locator('#geom-about span', { hasText: 'FeatureCollection' }).waitFor();
    await page.close();
  });

  test('chooses among modules, each with layers and limits of its own', async () => {
    const asked: string[] = [];
    const toSource = (name: string) =>
      fakeSource({
        search: async ({ limit }) => {
          asked.push(`${name} ${limit}`);
          return { isPrivate: false, features: generate([toBatch(feature(1))], { numberReturned: 1 }) };
        },
      });
    const several = await startModules([
      toModule({ name: 'a', title: 'Un', source: toSource('a') }),
      toModule({ name: 'b', title: 'Deux', source: toSource('b'), limits: { limitMax: 20 } }),
    ]);
    const { page } = await open(browser, several.url);
    expect(await page.locator('#hello').isVisible()).toBe(false);
    await page.locator('#module').selectOption({ label: 'Deux' });
    await page.locator('#source').fill('parcels');
    await page.keyboard.press('Enter');
    await page.locator('#search').click();
    await untilDone(page);
    await page.close();
    await several.close();
    expect(asked).toEqual(['b 20']);
  });

  test('is told when an answer breaks off, and keeps what came', async () => {
    let breakOff = () => {};
    const broken = new Promise<void>((resolve) => {
      breakOff = resolve;
    });
    async function* features(): Answer['features'] {
      yield toBatch(feature(1), feature(2));
      await broken;
      throw new Error('the upstream ends in the middle');
    }
    const breaking = await startService(
      fakeSource({ search: async () => ({ isPrivate: false, features: features() }) }),
    );
    const { page } = await open(browser, `${breaking.url}/#source=parcels`);
    await rows(page).first().waitFor();
    breakOff();
    await page.locator('#problem', { hasText: 'The answer broke off' }).waitFor();
    expect(await rows(page).count()).toBe(2);
    await page.close();
    await breaking.close();
  });

  test('sees the tiles that are configured, and who made them', async () => {
    const asked: string[] = [];
    const tiles = createServer((req, res) => {
      asked.push(req.url ?? '');
      res.writeHead(200, { 'Content-Type': 'image/svg+xml' });
      res.end(
        '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"><rect width="99" height="99"/></svg>',
      );
    }).listen(0, '127.0.0.1');
    await once(tiles, 'listening');
    const url = `http://127.0.0.1:${(tiles.address() as AddressInfo).port}/{z}/{x}/{y}.svg`;
    const over = await startModules([toModule({})], { explorerTiles: { url, attribution: '© <b>IGN</b>' } });
    const { page, faults } = await open(browser, over.url);
    await page.locator('img.leaflet-tile-loaded').first().waitFor();
    expect(asked[0]).toMatch(/^\/\d+\/\d+\/\d+\.svg$/);
    expect(await text(page, '.leaflet-control-attribution')).toBe('© <b>IGN</b>');
    expect(faults.filter((fault) => !fault.startsWith(url.split('{')[0] as string))).toEqual([]);
    await page.close();
    await over.close();
    tiles.closeAllConnections();
    tiles.close();
  });

  test.each([
    ['en-US', /400 Bad Request\s+geom \/coordinates\/0 ring 0 is not closed/],
    ['fr-FR', /400 Requête incorrecte\s+geom \/coordinates\/0 l’anneau 0 n’est pas fermé/],
  ])('reads an error as the service tells it: %s', async (locale, expected) => {
    const geom = '{"type":"Polygon","coordinates":[[[1,48],[2,48],[2,49],[1,49]]]}';
    const { page } = await open(
      browser,
      `${service.url}/#source=BAN.DATA.GOUV:ban&geom=${encodeURIComponent(geom)}`,
      { locale },
    );
    await page.locator('#problem').waitFor();
    expect(await text(page, '#problem')).toMatch(expected);
    await expectAccessible(page);
    await page.close();
  });
});

describe('the look', () => {
  test.each([
    ['light', 1280, 800],
    ['dark', 1280, 800],
    ['light', 320, 760],
    ['dark', 375, 760],
  ] as const)(
    '%s, %d wide: nothing serious for axe-core, nothing beyond the edge',
    async (colorScheme, width, height) => {
      const { page, faults } = await open(browser, service.url, { colorScheme, viewport: { width, height } });
      const name = `explorer-${width >= 800 ? 'wide' : 'narrow'}-${colorScheme}`;
      await expectAccessible(page);
      await shoot(page, `${name}-start`);
      await page.locator('[data-draw=polygon]').click();
      await expectAccessible(page);
      await page.locator('#draw-cancel').click();
      await page.locator('#example').click();
      await untilDone(page);
      await rows(page).nth(1).click();
      await page.waitForTimeout(500);
      await expectAccessible(page);
      await shoot(page, name);
      const beyond = await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
      expect(beyond).toBe(0);
      await page.locator('#tab-code').click();
      await expectAccessible(page);
      expect(faults).toEqual([]);
      await page.close();
    },
    90_000,
  );
});

test('the policy allows nothing inline, and no other host', async () => {
  const headers = await Promise.all(
    ['/', '/assets/explorer/main.js', '/assets/client/index.js'].map(async (path) => {
      const response = await fetch(service.url + path, { headers: { accept: 'text/html' } });
      return response.headers.get('content-security-policy');
    }),
  );
  const policy =
    "default-src 'self';img-src 'self';object-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";
  expect(headers).toEqual([policy, policy, policy]);
});

describe('5,000 features that take their time', () => {
  let slow: Service;
  let goOn: () => void;
  let sent = 0;

  const square = (i: number) => {
    const [x, y] = [1 + (i % 100) * 0.001, 48 + Math.floor(i / 100) * 0.001];
    const ring = [
      [x, y],
      [x + 0.0009, y],
      [x + 0.0009, y + 0.0009],
      [x, y + 0.0009],
      [x, y],
    ];
    const properties = { numero: i, nom: `Parcelle ${i}`, section: 'AB', contenance: (i * 7919) % 1000 };
    return { type: 'Feature', id: `p.${i}`, geometry: { type: 'Polygon', coordinates: [ring] }, properties };
  };

  beforeAll(async () => {
    const seen = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* features(): Answer['features'] {
      for (sent = 0; sent < 5000; sent += 100) {
        if (sent === 500) await seen;
        await new Promise((resolve) => setTimeout(resolve, 10));
        yield toBatch(...Array.from({ length: 100 }, (_, i) => square(sent + i)));
      }
      return { numberReturned: 5000, numberMatched: 5000 };
    }
    slow = await startService(
      fakeSource({ search: async () => ({ isPrivate: false, features: features() }) }),
    );
  });
  afterAll(() => slow?.close());

  test('show as they come, and hold up the page at no time', async () => {
    const { page } = await open(browser, slow.url);
    await page.locator('#source').fill('parcels');
    await page.keyboard.press('Enter');
    const longest = await longestTask(browser, page, async () => {
      await page.locator('#search').click();
      await rows(page).first().waitFor();
      expect(sent).toBeLessThanOrEqual(500);
      expect(await text(page, '#count')).toMatch(/^\d+ features so far…$/);
      goOn();
      await page.locator('#count', { hasText: /^5,000 features$/ }).waitFor({ timeout: 60_000 });
      await page.locator('th button', { hasText: 'contenance' }).click();
      await page.locator('#scroller').evaluate((scroller) => {
        scroller.scrollTop = 80_000;
      });
      await rows(page).nth(3).click();
      await page.locator('#details').waitFor();
      await page.waitForTimeout(500);
    });
    expect(await rows(page).count()).toBeLessThan(60);
    expect(longest).toBeLessThan(200);
    await shoot(page, 'explorer-many');
    await page.close();
  }, 120_000);

  test('can be cancelled, and what came stays', async () => {
    let isOver = false;
    async function* endless(signal: Signal): Answer['features'] {
      try {
        yield toBatch(square(1), square(2));
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        return { numberReturned: 2 };
      } finally {
        isOver = true;
      }
    }
    const service = await startService(
      fakeSource({ search: async (_, { signal }) => ({ isPrivate: false, features: endless(signal) }) }),
    );
    const { page } = await open(browser, `${service.url}/#source=parcels`);
    await rows(page).first().waitFor();
    await page.locator('#cancel').click();
    await page.locator('#status', { hasText: 'Cancelled after 2 features.' }).waitFor();
    expect(await rows(page).count()).toBe(2);
    for (let i = 0; i < 100 && !isOver; i += 1) await page.waitForTimeout(50);
    expect(isOver).toBe(true);
    await page.close();
    await service.close();
  }, 60_000);
});
