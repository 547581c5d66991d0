import type { SharedStore } from '../cache/index.js';
import { createMailbox, type FromPrimary, type FromWorker, type Question, type Reply } from './messages.js';

/** The process that this one is a worker of. */
export interface Primary {
  /** What its workers share. */
  readonly store: SharedStore;
  /** The same for all workers. */
  readonly secret: Uint8Array;
  /** Where workers may make sockets for each other; undefined: nowhere. */
  readonly folder: string | undefined;
  /** What is counted, of every worker. */
  collectMetrics(): Promise<readonly unknown[]>;
}

/** Methods of the store whose result is waited for. */
const asked: readonly (keyof SharedStore)[] = [
  'begin',
  'renew',
  'get',
  'getPart',
  'setPart',
  'share',
  'leave',
  'count',
];
/** Those that have none: what is sent arrives in its order. */
const told: readonly (keyof SharedStore)[] = ['release', 'finish', 'set', 'delete'];

/** @param giveMetrics what is counted in this worker */
export async function connectToPrimary(giveMetrics: () => Promise<unknown>): Promise<Primary> {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let count = 0;
  const send = (message: FromWorker) => process.send?.(message);
  const post = createMailbox<Question>((questions) => send({ kind: 'questions', questions }));

  function take({ id, result, fault }: Reply): void {
    const asker = waiting.get(id);
    waiting.delete(id);
    if (fault === undefined) asker?.resolve(result);
    else asker?.reject(new Error(fault));
  }

  process.on('message', async (message: FromPrimary) => {
    if (message.kind === 'replies') message.replies.forEach(take);
    else if (message.kind === 'metricsWanted')
      send({ kind: 'metricsGiven', id: message.id, metrics: await giveMetrics() });
  });

  const ask = (method: string, ...parameters: unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      const id = count++;
      waiting.set(id, { resolve, reject });
      post({ id, method, parameters });
    });
  const tell = async (method: string, ...parameters: unknown[]) => post({ method, parameters });
  const methods = [
    ...asked.map((name) => [name, (...all: unknown[]) => ask(name, ...all)]),
    ...told.map((name) => [name, (...all: unknown[]) => tell(name, ...all)]),
  ];
  return {
    store: Object.fromEntries(methods) as SharedStore,
    secret: (await ask('toSecret')) as Uint8Array,
    folder: (await ask('toFolder')) as string | undefined,
    collectMetrics: () => ask('collectMetrics') as Promise<readonly unknown[]>,
  };
}
