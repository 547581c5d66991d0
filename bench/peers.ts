import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure/process.js';
import { paths } from './paths.js';

/** The peers of the lock file, installed once. node-expat is compiled; where it cannot be, its row says so. */
export async function installPeers(tell: (progress: string) => void): Promise<void> {
  const lock = join(paths.peers, 'package-lock.json');
  const installed = join(paths.peers, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  tell('installing the peers');
  const npm = (...args: string[]) => run('npm', [...args, '--no-audit', '--no-fund'], paths.peers);
  await npm('ci', '--ignore-scripts');
  try {
    await npm('rebuild', 'node-expat', '--ignore-scripts=false');
  } catch (error) {
    tell(`node-expat does not compile: ${(error as Error).message}`);
  }
}

export function readPeerVersions(): Readonly<Record<string, string>> {
  const { dependencies } = JSON.parse(readFileSync(join(paths.peers, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies;
}
