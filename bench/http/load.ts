import { join } from 'node:path';
import { run } from '../measure/process.js';
import { paths } from '../paths.js';

const AUTOCANNON = join(paths.peers, 'node_modules/autocannon/autocannon.js');

interface Report {
  readonly requests: { readonly average: number };
  readonly non2xx: number;
  readonly errors: number;
  readonly timeouts: number;
}

/**
 * Requests a second over so many connections, by autocannon in a process of its own.
 * @throws Error where any answer was not a 200
 */
export async function load(url: string, connections: number, seconds: number): Promise<number> {
  const args = ['-c', String(connections), '-d', String(seconds), '--json', '--no-progress', url];
  const report = JSON.parse(await run(process.execPath, [AUTOCANNON, ...args])) as Report;
  if (report.non2xx + report.errors + report.timeouts > 0)
    throw new Error(`${url}: ${report.non2xx} not 200, ${report.errors} errors, ${report.timeouts} timeouts`);
  return report.requests.average;
}
