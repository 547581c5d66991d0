import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A redis-server of its own, in memory alone. */
export interface RedisProcess {
  readonly url: string;
  readonly port: number;
  /** Ends it without a word, with all it holds. */
  kill(): Promise<void>;
  /** On the same port, empty. */
  start(): Promise<void>;
  /** What `redis-cli` prints. */
  run(...command: string[]): string;
  close(): Promise<void>;
}

export async function toFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function startRedis(...options: string[]): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await toFreePort();
  let child: ChildProcess | undefined;
  const run = (...command: string[]) =>
    execFileSync('redis-cli', ['-p', String(port), ...command], { encoding: 'utf8', stdio: 'pipe' }).trim();

  async function start(): Promise<void> {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    child = spawn('redis-server', [...settings, '--dir', folder, ...options], { stdio: 'ignore' });
    for (let k = 0; ; k += 1) {
      try {
        if (run('ping') === 'PONG') return;
      } catch {}
      if (k > 100) throw new Error('redis-server does not answer');
      await sleep(30);
    }
  }
  async function kill(): Promise<void> {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = undefined;
  }
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    run,
    async close() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
