import { fromUtf8, IGNORED_STOP, Lane, putEscaped, putEscapedBytes, STRING_STOP, toUtf8 } from './bytes.js';
import { Coordinates } from './coordinates.js';
import type { FeatureWriter } from './feature.js';
import type { Joints } from './joints.js';
import { ID_MAX, type Learner } from './learner.js';
import {
  Effect,
  Gap,
  GUARDS_MAX,
  type Ids,
  type Keeper,
  type Memo,
  NumbersEnd,
  type Opening,
  State,
  Transition,
  UNKNOWN,
} from './memo.js';
import type { GmlEngine, GmlLimits, SchemaAttribute } from './model.js';
import { toReferenced } from './names.js';
import { finishRing } from './positions.js';
import { SimdLoop, Stop } from './simd.js';
import { endString, toTyped } from './values.js';

/** The declared types of what is not a string, by the parameter of their gap. */
export const TYPES: readonly SchemaAttribute['type'][] = [
  'integer',
  'number',
  'boolean',
  'date',
  'dateTime',
  'time',
];

// What `match` finds beside a transition.
const MISSING = 0;
const CUT = -1;
// What comes of a value.
const PAST = 0;
const MORE = 1;
const UNLIKE = 2;

/** Of one feature, as it comes in. A longer one is left to the strict reader. */
const INPUT_MAX = 1 << 20;
/** A typed value longer than this is none. */
const TYPED_MAX = 64;
const REFERENCE_MAX = 12;
/** A CDATA section longer than this is left to the strict reader: one that is cut is looked through again. */
const CDATA_MAX = 1024;
/** Room below `featureBytes` for what is written and undone again. */
const SIZE_SLACK = 1 << 22;
/** A feature that has to be read twice costs so many points; one read fast gains a point back. */
const COST = 4;
const CREDIT = 256;
const SKIP_MAX = 512;
/** The same where the loop over sixteen bytes leaves a feature to this one: half of them may be left. */
const ODD_CREDIT = 64;
/** The tables are handed to it once so much of their size has been read here: what is read seldom is not worth it. */
const TABLES_SHARE = 16;

// `true` and `fals` as words.
const TRUE = 0x65757274;
const FALS = 0x736c6166;
const LT = 0x3c;
const QUOTE = 0x22;
const LINE_FEED = Uint8Array.of(0x0a);
const CDATA = toUtf8('<![CDATA[');

/**
 * Whole features by what was learnt from the features before: a value is scanned, the markup behind it compared with
 * what is known, and what that appends appended. At anything else the feature is given up and read strictly from its
 * first byte, so that every fault, and its place, is the strict reader's.
 */
export class Shortcut {
  /** Asked at the end of a feature; as long as it is set, what comes is for `run`. */
  isReady = false;
  /** Features not read strictly. */
  fastFeatures = 0;
  private isRunning = false;
  /** Points lost, and features to be left alone. */
  private lost = 0;
  private skip = 0;
  /** Features written when it took over. */
  private before = 0;
  /** The state between features the strict reader was left in. */
  private entry = UNKNOWN;
  private state = UNKNOWN;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.bytes.buffer);
  private end = 0;
  /** The first byte of the feature, and the one to be read. */
  private base = 0;
  private at = 0;
  /** The feature up to its geometry, and its properties. */
  private readonly geometry = new Lane(1 << 10);
  private readonly properties = new Lane(1 << 10);
  private readonly coordinates = new Coordinates(this.geometry);
  private readonly spare = new Lane(0);
  private ringFrom = 0;
  private undoTo = 0;
  private valueFrom = 0;
  private idFrom = 0;
  /** Where the value that is read whole begins. */
  private wholeFrom = 0;
  /** The feature in which a property outside the schema stood last. */
  private readonly seen = new Int32Array(GUARDS_MAX);
  private number = 0;
  // Geometries with ids in this feature: by frame, where id (from `base`) and coordinates stand.
  private readonly frameIdFrom: number[] = [];
  private readonly frameIdTo: number[] = [];
  private readonly frameFrom: number[] = [];
  /** Kind, id and coordinates of each one that is whole. */
  private readonly kept: number[] = [];
  private readonly mayRun: boolean;
  private isPossible: boolean;
  private readonly sizeMax: number;
  readonly simd: SimdLoop | undefined;
  /** Bytes read here, since it was handed the tables. */
  private readHere = 0;
  /** What had come of the next feature when it stopped there; 0: it has not. */
  private left = 0;
  /** Points lost by leaving features to this loop, and features to be read here. */
  private odd = 0;
  private pause = 0;

  constructor(
    private readonly memo: Memo,
    private readonly joints: Joints,
    private readonly learner: Learner,
    private readonly writer: FeatureWriter,
    private readonly keep: Keeper,
    limits: GmlLimits,
    engine: GmlEngine | undefined,
  ) {
    this.simd = engine === 'typescript' ? undefined : SimdLoop.get();
    this.mayRun = limits.memoTransitions > 0 && limits.featureBytes >= 2 * SIZE_SLACK;
    this.isPossible = this.mayRun;
    this.sizeMax = limits.featureBytes - SIZE_SLACK;
  }

  get engine(): GmlEngine {
    return this.simd === undefined ? 'typescript' : 'simd';
  }

  /** The strict reader has ended a feature. */
  featureEnded(): void {
    this.isReady = this.isPossible;
  }

  /**
   * Reads features from `at`. Afterwards it either waits for more bytes (`isReady`), or the strict reader goes on.
   * @returns the end of the last whole feature
   */
  run(bytes: Uint8Array, at: number, end: number): number {
    const offset = this.isRunning ? this.at - this.base : 0;
    if (!this.isRunning && !this.begin()) {
      this.isReady = false;
      return at;
    }
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.base = at;
    this.at = at + offset;
    this.end = end;
    if (this.read() === UNLIKE || end - this.base > INPUT_MAX) this.giveUp();
    return this.base;
  }

  /** All that is left is for the strict reader. */
  close(): void {
    this.giveUp();
    this.isPossible = false;
    this.isReady = false;
  }

  /** For another document, by what was learnt of those before. */
  reuse(): void {
    this.isPossible = this.mayRun;
    this.isRunning = false;
    this.isReady = false;
    this.lost = 0;
    this.skip = 0;
    this.left = 0;
    this.odd = 0;
    this.pause = 0;
  }

  get room(): number {
    return this.geometry.bytes.length + this.properties.bytes.length + this.spare.bytes.length;
  }

  /** The strict reader is to read what has come of the feature. */
  private giveUp(): void {
    if (!this.isRunning) return;
    this.isReady = false;
    this.isRunning = false;
    const read = this.writer.count - this.before;
    this.lost = Math.max(0, this.lost - read) + COST;
    this.skip = this.lost < CREDIT ? 0 : Math.min(SKIP_MAX, 2 ** ((this.lost - CREDIT) / COST));
    if (this.skip === 0) this.learner.start();
  }

  private begin(): boolean {
    const { memo, learner } = this;
    if (this.skip > 0) {
      this.skip--;
      learner.stop();
      return false;
    }
    if (!learner.isOn) learner.start();
    const { state } = learner;
    if (state === UNKNOWN || memo.firstOf(state) === 0) return false;
    learner.stop();
    this.isRunning = true;
    this.entry = state;
    this.state = state;
    this.before = this.writer.count;
    this.kept.length = 0;
    this.left = 0;
    return true;
  }

  private read(): number {
    try {
      for (;;) {
        let outcome = this.at === this.base ? this.readPlain() : PAST;
        if (outcome === PAST) outcome = this.readFeature();
        if (outcome !== PAST) return outcome;
      }
    } catch {
      // A reprojection that throws does so again for the strict reader, and where it should.
      return UNLIKE;
    }
  }

  /** Whole features, sixteen bytes at a time; PAST: the next one is to be read here, UNLIKE: strictly. */
  private readPlain(): number {
    const { simd, writer } = this;
    if (simd === undefined) return PAST;
    if (this.pause > 0) {
      this.pause--;
      return PAST;
    }
    // It reads a feature again from its first byte: only when as much has come again, or bytes that come one by one
    // would cost as many readings.
    const isTooSoon = this.end - this.base < 2 * this.left;
    this.left = 0;
    if (isTooSoon || !this.isLoaded(simd)) return PAST;
    const before = writer.count;
    const stop = simd.run(this.entry, this.bytes, this.base, this.end, writer, this.keep);
    this.base = simd.at;
    this.at = simd.at;
    const read = writer.count - before;
    this.fastFeatures += read;
    this.odd = Math.max(0, this.odd - read);
    if (stop === Stop.more) {
      this.left = this.end - this.base;
      return MORE;
    }
    // Markup that is not known, nor can be made of what is, is for the strict reader at once.
    if (stop === Stop.unknown) return this.joints.isEmpty ? UNLIKE : PAST;
    if (++this.odd > ODD_CREDIT) this.pause = Math.min(SKIP_MAX, 2 ** (this.odd - ODD_CREDIT));
    return PAST;
  }

  private isLoaded(simd: SimdLoop): boolean {
    const { memo } = this;
    if (simd.holds(memo)) return true;
    const size = SimdLoop.sizeOf(memo);
    if (simd.isNew ? size === Number.POSITIVE_INFINITY : this.readHere * TABLES_SHARE < size) return false;
    simd.load(memo);
    this.readHere = 0;
    return true;
  }

  /** The rest of a feature. */
  private readFeature(): number {
    const { states } = this.memo;
    const { base } = this;
    do {
      const state = this.state * State.size;
      const gap = states[state + State.gap] as number;
      if (gap !== Gap.none) {
        const outcome = this.pass(gap, states[state + State.parameter] as number);
        if (outcome !== PAST) return outcome;
      }
      let transition = this.match(state);
      if (transition === MISSING) transition = this.joints.join(this.state, this.bytes, this.at, this.end);
      if (transition === MISSING) return UNLIKE;
      if (transition === CUT) return this.wait(gap);
      if (!this.take(transition)) return UNLIKE;
    } while (this.base === base);
    return PAST;
  }

  /** Not enough is there to tell what follows. A typed value is read again, since it is read whole. */
  private wait(gap: number): number {
    if (gap === Gap.number || gap === Gap.boolean || gap === Gap.text) {
      this.at = this.wholeFrom;
      this.properties.length = this.valueFrom;
    } else if (gap === Gap.geometryId || gap === Gap.otherId) this.at = this.wholeFrom;
    return MORE;
  }

  // Values

  private pass(gap: number, parameter: number): number {
    switch (gap) {
      case Gap.string:
        return this.passString();
      case Gap.number:
        return this.passNumber(parameter);
      case Gap.boolean:
        return this.passBoolean(parameter);
      case Gap.text:
        return this.passText(parameter);
      case Gap.coordinates:
        return this.passCoordinates();
      case Gap.featureId:
        return this.passFeatureId(parameter);
      case Gap.ignored:
        return this.passIgnored();
      default:
        return this.passOtherId(gap, parameter);
    }
  }

  private passString(): number {
    for (;;) {
      this.at = this.copyString(this.at);
      const byte = this.bytes[this.at];
      if (byte === LT && this.bytes[this.at + 1] !== 0x21) return PAST;
      const outcome = byte === LT ? this.passCdata() : this.passSpecial(this.properties);
      if (outcome !== PAST) return outcome;
    }
  }

  /** A CDATA section, once it is there whole: QGIS Server writes every text that XML would escape as one. */
  private passCdata(): number {
    const { bytes, properties } = this;
    for (let i = 2; i < CDATA.length; i++) {
      const byte = bytes[this.at + i];
      if (byte !== CDATA[i]) return byte === 0 ? MORE : UNLIKE;
    }
    const from = this.at + CDATA.length;
    const end = endOfCdata(bytes, from);
    if (end < 0) return end === CUT ? MORE : UNLIKE;
    let at = from;
    while (at < end) {
      const start = at;
      while (at < end && STRING_STOP[bytes[at] as number] === 0) at++;
      properties.put(bytes, start, at);
      if (at === end) break;
      const byte = bytes[at++] as number;
      // CR LF and CR alone are LF (XML 1.0 §2.11).
      putEscaped(properties, byte === 0x0d ? 0x0a : byte);
      if (byte === 0x0d && bytes[at] === 0x0a) at++;
    }
    this.at = end + 3;
    return PAST;
  }

  /** Copies what needs no escape; four bytes at a time, since most values are short. */
  private copyString(start: number): number {
    const { view, properties } = this;
    properties.reserve(64);
    let out = properties.view;
    let limit = properties.bytes.length - 4;
    let to = properties.length;
    let at = start;
    for (;;) {
      if (to > limit) {
        properties.length = to;
        properties.reserve(4096);
        out = properties.view;
        limit = properties.bytes.length - 4;
      }
      const word = view.getInt32(at, true);
      if (mayStop(word)) {
        let i = 0;
        for (; i < 4; i++) {
          const byte = view.getUint8(at + i);
          if (STRING_STOP[byte] === 1) break;
          out.setUint8(to + i, byte);
        }
        at += i;
        to += i;
        if (i < 4) break;
      } else {
        out.setInt32(to, word, true);
        at += 4;
        to += 4;
      }
    }
    properties.length = to;
    return at;
  }

  /** What interrupts a text: a character to be escaped, a reference, a bracket, a line end. */
  private passSpecial(lane: Lane | undefined): number {
    const { bytes, at } = this;
    const byte = bytes[at] as number;
    if (byte === 0) return MORE;
    if (byte === 0x26) return this.passReference(lane);
    if (byte === 0x0d) return this.passLineEnd(lane);
    if (byte === 0x5d) {
      if (bytes[at + 1] === 0) return MORE;
      // `]]>` is a fault (XML 1.0 §2.4), `]]` rare.
      if (bytes[at + 1] === 0x5d) return UNLIKE;
      lane?.putByte(byte);
    } else if (lane !== undefined) putEscaped(lane, byte);
    this.at++;
    return PAST;
  }

  private passLineEnd(lane: Lane | undefined): number {
    const next = this.bytes[this.at + 1];
    if (next === 0) return MORE;
    if (lane !== undefined) putEscaped(lane, 0x0a);
    this.at += next === 0x0a ? 2 : 1;
    return PAST;
  }

  private passReference(lane: Lane | undefined): number {
    const { bytes, at } = this;
    const end = endOfReference(bytes, at + 1);
    if (end < 0) return end === CUT ? MORE : UNLIKE;
    const known = (bytes[at + 1] as number) === 0x23 ? 0 : toByte(bytes, at + 1, end);
    if (known === 0) return this.passOtherReference(lane, end);
    if (lane !== undefined) putEscaped(lane, known);
    this.at = end + 1;
    return PAST;
  }

  /** One by number, or by a name that is none. */
  private passOtherReference(lane: Lane | undefined, end: number): number {
    const text = toReferenced(fromUtf8(this.bytes, this.at + 1, end));
    if (text === undefined) return UNLIKE;
    if (lane !== undefined) putEscapedBytes(lane, toUtf8(text));
    this.at = end + 1;
    return PAST;
  }

  private passIgnored(): number {
    const { bytes } = this;
    for (;;) {
      let at = this.at;
      while (IGNORED_STOP[bytes[at] as number] === 0) at++;
      this.at = at;
      if (bytes[at] === LT) return PAST;
      const outcome = this.passSpecial(undefined);
      if (outcome !== PAST) return outcome;
    }
  }

  private passNumber(parameter: number): number {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    let byte = bytes[at] as number;
    if (byte === 0x2d) byte = bytes[++at] as number;
    const whole = at;
    while ((byte - 0x30) >>> 0 < 10) byte = bytes[++at] as number;
    let isPlain = at > whole && (bytes[whole] !== 0x30 || at - whole === 1);
    if (byte === 0x2e) {
      const fraction = ++at;
      byte = bytes[at] as number;
      while ((byte - 0x30) >>> 0 < 10) byte = bytes[++at] as number;
      isPlain &&= at > fraction;
    }
    if (byte !== LT || !isPlain || at - start > TYPED_MAX) return this.passTyped(parameter);
    this.wholeFrom = start;
    this.at = at;
    append(this.properties, this.view, start, at - start);
    return PAST;
  }

  private passBoolean(parameter: number): number {
    const { bytes, properties, view, at } = this;
    const word = view.getInt32(at, true);
    const length = word === TRUE ? 4 : word === FALS && bytes[at + 4] === 0x65 ? 5 : 0;
    if (length === 0 || bytes[at + length] !== LT) return this.passTyped(parameter);
    properties.reserve(8);
    properties.view.setInt32(properties.length, word, true);
    if (length === 5) properties.bytes[properties.length + 4] = 0x65;
    properties.length += length;
    this.wholeFrom = at;
    this.at = at + length;
    return PAST;
  }

  /** Text of a declared type: without white space around. */
  private passText(parameter: number): number {
    const { bytes, properties } = this;
    const start = this.at;
    let at = start;
    while (STRING_STOP[bytes[at] as number] === 0) at++;
    // A date of any other length may carry a zone, which is not written; an instant may have a space for its `T`.
    const type = TYPES[parameter];
    const isZulu = type === 'date' && at - start === 11 && isZuluDay(bytes, start);
    const isOther =
      (type === 'date' && at - start !== 10 && !isZulu) ||
      (type === 'dateTime' && bytes[start + 10] === 0x20);
    const isPlain = at > start && !isOther && bytes[start] !== 0x20 && bytes[at - 1] !== 0x20;
    if (bytes[at] !== LT || !isPlain || at - start > TYPED_MAX) return this.passTyped(parameter);
    this.wholeFrom = start;
    this.at = at;
    properties.putByte(QUOTE);
    append(properties, this.view, start, (isZulu ? at - 1 : at) - start);
    properties.putByte(QUOTE);
    return PAST;
  }

  /** A value of a declared type other than string. It is read when it is whole. */
  private passTyped(parameter: number): number {
    const { bytes, properties } = this;
    const start = this.at;
    let at = start;
    while (STRING_STOP[bytes[at] as number] === 0) at++;
    if (at - start > TYPED_MAX) return UNLIKE;
    if (bytes[at] === 0) return MORE;
    if (bytes[at] !== LT) return UNLIKE;
    this.wholeFrom = start;
    this.at = at;
    properties.length = this.valueFrom;
    properties.put(bytes, start, at);
    toTyped(properties, this.valueFrom, TYPES[parameter] as SchemaAttribute['type']);
    return PAST;
  }

  private passCoordinates(): number {
    const { bytes, coordinates } = this;
    for (;;) {
      this.at = coordinates.text(bytes, this.at);
      const byte = bytes[this.at];
      if (byte === LT) return PAST;
      if (byte !== 0x0d) return byte === 0 ? MORE : UNLIKE;
      if (bytes[this.at + 1] === 0) return MORE;
      coordinates.characters(LINE_FEED, 0, 1);
      this.at += bytes[this.at + 1] === 0x0a ? 2 : 1;
    }
  }

  private passFeatureId(parameter: number): number {
    const { bytes, geometry } = this;
    const quote = parameter & 0xff;
    const start = this.at;
    let at = start;
    let byte = bytes[at] as number;
    while (byte !== quote && byte !== 0) {
      if (byte < 0x20 || byte === 0x26 || byte === LT || byte === QUOTE || byte === 0x5c) return UNLIKE;
      byte = bytes[++at] as number;
    }
    append(geometry, this.view, start, at - start);
    this.at = at;
    if (byte === 0) return MORE;
    const length = geometry.length - this.idFrom;
    return length > 0 && length <= ID_MAX ? PAST : UNLIKE;
  }

  private passOtherId(gap: number, parameter: number): number {
    const { bytes } = this;
    const quote = parameter & 0xff;
    let at = this.at;
    for (;;) {
      const byte = bytes[at] as number;
      if (byte === quote) break;
      // It is read again from its first byte: it is short, and no state is needed.
      if (at - this.at > ID_MAX) return UNLIKE;
      if (byte === 0) return MORE;
      if (byte < 0x20 || byte === 0x26 || byte === LT) return UNLIKE;
      at++;
    }
    if (gap === Gap.geometryId) {
      if (at === this.at) return UNLIKE;
      this.frameIdFrom[parameter >> 8] = this.at - this.base;
      this.frameIdTo[parameter >> 8] = at - this.base;
    }
    this.wholeFrom = this.at;
    this.at = at;
    return PAST;
  }

  // Markup

  /** The transition whose markup stands here; moved to the front of its state, since it mostly comes again. */
  private match(state: number): number {
    const { transitions } = this.memo;
    const left = this.end - this.at;
    let isCut = false;
    let before = 0;
    let it = this.memo.states[state + State.first] as number;
    while (it !== 0) {
      const length = transitions[it + Transition.literalLength] as number;
      const literal = transitions[it + Transition.literal] as number;
      if (length <= left) {
        if (this.isHere(literal, length)) {
          if (before !== 0) this.memo.moveToFront(state, it, before);
          return it;
        }
      } else if (!isCut) isCut = this.isHere(literal, left);
      before = it;
      it = transitions[it + Transition.chain] as number;
    }
    return isCut ? CUT : MISSING;
  }

  private isHere(literal: number, length: number): boolean {
    const { view, at } = this;
    const pool = this.memo.pool.view;
    let i = 0;
    // Markup has no NUL, which two doubles might differ in and be equal.
    for (; i <= length - 8; i += 8) {
      if (view.getFloat64(at + i, true) !== pool.getFloat64(literal + i, true)) return false;
    }
    if (i <= length - 4) {
      if (view.getInt32(at + i, true) !== pool.getInt32(literal + i, true)) return false;
      i += 4;
    }
    for (; i < length; i++) if (view.getUint8(at + i) !== pool.getUint8(literal + i)) return false;
    return true;
  }

  /** Does what the transition says; false where the value before it is not what it takes. */
  private take(it: number): boolean {
    const { transitions, pool } = this.memo;
    const { geometry, properties } = this;
    const flags = transitions[it + Transition.flags] as number;
    if (flags !== 0 && !this.endValue(flags, it)) return false;
    const ids =
      flags & Effect.hasIds ? (this.memo.ids[transitions[it + Transition.ids] as number] as Ids) : undefined;
    const from = geometry.length;
    let length = transitions[it + Transition.geometryLength] as number;
    if (length > 0) append(geometry, pool.view, transitions[it + Transition.geometry] as number, length);
    length = transitions[it + Transition.propertiesLength] as number;
    if (length > 0) append(properties, pool.view, transitions[it + Transition.properties] as number, length);
    if (ids !== undefined) this.noteIds(ids, from);
    this.at += transitions[it + Transition.literalLength] as number;
    const next = transitions[it + Transition.next] as number;
    if (flags & Effect.endsFeature && !this.endFeature(next)) return false;
    this.state = next;
    const gap = this.memo.states[next * State.size + State.gap] as number;
    if (flags & (Effect.beginsValue | Effect.beginsRun)) this.beginValue(flags, it);
    if (gap === Gap.coordinates) this.openNumbers(next);
    else if (gap === Gap.featureId) this.idFrom = geometry.length;
    return true;
  }

  private endValue(flags: number, it: number): boolean {
    if ((flags & Effect.isRefused) !== 0) return false;
    if ((flags & Effect.endsString) !== 0) endString(this.properties, this.valueFrom);
    else if ((flags & Effect.numbersEnd) !== 0 && !this.endNumbers(flags & Effect.numbersEnd)) return false;
    if ((flags & Effect.cancelsValue) !== 0) this.properties.length = this.undoTo;
    if ((flags & Effect.beginsFeature) !== 0) this.beginFeature();
    if ((flags & Effect.isGuarded) === 0) return true;
    const { transitions } = this.memo;
    return (
      this.isFirst(transitions[it + Transition.guard] as number) &&
      this.isFirst(transitions[it + Transition.otherGuard] as number)
    );
  }

  /** A property outside the schema that stands twice becomes an array: that is not done here. */
  private isFirst(guard: number): boolean {
    if (guard === 0) return true;
    if (this.seen[guard] === this.number) return false;
    this.seen[guard] = this.number;
    return true;
  }

  private beginValue(flags: number, it: number): void {
    if ((flags & Effect.beginsRun) !== 0) {
      this.coordinates.begin();
      this.ringFrom = this.geometry.length;
    }
    if ((flags & Effect.beginsValue) === 0) return;
    const { transitions } = this.memo;
    this.undoTo = this.properties.length - (transitions[it + Transition.undo] as number);
    this.valueFrom = this.properties.length - (transitions[it + Transition.value] as number);
  }

  private openNumbers(state: number): void {
    const { memo } = this;
    const opening = memo.openings[memo.states[state * State.size + State.parameter] as number] as Opening;
    this.coordinates.open(opening.notation, opening.reading, opening.dimension, opening.separators);
  }

  private endNumbers(end: number): boolean {
    const { coordinates, geometry } = this;
    coordinates.close();
    if (coordinates.fault !== undefined || coordinates.count === 0) return false;
    if (end === NumbersEnd.line) return coordinates.count > 1;
    if (end === NumbersEnd.point) return coordinates.count === 1;
    if (end !== NumbersEnd.exterior && end !== NumbersEnd.interior) return true;
    finishRing(
      geometry,
      this.ringFrom,
      coordinates,
      coordinates.area,
      end === NumbersEnd.interior,
      this.spare,
    );
    return coordinates.count >= 4;
  }

  private noteIds(ids: Ids, from: number): void {
    if (ids.opened !== undefined) this.frameFrom[ids.opened.frame] = from + ids.opened.start;
    for (const { kind, frame, end } of ids.keeps) {
      const [idFrom, idTo] = [this.frameIdFrom[frame] as number, this.frameIdTo[frame] as number];
      this.kept.push(kind, idFrom, idTo, this.frameFrom[frame] as number, from + end);
    }
  }

  // Features

  private beginFeature(): void {
    this.number++;
    this.geometry.length = 0;
    this.properties.length = 0;
    // To set the length of an array is a call of its own, whatever it is.
    if (this.kept.length > 0) this.kept.length = 0;
  }

  private endFeature(next: number): boolean {
    const { geometry, properties, writer } = this;
    // The strict reader, wherever it takes over, has to find what it left.
    if (next !== this.entry || geometry.length + properties.length > this.sizeMax) return false;
    writer.add(geometry, properties);
    this.fastFeatures++;
    if (this.kept.length > 0) this.keepGeometries();
    this.readHere += this.at - this.base;
    this.base = this.at;
    return true;
  }

  private keepGeometries(): void {
    const { kept, base, bytes } = this;
    for (let i = 0; i < kept.length; i += 5) {
      const [kind = 0, idFrom = 0, idTo = 0, from = 0, to = 0] = kept.slice(i, i + 5);
      this.keep(kind, bytes, base + idFrom, base + idTo, this.geometry, from, to);
    }
    kept.length = 0;
  }
}

/** Whether one of four bytes may have to stop a copy into a JSON string: it has to be looked at. */
function mayStop(word: number): boolean {
  // `"` and `&`; `<`, `\` and `]` (and `=`, `|`, `}`, which are let through byte by byte).
  const quotes = (word & ~0x04040404) ^ 0x22222222;
  const brackets = (word & ~0x61616161) ^ 0x1c1c1c1c;
  return (
    ((((word - 0x20202020) & ~word) |
      ((quotes - 0x01010101) & ~quotes) |
      ((brackets - 0x01010101) & ~brackets)) &
      0x80808080) !==
    0
  );
}

/** `2009-02-02Z`, as GeoServer writes a day: by the general way it costs a twentieth of the time of polygons. */
function isZuluDay(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i] as number;
    if (i === 4 || i === 7 ? byte !== 0x2d : (byte - 0x30) >>> 0 > 9) return false;
  }
  return bytes[from + 10] === 0x5a;
}

/** The `]]>` of a CDATA section; CUT where it has not come, less where it is too far. */
function endOfCdata(bytes: Uint8Array, from: number): number {
  for (let end = from; end - from < CDATA_MAX; end++) {
    const byte = bytes[end];
    if (byte === 0) return CUT;
    if (byte === 0x5d && bytes[end + 1] === 0x5d && bytes[end + 2] === 0x3e) return end;
  }
  return CUT - 1;
}

/** The `;` of a reference; CUT where it has not come, less where there is none. */
function endOfReference(bytes: Uint8Array, from: number): number {
  for (let end = from; end - from < REFERENCE_MAX; end++) {
    if (bytes[end] === 0x3b) return end;
    if (bytes[end] === 0) return CUT;
  }
  return CUT - 1;
}

/** What XML's own names stand for (XML 1.0 §4.6); 0 for others. */
function toByte(bytes: Uint8Array, from: number, to: number): number {
  const [a, b, c, d] = [bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]];
  if (to - from === 2 && b === 0x74) return a === 0x6c ? 0x3c : a === 0x67 ? 0x3e : 0;
  if (to - from === 3) return a === 0x61 && b === 0x6d && c === 0x70 ? 0x26 : 0;
  if (to - from !== 4 || c !== 0x6f) return 0;
  if (a === 0x71 && b === 0x75 && d === 0x74) return 0x22;
  return a === 0x61 && b === 0x70 && d === 0x73 ? 0x27 : 0;
}

/**
 * Appends bytes, eight at a time as what they are not, a double: in UTF-8 none is NaN. Behind them there is room to be read
 * over, as in the pool and in the window.
 */
function append(lane: Lane, source: DataView, from: number, length: number): void {
  lane.reserve(length + 8);
  const { view } = lane;
  const to = lane.length;
  for (let i = 0; i < length; i += 8) view.setFloat64(to + i, source.getFloat64(from + i, true), true);
  lane.length = to + length;
}
