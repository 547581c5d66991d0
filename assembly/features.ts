// The hot loop of src/gml/shortcut.ts over whole features, sixteen bytes at a time (AssemblyScript; built by
// scripts/build-simd.mjs into src/gml/simd-binary.ts). It keeps nothing between two calls: what it cannot finish, it
// leaves at the feature's first byte. It does only what is plain, and just as TypeScript does it; all else is ODD, and
// TypeScript reads that feature. So there is no fault here and no second opinion on anything rare. Polygons go 2.8 times
// as fast as in TypeScript (690 MB/s against 246, the least time of each push of 64 kB).

// Places in memory: see `Place` in src/gml/simd.ts.
const POWERS: usize = 1024;
const SHUFFLES: usize = 4096;
const SEEN: usize = 8192;
const FRAMES: usize = 12288;
const FRAMES_MAX: i32 = 64;
const SCALES: usize = 13312;
const ENDS: usize = 16384;
const ENDS_MAX: i32 = 4096;
const KEPT: usize = 32768;
const KEPT_MAX: i32 = 1024;
const POSITIONS: usize = 0x60000;
const PROPERTIES: usize = 0xa0000;
const OUT: usize = 0x1a0000;
const TABLES: usize = 0x3a0000;
// A value is at most as long as the window, 256 kB, and grows at most twofold: what is below these bounds before one
// stays inside its place behind it.
const PROPERTIES_SOFT: usize = PROPERTIES + 0x60000;
const OUT_SOFT: usize = OUT + 0x40000;
const OUT_HARD: usize = OUT + 0x100000;

// What comes of a call.
const MORE: i32 = 0;
const ODD: i32 = 1;
const FULL: i32 = 2;
// Markup that is not known here: TypeScript finds the same, and may make it of what is known (src/gml/joints.ts).
const UNKNOWN: i32 = 4;
// What comes of a value, beside MORE and ODD.
const PAST: i32 = 3;

// Layouts of memo.ts.
const STRING: i32 = 1;
const NUMBER: i32 = 2;
const BOOLEAN: i32 = 3;
const TEXT: i32 = 4;
const COORDINATES: i32 = 5;
const FEATURE_ID: i32 = 6;
const GEOMETRY_ID: i32 = 7;
const OTHER_ID: i32 = 8;
const NUMBERS_END: i32 = 7;
const ENDS_STRING: i32 = 1 << 3;
const CANCELS_VALUE: i32 = 1 << 4;
const BEGINS_VALUE: i32 = 1 << 5;
const BEGINS_RUN: i32 = 1 << 6;
const BEGINS_FEATURE: i32 = 1 << 7;
const ENDS_FEATURE: i32 = 1 << 8;
const HAS_IDS: i32 = 1 << 9;
const IS_REFUSED: i32 = 1 << 10;
const IS_GUARDED: i32 = 1 << 11;
const EXTERIOR: i32 = 2;
const INTERIOR: i32 = 3;
const LINE: i32 = 4;
const POINT_END: i32 = 5;
const DATE: i32 = 3;
const DATE_TIME: i32 = 4;

const TYPED_MAX: i32 = 64;
const ID_MAX: usize = 256;
const REFERENCE_MAX: usize = 12;

const TAB: i32 = 0x09;
const LF: i32 = 0x0a;
const CR: i32 = 0x0d;
const SPACE: i32 = 0x20;
const BANG: i32 = 0x21;
const QUOTE: i32 = 0x22;
const AMP: i32 = 0x26;
const COMMA: i32 = 0x2c;
const MINUS: i32 = 0x2d;
const DOT: i32 = 0x2e;
const SLASH: i32 = 0x2f;
const ZERO: i32 = 0x30;
const SEMICOLON: i32 = 0x3b;
const LT: i32 = 0x3c;
const GT: i32 = 0x3e;
const OPEN: i32 = 0x5b;
const BACKSLASH: i32 = 0x5c;
const CLOSE: i32 = 0x5d;
const LETTER_N: i32 = 0x6e;
const LETTER_T: i32 = 0x74;
const BRACE: i32 = 0x7d;
/** `null` as a word. */
const NULL: u32 = 0x6c6c756e;
const TRUE: u32 = 0x65757274;
const FALS: u32 = 0x736c6166;
/** `<![C` and `DATA`, with a `[` behind them. */
const CDATA: u32 = 0x435b213c;
const DATA: u32 = 0x41544144;
const CDATA_SIZE: usize = 9;

// What a call tells beside its outcome: the end of the last whole feature, of what was written, and how much is listed.
export let base: usize = 0;
export let written: usize = 0;
export let ends: i32 = 0;
export let kept: i32 = 0;
// What `check` counts.
export let newlines: i32 = 0;
export let continuations: i32 = 0;

// The tables of the memo.
let states: usize = TABLES;
let transitions: usize = TABLES;
let pool: usize = TABLES;
let openings: usize = TABLES;
let ids: usize = TABLES;
// Where it reads, and up to where; where it writes.
let at: usize = 0;
let end: usize = 0;
let geometry: usize = OUT;
let properties: usize = PROPERTIES;
let ringFrom: usize = OUT;
// The run of positions.
let count: i32 = 0;
let area: f64 = 0;
let firstX: f64 = 0;
let firstY: f64 = 0;
let lastX: f64 = 0;
let lastY: f64 = 0;
/** The feature's number, over all that were ever read: a property outside the schema stands once in each. */
let number: i32 = 0;
/** The end of a number that was read byte by byte. */
let numberEnd: usize = 0;

/** Once, when the powers of ten are in their place. */
export function start(): void {
  // For a number of `length` bytes, `whole` of them before its point: its digits at the end of sixteen bytes.
  for (let length = 1; length < 16; length++) {
    for (let whole = 1; whole <= length; whole++) {
      const digits = whole === length ? length : length - 1;
      // The point is one of the bytes.
      store<f64>(
        SCALES + (((length << 4) | whole) << 3),
        load<f64>(POWERS + ((<usize>(digits - whole)) << 3)),
      );
      const to = SHUFFLES + (((length << 4) | whole) << 4);
      for (let lane = 0; lane < 16; lane++) {
        const digit = lane - 16 + digits;
        store<u8>(to + lane, digit < 0 ? 0x80 : digit < whole ? digit : digit + 1);
      }
    }
  }
}

export function configure(s: usize, t: usize, p: usize, o: usize, i: usize): void {
  states = s;
  transitions = t;
  pool = p;
  openings = o;
  ids = i;
}

/**
 * Features from `from`, in the state between two features; `isFirst`: no comma before the first. NUL stands at `to`.
 * @returns why it stopped behind the last whole one: MORE, ODD, FULL or UNKNOWN
 */
export function run(entry: i32, from: usize, to: usize, isFirst: i32): i32 {
  at = from;
  end = to;
  base = from;
  written = OUT;
  ends = 0;
  kept = 0;
  geometry = OUT;
  properties = PROPERTIES;
  let keptNow = 0;
  let undoTo = PROPERTIES;
  let valueFrom = PROPERTIES;
  let idFrom = OUT;
  let state = entry;
  while (true) {
    const here = states + ((<usize>state) << 4);
    const gap = load<i32>(here);
    if (gap !== 0) {
      const outcome =
        gap === FEATURE_ID ? passFeatureId(load<i32>(here, 4), idFrom) : pass(gap, load<i32>(here, 4));
      if (outcome !== PAST) return outcome;
    }

    // The transition whose markup stands here, to the front since it mostly comes again.
    let it = load<i32>(here, 8);
    let before: usize = 0;
    let isCut = false;
    for (;;) {
      if (it === 0) return isCut ? MORE : UNKNOWN;
      const one = transitions + ((<usize>it) << 2);
      const length = load<i32>(one, 4);
      const left = <i32>(end - at);
      if (length <= left) {
        if (isSame(at, pool + load<i32>(one), length)) break;
      } else if (!isCut) isCut = isSame(at, pool + load<i32>(one), left);
      before = one;
      it = load<i32>(one, 32);
    }
    const transition = transitions + ((<usize>it) << 2);
    if (before !== 0) {
      store<i32>(before, load<i32>(transition, 32), 32);
      store<i32>(transition, load<i32>(here, 8), 32);
      store<i32>(here, it, 8);
    }

    // What it ends.
    const flags = load<i32>(transition, 24);
    if (flags !== 0) {
      if ((flags & IS_REFUSED) !== 0) return ODD;
      if ((flags & ENDS_STRING) !== 0) {
        if (properties > valueFrom + 1) store<u8>(properties++, QUOTE);
        else {
          store<u32>(valueFrom, NULL);
          properties = valueFrom + 4;
        }
      } else if ((flags & NUMBERS_END) !== 0 && !endNumbers(flags & NUMBERS_END)) return ODD;
      if ((flags & CANCELS_VALUE) !== 0) properties = undoTo;
      if ((flags & BEGINS_FEATURE) !== 0) {
        number++;
        geometry = written;
        if (isFirst === 0) store<u8>(geometry++, COMMA);
        properties = PROPERTIES;
        keptNow = kept;
      }
      if ((flags & IS_GUARDED) !== 0) {
        if (!isFirstOf(load<i32>(transition, 36)) || !isFirstOf(load<i32>(transition, 40))) return ODD;
      }
    }

    // What it appends.
    const geometryFrom = geometry;
    const geometryLength = load<i32>(transition, 12);
    if (geometryLength > 0) {
      if (geometry + geometryLength > OUT_HARD) return ODD;
      copy(pool + load<i32>(transition, 8), geometry, geometryLength);
      geometry += geometryLength;
    }
    const propertiesLength = load<i32>(transition, 20);
    if (propertiesLength > 0) {
      if (properties + propertiesLength > PROPERTIES_SOFT) return ODD;
      copy(pool + load<i32>(transition, 16), properties, propertiesLength);
      properties += propertiesLength;
    }
    if ((flags & HAS_IDS) !== 0) {
      keptNow = noteIds(ids + ((<usize>load<i32>(transition, 52)) << 6), geometryFrom, keptNow);
      if (keptNow < 0) return ODD;
    }
    at += load<i32>(transition, 4);
    state = load<i32>(transition, 28);

    if ((flags & ENDS_FEATURE) !== 0) {
      if (state !== entry) return ODD;
      const length = <i32>(properties - PROPERTIES);
      if (length > 0) {
        copy(PROPERTIES + 1, geometry, length - 1);
        geometry += length - 1;
      }
      store<u16>(geometry, BRACE | (BRACE << 8));
      geometry += 2;
      store<i32>(ENDS + ((<usize>ends) << 2), <i32>(geometry - OUT));
      ends++;
      written = geometry;
      base = at;
      kept = keptNow;
      isFirst = 0;
      if (ends === ENDS_MAX || written > OUT_SOFT || kept > KEPT_MAX - FRAMES_MAX) return FULL;
    }

    // What it begins.
    if ((flags & BEGINS_RUN) !== 0) {
      count = 0;
      area = 0;
      ringFrom = geometry;
    }
    if ((flags & BEGINS_VALUE) !== 0) {
      undoTo = properties - load<i32>(transition, 44);
      valueFrom = properties - load<i32>(transition, 48);
    }
    idFrom = geometry;
  }
}

/** A property outside the schema that stands twice becomes an array: that is not done here. */
function isFirstOf(guard: i32): bool {
  if (guard === 0) return true;
  const place = SEEN + ((<usize>guard) << 2);
  if (load<i32>(place) === number) return false;
  store<i32>(place, number);
  return true;
}

/** Ids of whole geometries: a record is the frame opened and its start, a count, and kind, frame and end of each kept. */
function noteIds(record: usize, from: usize, listed: i32): i32 {
  const frame = load<i32>(record);
  if (frame >= FRAMES_MAX) return -1;
  if (frame >= 0) store<i32>(FRAMES + <usize>frame * 12, <i32>from + load<i32>(record, 4), 8);
  const length = load<i32>(record, 8);
  if (length < 0) return -1;
  for (let i = 0; i < length; i++) {
    if (listed === KEPT_MAX) return -1;
    const one = record + 12 + <usize>i * 12;
    if (load<i32>(one, 4) >= FRAMES_MAX) return -1;
    const opened = FRAMES + <usize>load<i32>(one, 4) * 12;
    const to = KEPT + <usize>listed * 20;
    store<i32>(to, load<i32>(one));
    store<i32>(to, load<i32>(opened), 4);
    store<i32>(to, load<i32>(opened, 4), 8);
    store<i32>(to, load<i32>(opened, 8), 12);
    store<i32>(to, <i32>from + load<i32>(one, 8), 16);
    listed++;
  }
  return listed;
}

// Bytes

function isSame(a: usize, b: usize, length: i32): bool {
  for (let i = 0; i < length; i += 16) {
    const unlike = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i))) ^ 0xffff;
    if (unlike !== 0) return i + <i32>ctz(unlike) >= length;
  }
  return true;
}

/** What is written beyond the end is written over. */
function copy(from: usize, to: usize, length: i32): void {
  for (let i = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

function isWhite(byte: i32): bool {
  return byte <= SPACE && (byte === SPACE || byte === LF || byte === TAB);
}

// Values

function pass(gap: i32, parameter: i32): i32 {
  if (gap === STRING) return passString();
  if (gap === COORDINATES) return passCoordinates(openings + ((<usize>parameter) << 4));
  if (gap === NUMBER) return passNumber();
  if (gap === TEXT) return passText(parameter);
  if (gap === BOOLEAN) return passBoolean();
  if (gap === GEOMETRY_ID || gap === OTHER_ID) return passOtherId(gap, parameter);
  return passIgnored();
}

/** Text, and CDATA sections in it, into a JSON string. */
function passString(): i32 {
  let p = at;
  let w = properties;
  let inCdata = false;
  for (;;) {
    let stop: i32;
    for (;;) {
      const bytes = v128.load(p);
      v128.store(w, bytes);
      // Control characters, `"`, `\`, `<`, `&` and `]`.
      stop = i8x16.bitmask(
        v128.or(
          v128.or(
            v128.or(i8x16.lt_u(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x22))),
            v128.or(i8x16.eq(bytes, i8x16.splat(0x5c)), i8x16.eq(bytes, i8x16.splat(0x3c))),
          ),
          v128.or(i8x16.eq(bytes, i8x16.splat(0x26)), i8x16.eq(bytes, i8x16.splat(0x5d))),
        ),
      );
      if (stop !== 0) break;
      p += 16;
      w += 16;
    }
    p += ctz(stop);
    w += ctz(stop);
    const byte = <i32>load<u8>(p);
    if (byte === LT && !inCdata) {
      if (load<u8>(p, 1) !== BANG) break;
      if (p + CDATA_SIZE > end) return MORE;
      if (load<u32>(p) !== CDATA || load<u32>(p, 4) !== DATA || load<u8>(p, 8) !== OPEN) return ODD;
      inCdata = true;
      p += CDATA_SIZE;
    } else if (byte === AMP && !inCdata) {
      properties = w;
      const outcome = passReference(p, w);
      if (outcome !== PAST) return outcome;
      p = at;
      w = properties;
    } else if (byte === CLOSE) {
      const next = <i32>load<u8>(p, 1);
      if (next === 0) return MORE;
      if (next === CLOSE) {
        if (!inCdata) return ODD;
        const third = <i32>load<u8>(p, 2);
        if (third === 0) return MORE;
        if (third === GT) {
          inCdata = false;
          p += 3;
          continue;
        }
      }
      store<u8>(w++, CLOSE);
      p++;
    } else if (byte === LT || byte === AMP) {
      store<u8>(w++, byte);
      p++;
    } else if (byte === LF || byte === CR) {
      if (byte === CR) {
        const next = <i32>load<u8>(p, 1);
        if (next === 0) return MORE;
        if (next === LF) p++;
      }
      store<u16>(w, BACKSLASH | (LETTER_N << 8));
      w += 2;
      p++;
    } else if (byte === QUOTE || byte === BACKSLASH || byte === TAB) {
      store<u16>(w, BACKSLASH | ((byte === TAB ? LETTER_T : byte) << 8));
      w += 2;
      p++;
    } else return byte === 0 ? MORE : ODD;
  }
  at = p;
  properties = w;
  return PAST;
}

/** The reference at `p`, by name or number, to `w` as inside a JSON string; `at` and `properties` are behind it then. */
function passReference(p: usize, w: usize): i32 {
  let to = p + 1;
  for (;;) {
    const byte = <i32>load<u8>(to);
    if (byte === SEMICOLON) break;
    if (byte === 0) return MORE;
    if (++to - p > REFERENCE_MAX) return ODD;
  }
  const code = toCode(p + 1, <i32>(to - p - 1));
  if (code < 0) return ODD;
  at = to + 1;
  properties = putCharacter(w, code);
  return PAST;
}

/** What a reference of so many bytes stands for (XML 1.0 §4.1, §4.6); -1 where it is none. */
function toCode(p: usize, length: i32): i32 {
  const first = <i32>load<u8>(p);
  if (first === 0x23) return toNumbered(p + 1, length - 1);
  const word = load<u32>(p);
  if (length === 2) return (word & 0xffff) === 0x746c ? LT : (word & 0xffff) === 0x7467 ? 0x3e : -1;
  if (length === 3) return (word & 0xffffff) === 0x706d61 ? AMP : -1;
  if (length === 4) return word === 0x746f7571 ? QUOTE : word === 0x736f7061 ? 0x27 : -1;
  return -1;
}

function toNumbered(p: usize, length: i32): i32 {
  const isHex = load<u8>(p) === 0x78;
  const to = p + length;
  if (isHex) p++;
  if (p >= to) return -1;
  let code = 0;
  for (; p < to; p++) {
    const byte = <i32>load<u8>(p);
    const letter = (byte | 0x20) - 0x61;
    const digit = <u32>(byte - ZERO) < 10 ? byte - ZERO : isHex && <u32>letter < 6 ? letter + 10 : 1 << 24;
    code = isHex ? (code << 4) + digit : code * 10 + digit;
    if (code > 0x10ffff) return -1;
  }
  if (code < 0x20) return code === TAB || code === LF || code === CR ? code : -1;
  return (code > 0xd7ff && code < 0xe000) || code === 0xfffe || code === 0xffff ? -1 : code;
}

function putCharacter(w: usize, code: i32): usize {
  if (code < 0x80) {
    const short = code === TAB ? LETTER_T : code === LF ? LETTER_N : code === CR ? 0x72 : code;
    if (short !== code || code === QUOTE || code === BACKSLASH) store<u8>(w++, BACKSLASH);
    store<u8>(w, short);
    return w + 1;
  }
  if (code < 0x800) {
    store<u8>(w, 0xc0 | (code >> 6));
    store<u8>(w, 0x80 | (code & 63), 1);
    return w + 2;
  }
  if (code < 0x10000) {
    store<u8>(w, 0xe0 | (code >> 12));
    store<u8>(w, 0x80 | ((code >> 6) & 63), 1);
    store<u8>(w, 0x80 | (code & 63), 2);
    return w + 3;
  }
  store<u8>(w, 0xf0 | (code >> 18));
  store<u8>(w, 0x80 | ((code >> 12) & 63), 1);
  store<u8>(w, 0x80 | ((code >> 6) & 63), 2);
  store<u8>(w, 0x80 | (code & 63), 3);
  return w + 4;
}

function passIgnored(): i32 {
  let p = at;
  for (;;) {
    let stop: i32;
    for (;;) {
      const bytes = v128.load(p);
      stop = i8x16.bitmask(
        v128.or(
          v128.or(i8x16.eq(bytes, i8x16.splat(0)), i8x16.eq(bytes, i8x16.splat(0x3c))),
          v128.or(i8x16.eq(bytes, i8x16.splat(0x26)), i8x16.eq(bytes, i8x16.splat(0x5d))),
        ),
      );
      if (stop !== 0) break;
      p += 16;
    }
    p += ctz(stop);
    const byte = <i32>load<u8>(p);
    if (byte === LT) break;
    if (byte === 0) return MORE;
    if (byte === CLOSE) {
      const next = <i32>load<u8>(p, 1);
      if (next === 0) return MORE;
      if (next === CLOSE) return ODD;
      p++;
    } else {
      const w = properties;
      const outcome = passReference(p, w);
      if (outcome !== PAST) return outcome;
      p = at;
      properties = w;
    }
  }
  at = p;
  return PAST;
}

/** A value that is not plain: MORE where it may become so, as far as it has come. */
function toOdd(p: usize): i32 {
  for (let i = 0; i < TYPED_MAX; i++) {
    const byte = <i32>load<u8>(p + i);
    if (byte === 0) return MORE;
    if (<u32>(byte - ZERO) > 9 && byte !== DOT && byte !== MINUS) return ODD;
  }
  return ODD;
}

function putNull(): i32 {
  store<u32>(properties, NULL);
  properties += 4;
  return PAST;
}

function passNumber(): i32 {
  const p = at;
  const first = <i32>load<u8>(p);
  if (first === LT) return putNull();
  const q = first === MINUS ? p + 1 : p;
  const shape = toShape(q);
  if (shape === 0) return toOdd(p);
  const to = shape >= 256 ? numberEnd : q + (shape >> 4);
  const byte = <i32>load<u8>(to);
  const length = <i32>(to - p);
  if (byte !== LT || length > TYPED_MAX) return toOdd(p);
  copy(p, properties, length);
  properties += length;
  at = to;
  return PAST;
}

function passBoolean(): i32 {
  const word = load<u32>(at);
  const first = <i32>(word & 0xff);
  if (first === LT) return putNull();
  let isTrue = word === TRUE;
  let length: usize = 4;
  if (word === FALS && load<u8>(at, 4) === 0x65) length = 5;
  else if (!isTrue && (first === ZERO || first === ZERO + 1)) {
    isTrue = first !== ZERO;
    length = 1;
  } else if (!isTrue) return ODD;
  if (load<u8>(at + length) !== LT) return ODD;
  store<u32>(properties, isTrue ? TRUE : FALS);
  store<u8>(properties, 0x65, 4);
  properties += isTrue ? 4 : 5;
  at += length;
  return PAST;
}

/** Text of a declared type: dates and times, without white space around. */
function passText(type: i32): i32 {
  const p = at;
  const w = properties + 1;
  let length = 0;
  for (;;) {
    const bytes = v128.load(p + length);
    v128.store(w + length, bytes);
    const stop = i8x16.bitmask(
      v128.or(
        v128.or(
          v128.or(i8x16.lt_u(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x22))),
          v128.or(i8x16.eq(bytes, i8x16.splat(0x5c)), i8x16.eq(bytes, i8x16.splat(0x3c))),
        ),
        v128.or(i8x16.eq(bytes, i8x16.splat(0x26)), i8x16.eq(bytes, i8x16.splat(0x5d))),
      ),
    );
    if (stop !== 0) {
      length += <i32>ctz(stop);
      break;
    }
    length += 16;
    if (length > TYPED_MAX) return ODD;
  }
  const byte = <i32>load<u8>(p + length);
  if (length > TYPED_MAX) return ODD;
  if (byte === 0) return MORE;
  if (byte !== LT) return ODD;
  at = p + length;
  if (length === 0) return putNull();
  if (load<u8>(p) === SPACE || load<u8>(p + length - 1) === SPACE) return ODD;
  if (type === DATE && length !== 10) {
    if (length !== 11 || !isZuluDay(p)) return ODD;
    length = 10;
  }
  // An instant with a space for its `T`.
  if (type === DATE_TIME && length > 10 && load<u8>(p, 10) === SPACE) return ODD;
  store<u8>(properties, QUOTE);
  store<u8>(w + length, QUOTE);
  properties = w + length + 1;
  return PAST;
}

/** `2009-02-02Z`, as GeoServer writes a day: the zone is not written (RFC 3339 full-date). */
function isZuluDay(p: usize): bool {
  const bytes = v128.load(p);
  const digits = i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10)));
  // Bits of the digits; `-` and `Z` stand between and behind.
  return (
    (digits & 0x7ff) === 0b01101101111 &&
    load<u8>(p, 4) === MINUS &&
    load<u8>(p, 7) === MINUS &&
    load<u8>(p, 10) === 0x5a
  );
}

function passFeatureId(quote: i32, idFrom: usize): i32 {
  let p = at;
  let w = geometry;
  const mark = i8x16.splat(<i8>quote);
  for (;;) {
    const bytes = v128.load(p);
    v128.store(w, bytes);
    const stop = i8x16.bitmask(
      v128.or(
        v128.or(
          v128.or(i8x16.lt_u(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x22))),
          v128.or(i8x16.eq(bytes, i8x16.splat(0x5c)), i8x16.eq(bytes, i8x16.splat(0x3c))),
        ),
        v128.or(i8x16.eq(bytes, i8x16.splat(0x26)), i8x16.eq(bytes, mark)),
      ),
    );
    if (stop !== 0) {
      p += ctz(stop);
      w += ctz(stop);
      break;
    }
    p += 16;
    w += 16;
    if (w - idFrom > ID_MAX) return ODD;
  }
  const byte = <i32>load<u8>(p);
  if (byte === 0) return MORE;
  if (byte !== quote || w === idFrom || w - idFrom > ID_MAX) return ODD;
  at = p;
  geometry = w;
  return PAST;
}

function passOtherId(gap: i32, parameter: i32): i32 {
  const quote = parameter & 0xff;
  let p = at;
  for (;;) {
    const byte = <i32>load<u8>(p);
    if (byte === quote) break;
    if (p - at > ID_MAX) return ODD;
    if (byte === 0) return MORE;
    if (byte < 0x20 || byte === AMP || byte === LT) return ODD;
    p++;
  }
  if (gap === GEOMETRY_ID) {
    const frame = parameter >> 8;
    if (p === at || frame >= FRAMES_MAX) return ODD;
    store<i32>(FRAMES + <usize>frame * 12, <i32>at);
    store<i32>(FRAMES + <usize>frame * 12, <i32>p, 4);
  }
  at = p;
  return PAST;
}

// Numbers

/**
 * The plain number (JSON's grammar, no exponent) behind its sign: its length times 16 and the digits before its
 * point; 256 where it is longer than fifteen bytes, up to `numberEnd`; 0 where there is none.
 */
// @inline
function toShape(p: usize): i32 {
  const digits = i8x16.lt_u(i8x16.sub(v128.load(p), i8x16.splat(0x30)), i8x16.splat(10));
  let others = ~i8x16.bitmask(digits) | 0x10000;
  const whole = <i32>ctz(others);
  if (whole === 0 || (whole > 1 && load<u8>(p) === ZERO)) return 0;
  if (whole === 16) return toLongShape(p);
  if (load<u8>(p + whole) !== DOT) return (whole << 4) | whole;
  others &= others - 1;
  const length = <i32>ctz(others);
  if (length === 16) return toLongShape(p);
  return length === whole + 1 ? 0 : (length << 4) | whole;
}

function toLongShape(p: usize): i32 {
  let to = p;
  while (<u32>(<i32>load<u8>(to) - ZERO) < 10) to++;
  if (load<u8>(to) === DOT) {
    const point = to++;
    while (<u32>(<i32>load<u8>(to) - ZERO) < 10) to++;
    if (to === point + 1) return 0;
  }
  if (to - p > 300) return 0;
  numberEnd = to;
  return 256;
}

/** By the steps of `readNumber`: a ring's direction must not depend on who read it. */
function readLong(p: usize, to: usize): f64 {
  let digits: f64 = 0;
  let fraction = 0;
  let inFraction = 0;
  for (; p < to; p++) {
    const byte = <i32>load<u8>(p);
    if (byte === DOT) inFraction = 1;
    else {
      digits = digits * 10 + <f64>(byte - ZERO);
      fraction += inFraction;
    }
  }
  return fraction === 0 ? digits : digits / load<f64>(POWERS + ((<usize>fraction) << 3));
}

/** What the digits of a number of this shape are divided by. */
// @inline
function toPower(shape: i32): f64 {
  return load<f64>(SCALES + ((<usize>shape) << 3));
}

// @inline
function toDigits(p: usize, shape: i32): v128 {
  const digits = i8x16.sub(v128.load(p), i8x16.splat(0x30));
  const aligned = i8x16.swizzle(digits, v128.load(SHUFFLES + ((<usize>shape) << 4)));
  // Pairs, in sixteen bits each; then fours, in thirty-two.
  const pairs = i16x8.add(
    i16x8.mul(v128.and(aligned, i16x8.splat(0xff)), i16x8.splat(10)),
    i16x8.shr_u(aligned, 8),
  );
  return i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
}

// Coordinates

/**
 * Pairs, or triples, as they stand: digits are copied, and valued sixteen at a time, both numbers of a position at
 * once. The record: notation (0: not here, 1: posList, 2: coordinates, 3: pos), swap, dimension.
 */
function passCoordinates(opening: usize): i32 {
  const notation = load<i32>(opening);
  const swap = load<i32>(opening, 4) !== 0;
  const dimension = load<i32>(opening, 8);
  if (notation === 0) return ODD;
  let p = at;
  let w = geometry;
  let n = count;
  let sum = area;
  let x0 = firstX;
  let y0 = firstY;
  let x1 = lastX;
  let y1 = lastY;
  for (;;) {
    let byte = <i32>load<u8>(p);
    while (isWhite(byte)) byte = <i32>load<u8>(++p);
    if (byte === LT) break;
    if (byte === 0) return MORE;
    // One `pos` is one position.
    if (notation === 3 && p !== at && n > count) return ODD;

    const first = p;
    const firstDigits = byte === MINUS ? p + 1 : p;
    const firstShape = toShape(firstDigits);
    if (firstShape === 0) return toOdd(p);
    const firstTo = firstShape >= 256 ? numberEnd : firstDigits + (firstShape >> 4);
    byte = <i32>load<u8>(firstTo);
    p = firstTo + 1;
    if (notation === 2) {
      if (byte !== COMMA) return byte === 0 ? MORE : ODD;
      byte = <i32>load<u8>(p);
    } else {
      if (!isWhite(byte)) return byte === 0 ? MORE : ODD;
      do byte = <i32>load<u8>(p++);
      while (isWhite(byte));
      p--;
    }

    const second = p;
    const secondDigits = byte === MINUS ? p + 1 : p;
    const secondShape = toShape(secondDigits);
    if (secondShape === 0) return toOdd(p);
    const secondTo = secondShape >= 256 ? numberEnd : secondDigits + (secondShape >> 4);
    p = secondTo;
    byte = <i32>load<u8>(p);

    // A third one is a height; what a position ends with.
    let third = p;
    if (notation === 2 && byte === COMMA) third = p + 1;
    else if (notation !== 2 && (notation === 3 || dimension === 3)) {
      while (isWhite(byte)) byte = <i32>load<u8>(++third);
      if (byte === LT && notation === 3) third = p;
    }
    let thirdTo = third;
    if (third !== p) {
      const thirdDigits = load<u8>(third) === MINUS ? third + 1 : third;
      const shape = toShape(thirdDigits);
      if (shape === 0) return toOdd(third);
      thirdTo = shape >= 256 ? numberEnd : thirdDigits + (shape >> 4);
      p = thirdTo;
    } else if (dimension === 3 && notation === 1) return ODD;
    byte = <i32>load<u8>(p);
    // A `<` ends a number only where it begins the end tag: behind a comment the digits would go on.
    if (byte === LT) {
      byte = <i32>load<u8>(p, 1);
      if (byte !== SLASH) return byte === 0 ? MORE : ODD;
    } else if (!isWhite(byte)) return byte === 0 ? MORE : ODD;

    let values: v128;
    if ((firstShape | secondShape) < 256) {
      // Fours of both, then eights; a value is all its digits, at most fifteen, divided by a power of ten.
      const fours = i16x8.narrow_i32x4_s(
        toDigits(firstDigits, firstShape),
        toDigits(secondDigits, secondShape),
      );
      const eights = i32x4.dot_i16x8_s(fours, i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1));
      const high = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(eights, eights, 0, 2, 0, 2));
      const low = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(eights, eights, 1, 3, 1, 3));
      const powers = f64x2.replace_lane(f64x2.splat(toPower(firstShape)), 1, toPower(secondShape));
      values = f64x2.div(f64x2.add(f64x2.mul(high, f64x2.splat(1e8)), low), powers);
    } else {
      values = f64x2.replace_lane(
        f64x2.splat(readLong(firstDigits, firstTo)),
        1,
        readLong(secondDigits, secondTo),
      );
    }
    let a = f64x2.extract_lane(values, 0);
    let b = f64x2.extract_lane(values, 1);
    if (firstDigits !== first) a = -a;
    if (secondDigits !== second) b = -b;
    const x = swap ? b : a;
    const y = swap ? a : b;
    if (n === 0) {
      x0 = x;
      y0 = y;
      x1 = 0;
      y1 = 0;
    } else {
      const dx = x - x0;
      const dy = y - y0;
      sum += x1 * dy - dx * y1;
      x1 = dx;
      y1 = dy;
      store<u8>(w++, COMMA);
    }
    store<i32>(POSITIONS + ((<usize>n) << 2), <i32>w);
    n++;
    store<u8>(w++, OPEN);
    w = swap ? put(second, secondTo, w) : put(first, firstTo, w);
    store<u8>(w++, COMMA);
    w = swap ? put(first, firstTo, w) : put(second, secondTo, w);
    if (third !== thirdTo) {
      store<u8>(w++, COMMA);
      w = put(third, thirdTo, w);
    }
    store<u8>(w++, CLOSE);
  }
  at = p;
  geometry = w;
  count = n;
  area = sum;
  firstX = x0;
  firstY = y0;
  lastX = x1;
  lastY = y1;
  return PAST;
}

function put(from: usize, to: usize, w: usize): usize {
  const length = to - from;
  v128.store(w, v128.load(from));
  if (length > 16) copy(from + 16, w + 16, <i32>length - 16);
  return w + length;
}

/** False where TypeScript is to look at it: too few positions, or a ring whose ends differ, as written at least. */
function endNumbers(how: i32): bool {
  if (count === 0) return false;
  if (how === LINE) return count > 1;
  if (how === POINT_END) return count === 1;
  if (how !== EXTERIOR && how !== INTERIOR) return true;
  if (count < 4) return false;
  const last = <usize>load<i32>(POSITIONS + ((<usize>(count - 1)) << 2));
  if (!isSame(ringFrom, last, <i32>(geometry - last))) return false;
  if (how === INTERIOR ? area > 0 : area < 0) reverse();
  return true;
}

/** Turns the ring round: its positions, the last one first, behind it, and back. */
function reverse(): void {
  let w = geometry + 16;
  let to = geometry;
  for (let i = count - 1; i >= 0; i--) {
    const from = <usize>load<i32>(POSITIONS + ((<usize>i) << 2));
    const length = to - from;
    copy(from, w, <i32>length);
    w += length;
    store<u8>(w++, COMMA);
    to = from - 1;
  }
  copy(geometry + 16, ringFrom, <i32>(geometry - ringFrom));
}

// Characters

/**
 * Checks that the bytes are UTF-8 of characters XML allows (XML 1.0 §2.2): sixteen at once where all are ASCII. Counts
 * line feeds, and bytes that continue a character. In TypeScript, four at once, it took a tenth of this loop's time.
 * @returns the first byte that is not known to be right: TypeScript says what is wrong with it, or that more is to come
 */
export function check(from: usize, to: usize): usize {
  newlines = 0;
  continuations = 0;
  let p = from;
  while (p + 16 <= to) {
    const bytes = v128.load(p);
    // Signed: those from 0x80 on are below 0x20 as well.
    const others = i8x16.bitmask(i8x16.lt_s(bytes, i8x16.splat(0x20)));
    if (others === 0) {
      p += 16;
      continue;
    }
    const next = checkCharacter(p + ctz(others), to);
    if (next === 0) return p + ctz(others);
    p = next;
  }
  while (p < to) {
    const next = checkCharacter(p, to);
    if (next === 0) break;
    p = next;
  }
  return p;
}

/** The end of the character at `p`; 0 where it is not right, not whole, or U+FFFD, which only TypeScript knows what to make of. */
function checkCharacter(p: usize, to: usize): usize {
  const lead = <i32>load<u8>(p);
  if (lead < 0x80) {
    if (lead === LF) newlines++;
    return lead >= 0x20 || lead === LF || lead === TAB || lead === CR ? p + 1 : 0;
  }
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || p + length > to) return 0;
  const second = <i32>load<u8>(p, 1);
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  if (length > 2 && (load<u8>(p, 2) & 0xc0) !== 0x80) return 0;
  if (length > 3 && (load<u8>(p, 3) & 0xc0) !== 0x80) return 0;
  if (lead === 0xef && second === 0xbf && load<u8>(p, 2) >= 0xbd) return 0;
  continuations += length - 1;
  return p + length;
}
