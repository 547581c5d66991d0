import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
async function openPage(): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(service.url) && !request.url().startsWith('data:'))
      faults.push(request.url());
  });
  await page.goto(`${service.url}/`);
  await page.locator('.opblock').first().waitFor();
  return { page, faults };
}

/** Opens an operation, and runs it as it stands. */
async function tryOut(page: Page, operation: string, change: () => Promise<void> = async () => {}) {
  const block = page.locator(`#${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.locator('.try-out__btn').click();
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
  await block.locator('.try-out__btn').click();
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
