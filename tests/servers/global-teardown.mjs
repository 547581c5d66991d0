import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

export default async function teardown() {
  if (process.env.LAB_DIR !== undefined) return;
  const { folder } = JSON.parse(process.env.CARTO_WFS_LAB);
  spawnSync('bash', [join(import.meta.dirname, 'lab/stop-lab.sh'), folder], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}
