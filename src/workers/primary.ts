import cluster, { type Worker } from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSharedMemory } from '../cache/index.js';
import { createMailbox, type FromPrimary, type FromWorker, type Question, type Reply } from './messages.js';

export interface WorkersOptions {
  readonly count: number;
  /** Memory for what the workers share. */
  readonly maxBytes: number;
  readonly onEvent: (event: 'exited' | 'stopped', about: object) => void;
}

/** A worker that dies sooner than this is not started again at once. */
const SOON_MS = 5000;
const METRICS_MS = 2000;

/**
 * Workers that listen on one address, and what they have in common in this process, asked for by messages. One that dies
 * is replaced. Resolves with the exit code once all have ended: those that could not be started end the rest.
 */
export async function startWorkers({ count, maxBytes, onEvent }: WorkersOptions): Promise<number> {
  cluster.setupPrimary({ serialization: 'advanced' });
  const store = createSharedMemory({ maxBytes });
  const secret = randomBytes(32);
  const collecting = new Map<number, { readonly given: unknown[]; missing: number; done(): void }>();
  let collections = 0;
  let isStopping = false;
  let hasListened = false;

  const living = () => Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected());
  const tell = (worker: Worker, message: FromPrimary) => {
    if (worker.isConnected()) worker.send(message);
  };

  async function collectMetrics(): Promise<unknown[]> {
    const id = collections++;
    const workers = living();
    const given: unknown[] = [];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, METRICS_MS); // one that is too busy is missing
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      collecting.set(id, { given, missing: workers.length, done });
      for (const worker of workers) if (worker !== undefined) tell(worker, { kind: 'metricsWanted', id });
    });
    collecting.delete(id);
    return given;
  }

  const folder = makeFolder();
  const methods: Readonly<Record<string, (...parameters: never[]) => unknown>> = {
    ...store,
    collectMetrics,
    toSecret: () => secret,
    toFolder: () => folder,
  };

  async function answer({ id, method, parameters }: Question, post: (reply: Reply) => void): Promise<void> {
    try {
      const result = await methods[method]?.(...(parameters as never[]));
      if (id !== undefined) post({ id, result });
    } catch (error) {
      if (id !== undefined) post({ id, fault: String(error) });
    }
  }

  const posts = new WeakMap<Worker, (reply: Reply) => void>();
  function toPost(worker: Worker): (reply: Reply) => void {
    const known = posts.get(worker);
    if (known !== undefined) return known;
    const post = createMailbox<Reply>((replies) => tell(worker, { kind: 'replies', replies }));
    posts.set(worker, post);
    return post;
  }

  cluster.on('message', (worker, message: FromWorker) => {
    if (message.kind === 'metricsGiven') {
      const collection = collecting.get(message.id);
      if (collection === undefined) return;
      collection.given.push(message.metrics);
      collection.missing -= 1;
      if (collection.missing <= 0) collection.done();
      return;
    }
    const post = toPost(worker);
    for (const question of message.questions) void answer(question, post);
  });
  cluster.on('listening', () => {
    hasListened = true;
  });

  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  const begun = new WeakMap<Worker, number>();
  const start = () => {
    if (!isStopping) begun.set(cluster.fork(), performance.now());
  };
  return new Promise<number>((resolve) => {
    let code = 0;
    cluster.on('exit', (worker, exitCode, signal) => {
      if (!isStopping && !hasListened) {
        code = exitCode || 1; // it has said why
        stop();
      }
      const isLast = Object.keys(cluster.workers ?? {}).length === 0;
      if (isStopping) {
        if (isLast) {
          if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
          onEvent('stopped', {});
          resolve(code);
        }
        return;
      }
      onEvent('exited', { worker: worker.process.pid, code: exitCode, signal });
      const isSoon = performance.now() - (begun.get(worker) ?? 0) < SOON_MS;
      setTimeout(start, isSoon ? 1000 : 0);
    });
    for (let k = 0; k < count; k += 1) start();
  });
}

/** For the sockets of workers, and open to this user alone; undefined where nothing can be written. */
function makeFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'carto-wfs-'));
  } catch {
    return undefined;
  }
}
