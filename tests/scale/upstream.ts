import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** How the upstream answers; `silentOnce`: the first that is asked gets no answer. */
export type Mode = 'full' | 'slow' | 'large' | 'dripping' | 'silentOnce';

export interface Seen {
  /** When it was asked anything, by its own clock in milliseconds: no sooner than, and no later. */
  readonly times: (readonly [number, number])[];
  /** How often it was asked what callers want, and not what is learnt. */
  readonly results: number;
}

export interface UpstreamProcess {
  readonly url: string;
  /** From now on; what was seen so far is forgotten. */
  set(mode: Mode): Promise<void>;
  see(): Promise<Seen>;
  close(): Promise<void>;
}

export async function startUpstreamProcess(): Promise<UpstreamProcess> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'upstream-process.ts'), {
    execArgv: ['--import', 'tsx'],
  });
  const ask = async (message: string) => {
    const replied = once(child, 'message');
    child.send(message);
    return (await replied)[0];
  };
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    async set(mode) {
      await ask(mode);
    },
    see: () => ask('see') as Promise<Seen>,
    async close() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
