import { spawnSync } from 'node:child_process';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { paths } from './paths.js';

/** The machine and the moment, as a list of Markdown; the load is that before anything was measured. */
export function describeMachine(note: string | undefined): string[] {
  const processors = cpus();
  const [load = 0] = loadavg();
  const isShared = load > 0.5;
  return [
    `- ${processors[0]?.model.trim() || 'processor unknown'}, ${processors.length} cores, ${Math.round(totalmem() / 2 ** 30)} GB of memory, ${platform()} ${release()} ${arch()}`,
    `- Node ${process.version}`,
    `- ${new Date().toISOString().slice(0, 10)}, commit ${readCommit()}`,
    `- load average of the minute before: ${load.toFixed(2)}${isShared ? '; **machine shared** with other work: trust the ratios, not the figures' : ''}`,
    ...(note === undefined ? [] : [`- ${note}`]),
  ];
}

function readCommit(): string {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: paths.root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const commit = git('rev-parse', '--short', 'HEAD') || 'unknown';
  return git('status', '--porcelain', '--', 'src', 'bench') === '' ? commit : `${commit} with changes`;
}
