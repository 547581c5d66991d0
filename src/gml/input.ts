import { fromLatin1, toUtf8 } from './bytes.js';
import type { SimdLoop } from './simd.js';

const SLACK = 16;
/** Fewer bytes are not worth a call. */
const SIMD_LEAST = 256;
const EMPTY: Uint8Array = new Uint8Array(0);

/** Why the input ends before its bytes do. */
export type InputFault = 'encoding' | 'character';

/**
 * The window over the document's UTF-8: bytes that are checked and not yet read. Behind the last checked byte stands
 * a NUL, which XML does not allow, so that scanning loops need no bound.
 */
export class Input {
  /** Read from the reader's own position up to `end`. */
  bytes = new Uint8Array(1 << 16);
  end = 0;
  /** Set where the bytes behind `end` are no UTF-8, or a character XML does not allow. */
  fault: InputFault | undefined;
  /** U+FFFD stands for bytes that could not be decoded. */
  refusesReplacement = false;
  /** The start of a character whose last bytes have not come. */
  private tail = EMPTY;
  /** The same bytes, to be read several at a time. */
  private view = new DataView(this.bytes.buffer);
  /** LFs, and bytes that continue a character, in the window. */
  private newlines = 0;
  private continuations = 0;
  /** LFs that have left the window, and the characters behind the last of them that have. */
  private droppedLines = 0;
  private dropped = 0;

  constructor(private readonly simd: SimdLoop | undefined) {}

  /** Adds bytes; the reader's position moves to what is returned. */
  append(chunk: Uint8Array, position: number): number {
    if (this.fault !== undefined) return position;
    this.simd?.release();
    const start = this.shift(position);
    const tail = this.tail;
    const length = this.end + tail.length + chunk.length;
    if (length + SLACK > this.bytes.length) this.grow(length + SLACK);
    this.bytes.set(tail, this.end);
    this.bytes.set(chunk, this.end + tail.length);
    this.check(length);
    this.tail = this.end < length && this.fault === undefined ? this.bytes.slice(this.end, length) : EMPTY;
    this.bytes[this.end] = 0;
    return start;
  }

  /** Empty again, and at the first line. */
  reuse(): void {
    this.simd?.release();
    this.end = 0;
    this.fault = undefined;
    this.refusesReplacement = false;
    this.tail = EMPTY;
    this.newlines = 0;
    this.continuations = 0;
    this.droppedLines = 0;
    this.dropped = 0;
  }

  /** Whether the document stops inside a character. */
  get endsInCharacter(): boolean {
    return this.tail.length > 0;
  }

  /** Line and column, both from 1, of a byte in the window. Lines end at LF; columns count characters. */
  locate(position: number): { line: number; column: number } {
    let newlines = 0;
    for (let at = 0; at < position; at++) if (this.bytes[at] === 0x0a) newlines++;
    const lineStart = position === 0 ? 0 : this.bytes.lastIndexOf(0x0a, position - 1) + 1;
    const column = 1 + (newlines === 0 ? this.dropped : 0) + this.countCharacters(lineStart, position);
    return { line: 1 + this.droppedLines + newlines, column };
  }

  /** Drops what has been read. */
  private shift(position: number): number {
    if (position === 0) return 0;
    this.forget(position);
    this.bytes.copyWithin(0, position, this.end + 1);
    this.end -= position;
    return 0;
  }

  private forget(position: number): void {
    let newlines = 0;
    let continuations = 0;
    for (let at = position; at < this.end; at++) {
      const byte = this.bytes[at] as number;
      if (byte === 0x0a) newlines++;
      if ((byte & 0xc0) === 0x80) continuations++;
    }
    // One endless line is not gone through again: what was counted when it came is enough.
    if (this.newlines === newlines) this.dropped += position - (this.continuations - continuations);
    else this.dropped = this.countCharacters(this.bytes.lastIndexOf(0x0a, position - 1) + 1, position);
    this.droppedLines += this.newlines - newlines;
    this.newlines = newlines;
    this.continuations = continuations;
  }

  private countCharacters(from: number, to: number): number {
    let count = 0;
    for (let at = from; at < to; at++) if (((this.bytes[at] as number) & 0xc0) !== 0x80) count++;
    return count;
  }

  private grow(length: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, length));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /**
   * Moves `end` over every whole, allowed character up to `to`. Sixteen bytes at a time where all are printable ASCII:
   * 3 to 4 GB/s, so the whole document is checked, not only what is copied.
   */
  private check(to: number): void {
    const { bytes } = this;
    let at = this.checkAtOnce(to);
    for (;;) {
      at = passPlain(this.view, at, to);
      while (at < to && to - at < 4 && (bytes[at] as number) >= 0x20 && (bytes[at] as number) < 0x80) at++;
      if (at >= to) break;
      const byte = bytes[at] as number;
      if (byte < 0x80) {
        if (!this.isAllowedControl(byte)) break;
        at++;
        continue;
      }
      // Most are of two bytes.
      const isShort =
        byte >= 0xc2 && byte < 0xe0 && at + 1 < to && ((bytes[at + 1] as number) & 0xc0) === 0x80;
      const next = isShort ? at + 2 : this.checkCharacter(at, to);
      if (next < 0) break;
      this.continuations += next - at - 1;
      at = next;
    }
    this.end = at;
  }

  /** Sixteen bytes at a time, up to the first that may be wrong. */
  private checkAtOnce(to: number): number {
    const { simd, bytes } = this;
    if (simd === undefined || to - this.end < SIMD_LEAST) return this.end;
    const { newlines, continuations } = simd.check(bytes, this.end, to);
    this.newlines += newlines;
    this.continuations += continuations;
    return simd.at;
  }

  private isAllowedControl(byte: number): boolean {
    if (byte === 0x0a) this.newlines++;
    if (byte === 0x0a || byte === 0x09 || byte === 0x0d) return true;
    this.fault = 'character';
    return false;
  }

  /** The end of the character at `at`; -1 where it is not whole (more to come) or a fault (then `fault` is set). */
  private checkCharacter(at: number, to: number): number {
    const { bytes } = this;
    const lead = bytes[at] as number;
    const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length === 0) return this.refuse('encoding');
    if (at + length > to) return -1;
    const second = bytes[at + 1] as number;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return this.refuse('encoding');
    for (let i = 2; i < length; i++) {
      if (((bytes[at + i] as number) & 0xc0) !== 0x80) return this.refuse('encoding');
    }
    if (lead !== 0xef || second !== 0xbf) return at + length;
    // U+FFFE and U+FFFF are no XML characters (XML 1.0 §2.2).
    const third = bytes[at + 2] as number;
    if (third === 0xbd && this.refusesReplacement) return this.refuse('encoding');
    return third >= 0xbe ? this.refuse('character') : at + length;
  }

  private refuse(fault: InputFault): -1 {
    this.fault = fault;
    return -1;
  }
}

/** The first byte from `from` on that is below 0x20 or above 0x7f; less than four bytes at the end are left. */
function passPlain(view: DataView, from: number, to: number): number {
  let at = from;
  for (; at + 16 <= to; at += 16) {
    const others =
      toOthers(view.getInt32(at, true)) |
      toOthers(view.getInt32(at + 4, true)) |
      toOthers(view.getInt32(at + 8, true)) |
      toOthers(view.getInt32(at + 12, true));
    if ((others & 0x80808080) !== 0) break;
  }
  for (; at + 4 <= to; at += 4) {
    const others = toOthers(view.getInt32(at, true)) & 0x80808080;
    // The highest bit of the first such byte; what is borrowed from the bytes behind it does not matter.
    if (others !== 0) return at + ((31 - Math.clz32(others & -others)) >> 3);
  }
  return at;
}

/** The highest bit of each byte below 0x20 or above 0x7f, up to the first of them. */
function toOthers(word: number): number {
  return word | ((word - 0x20202020) & ~word);
}

const DECLARATION_MAX = 1024;

/** What the bytes of a document are encoded in. */
export class Encoding {
  /** As declared; `UTF-8` where nothing is. */
  name = 'UTF-8';
  private head = EMPTY;
  private isKnown = false;
  private decoder: InstanceType<typeof TextDecoder> | undefined;

  /**
   * The next bytes as UTF-8 without byte order mark; nothing as long as the encoding is not known.
   * @returns undefined where the declared encoding is unknown
   */
  decode(chunk: Uint8Array): Uint8Array | undefined {
    if (this.isKnown) return this.decoder === undefined ? chunk : this.transcode(this.decoder, chunk);
    this.head = joined(this.head, chunk);
    const length = detect(this.head);
    if (length === 'more') return EMPTY;
    return this.begin(length);
  }

  /** What is left when the document ends. */
  end(): Uint8Array | undefined {
    if (!this.isKnown) return this.begin(detect(this.head, true));
    return this.decoder === undefined ? EMPTY : toUtf8(this.decoder.decode());
  }

  private begin(found: Detected): Uint8Array | undefined {
    const head = this.head;
    this.head = EMPTY;
    this.isKnown = true;
    if (found === 'more') return head;
    this.name = found.name;
    const rest = head.subarray(found.skip);
    if (found.label === undefined) return rest;
    try {
      // Not fatal: U+FFFD then stands exactly where the fault is, however the bytes were cut.
      this.decoder = new TextDecoder(found.label, { ignoreBOM: true });
    } catch {
      return undefined;
    }
    return this.transcode(this.decoder, rest);
  }

  private transcode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): Uint8Array {
    return toUtf8(decoder.decode(bytes, { stream: true }));
  }

  /** Whether U+FFFD in the text stands for bytes that could not be decoded. */
  get isTranscoded(): boolean {
    return this.decoder !== undefined;
  }
}

type Detected = { name: string; skip: number; label?: string } | 'more';

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** XML 1.0 appendix F: byte order mark, zero bytes, or the declaration. */
function detect(head: Uint8Array, isAll = false): Detected {
  if (head.length < 4 && !isAll) return 'more';
  const [a, b, c] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { name: 'UTF-8', skip: 3 };
  if (a === 0xff && b === 0xfe) return { name: 'UTF-16LE', skip: 2, label: 'utf-16le' };
  if (a === 0xfe && b === 0xff) return { name: 'UTF-16BE', skip: 2, label: 'utf-16be' };
  if (a === 0x3c && b === 0) return { name: 'UTF-16LE', skip: 0, label: 'utf-16le' };
  if (a === 0 && b === 0x3c) return { name: 'UTF-16BE', skip: 0, label: 'utf-16be' };
  const text = fromLatin1(head.subarray(0, DECLARATION_MAX));
  if (!text.startsWith('<?xml'.slice(0, text.length))) return { name: 'UTF-8', skip: 0 };
  if (!text.includes('?>') && text.length < DECLARATION_MAX && !isAll) return 'more';
  return declared(text);
}

function declared(text: string): Detected {
  const end = text.indexOf('?>');
  const declaration = end < 0 ? text : text.slice(0, end);
  const name =
    /[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][\w.-]*)["']/.exec(declaration)?.[1] ?? 'UTF-8';
  // A declaration that can be read byte by byte is not UTF-16, whatever it says; servers relabel without recoding.
  const isUtf8 = /^(?:utf-?8|us-ascii|ascii|utf-?16(?:le|be)?|ucs-2)$/i.test(name);
  return isUtf8 ? { name: 'UTF-8', skip: 0 } : { name, skip: 0, label: name };
}
