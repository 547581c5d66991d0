import type { SharedStore } from '../cache/index.js';
import type { FromPrimary, FromWorker } from './messages.js';

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

const storeMethods = [
  'begin',
  'renew',
  'release',
  'finish',
  'get',
  'set',
  'delete',
  'getPart',
  'setPart',
  'share',
  'leave',
  'count',
] as const satisfies readonly (keyof SharedStore)[];

/** @param giveMetrics what is counted in this worker */
export async function connectToPrimary(giveMetrics: () => Promise<unknown>): Promise<Primary> {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let count = 0;
  const send = (message: FromWorker) => process.send?.(message);

  process.on('message', async (message: FromPrimary) => {
    if (message.kind === 'metricsWanted') {
      send({ kind: 'metricsGiven', id: message.id, metrics: await giveMetrics() });
    } else if (message.kind === 'reply') {
      const asked = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.fault === undefined) asked?.resolve(message.result);
      else asked?.reject(new Error(message.fault));
    }
  });

  const ask = (method: string, ...parameters: unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      const id = count++;
      waiting.set(id, { resolve, reject });
      send({ kind: 'question', id, method, parameters });
    });
  const methods = storeMethods.map((name) => [name, (...all: unknown[]) => ask(name, ...all)]);
  return {
    store: Object.fromEntries(methods) as SharedStore,
    secret: (await ask('toSecret')) as Uint8Array,
    folder: (await ask('toFolder')) as string | undefined,
    collectMetrics: () => ask('collectMetrics') as Promise<readonly unknown[]>,
  };
}
