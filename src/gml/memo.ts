import { Lane } from './bytes.js';
import type { Notation, Separators } from './coordinates.js';
import type { CrsReading, GmlLimits } from './model.js';

/** What stands at a place where markup ends, up to the next markup. */
export const Gap = {
  /** Nothing: markup goes on. */
  none: 0,
  /** Character data into a JSON string. */
  string: 1,
  /** Character data of a declared type: a number, a boolean, or text without white space around. */
  number: 2,
  boolean: 3,
  text: 4,
  coordinates: 5,
  /** Inside a start tag: the value of the attribute that identifies a feature, a geometry, or nothing of interest. */
  featureId: 6,
  geometryId: 7,
  otherId: 8,
  /** Character data nobody asks for. */
  ignored: 9,
} as const;

/** What a transition does beside appending bytes. Bits. */
export const Effect = {
  /** In the lowest three bits: how a run of numbers ends. */
  numbersEnd: 7,
  endsString: 1 << 3,
  cancelsValue: 1 << 4,
  beginsValue: 1 << 5,
  beginsRun: 1 << 6,
  beginsFeature: 1 << 7,
  endsFeature: 1 << 8,
  hasIds: 1 << 9,
  /** Markup that did not do the same twice: never to be used. */
  isRefused: 1 << 10,
  /** Holds properties outside the schema. */
  isGuarded: 1 << 11,
} as const;

/** How a run of numbers ends: the element alone, or what it makes with it. */
export const NumbersEnd = { none: 0, element: 1, exterior: 2, interior: 3, line: 4, point: 5 } as const;

/** The arguments of `Coordinates.open`. */
export interface Opening {
  readonly notation: Notation;
  readonly reading: CrsReading;
  readonly dimension: number;
  readonly separators: Separators | undefined;
}

/** A geometry with an id is whole: its kind, the frame it was read in, and its end in what the transition appends. */
export interface Keep {
  readonly kind: number;
  readonly frame: number;
  readonly end: number;
}

/** Keeps a geometry with an id for a reference to it. */
export type Keeper = (
  kind: number,
  id: Uint8Array,
  idFrom: number,
  idTo: number,
  lane: Lane,
  from: number,
  to: number,
) => void;

/** What the markup between two gaps does to a feature. */
export interface Effects {
  flags: number;
  /** Appended to the feature up to its geometry, and to its properties. */
  geometry: Lane;
  properties: Lane;
  /** How far before the end of the properties the value that begins is undone to, and begins. */
  undo: number;
  value: number;
  /** Numbers of properties outside the schema: each may stand once in a feature. */
  guards: number[];
  keeps: Keep[];
  /** The frame of a geometry with an id, and where its coordinates begin in what is appended. */
  opened: { frame: number; start: number } | undefined;
}

export function createEffects(): Effects {
  return {
    flags: 0,
    geometry: new Lane(0),
    properties: new Lane(0),
    undo: 0,
    value: 0,
    guards: [],
    keeps: [],
    opened: undefined,
  };
}

/** What of the effects only some transitions have. */
export interface Ids {
  readonly keeps: readonly Keep[];
  readonly opened: Effects['opened'];
}

/** Layout of a state, and of a transition, in 32-bit words. */
export const State = { size: 4, gap: 0, parameter: 1, first: 2 } as const;
export const Transition = {
  size: 16,
  literal: 0,
  literalLength: 1,
  geometry: 2,
  geometryLength: 3,
  properties: 4,
  propertiesLength: 5,
  flags: 6,
  next: 7,
  chain: 8,
  guard: 9,
  otherGuard: 10,
  undo: 11,
  value: 12,
  ids: 13,
} as const;

const NO_IDS: Ids = { keeps: [], opened: undefined };
export const UNKNOWN = -1;
/** Properties outside the schema that are told apart. */
export const GUARDS_MAX = 1024;
const OPENINGS_MAX = 256;

/** One number for each change of any memo. */
let versions = 0;

/**
 * What markup does, learnt once: between two values it is a pure function of (state, bytes). A state stands for
 * everything the strict reader knows at that place; a transition for the bytes up to the next value, what they append
 * and the state behind them. States are numbered from 0, transitions from 1, both in the order they are learnt.
 */
export class Memo {
  states = new Int32Array(64 * State.size);
  transitions = new Int32Array(128 * Transition.size);
  readonly pool = new Lane(1 << 13);
  readonly openings: Opening[] = [];
  readonly ids: Ids[] = [NO_IDS];
  private readonly numbers = new Map<string, number>();
  private readonly guards = new Map<string, number>();
  /** Bytes of the descriptions of states, and of what is kept beside. */
  private described = 0;
  private count = 1;
  /** Another one after each change of what is learnt; no two memos share one. */
  version = ++versions;

  constructor(private readonly limits: GmlLimits) {}

  /** No more can be learnt: what has been is good all the same. */
  get isFull(): boolean {
    const { memoTransitions, memoBytes } = this.limits;
    return (
      this.count > memoTransitions ||
      this.pool.length + this.described > memoBytes ||
      this.openings.length > OPENINGS_MAX
    );
  }

  /** So many bytes are kept beside. */
  charge(bytes: number): void {
    this.described += bytes;
  }

  get size(): number {
    return this.count - 1;
  }

  get stateCount(): number {
    return this.numbers.size;
  }

  /** The state with this description; UNKNOWN where there is none and no more can be learnt. */
  state(description: string, gap: number, parameter: number): number {
    const key = `${gap} ${parameter} ${description}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    if (this.isFull) return UNKNOWN;
    const number = this.numbers.size;
    this.described += key.length;
    this.version = ++versions;
    this.numbers.set(key, number);
    const at = number * State.size;
    if (at + State.size > this.states.length) this.states = doubled(this.states);
    this.states[at + State.gap] = gap;
    this.states[at + State.parameter] = parameter;
    this.states[at + State.first] = 0;
    return number;
  }

  /** The number of an opening. */
  opening(one: Opening): number {
    const same = this.openings.findIndex(
      (other) =>
        other.notation === one.notation &&
        other.reading === one.reading &&
        other.dimension === one.dimension &&
        other.separators?.decimal === one.separators?.decimal &&
        other.separators?.cs === one.separators?.cs &&
        other.separators?.ts === one.separators?.ts,
    );
    return same >= 0 ? same : this.openings.push(one) - 1;
  }

  /** The number of a property outside the schema; 0 where there are too many. */
  guard(name: string): number {
    const known = this.guards.get(name);
    if (known !== undefined) return known;
    if (this.guards.size >= GUARDS_MAX - 1) return 0;
    this.guards.set(name, this.guards.size + 1);
    return this.guards.size;
  }

  /** The transition from the state under these bytes, by its place; 0 where there is none. */
  find(state: number, literal: Lane): number {
    const { transitions, pool } = this;
    let at = this.states[state * State.size + State.first] as number;
    for (; at !== 0; at = transitions[at + Transition.chain] as number) {
      if (isEqual(pool, transitions, at + Transition.literal, literal)) return at;
    }
    return 0;
  }

  add(state: number, literal: Lane, effects: Effects, next: number): void {
    const at = this.count++ * Transition.size;
    this.version = ++versions;
    if (at + Transition.size > this.transitions.length) this.transitions = doubled(this.transitions);
    const { transitions } = this;
    this.store(at + Transition.literal, literal);
    this.store(at + Transition.geometry, effects.geometry);
    this.store(at + Transition.properties, effects.properties);
    transitions[at + Transition.flags] = effects.flags;
    transitions[at + Transition.next] = next;
    transitions[at + Transition.guard] = effects.guards[0] ?? 0;
    transitions[at + Transition.otherGuard] = effects.guards[1] ?? 0;
    transitions[at + Transition.undo] = effects.undo;
    transitions[at + Transition.value] = effects.value;
    transitions[at + Transition.ids] =
      (effects.flags & Effect.hasIds) === 0
        ? 0
        : this.ids.push({ keeps: [...effects.keeps], opened: effects.opened }) - 1;
    const first = state * State.size + State.first;
    transitions[at + Transition.chain] = this.states[first] as number;
    this.states[first] = at;
  }

  /** Whether a transition does just this. */
  isSame(at: number, effects: Effects): boolean {
    const { transitions, pool } = this;
    return (
      transitions[at + Transition.flags] === effects.flags &&
      isEqual(pool, transitions, at + Transition.geometry, effects.geometry) &&
      isEqual(pool, transitions, at + Transition.properties, effects.properties) &&
      transitions[at + Transition.guard] === (effects.guards[0] ?? 0) &&
      transitions[at + Transition.otherGuard] === (effects.guards[1] ?? 0) &&
      transitions[at + Transition.undo] === effects.undo &&
      transitions[at + Transition.value] === effects.value &&
      ((effects.flags & Effect.hasIds) === 0 || this.hasSameIds(at, effects))
    );
  }

  private hasSameIds(at: number, { keeps, opened }: Effects): boolean {
    const ids = this.ids[this.transitions[at + Transition.ids] as number] as Ids;
    return JSON.stringify(ids) === JSON.stringify({ keeps, opened });
  }

  firstOf(state: number): number {
    return this.states[state * State.size + State.first] as number;
  }

  /** The transition becomes the first of the state at this place; `before` leads to it. */
  moveToFront(state: number, at: number, before: number): void {
    const { states, transitions } = this;
    transitions[before + Transition.chain] = transitions[at + Transition.chain] as number;
    transitions[at + Transition.chain] = states[state + State.first] as number;
    states[state + State.first] = at;
  }

  nextOf(at: number): number {
    return this.transitions[at + Transition.next] as number;
  }

  refuse(at: number): void {
    this.version = ++versions;
    this.transitions[at + Transition.flags] = Effect.isRefused;
  }

  private store(at: number, lane: Lane): void {
    const { transitions, pool } = this;
    transitions[at] = pool.length;
    transitions[at + 1] = lane.length;
    pool.put(lane.bytes, 0, lane.length);
    // Read eight bytes at a time.
    pool.reserve(8);
    pool.length += 8;
  }
}

function isEqual(pool: Lane, transitions: Int32Array, at: number, lane: Lane): boolean {
  const from = transitions[at] as number;
  const { bytes, length } = lane;
  if (transitions[at + 1] !== length) return false;
  const known = pool.bytes;
  for (let i = 0; i < length; i++) if (known[from + i] !== bytes[i]) return false;
  return true;
}

function doubled(words: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(words.length * 2);
  grown.set(words);
  return grown;
}
