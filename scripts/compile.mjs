// Compiles to dist/ when a source file is newer than the last build. Throws when it does not compile.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const [source, entry] = [join(root, 'src'), join(root, 'dist/main.js')];
const newest = (folder) =>
  Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs));
const isStale = () => newest(source) > statSync(entry).mtimeMs;

export function compileWhenStale() {
  if (existsSync(entry) && !(existsSync(source) && isStale())) return;
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the service does not compile');
}
