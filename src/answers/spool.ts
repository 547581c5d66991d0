import type { Room } from '../cache/index.js';
import { ServiceError, toMessage } from '../errors.js';
import type { Answer, FeatureBatch, FeatureStep, PageEnd } from '../query/index.js';
import { createFeatures } from '../query/index.js';

export interface SpoolOptions {
  /** Kept at most, for readers behind the fastest and for who comes later. */
  readonly maxBytes: number;
  readonly room: Room;
  /** The last reader has left before the end. */
  onDeserted(): void;
  /** It has broken off, or never began. */
  onFault(): void;
  /** The end of the answer has come; `batches`: all of the page, where all of it is still kept. */
  onEnd(answer: Answer, end: PageEnd, batches: readonly FeatureBatch[] | undefined): void;
  /** A reader was left behind. */
  onCut(): void;
}

/** A reader fell so far behind that what it needs next is gone: its answer cannot become whole any more. */
const leftBehind = () => new ServiceError('unavailable', toMessage('answers.leftBehind'));

interface Cursor {
  /** Which batch the reader gets next, counted from the first of all. */
  next: number;
  /** How long the others still wait for it, in milliseconds. */
  patience: number;
}

/** Kept in any case: readers who are a moment apart must not be cut because the cache is small or full. */
const FREE_BYTES = 256 * 1024;
/**
 * How long the fastest waits for one reader at the bound, and for all such readers together, in milliseconds: readers of
 * one pace may be some megabytes apart by what their sockets buffer. One who takes nothing holds up the others no longer.
 */
const READER_PATIENCE_MS = 500;
const PATIENCE_MS = 2000;
const OFFSET_BYTES = 8;
const toWeight = ({ bytes, ends }: FeatureBatch) => bytes.length + ends.length * OFFSET_BYTES;

/**
 * One stream of features, read by many, each at its own pace. The fastest asks for the next batch, so the upstream is
 * read as fast as somebody takes it. What the slowest lies behind is bounded: at the bound the others wait for it a moment,
 * and beyond it is cut. All is kept from the first batch on while it fits; once something was let go, nobody can join any more.
 */
export class Spool {
  private readonly answer: Promise<Answer>;
  private readonly options: SpoolOptions;
  private answered: Answer | undefined = undefined;
  private readonly cursors = new Set<Cursor>();
  private kept: FeatureBatch[] = [];
  /** The number of the first batch that is kept. */
  private first = 0;
  private bytes = 0;
  private taken = 0;
  private step: Promise<void> | undefined;
  private end: PageEnd | undefined;
  private fault: { readonly error: unknown } | undefined;
  private isCleared = false;
  private patience = PATIENCE_MS;
  /** Called when a reader has taken a batch or left. */
  private onMoved = () => {};

  /** @param answer of the upstream; it is ended here, however it ends */
  constructor(answer: Promise<Answer>, options: SpoolOptions) {
    this.answer = answer;
    this.options = options;
    answer.catch((error: unknown) => this.fail(error));
  }

  /** Who joins now misses nothing. */
  get isJoinable(): boolean {
    return this.first === 0 && !this.isCleared;
  }

  /** A reader, from the first batch on. It is there from now on, and until it is returned or at its end. */
  join(): Answer['features'] {
    const cursor: Cursor = { next: 0, patience: READER_PATIENCE_MS };
    this.cursors.add(cursor);
    return createFeatures(
      () => this.read(cursor),
      () => this.leave(cursor),
    );
  }

  private async read(cursor: Cursor): Promise<FeatureStep> {
    for (;;) {
      const step = this.stepOf(cursor);
      if (step !== undefined) return step;
      this.step ??= this.advance();
      await this.step;
    }
  }

  /** What the cursor gets now; undefined: it has to come yet. */
  private stepOf(cursor: Cursor): FeatureStep | undefined {
    if (!this.cursors.has(cursor)) throw leftBehind();
    if (this.fault !== undefined) {
      this.leave(cursor);
      throw this.fault.error;
    }
    const value = this.kept[cursor.next - this.first];
    if (value !== undefined) {
      cursor.next += 1;
      this.onMoved();
      return { done: false, value };
    }
    if (this.end === undefined) return undefined;
    this.leave(cursor);
    return { done: true, value: this.end };
  }

  private async advance(): Promise<void> {
    try {
      this.answered ??= await this.answer;
      if (!this.hasRoom()) await this.makeRoom();
      if (this.cursors.size === 0) return;
      const step = await this.answered.features.next();
      if (this.cursors.size === 0) return;
      if (step.done) this.finish(this.answered, step.value);
      else this.keep(step.value);
    } catch (error) {
      this.fail(error);
    } finally {
      this.step = undefined;
    }
  }

  private finish(answer: Answer, end: PageEnd): void {
    this.end = end;
    this.options.onEnd(answer, end, this.first === 0 ? this.kept : undefined);
  }

  private fail(error: unknown): void {
    this.fault ??= { error };
    this.clear();
    this.options.onFault();
  }

  private keep(batch: FeatureBatch): void {
    this.kept.push(batch);
    this.bytes += toWeight(batch);
    if (this.first > 0) this.dropPassed();
  }

  /** For one more batch: at most the bound is held, and the last batch in any case. */
  private hasRoom(): boolean {
    return this.kept.length <= 1 || this.fits();
  }

  private async makeRoom(): Promise<void> {
    while (!this.hasRoom()) {
      const laggards = [...this.cursors].filter(({ next }) => next === this.first);
      const patience = Math.min(this.patience, ...laggards.map((cursor) => cursor.patience));
      if (laggards.length === 0 || patience <= 0) {
        this.drop();
        continue;
      }
      const waited = await this.untilMoved(patience);
      this.patience -= waited;
      for (const cursor of laggards) cursor.patience -= waited;
    }
  }

  /** @returns how long that took, in milliseconds; at least 1 */
  private async untilMoved(patienceMs: number): Promise<number> {
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onMoved = resolve;
      timer = setTimeout(resolve, patienceMs);
    });
    this.onMoved = () => {};
    clearTimeout(timer);
    return Math.max(1, performance.now() - begun);
  }

  private fits(): boolean {
    return this.bytes <= Math.max(FREE_BYTES, this.options.maxBytes) && this.takeRoom();
  }

  private takeRoom(): boolean {
    const missing = this.bytes - FREE_BYTES - this.taken;
    if (missing <= 0) return true;
    if (!this.options.room.take(missing)) return false;
    this.taken += missing;
    return true;
  }

  /** What every reader has taken is of no use, once the answer cannot be kept whole. */
  private dropPassed(): void {
    const slowest = Math.min(...[...this.cursors].map(({ next }) => next));
    while (this.first < slowest && this.kept.length > 1) this.drop();
  }

  /** Lets the first batch go; readers who have not had it are cut. */
  private drop(): void {
    const batch = this.kept.shift();
    if (batch === undefined) return;
    this.first += 1;
    this.bytes -= toWeight(batch);
    this.giveRoom(Math.max(0, this.taken - Math.max(0, this.bytes - FREE_BYTES)));
    for (const cursor of this.cursors) {
      if (cursor.next >= this.first) continue;
      this.cursors.delete(cursor);
      this.options.onCut();
    }
  }

  private giveRoom(bytes: number): void {
    this.taken -= bytes;
    this.options.room.give(bytes);
  }

  private leave(cursor: Cursor): void {
    const isGone = this.cursors.delete(cursor);
    this.onMoved();
    if (!isGone || this.cursors.size > 0) return;
    this.clear();
    if (this.end !== undefined || this.fault !== undefined) return;
    this.fault = { error: leftBehind() };
    this.options.onDeserted();
    this.answer.then(({ features }) => features.return(undefined as never)).catch(() => {});
  }

  /** Nobody reads from here any more. */
  private clear(): void {
    this.isCleared = true;
    this.kept = [];
    this.bytes = 0;
    this.giveRoom(this.taken);
  }
}
