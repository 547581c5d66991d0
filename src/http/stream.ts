import type { ServerResponse } from 'node:http';
import type { Response } from 'express';
import type { FeatureWriter, Page } from '../formats/index.js';
import type { Answer, FeatureBatch, PageEnd, WholePage } from '../query/index.js';
import { Abort, type Signal, untilAborted } from '../signal.js';

/** Written response bodies, with backpressure and the end of the caller's patience. */
interface Sink {
  /** Resolves once more may be written; rejects when the caller is gone. */
  write(pieces: readonly Uint8Array[]): Promise<void>;
}

/** The caller left, or stopped reading for too long: nobody is there to be told anything. */
export class CallerGone extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'CallerGone';
  }
}

/**
 * One listener for all drains: `compression()` passes `drain` on to its own stream and would keep every `once`.
 * A reader that takes nothing for `idleMs` while we have something to say is cut off; Node's socket timeout
 * counts progress within a write, so a slow reader is not a stalled one.
 */
function createSink(res: Response, left: Signal, idleMs: number): Sink {
  let wake = () => {};
  res.on('drain', () => wake());
  left.addEventListener('abort', () => wake(), { once: true });
  return {
    async write(pieces) {
      left.throwIfAborted();
      if (pieces.length === 0) return;
      const hasRoom = writePieces(res, toFew(count(res, pieces)));
      (res as Response & { flush?(): void }).flush?.();
      if (hasRoom) return;
      res.setTimeout(idleMs);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      left.throwIfAborted();
      res.setTimeout(0);
    },
  };
}

/** Not Node's own FIN: to some readers it would make the half a whole. */
function resetWhenStalled(res: Response): void {
  res.on('timeout', () => {
    res.locals.outcome = 'stalled';
    res.req.socket.resetAndDestroy();
  });
}

/** Aborted when the connection closes before the answer is whole. */
export function toLeftSignal(res: Response): Signal {
  const left = new Abort();
  res.once('close', () => {
    if (!res.writableFinished) left.abort(new CallerGone('the caller closed the connection'));
  });
  return left;
}

export interface StreamOptions {
  readonly res: Response;
  readonly writer: FeatureWriter;
  readonly left: Signal;
  readonly readerIdleMs: number;
  /** Called once, when the first features or the end have come: status and headers follow from it, and from the end where it is there too. */
  readonly begin: (end?: PageEnd) => void;
  readonly toPage: (end: PageEnd) => Page;
  /** Fields behind the body (RFC 9110 §6.5), where the headers left some out. */
  readonly toTrailers: (end: PageEnd) => readonly [name: string, value: string][];
}

type Features = Answer['features'];

/** Ends the upstream request. A generator that waits ends once its signal is aborted, so nobody waits for it here. */
export function endFeatures(features: Features): void {
  features.return(undefined as never).catch(() => {});
}

/**
 * Streams an answer: status with the first features, at most two batches ahead of the reader, and no end behind a
 * fault. An error thrown before `begin` was called is an answer of its own; after it, the connection must be reset.
 */
export async function streamFeatures(features: Features, options: StreamOptions): Promise<void> {
  const { res, writer, left, readerIdleMs, begin } = options;
  resetWhenStalled(res);
  let isWhole = false;
  const end = (last: PageEnd, before: readonly Uint8Array[] = []) => {
    isWhole = true;
    writeEnd(last, before, options);
  };
  try {
    const first = await untilAborted(features.next(), left);
    if (first.done) {
      begin(first.value);
      return end(first.value);
    }
    const pieces = writer.writeBatch(countFeatures(res, first.value));
    const second = features.next();
    const soon = await settledSoon(second);
    left.throwIfAborted();
    begin(soon?.done ? soon.value : undefined);
    if (soon?.done) return end(soon.value, pieces);
    const sink = createSink(res, left, readerIdleMs);
    await sink.write(pieces);
    let next = await untilAborted(second, left);
    while (!next.done) {
      await sink.write(writer.writeBatch(countFeatures(res, next.value)));
      next = await untilAborted(features.next(), left);
    }
    end(next.value);
  } finally {
    if (!isWhole) endFeatures(features);
  }
}

/** Sends a page that is there already: with its length, and copied nowhere on the way. */
export function sendWhole({ batches, end }: WholePage, options: StreamOptions): void {
  const { res, writer, begin } = options;
  begin(end);
  resetWhenStalled(res);
  const pieces = batches.flatMap((batch) => writer.writeBatch(countFeatures(res, batch)));
  writeEnd(end, pieces, options);
}

/** The last bytes; where they are the first too, the length is known. */
function writeEnd(last: PageEnd, before: readonly Uint8Array[], options: StreamOptions): void {
  const { res, writer, readerIdleMs, toPage, toTrailers } = options;
  const pieces = count(res, [...before, writer.writeEnd(toPage(last))]);
  if (res.headersSent) {
    res.addTrailers([...toTrailers(last)]);
  } else {
    res.removeHeader('Trailer');
    res.setHeader('Content-Length', toLength(pieces));
  }
  endWith(res, pieces, readerIdleMs);
}

/** Ends an answer with its last bytes, which a reader may take as slowly as all others. */
export function endWith(res: ServerResponse, pieces: readonly Uint8Array[], idleMs: number): void {
  const few = toFew(pieces);
  if (few.length > 1) res.cork();
  writePieces(res, few.slice(0, -1));
  res.end(few.at(-1));
  // `compression()` has not ended it yet, and waits for a drain that does not come while it is corked.
  if (res.writableCorked > 0) res.uncork();
  if (!res.writableFinished) res.setTimeout(idleMs); // Node sets its own again once the last byte has gone out.
}

export const toLength = (pieces: readonly Uint8Array[]) =>
  pieces.reduce((sum, { length }) => sum + length, 0);

/** Up to here a copy costs less than another write. */
const COPIED_BYTES = 64 * 1024;

function toFew(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const isOne = pieces.length > 1 && toLength(pieces) <= COPIED_BYTES;
  return isOne ? [Buffer.concat(pieces)] : pieces;
}

/** In one system call, however many pieces. */
function writePieces(res: ServerResponse, pieces: readonly Uint8Array[]): boolean {
  if (pieces.length > 1) res.cork();
  const hasRoom = pieces.reduce((_, piece) => res.write(piece), true);
  if (pieces.length > 1) res.uncork();
  return hasRoom;
}

/**
 * What a promise gives within this turn of the event loop; else, or where it fails, undefined. A small answer is
 * whole by then and leaves in one write with a length, half the system calls; a slow one loses nothing by it.
 */
function settledSoon<T>(promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const turn = setImmediate(resolve, undefined);
    const settle = (value?: T) => {
      clearImmediate(turn);
      resolve(value);
    };
    promise.then(settle, () => settle());
  });
}

function countFeatures(res: Response, batch: FeatureBatch): FeatureBatch {
  res.locals.features = (res.locals.features ?? 0) + batch.ends.length;
  return batch;
}

/** Bytes of the body before compression, for the log. */
function count(res: Response, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  res.locals.bytes = (res.locals.bytes ?? 0) + toLength(pieces);
  return pieces;
}
