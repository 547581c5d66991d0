import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type ServiceProcess, startProcess } from '../support/process.js';

// Swagger UI as a person meets it: headless Chromium (Debian's) over the demo.

const screenshots = join(import.meta.dirname, '../../coverage/screenshots');
let service: ServiceProcess;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  service = await startProcess({}, ['--demo']);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await service?.stop('SIGKILL');
});

/** The page, and everything that went wrong on it. */
async function openPage(
  of = service,
  path = '/api/doc/',
  locale = 'en-US',
): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 }, locale });
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(of.url) && !request.url().startsWith('data:')) faults.push(request.url());
  });
  await page.goto(of.url + path);
  await page.locator('.opblock').first().waitFor();
  return { page, faults };
}

/** Opens an operation, and runs it as it stands. */
async function tryOut(page: Page, operation: string, change: () => Promise<void> = async () => {}) {
  const block = page.locator(`#${operation}`);
  await block.locator('.opblock-summary-control').click();
  await change();
  await block.locator('.execute').click();
  const answer = block.locator('.live-responses-table .response').first();
  await answer.waitFor();
  return { block, status: (await answer.locator('.response-col_status').innerText()).trim() };
}

const GET = 'operations-Search-search';
const POST = 'operations-Search-searchByPost';

test('"Try it out" of GET returns features, with the example that stands there', async () => {
  const { page, faults } = await openPage();
  const { block, status } = await tryOut(page, GET);
  expect(status).toMatch(/^200/);
  const body = await block.locator('.live-responses-table .highlight-code').first().innerText();
  expect(body).toContain('"FeatureCollection"');
  expect(body).toMatch(/"id": "parcelle\./);
  await page.screenshot({ path: join(screenshots, 'swagger-get.png'), fullPage: true });
  expect(faults).toEqual([]);
}, 60_000);

test('"Try it out" of POST returns features for each example of a geometry', async () => {
  const { page, faults } = await openPage();
  const block = page.locator(`#${POST}`);
  await block.locator('.opblock-summary-control').click();
  const examples = block.locator(
    '.opblock-section-request-body .examples-select select, .opblock-section-request-body select.examples-select-element',
  );
  const values = await examples
    .first()
    .locator('option')
    .evaluateAll((options) => options.map((option) => (option as unknown as { value: string }).value));
  expect(values.length).toBeGreaterThanOrEqual(9);
  for (const value of values.filter((candidate) => !candidate.startsWith('__'))) {
    await examples.first().selectOption(value);
    const answered = page.waitForResponse((response) => response.url().includes('/search'));
    await block.locator('.execute').click();
    const response = await answered;
    expect({ value, status: response.status() }).toEqual({ value, status: 200 });
    const { features } = (await response.json()) as { features: unknown[] };
    expect({ value, some: features.length > 0 }).toEqual({ value, some: true });
  }
  await page.screenshot({ path: join(screenshots, 'swagger-post.png'), fullPage: true });
  expect(faults).toEqual([]);
}, 90_000);

test('an error is shown as what it says', async () => {
  const { page } = await openPage();
  const { block, status } = await tryOut(page, GET, async () => {
    await page.locator(`#${GET} tr[data-param-name="source"] input`).first().fill('nope');
  });
  expect(status).toMatch(/^404/);
  await expect(block.locator('.live-responses-table').first().innerText()).resolves.toContain(
    'There is no source nope',
  );
}, 60_000);

test('an example can be changed where it stands', async () => {
  const { page } = await openPage();
  const { block, status } = await tryOut(page, GET, async () => {
    const geom = page.locator(`#${GET} tr[data-param-name="geom"] input`);
    expect(await geom.inputValue()).toBe('{"type":"Point","coordinates":[1.4886,48.4476]}');
    await geom.fill('{"type":"Point","coordinates":[48.4476,148]}');
  });
  expect(status).toMatch(/^400/);
  await expect(block.locator('.live-responses-table').first().innerText()).resolves.toContain(
    'GeoJSON is longitude first',
  );
}, 60_000);

test('a key is entered once, sent with every request, and forgotten with the page', async () => {
  const { page } = await openPage();
  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.modal-ux');
  await dialog.locator('input').first().fill('my-key');
  await dialog.locator('button.authorize').first().click();
  await dialog.locator('.btn-done').first().click();
  for (const operation of [GET, POST]) {
    const asked = page.waitForRequest((request) => request.url().includes('/search'));
    await tryOut(page, operation);
    expect((await asked).headers()).toMatchObject({ apikey: 'my-key' });
    expect((await asked).url()).not.toContain('my-key');
  }
  await page.goto(`${service.url}/api/doc/?again`);
  await page.locator('.opblock').first().waitFor();
  const asked = page.waitForRequest((request) => request.url().includes('/search'));
  await tryOut(page, GET);
  expect((await asked).headers()).not.toHaveProperty('apikey');
}, 60_000);

test('every way of saying no is shown with an example', async () => {
  const { page } = await openPage();
  const block = page.locator(`#${GET}`);
  await block.locator('.opblock-summary-control').click();
  const problems = block.locator('tr.response:not([data-code="200"]):not([data-code="304"])');
  await problems.first().waitFor();
  const texts = await problems.allInnerTexts();
  expect(texts.length).toBeGreaterThan(10);
  for (const text of texts) expect(text).toMatch(/"detail": "[^"]{10,}/);
}, 60_000);

test('is in the language of the reader, errors too', async () => {
  const { page, faults } = await openPage(service, '/api/doc/', 'fr-FR');
  await expect(page.locator('.info').innerText()).resolves.toContain('Quand quelque chose ne va pas');
  const { block, status } = await tryOut(page, GET, async () => {
    await page.locator(`#${GET} tr[data-param-name="source"] input`).first().fill('nope');
  });
  expect(status).toMatch(/^404/);
  await expect(block.locator('.live-responses-table').first().innerText()).resolves.toContain(
    'Il n’y a pas de source nope',
  );
  expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
}, 60_000);

describe('of several modules', () => {
  let several: ServiceProcess;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carto-wfs-'));
    const path = join(folder, 'modules.json');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: in the demo, the embedded WFS
    const url = '${WFS_URL}';
    const regions = {
      name: 'regions',
      title: 'Régions et départements',
      description: 'Limites administratives.',
      url,
      limits: { limitMax: 50 },
      example: {
        source: 'ADMINEXPRESS-DEMO:departement',
        position: ['4.83', '45.76'],
        attributes: { nom: ['Rhône'] },
      },
    };
    const modules = [{ name: 'wfs-geoportail', title: 'Géoplateforme', url }, regions];
    writeFileSync(path, JSON.stringify({ modules }));
    several = await startProcess({ WFS_MODULES_FILE: path }, ['--demo']);
  }, 120_000);

  afterAll(async () => {
    await several?.stop('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const title = (page: Page) => page.locator('.info .title').innerText();

  test('the second is chosen, and "Try it out" asks it', async () => {
    const { page, faults } = await openPage(several);
    expect(await title(page)).toContain('Géoplateforme');
    await page.screenshot({ path: join(screenshots, 'swagger-modules.png') });
    const selector = page.locator('.topbar select');
    expect(await selector.locator('option').allInnerTexts()).toEqual(['wfs-geoportail', 'regions']);
    await selector.selectOption({ label: 'regions' });
    await page.locator('.info .title', { hasText: 'Régions et départements' }).waitFor();
    const asked = page.waitForRequest((request) => request.url().includes('/search'));
    const { block, status } = await tryOut(page, GET);
    expect((await asked).url()).toMatch(
      /\/api\/regions\/search\?source=ADMINEXPRESS-DEMO(:|%3A)departement&geom=.*4\.83/,
    );
    expect(status).toMatch(/^200/);
    const body = await block.locator('.live-responses-table .highlight-code').first().innerText();
    expect(body).toContain('Rhône');
    expect(body).toContain('/api/regions/search?');
    await page.screenshot({ path: join(screenshots, 'swagger-second-module.png'), fullPage: true });
    expect(faults).toEqual([]);

    // The choice is in the address: it can be sent to somebody.
    const again = await openPage(several, new URL(page.url()).pathname + new URL(page.url()).search);
    expect(await title(again.page)).toContain('Régions et départements');
  }, 90_000);

  test('each has a page of its own', async () => {
    const { page, faults } = await openPage(several, '/api/doc/regions');
    expect(page.url()).toMatch(/\/api\/doc\/regions\/$/);
    expect(await page.title()).toBe('Régions et départements');
    expect(await title(page)).toContain('Régions et départements');
    expect(await page.locator('.topbar select').isVisible()).toBe(false);
    const { status } = await tryOut(page, POST);
    expect(status).toMatch(/^200/);
    await page.screenshot({ path: join(screenshots, 'swagger-module-page.png'), fullPage: true });
    expect(faults).toEqual([]);
  }, 90_000);
});
