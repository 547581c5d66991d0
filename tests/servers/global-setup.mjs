// Starts the lab's servers once for the whole suite. Plain JavaScript: jest loads this file as it is. With LAB_DIR the
// lab lives there and is left running, so that the next run starts at once.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileWhenStale } from '../../scripts/compile.mjs';
import teardown from './global-teardown.mjs';

const PARCELS = '5000';

export default async function setup() {
  compileWhenStale(); // once, so that no test waits for the compiler
  const folder = process.env.LAB_DIR ?? mkdtempSync(join(tmpdir(), 'carto-wfs-lab-'));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755); // the user postgres must be able to enter it
  process.env.CARTO_WFS_LAB = JSON.stringify({ folder });
  try {
    const mapserver = await start('start-mapserver.sh', folder);
    const qgis = await start('start-qgis.sh', folder);
    const [cadastre, capped, lambert] = ['CADASTRE', 'CAPPED', 'LAMBERT'].map(
      (map) => `${mapserver}?map=${map}`,
    );
    process.env.CARTO_WFS_LAB = JSON.stringify({ folder, mapserver, cadastre, capped, lambert, qgis });
  } catch (error) {
    await teardown(); // jest does not, after a set-up that failed
    throw error;
  }
}

/** Runs a start script; it prints the URL of its server. */
async function start(script, folder) {
  const args = [join(import.meta.dirname, 'lab', script), folder, String(await toFreePort()), PARCELS];
  const { status, stdout, stderr } = spawnSync('bash', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status !== 0) throw new Error(`${script} failed (${status}): ${stderr}`);
  return stdout.trim();
}

/** A free port: asked for and given back, since lighttpd wants to be told one. */
async function toFreePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
