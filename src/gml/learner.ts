import { fromLatin1, Lane, toUtf8 } from './bytes.js';
import type { Closing, Joints } from './joints.js';
import {
  createEffects,
  Effect,
  type Effects,
  Gap,
  type Memo,
  NumbersEnd,
  type Opening,
  State,
  UNKNOWN,
} from './memo.js';
import { Role, type Tag } from './names.js';

/** The strict reader, as far as its steps can be learnt. */
export interface Subject {
  /** All it knows here that decides what comes of the bytes that follow; undefined where that cannot be said. */
  describe(): string | undefined;
  /** The same between two properties of a feature, but for how far in the schema it is; else undefined. */
  describeBetween(): string | undefined;
  /** The next attribute of the schema. */
  readonly next: number;
  /** Of the value that has begun its place in the schema; undefined where that is not all that matters of what came before. */
  readonly order: number | undefined;
  /** Where character data goes now, and with what parameter; undefined where that is not learnt. */
  readonly gap: { readonly gap: number; readonly parameter: number } | undefined;
  /** What it has appended. */
  readonly geometryLane: Lane;
  readonly propertiesLane: Lane;
}

const FEATURE = toUtf8('{"type":"Feature","geometry":');
const FEATURE_WITH_ID = toUtf8('{"type":"Feature","id":"');
const BEHIND_ID = toUtf8('","geometry":');
const NO_GEOMETRY = toUtf8('null');
const PROPERTIES = toUtf8(',"properties":{');
/** Longer markup is not learnt. */
const LITERAL_MAX = 2048;
/** Bytes of an id that may vary. */
export const ID_MAX = 256;

/** Ids in one start tag: where each value stands, and its quote. */
interface Split {
  /** The markup before each value, and behind the last. */
  readonly pieces: Uint8Array[];
  readonly roles: number[];
  readonly quotes: number[];
  /** What came before the tag. */
  readonly before: Effects;
  /** The state the tag stands in. */
  readonly description: string | undefined;
}

/**
 * Watches the strict reader at work and writes down what it does between two values. Whatever is not a pure
 * function of the reader's state and the markup is spoilt: it is not learnt, and done strictly each time.
 */
export class Learner {
  isOn = false;
  /** The state reached; UNKNOWN where the reader's own cannot be described. */
  state = UNKNOWN;
  /** What comes up to the next tag is a value. */
  private isValue = false;
  private isSpoilt = false;
  private readonly literal = new Lane(256);
  /** Used again in turn: at most three are of interest at a time, and they are many. */
  private readonly ring = Array.from({ length: 4 }, createEffects);
  private turn = 0;
  private effects = this.nextEffects();
  // The lanes where the stretch began.
  private geometryBase = 0;
  private propertiesBase = 0;
  /** A value was begun in this stretch, and where it is undone to and begins. */
  private isBegun = false;
  private undoAt = 0;
  private valueAt = 0;
  private hasBegunProperty = false;
  private hasEndedProperty = false;
  /** The tag's id is that of a feature. */
  private hasFeatureId = false;
  private opening: Opening | undefined;
  private opened: { frame: number; start: number } | undefined;
  private split: Split | undefined;
  /** The end of a property with which the stretch began. */
  private closing: Closing | undefined;

  constructor(
    private readonly memo: Memo,
    private readonly joints: Joints,
    private readonly subject: Subject,
    private readonly tagBytes: number,
  ) {}

  /** The reader stands between two features. Where no more can be learnt, only what is known of this place is looked up. */
  start(): void {
    this.isOn = !this.memo.isFull;
    this.state = this.describe(Gap.none, 0);
    this.beginStretch();
    this.isValue = false;
  }

  stop(): void {
    this.isOn = false;
  }

  // Markup

  startTag(bytes: Uint8Array, start: number, end: number, tag: Tag): void {
    this.beginMarkup();
    const ids = idsOf(tag);
    if (ids.length === 0) {
      this.putLiteral(bytes, start, end);
      return;
    }
    if (end - start + ids.length * ID_MAX > this.tagBytes) this.spoil();
    const origin = start + 1 + tag.name.bytes.length;
    const description = this.subject.describe();
    const pieces: Uint8Array[] = [];
    const quotes: number[] = [];
    let from = start;
    for (const i of ids) {
      const valueFrom = origin + (tag.from[i] as number);
      pieces.push(bytes.slice(from, valueFrom));
      quotes.push(bytes[valueFrom - 1] as number);
      from = origin + (tag.to[i] as number);
    }
    pieces.push(bytes.slice(from, end));
    const before = this.takeEffects();
    this.split = { pieces, quotes, roles: ids.map((i) => tag.names[i]?.role ?? 0), before, description };
  }

  endTag(bytes: Uint8Array, start: number, end: number): void {
    this.beginMarkup();
    this.putLiteral(bytes, start, end);
  }

  /** The reader has done what the tag asks for. */
  tagDone(): void {
    if (this.split !== undefined) this.passIds(this.split);
    this.hasFeatureId = false;
    const { subject } = this;
    const now = subject.gap;
    if (now === undefined) {
      this.state = UNKNOWN;
      this.beginStretch();
      this.isValue = true;
    } else if (now.gap !== Gap.none) this.cut(now.gap, this.toParameter(now));
    // Nulls that follow one another are one transition each, so that their combinations need not be learnt.
    else if ((this.hasBegunProperty && this.hasEndedProperty) || this.hasEnded) this.cut(Gap.none, 0);
    else if (this.closing === undefined && this.isOnlyLiteral) this.noteClosing();
  }

  /** Nothing has been done in this stretch but, perhaps, end a value. */
  private get isOnlyLiteral(): boolean {
    const { flags, geometry, properties } = this.effects;
    const { geometryLane, propertiesLane } = this.subject;
    return (
      (flags & ~Effect.endsString) === 0 &&
      !this.isSpoilt &&
      !this.isBegun &&
      this.opened === undefined &&
      geometry.length + properties.length === 0 &&
      geometryLane.length === this.geometryBase &&
      propertiesLane.length === this.propertiesBase
    );
  }

  private noteClosing(): void {
    const { joints, literal, state, subject } = this;
    if (state === UNKNOWN) return;
    const known = joints.closingOf(state);
    if (known !== undefined) {
      if (isSame(known.literal, literal)) this.closing = known;
      return;
    }
    const frame = subject.describeBetween();
    if (frame === undefined) return;
    this.closing = joints.addClosing(state, literal, this.effects.flags, frame, subject.next);
  }

  /** Character data outside values. */
  text(bytes: Uint8Array, from: number, to: number): void {
    if (this.isValue) return;
    let at = from;
    while (at < to && isWhite(bytes[at] as number)) at++;
    this.putLiteral(bytes, from, at);
    if (at < to) this.cut(Gap.ignored, 0);
  }

  /** A reference, or a bracket, outside values. */
  otherText(): void {
    if (!this.isValue) this.cut(Gap.ignored, 0);
  }

  /** A comment and the like. */
  otherMarkup(): void {
    if (!this.isValue) this.spoil();
  }

  /** What is being done depends on more than markup. */
  spoil(): void {
    this.isSpoilt = true;
  }

  // Steps of the reader

  featureBegins(hasId: boolean): void {
    this.geometryBase = 0;
    this.propertiesBase = 0;
    if (this.effects.geometry.length > 0) this.spoil();
    this.hasFeatureId = hasId;
    this.effects.geometry.put(hasId ? BEHIND_ID : FEATURE);
    if (!hasId) this.effects.flags |= Effect.beginsFeature;
  }

  featureEnds(geometryMember: Uint8Array, hasGeometry: boolean): void {
    this.collect();
    const { geometry } = this.effects;
    if (!hasGeometry) geometry.put(NO_GEOMETRY);
    geometry.put(geometryMember);
    geometry.put(PROPERTIES);
    this.effects.flags |= Effect.endsFeature;
  }

  private get hasEnded(): boolean {
    return (this.effects.flags & Effect.endsFeature) !== 0;
  }

  propertyBegins(): void {
    this.hasBegunProperty = true;
  }

  propertyEnds(): void {
    this.hasEndedProperty = true;
  }

  /** @param name of a property outside the schema */
  valueBegins(undoAt: number, valueAt: number, name: string | undefined): void {
    this.isBegun = true;
    this.undoAt = undoAt;
    this.valueAt = valueAt;
    if (name === undefined) return;
    const guard = this.memo.guard(name);
    if (guard === 0 || this.effects.guards.length === 2) this.spoil();
    else this.effects.guards.push(guard);
    this.effects.flags |= Effect.isGuarded;
  }

  /** The text is a JSON value now. */
  valueEnds(isString: boolean, isNil: boolean): void {
    if (this.isBegun) {
      this.isBegun = false;
      return;
    }
    if (isNil || this.subject.propertiesLane.length < this.propertiesBase) this.spoil();
    if (isString) this.effects.flags |= Effect.endsString;
    this.propertiesBase = this.subject.propertiesLane.length;
  }

  valueIsCancelled(): void {
    if (this.isBegun) {
      this.isBegun = false;
      return;
    }
    this.effects.flags |= Effect.cancelsValue;
    this.propertiesBase = this.subject.propertiesLane.length;
  }

  runBegins(): void {
    this.effects.flags |= Effect.beginsRun;
  }

  numbersBegin(opening: Opening): void {
    this.opening = opening;
  }

  /** The element with numbers is over. */
  numbersEnd(count: number): void {
    if ((this.effects.flags & Effect.numbersEnd) !== 0 || count === 0) this.spoil();
    this.effects.flags |= NumbersEnd.element;
    this.geometryBase = this.subject.geometryLane.length;
  }

  /** What the numbers make is about to end. */
  runEnds(end: number): void {
    const isNext = (this.effects.flags & Effect.numbersEnd) === NumbersEnd.element;
    if (!isNext || this.subject.geometryLane.length !== this.geometryBase) this.spoil();
    this.effects.flags = (this.effects.flags & ~Effect.numbersEnd) | end;
  }

  /** It has been closed and turned round as needed. */
  runEnded(): void {
    this.geometryBase = this.subject.geometryLane.length;
  }

  frameHasId(frame: number): void {
    this.opened = { frame, start: 0 };
  }

  /** Where the coordinates of the geometry whose id was met last begin. */
  frameStarts(start: number): void {
    if (this.opened !== undefined) this.opened.start = start;
  }

  keeps(kind: number, frame: number): void {
    const end = this.subject.geometryLane.length - this.geometryBase;
    this.effects.keeps.push({ kind, frame, end });
    this.effects.flags |= Effect.hasIds;
  }

  // Stretches

  private beginMarkup(): void {
    if (!this.isValue) return;
    this.isValue = false;
    this.beginStretch();
  }

  private beginStretch(): void {
    this.literal.length = 0;
    this.isSpoilt = false;
    this.effects = this.nextEffects();
    this.beginEffects();
  }

  private beginEffects(): void {
    this.geometryBase = this.subject.geometryLane.length;
    this.propertiesBase = this.subject.propertiesLane.length;
    this.isBegun = false;
    this.hasBegunProperty = false;
    this.hasEndedProperty = false;
    this.opening = undefined;
    this.opened = undefined;
    this.closing = undefined;
  }

  private nextEffects(): Effects {
    const effects = this.ring[this.turn++ & 3] as Effects;
    effects.flags = 0;
    effects.geometry.length = 0;
    effects.properties.length = 0;
    effects.undo = 0;
    effects.value = 0;
    effects.opened = undefined;
    // To set the length of an array is a call of its own, whatever it is.
    if (effects.guards.length > 0) effects.guards.length = 0;
    if (effects.keeps.length > 0) effects.keeps.length = 0;
    return effects;
  }

  private putLiteral(bytes: Uint8Array, from: number, to: number): void {
    if (this.literal.length + to - from > LITERAL_MAX) this.spoil();
    else this.literal.put(bytes, from, to);
  }

  /** What has been appended becomes the stretch's. */
  private collect(): void {
    const { effects, subject } = this;
    const { geometryLane, propertiesLane } = subject;
    const isShorter = geometryLane.length < this.geometryBase || propertiesLane.length < this.propertiesBase;
    if (isShorter) {
      this.spoil();
      return;
    }
    if (this.opened !== undefined) {
      const { frame, start } = this.opened;
      effects.opened = { frame, start: start - this.geometryBase + effects.geometry.length };
      effects.flags |= Effect.hasIds;
      this.opened = undefined;
    }
    if (effects.keeps.length > 0) {
      effects.keeps = effects.keeps.map((keep) => ({ ...keep, end: keep.end + effects.geometry.length }));
    }
    effects.geometry.put(geometryLane.bytes, this.geometryBase, geometryLane.length);
    effects.properties.put(propertiesLane.bytes, this.propertiesBase, propertiesLane.length);
    this.geometryBase = geometryLane.length;
    this.propertiesBase = propertiesLane.length;
    if (!this.isBegun) return;
    effects.flags |= Effect.beginsValue;
    effects.undo = propertiesLane.length - this.undoAt;
    effects.value = propertiesLane.length - this.valueAt;
  }

  private takeEffects(): Effects {
    if (!this.hasEnded) this.collect();
    const taken = this.effects;
    this.effects = this.nextEffects();
    this.beginEffects();
    return taken;
  }

  private cut(gap: number, parameter: number): void {
    const { closing, memo } = this;
    const { size } = memo;
    const effects = this.hasEnded ? this.effects : this.takeEffects();
    this.state = this.pass(effects, gap, parameter, () => this.subject.describe());
    if (closing !== undefined && memo.size > size) this.noteContinuation(closing, effects);
    this.beginStretch();
    this.isValue = gap !== Gap.none;
  }

  private noteContinuation(closing: Closing, effects: Effects): void {
    const { joints, state } = this;
    const order = (effects.flags & Effect.endsFeature) !== 0 ? joints.end : this.subject.order;
    if (order === undefined || state === UNKNOWN || this.isSpoilt) return;
    joints.addContinuation(closing, this.literal, effects, order, state);
  }

  /** The state behind the literal, learnt where it is new. */
  private pass(effects: Effects, gap: number, parameter: number, describe: () => string | undefined): number {
    const { memo, state, literal } = this;
    if (state === UNKNOWN || this.isSpoilt || literal.length === 0 || memo.isFull) {
      return this.toState(describe(), gap, parameter);
    }
    const known = memo.find(state, literal);
    if (known === 0) {
      const next = this.toState(describe(), gap, parameter);
      if (next !== UNKNOWN) memo.add(state, literal, effects, next);
      return next;
    }
    const next = memo.nextOf(known);
    const isSame =
      memo.states[next * State.size + State.gap] === gap &&
      memo.states[next * State.size + State.parameter] === parameter &&
      memo.isSame(known, effects);
    if (isSame) return next;
    memo.refuse(known);
    return this.toState(describe(), gap, parameter);
  }

  private toState(description: string | undefined, gap: number, parameter: number): number {
    if (description === undefined) return UNKNOWN;
    return this.memo.state(description, gap, parameter);
  }

  private describe(gap: number, parameter: number): number {
    return this.toState(this.subject.describe(), gap, parameter);
  }

  private toParameter(now: { gap: number; parameter: number }): number {
    if (now.gap !== Gap.coordinates) return now.parameter;
    if (this.opening === undefined) {
      this.spoil();
      return 0;
    }
    return this.memo.opening(this.opening);
  }

  /** A start tag with ids is as many transitions as it has ids, and one: their values may differ. */
  private passIds(split: Split): void {
    this.split = undefined;
    const after = this.effects;
    const opened = this.opened;
    const { hasFeatureId } = this;
    const wanted = hasFeatureId ? toFeatureRole(split.roles) : Role.gmlId;
    const isTaken = hasFeatureId || opened !== undefined;
    const chosen = isTaken ? split.roles.indexOf(wanted) : -1;
    let description = split.description;
    split.roles.forEach((_, i) => {
      const piece = split.pieces[i] as Uint8Array;
      this.putLiteral(piece, 0, piece.length);
      this.effects = i === 0 ? split.before : createEffects();
      description = description === undefined ? undefined : `${description}<${fromLatin1(piece)}`;
      let gap: number = Gap.otherId;
      if (i === chosen) gap = hasFeatureId ? Gap.featureId : Gap.geometryId;
      if (gap === Gap.featureId) {
        this.effects.geometry.put(FEATURE_WITH_ID);
        this.effects.flags |= Effect.beginsFeature;
      }
      const parameter = (split.quotes[i] as number) | ((opened?.frame ?? 0) << 8);
      const here = description;
      this.state = this.pass(this.effects, gap, parameter, () => here);
      this.literal.length = 0;
    });
    this.effects = after;
    const last = split.pieces.at(-1) as Uint8Array;
    this.putLiteral(last, 0, last.length);
  }
}

/** The attributes of the tag that identify something, in the order they are written. */
function idsOf(tag: Tag): number[] {
  if ((tag.roles & (Role.gmlId | Role.fid)) === 0) return [];
  const ids: number[] = [];
  for (let i = 0; i < tag.count; i++) {
    const role = tag.names[i]?.role ?? 0;
    if (role === Role.gmlId || role === Role.fid) ids.push(i);
  }
  return ids;
}

function toFeatureRole(roles: readonly number[]): number {
  return roles.includes(Role.gmlId) ? Role.gmlId : Role.fid;
}

function isSame(bytes: Uint8Array, lane: Lane): boolean {
  if (bytes.length !== lane.length) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== lane.bytes[i]) return false;
  return true;
}

function isWhite(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d;
}
