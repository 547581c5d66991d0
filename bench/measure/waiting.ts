import { readFileSync } from 'node:fs';

/**
 * Seconds for which the main thread of a process could have run and had to wait for a processor (Linux, run_delay of
 * `schedstat`); 0 where the system does not say. What other work on the machine takes away, it shows.
 */
export function readWaiting(pid: number | 'self' = 'self'): number {
  try {
    const delay = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]);
    return Number.isNaN(delay) ? 0 : delay / 1e9;
  } catch {
    return 0;
  }
}
