import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type ServiceProcess, startProcess } from '../support/process.js';

/** What a process holds after a collection. */
export interface Left {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
  /** Sockets, timers and the like, by the names Node has for them. */
  readonly resources: Readonly<Record<string, number>>;
}

/** The service with a probe in it that no caller can reach. */
export interface ProbedProcess extends ServiceProcess {
  look(): Promise<Left>;
}

export async function startProbed(env: Readonly<Record<string, string>>): Promise<ProbedProcess> {
  const probe = pathToFileURL(join(import.meta.dirname, 'probe.mjs')).href;
  const service = await startProcess({ ...env, NODE_OPTIONS: `--import=${probe}` });
  return {
    ...service,
    async look() {
      const before = service.log().length;
      process.kill(service.pid, 'SIGUSR2');
      for (;;) {
        const [, text] = /^left: (.*)$/m.exec(service.log().slice(before)) ?? [];
        if (text !== undefined) return JSON.parse(text) as Left;
        await sleep(20);
      }
    },
  };
}
