const NOTHING = new Uint8Array(0);
const NO_VIEW = new DataView(NOTHING.buffer);

/** Append-only bytes; what was appended last may be cut off again. */
export class Lane {
  bytes: Uint8Array;
  /** The same bytes, to be read and written several at a time. */
  view: DataView;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = capacity === 0 ? NOTHING : new Uint8Array(capacity);
    this.view = capacity === 0 ? NO_VIEW : new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  putByte(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  put(source: Uint8Array, from = 0, to = source.length): void {
    const count = to - from;
    this.reserve(count);
    // A subarray costs an object; below some 48 bytes the loop is faster.
    if (count > 48) {
      this.bytes.set(source.subarray(from, to), this.length);
      this.length += count;
      return;
    }
    const bytes = this.bytes;
    let at = this.length;
    for (let i = from; i < to; i++) bytes[at++] = source[i] as number;
    this.length = at;
  }

  /** Appends bytes of its own. */
  repeat(from: number, to: number): void {
    this.reserve(to - from);
    this.bytes.copyWithin(this.length, from, to);
    this.length += to - from;
  }

  /** Puts bytes in before what stands at `at`. */
  insert(at: number, source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.copyWithin(at + source.length, at, this.length);
    this.bytes.set(source, at);
    this.length += source.length;
  }

  /** Takes the bytes from `from` to `to` out. */
  remove(from: number, to: number): void {
    this.bytes.copyWithin(from, to, this.length);
    this.length -= to - from;
  }

  /** A copy that later changes do not touch. */
  copy(from = 0, to = this.length): Uint8Array {
    return this.bytes.slice(from, to);
  }
}

/**
 * A copy, into memory that is not zeroed first. Before it stands a comma, outside of the array: who writes it behind other
 * features need not copy it once more.
 */
export function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copied = new Uint8Array(Buffer.allocUnsafeSlow(to - from + 1).buffer);
  copied[0] = 0x2c;
  copied.set(bytes.subarray(from, to), 1);
  return copied.subarray(1);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function fromUtf8(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return decoder.decode(bytes.subarray(from, to));
}

/** A character for each byte. */
export function fromLatin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

function table(bytes: Iterable<number>): Uint8Array {
  const marks = new Uint8Array(256);
  for (const byte of bytes) marks[byte] = 1;
  return marks;
}

const CONTROLS = Array.from({ length: 32 }, (_, code) => code);

/** XML's white space (XML 1.0 §2.3), CR left out: it is normalised before anybody looks (§2.11). */
export const WHITE = table([0x20, 0x09, 0x0a]);
/** White space inside a tag. */
export const TAG_WHITE = table([0x20, 0x09, 0x0a, 0x0d]);
/** Where a run of character data has to stop: `<`, `&`, `]`, CR, and the NUL behind the last byte. */
export const TEXT_STOP = table([0x3c, 0x26, 0x5d, 0x0d, 0]);
/** Where ignored character data has to stop. */
export const IGNORED_STOP = table([0x3c, 0x26, 0x5d, 0]);
/** Where a copy of character data into a JSON string has to stop: the same and whatever JSON escapes (RFC 8259 §7). */
export const STRING_STOP = table([...CONTROLS, 0x22, 0x5c, 0x3c, 0x26, 0x5d]);
/** What JSON escapes. */
const ESCAPED = table([...CONTROLS, 0x22, 0x5c]);
/** What ends a name in a tag. */
export const NAME_END = table([0x20, 0x09, 0x0a, 0x0d, 0x2f, 0x3e, 0x3d, 0]);

const HEX = toUtf8('0123456789abcdef');
const SHORT_ESCAPES = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);

/** One byte, escaped as inside a JSON string. */
export function putEscaped(lane: Lane, byte: number): void {
  if (ESCAPED[byte] === 0) {
    lane.putByte(byte);
    return;
  }
  lane.putByte(0x5c);
  const short = SHORT_ESCAPES.get(byte);
  if (short !== undefined) {
    lane.putByte(short);
    return;
  }
  for (const digit of [0x75, 0x30, 0x30, HEX[byte >> 4] as number, HEX[byte & 15] as number]) {
    lane.putByte(digit);
  }
}

/** UTF-8 bytes, escaped as inside a JSON string, without the quotes. */
export function putEscapedBytes(lane: Lane, source: Uint8Array, from = 0, to = source.length): void {
  for (let i = from; i < to; i++) putEscaped(lane, source[i] as number);
}

/**
 * The text without the white space around it, as XML Schema collapses it (XML Schema 2 §4.3.6): JavaScript's own `trim`
 * and `\s` take more for white than XML does (XML 1.0 §2.3).
 */
export function trimWhite(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && TAG_WHITE[text.charCodeAt(from)] === 1) from++;
  while (to > from && TAG_WHITE[text.charCodeAt(to - 1)] === 1) to--;
  return text.slice(from, to);
}

export function putText(lane: Lane, text: string): void {
  lane.put(toUtf8(text));
}
