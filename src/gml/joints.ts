import { fromLatin1, Lane } from './bytes.js';
import { createEffects, Effect, type Effects, type Memo } from './memo.js';
import { NULL } from './values.js';

/** What `join` finds beside a transition. */
const NONE = 0;
const CUT = -1;

/** The end of a property: the state it ends, the markup, and the place in the feature behind it. */
export interface Closing {
  readonly literal: Uint8Array;
  readonly flags: number;
  /** All that is known there, but for how far in the schema it is. */
  readonly frame: number;
  /** The next attribute of the schema. */
  readonly next: number;
}

/** What follows the end of a property: the markup up to the next value, or the end of the feature. */
interface Continuation {
  readonly literal: Uint8Array;
  /** Attributes before this one that are still to come are null. */
  readonly order: number;
  readonly flags: number;
  /** Appended, without those nulls. */
  readonly geometry: Uint8Array;
  readonly properties: Uint8Array;
  readonly value: number;
  readonly state: number;
}

/**
 * Between two properties of a schema: what ends one and what begins the next is learnt apart as well, so that each pair
 * need not be met to be known. Of a schema of 33 attributes, of which any may be missing, ten features are read
 * strictly instead of 56.
 */
export class Joints {
  private readonly frames = new Map<string, number>();
  private readonly closings = new Map<number, Closing>();
  private readonly continuations: Continuation[][] = [];
  private readonly known = new Set<string>();

  constructor(
    private readonly memo: Memo,
    /** What stands before the value of each attribute of the schema. */
    private readonly keys: readonly Uint8Array[],
  ) {}

  /** Nothing is known that another transition could be made of. */
  get isEmpty(): boolean {
    return this.known.size === 0;
  }

  /** The end of a feature, as the place of an attribute. */
  get end(): number {
    return this.keys.length;
  }

  closingOf(state: number): Closing | undefined {
    return this.closings.get(state);
  }

  /** The markup that ends the property of this state; undefined where there is no more room. */
  addClosing(state: number, literal: Lane, flags: number, frame: string, next: number): Closing | undefined {
    if (this.keys.length === 0 || this.memo.isFull) return undefined;
    const known = this.frames.get(frame);
    const number = known ?? this.frames.size;
    if (known === undefined) this.frames.set(frame, number);
    this.memo.charge(literal.length + (known === undefined ? frame.length : 0));
    const closing = { literal: literal.copy(), flags, frame: number, next };
    this.closings.set(state, closing);
    return closing;
  }

  /** What came behind the closing in a transition of these effects, to this state. */
  addContinuation(closing: Closing, literal: Lane, effects: Effects, order: number, state: number): void {
    const tail = literal.copy(closing.literal.length);
    const key = `${closing.frame} ${fromLatin1(tail)}`;
    if (this.known.has(key) || this.memo.isFull || order < closing.next) return;
    const nulls = this.nullsOf(closing.next, order).length;
    const begins = (effects.flags & Effect.beginsValue) !== 0;
    const isPlain =
      (effects.flags & ~(closing.flags | Effect.beginsValue | Effect.endsFeature)) === 0 &&
      effects.properties.length >= nulls &&
      (!begins || effects.undo === effects.properties.length);
    if (!isPlain) return;
    this.memo.charge(key.length + tail.length + effects.properties.length + effects.geometry.length);
    this.known.add(key);
    this.continuations[closing.frame] ??= [];
    this.continuations[closing.frame]?.push({
      literal: tail,
      order,
      flags: effects.flags & ~closing.flags,
      geometry: effects.geometry.copy(),
      properties: effects.properties.copy(nulls),
      value: effects.value,
      state,
    });
  }

  /**
   * The transition for the markup at `at`, made of an end and of what has followed another: its place in the memo; CUT
   * where more has to come to tell, NONE where there is none.
   */
  join(state: number, bytes: Uint8Array, at: number, end: number): number {
    const closing = this.closings.get(state);
    if (closing === undefined || this.memo.isFull) return NONE;
    const from = at + closing.literal.length;
    if (!isHere(closing.literal, bytes, at, end)) return NONE;
    let isCut = false;
    for (const one of this.continuations[closing.frame] ?? []) {
      if (one.order < closing.next || !isHere(one.literal, bytes, from, end)) continue;
      if (from + one.literal.length <= end) return this.add(state, closing, one);
      isCut = true;
    }
    return isCut ? CUT : NONE;
  }

  private add(state: number, closing: Closing, one: Continuation): number {
    const literal = new Lane(0);
    literal.put(closing.literal);
    literal.put(one.literal);
    const effects = createEffects();
    effects.flags = closing.flags | one.flags;
    effects.geometry.put(one.geometry);
    effects.properties.put(this.nullsOf(closing.next, one.order));
    effects.properties.put(one.properties);
    if ((one.flags & Effect.beginsValue) !== 0) {
      effects.undo = effects.properties.length;
      effects.value = one.value;
    }
    this.memo.add(state, literal, effects, one.state);
    return this.memo.firstOf(state);
  }

  /** The attributes from one place in the schema up to another, as nulls. */
  private nullsOf(from: number, to: number): Uint8Array {
    const nulls = new Lane(0);
    for (let order = from; order < to; order++) {
      nulls.put(this.keys[order] as Uint8Array);
      nulls.put(NULL);
    }
    return nulls.copy();
  }
}

/** Whether the bytes are these, as far as there are any. */
function isHere(literal: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  const length = Math.min(literal.length, end - at);
  for (let i = 0; i < length; i++) if (bytes[at + i] !== literal[i]) return false;
  return true;
}
