import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { startUpstream, toCollection, toMember, type Upstream } from '../support/upstream.js';
import { toFreePort } from './redis.js';
import { ask, readMetric, toSearch } from './replicas.js';

// nginx as ops/nginx.conf sets it up, but for addresses and folders: repeats are its own, and a key stays out of it.

const FRESH_S = 2;
const folder = mkdtempSync(join(tmpdir(), 'nginx-cache-'));
let upstream: Upstream;
let service: ServiceProcess;
let nginx: ChildProcess;
let url: string;
let results = 0;
let isAway = false;

beforeAll(async () => {
  upstream = await startUpstream(({ maxFeatures }, response) => {
    results += 1;
    if (isAway) return response.destroy();
    return response.end(
      toCollection(...Array.from({ length: maxFeatures }, (_, k) => toMember(k, `answer ${results}`))),
    );
  });
  service = await startProcess({
    WFS_URL: upstream.url,
    WFS_APIKEY_IN: 'header:apikey',
    WFS_APIKEY: 'server-s3cret',
    CACHE_TTL_S: String(FRESH_S),
    TRUST_PROXY: 'loopback',
  });
  const port = await toFreePort();
  url = `http://127.0.0.1:${port}`;
  mkdirSync(join(folder, 'cache'));
  const written = readFileSync('ops/nginx.conf', 'utf8')
    .replace('worker_processes auto;', 'daemon off; user root; worker_processes 1;')
    .replace('/run/nginx.pid', join(folder, 'nginx.pid'))
    .replace('service:8091', new URL(service.url).host)
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replace('/dev/stdout', join(folder, 'access.log'))
    .replace('/var/cache/nginx/answers', join(folder, 'cache'))
    .replace(
      'http {',
      `error_log ${folder}/error.log;\nhttp { client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
      fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;`,
    );
  writeFileSync(join(folder, 'nginx.conf'), written);
  nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'inherit' });
  for (let k = 0; ; k += 1) {
    const isUp = await ask(`${url}/health/live`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) break;
    if (k > 100) throw new Error('nginx does not answer');
    await sleep(50);
  }
  await ask(toSearch(url, '&_limit=1'));
}, 60_000);
afterAll(async () => {
  nginx.kill('SIGTERM');
  await once(nginx, 'exit');
  await service.stop('SIGKILL');
  await upstream.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  isAway = false;
});

let question = 0;
const toUnlike = () => toSearch(url, `&_limit=1&bbox=1,47,2,${(48 + question++ * 1e-5).toFixed(5)}`);
const countRequests = () =>
  readMetric(service, /^carto_wfs_http_requests_total.*route="\/api\/wfs-geoportail\/search"/);
const read = async (question: string, headers: Record<string, string> = {}) => {
  const { status, text, headers: given } = await ask(question, headers);
  return { status, cache: given['x-cache'], control: given['cache-control'], text };
};

test('repeats do not reach the service, in each media type and encoding by itself', async () => {
  const question = toUnlike();
  const made = await read(question);
  expect(made).toMatchObject({ status: 200, cache: 'MISS' });
  const before = await countRequests();
  for (let k = 0; k < 20; k += 1)
    expect(await read(question)).toMatchObject({ cache: 'HIT', text: made.text });
  expect(await countRequests()).toBe(before);
  expect(await read(question, { accept: 'application/geo+json-seq' })).toMatchObject({ cache: 'MISS' });
  expect(await countRequests()).toBe(before + 1);
});

test('an answer that is no longer fresh is given while it is asked for anew, so nobody waits', async () => {
  const question = toUnlike();
  const { text } = await read(question);
  await sleep((FRESH_S + 1) * 1000);
  expect(await read(question)).toMatchObject({ cache: 'STALE', text });
  await sleep(500);
  const renewed = await read(question);
  expect(renewed.cache).toBe('HIT');
  expect(renewed.text).not.toBe(text);
});

test('while the upstream is away, what was kept is given', async () => {
  const question = toUnlike();
  const { text } = await read(question);
  isAway = true;
  await sleep((FRESH_S + 1) * 1000);
  expect(JSON.parse((await read(question)).text).features).toEqual(JSON.parse(text).features);
});

test.each<[string, (question: string) => [string, Record<string, string>]]>([
  ['as a header', (question) => [question, { apikey: 'caller-s3cret' }]],
  ['as a parameter', (question) => [`${question}&apikey=caller-s3cret`, {}]],
  ['as a token', (question) => [question, { authorization: 'Bearer caller-s3cret' }]],
])('an answer with a key of the caller’s own, %s, is kept by no shared cache', async (_, toAsked) => {
  const question = toUnlike();
  const [asked, headers] = toAsked(question);
  const first = await read(asked, headers);
  expect(first).toMatchObject({ status: 200, cache: 'BYPASS' });
  expect(first.control).toMatch(/^private,/);
  const before = await countRequests();
  expect(await read(asked, headers)).toMatchObject({ status: 200, cache: 'BYPASS' });
  expect(await countRequests()).toBe(before + 1);
  // who brings none gets an answer of its own
  expect(await read(question)).toMatchObject({ status: 200, cache: 'MISS' });
});

/** Every file there is; read anew where one went meanwhile: nginx writes beside, and renames. */
function readFiles(tries = 20): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => statSync(name).isFile())
      .map((name) => readFileSync(name, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === 0) throw error;
    return readFiles(tries - 1);
  }
}

test('no key stands in what nginx stores or logs', () => {
  const files = readFiles();
  expect(files.length).toBeGreaterThan(3);
  for (const text of files) expect(text).not.toContain('s3cret');
});

test('errors are kept by nobody', async () => {
  const question = toSearch(url, '&_limit=none');
  expect(await read(question)).toMatchObject({ status: 400, cache: 'MISS', control: 'no-store' });
  expect(await read(question)).toMatchObject({ status: 400, cache: 'MISS' });
});
