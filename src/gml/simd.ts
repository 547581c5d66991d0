import { Lane } from './bytes.js';
import type { FeatureWriter } from './feature.js';
import { type Ids, type Keeper, type Memo, type Opening, State, Transition } from './memo.js';
import { POWERS } from './numbers.js';
import { SIMD_BINARY } from './simd-binary.js';

/** What is used of WebAssembly: TypeScript knows it as a part of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Global {
  readonly value: number;
}

/** What assembly/features.ts exports. */
interface Loop {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly base: Global;
  readonly written: Global;
  readonly ends: Global;
  readonly kept: Global;
  readonly newlines: Global;
  readonly continuations: Global;
  start(): void;
  configure(states: number, transitions: number, pool: number, openings: number, ids: number): void;
  run(entry: number, from: number, to: number, isFirst: number): number;
  check(from: number, to: number): number;
}

/** Places in its memory, as it knows them. */
const Place = {
  powers: 1024,
  seen: 8192,
  frames: 12288,
  ends: 16384,
  kept: 32768,
  window: 0x10000,
  positions: 0x60000,
  out: 0x1a0000,
  tables: 0x3a0000,
} as const;
const WINDOW_SIZE = 1 << 18;
/** Behind what is read sixteen bytes at a time. */
const SLACK = 64;
const PAGE = 1 << 16;
/** How many times the bytes to be checked may stand before them, for all to be copied. */
const HOLD_SHARE = 4;
/**
 * So often the tables are handed over at once, and not only when TypeScript has read enough by them: in a process that has
 * just begun that costs a tenth of what TypeScript takes to read a feature.
 */
const LOADS_AT_ONCE = 64;
/** Larger tables stay where they are. */
const TABLES_MAX = 1 << 23;
/** Bytes of the record of an opening, and of what a transition does with ids. */
const OPENING_SIZE = 16;
const IDS_SIZE = 64;
const KEEPS_MAX = 4;

/** Why it stopped behind the last whole feature: the next one has not come whole, is not plain, or has markup nobody knows. */
export const Stop = { more: 0, odd: 1, unknown: 4 } as const;
const FULL = 2;

const NOTATIONS: Readonly<Record<Opening['notation'], number>> = { posList: 1, coordinates: 2, pos: 3 };

/**
 * Whole features by what was learnt, sixteen bytes at a time, in WebAssembly: 2 to 3 times as fast as TypeScript, and at
 * once, since it is compiled before it runs. One for the whole process: it keeps nothing of a
 * document between two calls but the memo's tables, so converters take turns, and their number costs no memory.
 */
export class SimdLoop {
  private static shared: SimdLoop | undefined | null = null;
  private bytes: Uint8Array;
  private words: Int32Array;
  /** The memory, as a lane whose bytes are read. */
  private readonly lane = new Lane(0);
  /** The memo whose tables are here. */
  private loaded = 0;
  private loads = 0;
  /** The bytes whose copy stands in the window from its first byte on. */
  private held: Uint8Array | undefined;
  /** Where the last call stopped. */
  at = 0;

  private constructor(private readonly loop: Loop) {
    this.bytes = new Uint8Array(loop.memory.buffer);
    this.words = new Int32Array(loop.memory.buffer);
    this.lane.bytes = this.bytes;
    new Float64Array(loop.memory.buffer, Place.powers, POWERS.length).set(POWERS);
    loop.start();
  }

  /** The process's own; undefined where there is no WebAssembly, or none with SIMD. */
  static get(): SimdLoop | undefined {
    if (SimdLoop.shared === null) SimdLoop.shared = SimdLoop.create();
    return SimdLoop.shared;
  }

  private static create(): SimdLoop | undefined {
    try {
      const binary = Buffer.from(SIMD_BINARY, 'base64');
      const instance = new WebAssembly.Instance(new WebAssembly.Module(binary));
      return new SimdLoop(instance.exports as Loop);
    } catch {
      return undefined;
    }
  }

  /** Whether the tables are here, as they are now. */
  holds(memo: Memo): boolean {
    return this.loaded === memo.version;
  }

  /** Whether it is too early to ask whether handing over the tables pays. */
  get isNew(): boolean {
    return this.loads < LOADS_AT_ONCE;
  }

  /** Bytes of the tables; Infinity where they are too many. */
  static sizeOf(memo: Memo): number {
    const size =
      memo.stateCount * State.size * 4 +
      (memo.size + 1) * Transition.size * 4 +
      memo.openings.length * OPENING_SIZE +
      memo.ids.length * IDS_SIZE +
      memo.pool.length;
    return size > TABLES_MAX ? Number.POSITIVE_INFINITY : size;
  }

  load(memo: Memo): void {
    this.reserve(Place.tables + SimdLoop.sizeOf(memo) + 4 * SLACK);
    const states = Place.tables;
    const transitions = toEven(states + memo.stateCount * State.size * 4);
    const openings = toEven(transitions + (memo.size + 1) * Transition.size * 4);
    const ids = toEven(openings + memo.openings.length * OPENING_SIZE);
    const pool = ids + memo.ids.length * IDS_SIZE;
    this.words.set(memo.states.subarray(0, memo.stateCount * State.size), states / 4);
    this.words.set(memo.transitions.subarray(0, (memo.size + 1) * Transition.size), transitions / 4);
    memo.openings.forEach((one, i) => {
      this.words.set(toOpeningRecord(one), (openings + i * OPENING_SIZE) / 4);
    });
    memo.ids.forEach((one, i) => {
      this.words.set(toIdsRecord(one), (ids + i * IDS_SIZE) / 4);
    });
    this.bytes.set(memo.pool.bytes.subarray(0, memo.pool.length), pool);
    this.loop.configure(states, transitions, pool, openings, ids);
    this.loaded = memo.version;
    this.loads++;
  }

  /**
   * Reads whole features from `from` on, in the state between two features, and hands them to the writer; `at` is
   * where it stopped.
   */
  run(
    state: number,
    bytes: Uint8Array,
    from: number,
    end: number,
    writer: FeatureWriter,
    keep: Keeper,
  ): number {
    let start = from;
    for (;;) {
      const isHeld = this.held === bytes;
      const length = isHeld ? end - start : Math.min(end - start, WINDOW_SIZE);
      const window = isHeld ? Place.window + start : this.copy(bytes, start, start + length);
      this.bytes[window + length] = 0;
      const outcome = this.runWindow(state, window, window + length, writer, keep);
      const read = this.loop.base.value - window;
      this.at = start + read;
      if (outcome !== Stop.more || start + length === end) return outcome;
      if (read === 0) return Stop.odd;
      start = this.at;
    }
  }

  /**
   * Whether bytes are right, as `Input.check` has it: up to `at` they are. What was checked is left in the window, for
   * `run`, with all before it, unless that is much more: to copy it costs less than to copy twice.
   */
  check(bytes: Uint8Array, from: number, to: number): { newlines: number; continuations: number } {
    const { loop } = this;
    const isHeld = to <= WINDOW_SIZE && to <= (to - from) * HOLD_SHARE;
    const counts = { newlines: 0, continuations: 0 };
    this.at = from;
    for (let isRight = true; isRight && this.at < to; ) {
      const start = isHeld ? 0 : this.at;
      const end = Math.min(to, start + WINDOW_SIZE);
      const window = this.copy(bytes, start, end);
      const stop = loop.check(window + this.at - start, window + end - start) - window + start;
      // A character may be cut where the window ends.
      isRight = stop === end || (end < to && stop > this.at);
      this.at = stop;
      counts.newlines += loop.newlines.value;
      counts.continuations += loop.continuations.value;
    }
    if (isHeld) this.held = bytes;
    return counts;
  }

  /** The bytes held are about to change. */
  release(): void {
    this.held = undefined;
  }

  private copy(bytes: Uint8Array, from: number, to: number): number {
    this.held = undefined;
    this.bytes.set(bytes.subarray(from, to), Place.window);
    return Place.window;
  }

  private runWindow(state: number, start: number, end: number, writer: FeatureWriter, keep: Keeper): number {
    const { loop } = this;
    for (let from = start; ; from = loop.base.value) {
      const outcome = loop.run(state, from, end, writer.ends.length === 0 ? 1 : 0);
      this.take(writer, keep);
      if (outcome !== FULL) return outcome;
    }
  }

  private take(writer: FeatureWriter, keep: Keeper): void {
    const { loop, words, lane } = this;
    const count = loop.ends.value;
    if (count === 0) return;
    const ends = words.subarray(Place.ends / 4, Place.ends / 4 + count);
    writer.addAll(this.bytes, Place.out, loop.written.value, ends);
    const kept = loop.kept.value;
    for (let i = 0; i < kept; i++) {
      const at = Place.kept / 4 + i * 5;
      const [kind = 0, idFrom = 0, idTo = 0, from = 0, to = 0] = words.subarray(at, at + 5);
      keep(kind, this.bytes, idFrom, idTo, lane, from, to);
    }
  }

  private reserve(size: number): void {
    const { memory } = this.loop;
    const missing = size - memory.buffer.byteLength;
    if (missing <= 0) return;
    memory.grow(Math.ceil(missing / PAGE));
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.lane.bytes = this.bytes;
  }
}

/** Notation (0: not for this loop), swap, dimension. */
function toOpeningRecord({ notation, reading, dimension, separators }: Opening): number[] {
  const isPlain =
    separators === undefined ||
    (separators.decimal === 0x2e && separators.cs === 0x2c && separators.ts === 0x20);
  const isHere =
    isPlain &&
    reading.transform === undefined &&
    (notation !== 'posList' || dimension === 2 || dimension === 3);
  return [isHere ? NOTATIONS[notation] : 0, reading.swap ? 1 : 0, dimension];
}

/** The frame opened and its start, how many are kept (-1: too many), and each one's kind, frame and end. */
function toIdsRecord({ keeps, opened }: Ids): number[] {
  const count = keeps.length > KEEPS_MAX ? -1 : keeps.length;
  const flat = count < 0 ? [] : keeps.flatMap(({ kind, frame, end }) => [kind, frame, end]);
  return [opened?.frame ?? -1, opened?.start ?? 0, count, ...flat];
}

function toEven(address: number): number {
  return Math.ceil(address / 64) * 64;
}
