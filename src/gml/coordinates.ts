import { fromUtf8, Lane, putText, TEXT_STOP, WHITE } from './bytes.js';
import type { CrsReading } from './model.js';
import { DIGITS_FINITE, isPlainNumber, POWERS, putNumber, readNumber, toJsonNumber } from './numbers.js';

/** How a run of numbers is written. */
export type Notation =
  /** `gml:posList`: numbers and white space, `dimension` of them a position (GML 3.1.1 §10.1.4.2). */
  | 'posList'
  /** `gml:pos`, or the X, Y and Z of one `gml:coord`: one position, as many dimensions as there are numbers. */
  | 'pos'
  /** `gml:coordinates`: tuples with separators of their own (GML 2.1.2 §4.3.1). */
  | 'coordinates';

/** What separates in `gml:coordinates`, as bytes. */
export interface Separators {
  readonly decimal: number;
  readonly cs: number;
  readonly ts: number;
}

const DEFAULTS: Separators = { decimal: 0x2e, cs: 0x2c, ts: 0x20 };
/** `ogr_gml_55` and others: blank inside the tuple, comma (or nothing) between tuples, and no attribute that says so. */
const REVERSED: Separators = { decimal: 0x2e, cs: 0x20, ts: 0x2c };

/** The separators an element declares; each is one character. */
export function toSeparators(
  decimal: string | undefined,
  cs: string | undefined,
  ts: string | undefined,
): Separators | undefined {
  if (decimal === undefined && cs === undefined && ts === undefined) return undefined;
  const isDefault = (decimal ?? '.') === '.' && (cs ?? ',') === ',' && (ts ?? ' ') === ' ';
  if (isDefault) return DEFAULTS;
  const toByte = (text: string | undefined, fallback: number): number => text?.charCodeAt(0) || fallback;
  return { decimal: toByte(decimal, 0x2e), cs: toByte(cs, 0x2c), ts: toByte(ts, 0x20) };
}

/** Longer numbers are for the slow path. */
const TOKEN_MAX = 512;
/** What is longer is no number, but a fault: README.md says so. */
const NUMBER_MAX = 1 << 16;
/** Room for two numbers and what stands around them. */
const PAIR_MAX = 2 * TOKEN_MAX + 64;
/** So many digits are a whole number without error, whatever the order of the steps. */
const DIGITS_EXACT = 15;
const SPACE = 0x20;
const MINUS = 0x2d;
const POINT = 0x2e;
const COMMA = 0x2c;
const LT = 0x3c;
const SLASH = 0x2f;

export type CoordinateFault = 'nanCoordinate' | 'badCoordinate' | 'incompletePosition' | 'badDimension';

/**
 * Numbers in, `[x,y],[x,y]` out, on the geometry's lane. Digits are copied; where a chunk is cut never matters: the
 * loop over plain pairs hands whatever it cannot finish to the slow path, and both compute the same values.
 */
export class Coordinates {
  /** Positions since `begin`. */
  count = 0;
  /** Twice the signed area under the positions, about the first one; positive is counterclockwise. */
  area = 0;
  fault: CoordinateFault | undefined;
  private notation: Notation = 'posList';
  private dimension = 2;
  private separators = DEFAULTS;
  private mayBeReversed = false;
  private swap = false;
  private transform: CrsReading['transform'];
  private firstX = 0;
  private firstY = 0;
  private lastX = 0;
  private lastY = 0;
  private measured = 0;
  /** The bytes read last, to be read several at a time. */
  private viewed: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.viewed.buffer);
  /** The number being read, and those of the position being read. */
  private readonly token = new Lane(64);
  private readonly ordinates = new Lane(256);
  private readonly ends: number[] = [];
  private ordinateCount = 0;
  private afterComma = false;

  constructor(private readonly lane: Lane) {}

  /** A new run of positions: a line, a ring, a point. */
  begin(): void {
    this.count = 0;
    this.area = 0;
    this.fault = undefined;
  }

  /** A new element with numbers inside the run. */
  open(notation: Notation, reading: CrsReading, dimension: number, separators?: Separators): void {
    this.notation = notation;
    this.dimension = dimension;
    this.separators = separators ?? DEFAULTS;
    this.mayBeReversed = notation === 'coordinates' && separators === undefined;
    this.swap = reading.swap;
    this.transform = reading.transform;
    this.token.length = 0;
    this.ordinates.length = 0;
    this.ordinateCount = 0;
    this.afterComma = false;
    if (notation === 'posList' && !(dimension >= 2 && dimension <= 4)) this.fault ??= 'badDimension';
  }

  /** The element is over. */
  close(): void {
    this.endToken();
    if (this.ordinateCount === 0) return;
    if (this.notation === 'posList') this.fault ??= 'incompletePosition';
    else this.endPosition();
  }

  /** Takes character data up to where `Sink.text` has to stop. */
  text(bytes: Uint8Array, start: number): number {
    let at = start;
    while (TEXT_STOP[bytes[at] as number] === 0) {
      if (this.ordinateCount === 0 && this.token.length === 0) {
        at = this.copyPairs(bytes, at);
        if (TEXT_STOP[bytes[at] as number] === 1) return at;
      }
      this.take(bytes[at++] as number);
    }
    return at;
  }

  characters(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) this.take(bytes[at] as number);
  }

  /** Copies pairs as long as both numbers are plain, whole and in the window; stops where it cannot. */
  private copyPairs(bytes: Uint8Array, start: number): number {
    if (this.notation === 'posList') {
      return this.dimension === 2 ? this.copyRun(bytes, start, false, false) : start;
    }
    if (this.notation === 'coordinates' && this.separators === DEFAULTS && !this.afterComma) {
      return this.copyRun(bytes, start, true, false);
    }
    return this.notation === 'pos' ? this.copyRun(bytes, start, false, true) : start;
  }

  /**
   * The hot loop: `a b a b` or (`isTuples`) `a,b a,b`, or (`isSingle`) one `a b`. Numbers are measured and valued in
   * one pass and copied in a second, which is what lets them change places; both go four bytes at a time.
   */
  private copyRun(bytes: Uint8Array, start: number, isTuples: boolean, isSingle: boolean): number {
    const { lane, swap } = this;
    const view = this.viewOf(bytes);
    // Fields that hold fractions cost an object each time they change; a twentieth of the time of polygons.
    let { count, area, firstX, firstY, lastX, lastY } = this;
    let out = lane.view;
    let limit = lane.bytes.length - PAIR_MAX;
    let end = lane.length;
    let at = start;
    let from = start;
    for (;;) {
      if (view.getUint8(at) === SPACE) at++;
      while (WHITE[view.getUint8(at)] === 1) at++;
      from = at;
      const firstTo = this.measure(view, at);
      if (firstTo < 0) break;
      const first = this.measured;
      let second = firstTo;
      // What is between.
      if (isTuples) {
        if (view.getUint8(second++) !== COMMA) break;
      } else {
        if (WHITE[view.getUint8(second++)] === 0) break;
        while (WHITE[view.getUint8(second)] === 1) second++;
      }
      const secondTo = this.measure(view, second);
      if (secondTo < 0) break;
      // A `<` ends the number only where it begins the end tag: behind a comment the digits would go on.
      const byte = view.getUint8(secondTo);
      if (byte === LT ? view.getUint8(secondTo + 1) !== SLASH : WHITE[byte] === 0) break;
      if (isSingle && !isLast(bytes, secondTo)) break;
      if (isTuples && !isTupleEnd(bytes, secondTo)) break;
      if (end > limit) {
        lane.length = end;
        lane.reserve(4096);
        out = lane.view;
        limit = lane.bytes.length - PAIR_MAX;
      }
      at = secondTo;
      if (count > 0) out.setUint8(end++, COMMA);
      out.setUint8(end++, 0x5b);
      let x = swap ? this.measured : first;
      let y = swap ? first : this.measured;
      if (this.transform !== undefined) {
        lane.length = end;
        [x, y] = this.putTransformed(this.transform, x, y);
        end = lane.length;
        out = lane.view;
        limit = lane.bytes.length - PAIR_MAX;
      } else {
        end = swap ? copy(view, second, secondTo, out, end) : copy(view, from, firstTo, out, end);
        out.setUint8(end++, COMMA);
        end = swap ? copy(view, from, firstTo, out, end) : copy(view, second, secondTo, out, end);
      }
      out.setUint8(end++, 0x5d);
      // As in `addToArea`.
      if (count++ === 0) {
        firstX = x;
        firstY = y;
        lastX = 0;
        lastY = 0;
      } else {
        const dx = x - firstX;
        const dy = y - firstY;
        area += lastX * dy - dx * lastY;
        lastX = dx;
        lastY = dy;
      }
    }
    this.count = count;
    this.area = area;
    this.firstX = firstX;
    this.firstY = firstY;
    this.lastX = lastX;
    this.lastY = lastY;
    lane.length = end;
    return from;
  }

  /** The end of the plain number at `start`, whose value is `measured` then; -1 where it is none, or a long one. */
  private measure(view: DataView, start: number): number {
    let at = start;
    if (view.getUint8(at) === MINUS) at++;
    const whole = at;
    let value = 0;
    let digit = (view.getUint8(at) - 0x30) >>> 0;
    while (digit < 10) {
      value = (value * 10 + digit) | 0;
      digit = (view.getUint8(++at) - 0x30) >>> 0;
    }
    const length = at - whole;
    if (length === 0 || length > 9 || (length > 1 && view.getUint8(whole) === 0x30)) return -1;
    if (view.getUint8(at) !== POINT) {
      this.measured = whole === start ? value : -value;
      return at;
    }
    const fraction = ++at;
    let part = 0;
    let word = view.getInt32(at, true);
    if (isFourDigits(word)) {
      part = toFourDigits(word);
      at += 4;
      word = view.getInt32(at, true);
      if (isFourDigits(word)) {
        part = (part * 10000 + toFourDigits(word)) | 0;
        at += 4;
      }
    }
    digit = (view.getUint8(at) - 0x30) >>> 0;
    while (digit < 10 && at - fraction < 9) {
      part = (part * 10 + digit) | 0;
      digit = (view.getUint8(++at) - 0x30) >>> 0;
    }
    const decimals = at - fraction;
    if (decimals === 0) return -1;
    if (digit < 10 || length + decimals > DIGITS_EXACT) return this.measureLong(view, start, at);
    const power = POWERS[decimals] as number;
    const sum = (value * power + part) / power;
    this.measured = whole === start ? sum : -sum;
    return at;
  }

  /** A number of more digits than are computed at once, by the steps of `readNumber`. */
  private measureLong(view: DataView, start: number, known: number): number {
    let at = known;
    while ((view.getUint8(at) - 0x30) >>> 0 < 10) at++;
    if (at - start > TOKEN_MAX) return -1;
    this.measured = readNumber(this.viewed, start, at);
    return at;
  }

  private viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.viewed) {
      this.viewed = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.view;
  }

  /** The slow path: a byte of a number, or a separator. */
  private take(byte: number): void {
    if (this.notation === 'coordinates') this.takeOfTuple(byte);
    else if (WHITE[byte] === 1 || byte === 0x0d) this.endToken();
    else this.addToToken(byte);
  }

  private takeOfTuple(byte: number): void {
    const { cs, ts, decimal } = this.separators;
    const isWhite = WHITE[byte] === 1 || byte === 0x0d;
    if (byte === cs && !isWhite) {
      this.endToken();
      this.afterComma = true;
    } else if (byte === ts && !isWhite) {
      this.endToken();
      this.endTuple();
    } else if (isWhite) {
      this.endToken();
    } else {
      this.beginToken();
      this.addToToken(byte === decimal ? POINT : byte);
    }
  }

  /** White space ends a tuple, unless a separator stands about it: `1, 2 3, 4` is two tuples. */
  private beginToken(): void {
    if (this.token.length > 0) return;
    const isBlankInside = this.separators.cs === 0x20;
    if (this.ordinateCount > 0 && !this.afterComma && !isBlankInside) {
      if (this.ordinateCount === 1 && this.mayBeReversed && this.count === 0) this.separators = REVERSED;
      else this.endTuple();
    }
    this.mayBeReversed &&= this.ordinateCount < 2 && this.count === 0;
    this.afterComma = false;
  }

  private endTuple(): void {
    this.afterComma = false;
    if (this.ordinateCount > 0) this.endPosition();
  }

  private addToToken(byte: number): void {
    if (this.token.length < NUMBER_MAX) this.token.putByte(byte);
    else this.fault ??= 'badCoordinate';
  }

  private endToken(): void {
    const { token } = this;
    if (token.length === 0) return;
    const isPlain = token.length <= DIGITS_FINITE && isPlainNumber(token.bytes, 0, token.length);
    if (isPlain) this.ordinates.put(token.bytes, 0, token.length);
    else this.putOtherNumber(fromUtf8(token.bytes, 0, token.length));
    token.length = 0;
    this.ends[this.ordinateCount++] = this.ordinates.length;
    if (this.notation === 'posList' && this.ordinateCount >= this.dimension) this.endPosition();
    else if (this.ordinateCount > 4) {
      this.fault ??= 'badDimension';
      this.ordinateCount = 4;
      this.ordinates.length = this.ends[3] as number;
    }
  }

  private putOtherNumber(text: string): void {
    const number = toJsonNumber(text);
    // A NaN or an infinity is a fault of the geometry, never a null inside a position (RFC 7946 §3.1.1).
    if (number === null || (number !== undefined && !Number.isFinite(Number(number))))
      this.fault ??= 'nanCoordinate';
    else if (number === undefined) this.fault ??= 'badCoordinate';
    putText(this.ordinates, number ?? '0');
  }

  private endPosition(): void {
    const count = this.ordinateCount;
    this.ordinateCount = 0;
    if (count < 2) this.fault ??= this.notation === 'posList' ? 'badDimension' : 'incompletePosition';
    else this.putPosition(count);
    this.ordinates.length = 0;
  }

  private putPosition(count: number): void {
    const { lane, ordinates } = this;
    const from = (index: number): number => (index === 0 ? 0 : (this.ends[index - 1] as number));
    const to = (index: number): number => this.ends[index] as number;
    const [x, y] = this.swap ? [1, 0] : [0, 1];
    if (this.count > 0) lane.putByte(COMMA);
    lane.putByte(0x5b);
    let valueX = readNumber(ordinates.bytes, from(x), to(x));
    let valueY = readNumber(ordinates.bytes, from(y), to(y));
    if (this.transform === undefined) {
      lane.put(ordinates.bytes, from(x), to(x));
      lane.putByte(COMMA);
      lane.put(ordinates.bytes, from(y), to(y));
    } else {
      [valueX, valueY] = this.putTransformed(this.transform, valueX, valueY);
    }
    if (count > 2) {
      lane.putByte(COMMA);
      lane.put(ordinates.bytes, from(2), to(2));
    }
    lane.putByte(0x5d);
    this.addToArea(valueX, valueY);
  }

  private putTransformed(
    transform: NonNullable<CrsReading['transform']>,
    x: number,
    y: number,
  ): readonly [number, number] {
    const { lane } = this;
    const position = transform(x, y);
    if (!Number.isFinite(position[0]) || !Number.isFinite(position[1])) this.fault ??= 'nanCoordinate';
    putNumber(lane, position[0]);
    lane.putByte(COMMA);
    putNumber(lane, position[1]);
    lane.reserve(64);
    return position;
  }

  private addToArea(x: number, y: number): void {
    if (this.count++ === 0) {
      this.firstX = x;
      this.firstY = y;
      this.lastX = 0;
      this.lastY = 0;
      return;
    }
    const dx = x - this.firstX;
    const dy = y - this.firstY;
    this.area += this.lastX * dy - dx * this.lastY;
    this.lastX = dx;
    this.lastY = dy;
  }
}

/** Whether a tuple is over: no comma stands behind the white space (`1,2 ,3`), nor anything that may hide one. */
function isTupleEnd(bytes: Uint8Array, at: number): boolean {
  let next = at;
  while (WHITE[bytes[next] as number] === 1) next++;
  const byte = bytes[next] as number;
  if (byte === LT) return bytes[next + 1] === SLASH;
  return byte !== COMMA && byte !== 0x0d && TEXT_STOP[byte] === 0;
}

/** Whether four bytes are digits. */
function isFourDigits(word: number): boolean {
  // The upper halves are 3, and still are when 6 is added: 0x30 to 0x39.
  const plain = word & 0xf0f0f0f0;
  return plain === 0x30303030 && ((word + 0x06060606) & 0xf0f0f0f0) === plain;
}

/** The number four digits make, the first in the lowest byte. */
function toFourDigits(word: number): number {
  const digits = word & 0x0f0f0f0f;
  const pairs = (digits * 10 + (digits >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}

/**
 * Copies a number, eight bytes at a time as what they are not, a double, most numbers at once; what is written beyond its
 * end is written over.
 */
function copy(view: DataView, from: number, to: number, out: DataView, end: number): number {
  out.setFloat64(end, view.getFloat64(from, true), true);
  out.setFloat64(end + 8, view.getFloat64(from + 8, true), true);
  for (let at = from + 16, i = end + 16; at < to; at += 8, i += 8) {
    out.setFloat64(i, view.getFloat64(at, true), true);
  }
  return end + (to - from);
}

/** Whether only white space and an end tag follow. */
function isLast(bytes: Uint8Array, from: number): boolean {
  let at = from;
  while (WHITE[bytes[at] as number] === 1) at++;
  return bytes[at] === LT && bytes[at + 1] === SLASH;
}
