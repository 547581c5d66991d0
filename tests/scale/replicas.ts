import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { toFreePort } from './redis.js';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1000 });

/** @throws where the answer is cut off */
export function ask(url: string, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => void parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers: given } = response;
        resolve({ status: statusCode, headers: given, text: Buffer.concat(parts).toString() });
      });
    }).on('error', reject);
  });
}

export const toSearch = (base: string, query: string) =>
  `${base}/api/wfs-geoportail/search?source=t:point&_count=false${query}`;

export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * nginx before replicas, in turns; what one has not begun to answer, another is asked for.
 * @param more directives of the server and of http
 */
export async function startBalancer(
  urls: readonly string[],
  { http = '', location = '' }: { readonly http?: string; readonly location?: string } = {},
): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await toFreePort();
  const servers = urls.map((url) => `server ${new URL(url).host} max_fails=1 fail_timeout=1s;`);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; user root; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log; events { worker_connections 4096; }
    http { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; ${http.replaceAll('FOLDER', folder)}
      upstream replicas { ${servers.join(' ')} keepalive 64; }
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://replicas; proxy_http_version 1.1;
        proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_next_upstream error timeout http_503 non_idempotent;
        ${location} } } }`,
  );
  const nginx: ChildProcess = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], {
    stdio: 'inherit',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let k = 0; ; k += 1) {
    const isUp = await ask(`${url}/health/live`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) break;
    if (k > 100) throw new Error('nginx does not answer');
    await sleep(50);
  }
  return {
    url,
    async close() {
      const exited = once(nginx, 'exit');
      nginx.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

export const startReplicas = (count: number, env: Record<string, string>): Promise<ServiceProcess[]> =>
  Promise.all(Array.from({ length: count }, () => startProcess(env)));

/** The most that came, for sure, within any second. @param times each between these two, in milliseconds */
export function toBusiestSecond(times: readonly (readonly [number, number])[]): number {
  return Math.max(
    0,
    ...times.map(
      ([from]) => times.filter(([soonest, latest]) => soonest >= from && latest - from < 1000).length,
    ),
  );
}

/** The value of a metric, over all its labels. */
export async function readMetric({ url }: Pick<ServiceProcess, 'url'>, pattern: RegExp): Promise<number> {
  const { text } = await ask(`${url}/metrics`);
  const lines = text.split('\n').filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
