// Starts dist/main.js with the arguments given, compiling first when a source file is newer than the last build.
// `npm start` runs it with --max-semi-space-size=4 (MB): what streams lives in buffers, and Node's default of 16 keeps 20 MB
// more of memory in use for nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const entry = 'dist/main.js';
const newest = (folder) =>
  Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs));
const isStale = () => newest('src') > statSync(entry).mtimeMs;

process.chdir(join(import.meta.dirname, '..'));
if (!existsSync(entry) || (existsSync('src') && isStale())) {
  const build = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
await import(join('..', entry));
