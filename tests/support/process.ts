import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/** The service as `npm start` runs it, in a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** What it has written to its log so far. */
  readonly log: () => string;
  /** Largest resident memory so far, in bytes (Linux). */
  readonly peakMemory: () => number;
  /** Sends the signal; resolves with the exit code once the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const root = join(import.meta.dirname, '../..');

/** As `npm start` does it, without npm between. */
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: { start: string };
};
const startArguments = scripts.start.split(' ').slice(1);

/** @param args of the service: `--demo` */
export async function startProcess(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<ServiceProcess> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [...startArguments, ...args], {
    cwd: root,
    env: { PATH, HOME, HOST: '127.0.0.1', PORT: '0', ...env, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.unref(); // a test that fails may leave its service behind: it must not keep jest from ending
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    (stream as Socket).unref();
    stream.on('data', (chunk) => {
      log += chunk;
    });
  }
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const found = /"url":"([^"]+)"[^\n]*"msg":"listening"/.exec(log)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', look);
    child.on('exit', (code) => reject(new Error(`the service ended with ${code}:\n${log}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    log: () => log,
    peakMemory: () =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? Number.NaN) *
      1024,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
