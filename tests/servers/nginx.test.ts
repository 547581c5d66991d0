import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ServiceProcess, startProcess } from '../support/process.js';
import {
  COLLECTION_END,
  COLLECTION_START,
  startUpstream,
  toMember,
  type Upstream,
} from '../support/upstream.js';
import { toFreePort } from './lab.js';

// A cache in front must not take the half for the whole: nginx, in both versions of HTTP, with all headers ignored that
// would keep it from storing an answer.

const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
let upstream: Upstream;
let service: ServiceProcess;
let nginx: ChildProcess;
let port: number;
let kilobytes = 0;
let isWhole = false;

beforeAll(async () => {
  upstream = await startUpstream(async (_, response) => {
    response.write(COLLECTION_START);
    for (let k = 0; k < kilobytes; k += 1) {
      if (!response.write(toMember(k, 'x'.repeat(1000)))) await once(response, 'drain');
    }
    await sleep(5);
    if (isWhole) response.end(COLLECTION_END);
    else response.destroy();
  });
  service = await startProcess({ WFS_URL: upstream.url });
  port = await toFreePort();
  const proxy = (version: string) => `location /${version}/ {
      proxy_pass ${service.url}/; proxy_http_version ${version}; proxy_cache answers; proxy_cache_valid any 1h;
      proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires; proxy_cache_key "$request_uri";
      add_header X-Cache $upstream_cache_status always; }`;
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; user root; pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
    http { access_log off; proxy_cache_path ${folder}/cache keys_zone=answers:1m; client_body_temp_path ${folder}/body;
      proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      server { listen 127.0.0.1:${port}; ${proxy('1.0')} ${proxy('1.1')} } }`,
  );
  nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'inherit' });
  for (let k = 0; ; k += 1) {
    if (
      await fetch(`http://127.0.0.1:${port}/1.1/health/live`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    if (k > 100) throw new Error('nginx does not answer');
    await sleep(50);
  }
}, 60_000);

afterAll(async () => {
  nginx.kill('SIGTERM');
  await once(nginx, 'exit');
  await service.stop('SIGKILL');
  await upstream.close();
  rmSync(folder, { recursive: true });
});

const toPath = (version: string, k: number) =>
  `/${version}/api/wfs-geoportail/search?source=t:point&_count=false&_limit=${2000 + k}`;

async function read(path: string): Promise<{ isWhole: boolean; cache: string | null; features: number }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const cache = response.headers.get('x-cache');
  try {
    const { features } = (await response.json()) as { features: unknown[] };
    return { isWhole: true, cache, features: features.length };
  } catch {
    return { isWhole: false, cache, features: 0 };
  }
}

test('a whole answer is stored and served again', async () => {
  [kilobytes, isWhole] = [200, true];
  for (const version of ['1.0', '1.1']) {
    expect(await read(toPath(version, 0))).toEqual({ isWhole: true, cache: 'MISS', features: 200 });
    expect(await read(toPath(version, 0))).toEqual({ isWhole: true, cache: 'HIT', features: 200 });
  }
});

test('half an answer, cut at every 64 kB of 1 MB, is neither passed on as whole nor stored', async () => {
  isWhole = false;
  for (kilobytes = 64; kilobytes <= 1024; kilobytes += 64) {
    for (const version of ['1.0', '1.1']) {
      for (const _ of ['first', 'again']) {
        const { isWhole: looksWhole, cache } = await read(toPath(version, kilobytes));
        expect({ version, kilobytes, looksWhole, cache }).toEqual({
          version,
          kilobytes,
          looksWhole: false,
          cache: 'MISS',
        });
      }
    }
  }
}, 60_000);

test('a client of nginx that speaks HTTP/1.0 is not told that half an answer is whole', async () => {
  kilobytes = 512;
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${toPath('1.1', 1)} HTTP/1.0\r\nHost: x\r\n\r\n`);
  let text = '';
  socket.on('data', (part) => {
    text += part;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  // nginx itself can only close here: what it passed on must not parse
  expect(text).not.toMatch(/"links":|\]\}\s*$/);
});
