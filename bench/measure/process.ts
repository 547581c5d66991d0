import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { paths } from '../paths.js';

/** A compiled module of the bench, by its path without ending. */
export const toModule = (name: string) => join(paths.cache, 'js', `${name}.js`);

/** Runs a program to its end and gives what it printed. @throws Error with the end of what it said of its fault */
export async function run(command: string, args: readonly string[], cwd = paths.root): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let faults = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    faults += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return output;
  throw new Error(toReason(faults) ?? `${command} ended with ${code ?? signal}`);
}

function toReason(faults: string): string | undefined {
  const lines = faults.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /\b\w*Error\b/.test(line)) ?? lines.at(-1))?.trim().slice(0, 200);
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** Resident memory in bytes, now and at its largest so far (Linux; elsewhere NaN). */
  memory(): { readonly now: number; readonly peak: number };
  /** Processor time so far, its own and its children's, in seconds (Linux; elsewhere NaN). */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts `node MODULE PORT ...` or what else listens on `PORT`, and waits until it answers. */
export async function startServer(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  output: 'inherit' | 'ignore' = 'inherit',
): Promise<ServerProcess> {
  const port = await findPort();
  const child = spawn(process.execPath, [...args], {
    cwd: paths.root,
    env: { ...toPlainEnvironment(), ...env, PORT: String(port) },
    stdio: ['ignore', output, 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await untilListening(url, child);
  return {
    url,
    memory: () => readMemory(child),
    cpuSeconds: () => readTreeCpuSeconds(child),
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Without what would send requests to loopback elsewhere, or change how Node runs. */
function toPlainEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, NODE_ENV: 'production' };
}

async function findPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    try {
      await (await fetch(`${url}/health/live`)).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  child.kill('SIGKILL');
  throw new Error('the server does not answer');
}

function readTreeCpuSeconds({ pid = 0 }: ChildProcess): number {
  const children = readTask(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children].reduce((sum, one) => sum + readCpuSeconds(one), 0);
}

/** proc_pid_stat(5): utime and stime, in ticks of 10 ms. */
function readCpuSeconds(pid: number): number {
  const [, fields = ''] = readTask(pid, 'stat').split(') ');
  const [utime = Number.NaN, stime = Number.NaN] = fields.split(' ').slice(11, 13).map(Number);
  return (utime + stime) / 100;
}

/** Of /proc; empty where it has nothing of the kind. */
function readTask(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function readMemory({ pid }: ChildProcess): { now: number; peak: number } {
  let status = '';
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // no Linux
  }
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}
