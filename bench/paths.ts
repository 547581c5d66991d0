import { join } from 'node:path';

/** npm runs scripts and tests where package.json is. */
const root = process.cwd();

export const paths = {
  root,
  fixtures: join(root, 'tests/fixtures/gml'),
  peers: join(root, 'bench/peers'),
  results: join(root, 'bench/results.md'),
  readme: join(root, 'README.md'),
  /** The compiled package: what users run. */
  dist: join(root, 'dist'),
  /** Ignored by git: compiled bench, data, results of partial runs. */
  cache: join(root, '.cache/bench'),
} as const;
