import type { Readable } from 'node:stream';
import { ServiceError, toMessage } from '../errors.js';
import type { Signal } from '../signal.js';
import type { Deadline } from './deadline.js';
import { collectBehind } from './garbage.js';
import { toNextTurn } from './turn.js';

type Step = IteratorResult<Uint8Array, void>;

/** Bytes of an answer, as they arrive. Ending them ends the request, whether the first was asked for or not. */
export interface Chunks extends AsyncIterableIterator<Uint8Array, void> {
  next(): Promise<Step>;
  return(): Promise<Step>;
  /** The next bytes where they have come already; undefined or absent: they have to be waited for. */
  more?(): Uint8Array | undefined;
  [Symbol.asyncIterator](): Chunks;
}

export interface ChunksOptions {
  readonly deadline: Deadline;
  readonly signal: Signal;
  /** How long the next bytes may take. */
  readonly idleTimeoutMs: number;
  readonly maxBytes: number;
  /** What to throw for what went wrong below. */
  readonly toFault: (error: unknown) => unknown;
  /** Called once, when all has been read or no more is wanted. */
  readonly end: () => void;
}

interface Waiter {
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: unknown): void;
}

const DONE: Step = { done: true, value: undefined };
const DRAINED_BYTES = 64 * 1024;
const DRAIN_MS = 50;
/** That wait to be taken, before the stream is paused. */
const MAX_WAITING_BYTES = 256 * 1024;

/**
 * The bytes of a stream, as it pushes them: a stream that is read from stops its socket and starts it again at every chunk.
 * Not the stream's own iterator, which takes longer to begin than a small answer takes to read; and no generator: one that
 * was never begun has no `finally` to clean up with.
 */
export class StreamChunks implements Chunks {
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private received = 0;
  private isBegun = false;
  private isOver = false;
  private fault: Error | undefined = undefined;
  private isToldSoon = false;
  private waiter: Waiter | undefined = undefined;

  constructor(
    private readonly stream: Readable,
    private readonly options: ChunksOptions,
  ) {
    const tell = () => this.wake();
    stream.on('data', (bytes: Uint8Array) => this.put(bytes));
    stream.on('end', tell).on('close', tell);
    stream.on('error', (error) => {
      this.fault ??= error; // what a stream that is not wanted any more still has to say is no news
      tell();
    });
  }

  /** @throws upstream* */
  async next(): Promise<Step> {
    if (this.isOver) return DONE;
    this.isBegun = true;
    const turn = toNextTurn();
    if (turn !== undefined) await turn;
    try {
      const value = this.take() ?? (await this.wait(this.options.idleTimeoutMs));
      if (value === undefined) {
        this.finish();
        return DONE;
      }
      this.count(value);
      return { done: false, value };
    } catch (error) {
      this.finish();
      throw this.options.toFault(error);
    }
  }

  more(): Uint8Array | undefined {
    const value = this.isOver ? undefined : this.take();
    if (value === undefined) return undefined;
    try {
      this.count(value);
      return value;
    } catch (error) {
      this.finish();
      throw this.options.toFault(error);
    }
  }

  async return(): Promise<Step> {
    if (this.isOver) return DONE;
    this.isOver = true;
    if (this.isBegun && !this.options.signal.aborted) await this.drain();
    this.options.end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.options.end();
  }

  /** @throws upstreamUnusable where there is more than an answer may have */
  private count({ length }: Uint8Array): void {
    this.received += length;
    collectBehind(this.received, length);
    const { maxBytes } = this.options;
    if (this.received <= maxBytes) return;
    throw new ServiceError('upstreamUnusable', toMessage('wfs.answerTooLarge', { bytes: maxBytes }));
  }

  private put(bytes: Uint8Array): void {
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.waitingBytes > MAX_WAITING_BYTES) this.stream.pause();
    if (this.received === 0) this.wake();
    else this.tellSoon();
  }

  /** The first bytes are told of at once; of all others, Node has more in its hands: they go on together. */
  private tellSoon(): void {
    if (this.isToldSoon) return;
    this.isToldSoon = true;
    setImmediate(() => {
      this.isToldSoon = false;
      this.wake();
    });
  }

  private take(): Uint8Array | undefined {
    const bytes = this.waiting.shift();
    if (bytes === undefined) return undefined;
    this.waitingBytes -= bytes.length;
    if (this.waiting.length === 0 && this.stream.isPaused()) this.stream.resume();
    return bytes;
  }

  private wait(timeoutMs: number): Promise<Uint8Array | undefined> {
    return this.options.deadline.wait(this.untilThere(), timeoutMs, 'wfs.stalled');
  }

  /** Undefined: the end. Rejects with what the stream says. */
  private untilThere(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
      this.wake();
    });
  }

  /** The one who waits is let go at once: it holds the bytes it is given, and would keep them alive. */
  private wake(): void {
    const { waiter } = this;
    if (waiter === undefined) return;
    const bytes = this.take();
    const isOver = this.fault !== undefined || this.stream.readableEnded || this.stream.destroyed;
    if (bytes === undefined && !isOver) return;
    this.waiter = undefined;
    if (bytes !== undefined || (this.fault === undefined && this.stream.readableEnded)) waiter.resolve(bytes);
    else waiter.reject(this.fault ?? toPrematureClose());
  }

  /** What little is left of an answer that is not read on is taken all the same: its connection can be used again. */
  private async drain(): Promise<void> {
    for (let left = DRAINED_BYTES; left > 0 && !this.stream.readableEnded; ) {
      const bytes = this.take() ?? (await this.wait(DRAIN_MS).catch(() => undefined));
      if (bytes === undefined) return;
      left -= bytes.length;
    }
  }
}

/** As Node's own iterator of a stream calls it. */
function toPrematureClose(): Error {
  return Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

/** Bytes on their way through: each is told of, and once that no more will come. */
export class ToldChunks implements Chunks {
  private isOver = false;

  constructor(
    private readonly inner: Chunks,
    private readonly told: { received(bytes: number): void; end(): void },
  ) {}

  next(): Promise<Step> {
    return this.inner.next().then(this.tell, this.fail);
  }

  more(): Uint8Array | undefined {
    const value = this.inner.more?.();
    if (value !== undefined) this.told.received(value.length);
    return value;
  }

  async return(): Promise<Step> {
    try {
      return await this.inner.return();
    } finally {
      this.end();
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private readonly tell = (step: Step): Step => {
    if (step.done) this.end();
    else this.told.received(step.value.length);
    return step;
  };

  private readonly fail = (error: unknown): never => {
    this.end();
    throw error;
  };

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.told.end();
  }
}
