import type { MessageId } from '../errors.js';
import { fromUtf8, IGNORED_STOP, NAME_END, TAG_WHITE, toUtf8 } from './bytes.js';
import { type GmlError, type Place, toGmlError } from './errors.js';
import { Encoding, Input } from './input.js';
import type { Learner } from './learner.js';
import type { GmlLimits } from './model.js';
import {
  isQualifiedName,
  type Name,
  Scope,
  Tag,
  toAttributeValue,
  toReferenced,
  XML_NAMESPACE,
  XMLNS_NAMESPACE,
} from './names.js';
import type { Shortcut } from './shortcut.js';

/** What makes something of a document's elements and text. */
export interface Sink<Meaning> {
  /** Character data is of no interest here: it is checked and skipped. */
  readonly ignoresText: boolean;
  open(name: Name<Meaning>, tag: Tag<Meaning>): void;
  close(name: Name<Meaning>): void;
  /**
   * Takes character data from `at` up to the first `<`, `&`, `]`, CR or NUL, which it must leave, and says where it
   * stopped. It may be cut anywhere.
   */
  text(bytes: Uint8Array, at: number): number;
  /** Takes character data as it stands: what a reference or a CDATA section holds. */
  characters(bytes: Uint8Array, from: number, to: number): void;
  /**
   * An XML declaration in the middle: servers that fail on the way append their report as a document of its own. What
   * follows is that, or `fault` is to be thrown.
   */
  restart(fault: GmlError): void;
}

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const MORE = -1;
/** `&#x10FFFF;` with room for leading zeros. */
const REFERENCE_MAX = 64;
const LINE_FEED = toUtf8('\n');

type Inside = 'content' | 'comment' | 'instruction' | 'cdata';

/**
 * XML 1.0 with namespaces, strict, from bytes, a push at a time: what is not whole yet waits. Not validating; a
 * DOCTYPE is skipped, one with declarations refused (no entity but XML's own five is ever known).
 */
export class Markup<Meaning> {
  private readonly input: Input;
  private encoding = new Encoding();
  private at = 0;
  private scope = Scope.create<Meaning>();
  /** Open elements, and the scope around each. */
  private readonly names: Name<Meaning>[] = [];
  private readonly scopes: Scope<Meaning>[] = [];
  private depth = 0;
  /** The element whose start or end tag came last, to guess the next from. */
  private last: Name<Meaning>;
  private isAfterOpen = false;
  private inside: Inside = 'content';
  private hasBegun = false;
  private hasRoot = false;
  private hasDoctype = false;
  /** A tag was cut: nothing can be done before the next `>`. */
  private awaitsTagEnd = false;
  /** The XML declaration in the middle that only an exception report may follow. */
  private restarted: GmlError | undefined;

  constructor(
    private readonly sink: Sink<Meaning>,
    private readonly limits: GmlLimits,
    private readonly learner: Learner,
    private readonly shortcut: Shortcut,
  ) {
    this.input = new Input(shortcut.simd);
    this.last = this.scope.find(LINE_FEED, 0, 0);
  }

  push(chunk: Uint8Array): void {
    const utf8 = this.encoding.decode(chunk);
    if (utf8 === undefined)
      throw this.fault('gml.encodingUnknown', this.at, { encoding: this.encoding.name });
    this.read(utf8);
  }

  /** @throws GmlError where the document is not whole */
  end(): void {
    const utf8 = this.encoding.end();
    if (utf8 === undefined)
      throw this.fault('gml.encodingUnknown', this.at, { encoding: this.encoding.name });
    this.read(utf8);
    const isWaiting = this.awaitsTagEnd || this.shortcut.isReady;
    this.shortcut.close();
    if (isWaiting) this.run(this.input.bytes, this.input.end);
    if (this.input.endsInCharacter) throw this.inputFault('encoding');
    if (this.restarted !== undefined) throw this.restarted;
    if (!this.hasRoot || this.depth > 0 || this.at < this.input.end || this.inside !== 'content') {
      throw this.fault('gml.truncated', this.input.end);
    }
  }

  /** For another document; names, and what was learnt of them, are kept. */
  reuse(): void {
    this.input.reuse();
    this.encoding = new Encoding();
    this.at = 0;
    this.depth = 0;
    this.last = this.scope.find(LINE_FEED, 0, 0);
    this.isAfterOpen = false;
    this.inside = 'content';
    this.hasBegun = false;
    this.hasRoot = false;
    this.hasDoctype = false;
    this.awaitsTagEnd = false;
    this.restarted = undefined;
  }

  get room(): number {
    return this.input.bytes.length;
  }

  /** All that decides how the markup that follows is read; undefined where that is not learnt. */
  describe(): string | undefined {
    if (this.restarted !== undefined || this.inside !== 'content') return undefined;
    const open: unknown[] = [this.scope.number];
    for (let i = 0; i < this.depth; i++) {
      const { qualified, scope } = this.names[i] as Name<Meaning>;
      open.push(qualified, scope.number, (this.scopes[i] as Scope<Meaning>).number);
    }
    return JSON.stringify(open);
  }

  /** Where the reader stands. */
  get place(): Place {
    return this.placeOf(this.at);
  }

  get position(): number {
    return this.at;
  }

  fault(id: MessageId, at: number, values: Record<string, string | number> = {}): GmlError {
    return toGmlError(id, this.placeOf(at), values);
  }

  limitFault(limit: keyof GmlLimits, at = this.at): GmlError {
    return this.fault('gml.limit', at, { limit, bound: this.limits[limit] });
  }

  private placeOf(at: number): Place {
    const open = this.names.slice(0, this.depth).map((name) => name.qualified);
    return { ...this.input.locate(at), path: open.join('/') };
  }

  private inputFault(fault: 'encoding' | 'character'): GmlError {
    return fault === 'encoding'
      ? this.fault('gml.encodingFault', this.input.end, { encoding: this.encoding.name })
      : this.fault('gml.illegalCharacter', this.input.end);
  }

  private read(utf8: Uint8Array): void {
    if (utf8.length === 0) return;
    this.input.refusesReplacement = this.encoding.isTranscoded;
    const unread = this.input.end - this.at;
    this.at = this.input.append(utf8, this.at);
    const { bytes, end } = this.input;
    // A cut tag is looked at again when its end has come, or when it is the last thing that will be looked at.
    const isTooLong = this.awaitsTagEnd && end - this.at > this.limits.tagBytes;
    const isLast = this.input.fault !== undefined || isTooLong;
    // What stands before a fault is read strictly: it may hold one of its own.
    if (this.input.fault !== undefined) this.shortcut.close();
    if (!this.awaitsTagEnd || isLast || hasByte(bytes, GT, this.at + unread, end)) this.run(bytes, end);
    if (this.awaitsTagEnd && end - this.at > this.limits.tagBytes) throw this.limitFault('tagBytes');
    // What stands before the fault has been read: an earlier fault has been thrown already, however the bytes were cut.
    if (this.input.fault !== undefined) throw this.inputFault(this.input.fault);
  }

  private run(bytes: Uint8Array, end: number): void {
    this.awaitsTagEnd = false;
    while (this.at < end) {
      if (this.shortcut.isReady) {
        this.at = this.shortcut.run(bytes, this.at, end);
        if (this.shortcut.isReady) return;
        continue;
      }
      const at = this.at;
      const next =
        this.inside !== 'content'
          ? this.readInside(bytes, at)
          : bytes[at] === LT
            ? this.readMarkup(bytes, at)
            : this.readText(bytes, at);
      if (next === MORE) return;
      this.at = next;
    }
  }

  private readMarkup(bytes: Uint8Array, at: number): number {
    const next = bytes[at + 1];
    if (next === SLASH) return this.readEndTag(bytes, at);
    if (next === 0x21) return this.readDeclaration(bytes, at);
    if (next === 0x3f) return this.readInstruction(bytes, at);
    return this.readStartTag(bytes, at);
  }

  // Character data (XML 1.0 §2.4)

  private readText(bytes: Uint8Array, start: number): number {
    if (this.depth === 0) return this.readOutside(bytes, start);
    let at = start;
    if (this.sink.ignoresText) while (IGNORED_STOP[bytes[at] as number] === 0) at++;
    else at = this.sink.text(bytes, at);
    this.at = at;
    if (this.learner.isOn) this.learn(bytes, start, at);
    const byte = bytes[at];
    if (byte === 0x26) return this.readReference(bytes, at);
    if (byte === 0x5d) return this.readBracket(bytes, at);
    if (byte === 0x0d) return this.readLineEnd(bytes, at);
    return at;
  }

  private learn(bytes: Uint8Array, from: number, to: number): void {
    this.learner.text(bytes, from, to);
    const byte = bytes[to];
    if (byte === 0x26 || byte === 0x5d) this.learner.otherText();
  }

  private readOutside(bytes: Uint8Array, start: number): number {
    let at = start;
    while (TAG_WHITE[bytes[at] as number] === 1) at++;
    if (bytes[at] !== LT && bytes[at] !== 0) {
      throw this.fault(this.hasRoot ? 'gml.contentAfterRoot' : 'gml.contentBeforeRoot', at);
    }
    if (at > start) this.hasBegun = true;
    return at;
  }

  private readReference(bytes: Uint8Array, at: number): number {
    const end = this.findReferenceEnd(bytes, at);
    if (end === MORE) return MORE;
    const text = toUtf8(this.toReferencedText(bytes, at, end));
    if (!this.sink.ignoresText) this.sink.characters(text, 0, text.length);
    return end + 1;
  }

  /** The `;` of the reference at `at`. */
  private findReferenceEnd(bytes: Uint8Array, at: number): number {
    for (let end = at + 1; end - at <= REFERENCE_MAX; end++) {
      const byte = bytes[end] as number;
      if (byte === 0x3b) return end;
      if (byte === 0) return MORE;
      if (NAME_END[byte] === 1 || byte === LT || byte === 0x26 || byte === 0x22 || byte === 0x27) break;
    }
    throw this.fault('gml.badReference', at);
  }

  private toReferencedText(bytes: Uint8Array, at: number, end: number): string {
    const reference = fromUtf8(bytes, at + 1, end);
    const text = toReferenced(reference);
    if (text !== undefined) return text;
    if (isQualifiedName(reference)) throw this.fault('gml.unknownEntity', at, { name: reference });
    throw this.fault('gml.badReference', at);
  }

  private readBracket(bytes: Uint8Array, at: number): number {
    if (bytes[at + 1] === 0) return MORE;
    if (bytes[at + 1] === 0x5d) {
      if (bytes[at + 2] === 0) return MORE;
      if (bytes[at + 2] === GT) throw this.fault('gml.cdataEndInText', at);
    }
    if (!this.sink.ignoresText) this.sink.characters(bytes, at, at + 1);
    return at + 1;
  }

  /** CR LF and CR alone are LF (XML 1.0 §2.11). */
  private readLineEnd(bytes: Uint8Array, at: number): number {
    if (bytes[at + 1] === 0) return MORE;
    if (!this.sink.ignoresText) this.sink.characters(LINE_FEED, 0, 1);
    return bytes[at + 1] === 0x0a ? at + 2 : at + 1;
  }

  // Comments, instructions, CDATA sections: skipped or handed on as they come

  private readInside(bytes: Uint8Array, at: number): number {
    if (this.inside === 'comment') return this.readComment(bytes, at);
    if (this.inside === 'cdata') return this.readCdata(bytes, at);
    let end = at;
    while (bytes[end] !== 0 && !(bytes[end] === 0x3f && (bytes[end + 1] === GT || bytes[end + 1] === 0)))
      end++;
    if (bytes[end] === 0 || bytes[end + 1] === 0) return this.wait(end);
    this.inside = 'content';
    return end + 2;
  }

  private readComment(bytes: Uint8Array, at: number): number {
    let end = at;
    for (;;) {
      while (bytes[end] !== 0x2d && bytes[end] !== 0) end++;
      if (bytes[end] === 0 || bytes[end + 1] === 0) return this.wait(end);
      if (bytes[end + 1] === 0x2d) break;
      end++;
    }
    if (bytes[end + 2] === 0) return this.wait(end);
    if (bytes[end + 2] !== GT) throw this.fault('gml.badComment', end);
    this.inside = 'content';
    return end + 3;
  }

  private readCdata(bytes: Uint8Array, at: number): number {
    let end = at;
    while (bytes[end] !== 0x5d && bytes[end] !== 0x0d && bytes[end] !== 0) end++;
    if (end > at && !this.sink.ignoresText) this.sink.characters(bytes, at, end);
    this.at = end;
    if (bytes[end] === 0x0d) return this.readLineEnd(bytes, end);
    if (bytes[end] === 0 || bytes[end + 1] === 0) return MORE;
    if (bytes[end + 1] === 0x5d) {
      if (bytes[end + 2] === 0) return MORE;
      if (bytes[end + 2] === GT) {
        this.inside = 'content';
        return end + 3;
      }
    }
    if (!this.sink.ignoresText) this.sink.characters(bytes, end, end + 1);
    return end + 1;
  }

  /** Nothing more can be done before the next bytes; what is read up to `at` is done with. */
  private wait(at: number): typeof MORE {
    this.at = at;
    return MORE;
  }

  private readDeclaration(bytes: Uint8Array, at: number): number {
    this.learner.otherMarkup();
    if (startsWith(bytes, at, '<!--')) {
      this.hasBegun = true;
      this.inside = 'comment';
      return at + 4;
    }
    if (startsWith(bytes, at, '<![CDATA[')) {
      if (this.depth === 0) throw this.fault('gml.badMarkup', at);
      this.inside = 'cdata';
      return at + 9;
    }
    if (startsWith(bytes, at, '<!DOCTYPE')) return this.readDoctype(bytes, at);
    if (['<!--', '<![CDATA[', '<!DOCTYPE'].some((text) => isCut(bytes, at, text))) return MORE;
    throw this.fault('gml.badMarkup', at);
  }

  private readDoctype(bytes: Uint8Array, at: number): number {
    if (this.hasRoot || this.hasDoctype || this.depth > 0) throw this.fault('gml.badMarkup', at);
    let quote = 0;
    for (let end = at + 9; ; end++) {
      const byte = bytes[end] as number;
      if (end - at > this.limits.tagBytes) throw this.limitFault('tagBytes', at);
      if (byte === 0) return this.awaitTagEnd();
      if (quote !== 0) quote = byte === quote ? 0 : quote;
      else if (byte === 0x22 || byte === 0x27) quote = byte;
      else if (byte === 0x5b) throw this.fault('gml.doctypeRefused', at);
      else if (byte === LT) throw this.fault('gml.badMarkup', at);
      else if (byte === GT) {
        const name = DOCTYPE.exec(fromUtf8(bytes, at, end + 1))?.[1];
        if (name === undefined || !isQualifiedName(name)) throw this.fault('gml.badMarkup', at);
        this.hasBegun = true;
        this.hasDoctype = true;
        return end + 1;
      }
    }
  }

  private readInstruction(bytes: Uint8Array, at: number): number {
    this.learner.otherMarkup();
    let end = at + 2;
    while (NAME_END[bytes[end] as number] === 0 && bytes[end] !== 0x3f) end++;
    if (bytes[end] === 0) {
      if (end - at > this.limits.tagBytes) throw this.limitFault('tagBytes', at);
      return MORE;
    }
    const target = fromUtf8(bytes, at + 2, end);
    if (target.toLowerCase() === 'xml') return this.readXmlDeclaration(bytes, at, target);
    const isSeparated = bytes[end] === 0x3f || TAG_WHITE[bytes[end] as number] === 1;
    if (!isQualifiedName(target) || target.includes(':') || !isSeparated) {
      throw this.fault('gml.badInstruction', at);
    }
    this.hasBegun = true;
    this.inside = 'instruction';
    return end;
  }

  /** XML 1.0 §2.8. */
  private readXmlDeclaration(bytes: Uint8Array, at: number, target: string): number {
    let end = at + 5;
    while (bytes[end] !== GT && bytes[end] !== 0 && end - at <= this.limits.tagBytes) end++;
    if (bytes[end] === 0) return this.awaitTagEnd();
    const isWellFormed = target === 'xml' && XML_DECLARATION.test(fromUtf8(bytes, at, end + 1));
    if (!this.hasBegun) {
      if (!isWellFormed) throw this.fault('gml.badInstruction', at);
      this.hasBegun = true;
      return end + 1;
    }
    const fault = this.fault('gml.declarationMisplaced', at);
    if (!isWellFormed || this.restarted !== undefined) throw fault;
    this.restarted = fault;
    this.sink.restart(fault);
    return end + 1;
  }

  // Tags (XML 1.0 §3.1)

  private awaitTagEnd(): typeof MORE {
    this.awaitsTagEnd = true;
    return MORE;
  }

  private readEndTag(bytes: Uint8Array, at: number): number {
    if (this.depth === 0) throw this.fault('gml.endTagUnexpected', at);
    const name = this.names[this.depth - 1] as Name<Meaning>;
    const expected = name.bytes;
    let end = at + 2;
    for (let i = 0; i < expected.length; i++, end++) {
      if (bytes[end] !== expected[i]) return this.refuseEndTag(bytes, at, end);
    }
    while (TAG_WHITE[bytes[end] as number] === 1) end++;
    if (bytes[end] !== GT) return this.refuseEndTag(bytes, at, end);
    if (end + 1 - at > this.limits.tagBytes) throw this.limitFault('tagBytes', at);
    this.at = end + 1;
    if (this.learner.isOn) this.learner.endTag(bytes, at, end + 1);
    this.close(name);
    if (this.learner.isOn) this.learner.tagDone();
    return end + 1;
  }

  private refuseEndTag(bytes: Uint8Array, at: number, stop: number): typeof MORE {
    if (bytes[stop] === 0) return this.awaitTagEnd();
    let end = at + 2;
    while (NAME_END[bytes[end] as number] === 0 && bytes[end] !== LT) end++;
    if (bytes[end] === 0 && end - at <= this.limits.tagBytes) return this.awaitTagEnd();
    const expected = this.names[this.depth - 1]?.qualified ?? '';
    throw this.fault('gml.endTagMismatch', at, { expected, found: fromUtf8(bytes, at + 2, end) });
  }

  private readStartTag(bytes: Uint8Array, at: number): number {
    if (this.depth === 0 && this.hasRoot && this.restarted === undefined) {
      if (bytes[at + 1] === 0) return MORE;
      throw this.fault('gml.contentAfterRoot', at);
    }
    const name = this.readName(bytes, at + 1);
    if (name === undefined) return this.awaitTagEnd();
    const end = at + 1 + name.bytes.length;
    if (bytes[end] === GT) return this.open(name.plain, at, end + 1);
    const known = name.tag;
    if (known !== undefined && known.raw.length > 0) {
      const { bytes: raw, length } = known.raw;
      let i = 0;
      while (i < length && raw[i] === bytes[end + i]) i++;
      if (i === length) return this.open(known, at, end + length);
    }
    return this.readAttributes(bytes, at, end, name);
  }

  /** The name at `at`, mostly the one that followed last time; undefined where it is cut. */
  private readName(bytes: Uint8Array, at: number): Name<Meaning> | undefined {
    const guess = this.isAfterOpen ? this.last.afterOpen : this.last.afterClose;
    if (guess !== undefined && guess.scope === this.scope) {
      const expected = guess.bytes;
      let i = 0;
      while (i < expected.length && expected[i] === bytes[at + i]) i++;
      const behind = bytes[at + i] as number;
      if (i === expected.length && behind !== 0 && NAME_END[behind] === 1) return guess;
    }
    let end = at;
    while (NAME_END[bytes[end] as number] === 0) end++;
    if (bytes[end] === 0) return undefined;
    const name = this.scope.find(bytes, at, end);
    if (!name.isQualified) throw this.fault('gml.badName', at, { name: name.qualified });
    if (this.isAfterOpen) this.last.afterOpen = name;
    else this.last.afterClose = name;
    return name;
  }

  // Where the attributes of the tag being read stand in the window.
  private readonly nameFrom: number[] = [];
  private readonly nameTo: number[] = [];
  private readonly valueFrom: number[] = [];
  private readonly valueTo: number[] = [];
  private readonly isCoded: boolean[] = [];

  private readAttributes(bytes: Uint8Array, start: number, from: number, name: Name<Meaning>): number {
    let count = 0;
    let at = from;
    for (;;) {
      const before = at;
      while (TAG_WHITE[bytes[at] as number] === 1) at++;
      if (bytes[at] === 0) return this.awaitTagEnd();
      if (bytes[at] === GT || bytes[at] === SLASH) break;
      if (at === before) throw this.fault('gml.badAttribute', at);
      if (count === this.limits.attributes) throw this.limitFault('attributes', start);
      at = this.readAttribute(bytes, at, count++);
      if (at === MORE) return this.awaitTagEnd();
    }
    const isEmpty = bytes[at] === SLASH;
    if (isEmpty) {
      if (bytes[at + 1] === 0) return this.awaitTagEnd();
      if (bytes[++at] !== GT) throw this.fault('gml.badAttribute', at);
    }
    const tag = this.toTag(bytes, name, from, at + 1, count);
    tag.isEmpty = isEmpty;
    return this.open(tag, start, at + 1);
  }

  /** One attribute; the place behind it, or MORE. */
  private readAttribute(bytes: Uint8Array, start: number, index: number): number {
    let at = start;
    while (NAME_END[bytes[at] as number] === 0) at++;
    this.nameFrom[index] = start;
    this.nameTo[index] = at;
    while (TAG_WHITE[bytes[at] as number] === 1) at++;
    if (bytes[at] === 0) return MORE;
    if (bytes[at] !== 0x3d) throw this.fault('gml.badAttribute', start);
    at++;
    while (TAG_WHITE[bytes[at] as number] === 1) at++;
    if (bytes[at] === 0) return MORE;
    const quote = bytes[at];
    if (quote !== 0x22 && quote !== 0x27) throw this.fault('gml.badAttribute', start);
    return this.readValue(bytes, at + 1, quote, index);
  }

  private readValue(bytes: Uint8Array, start: number, quote: number, index: number): number {
    let isCoded = false;
    let at = start;
    for (;;) {
      const byte = bytes[at] as number;
      if (byte === quote) break;
      if (byte === 0) return MORE;
      if (byte === LT) throw this.fault('gml.badAttribute', at);
      if (byte === 0x26) {
        const end = this.findReferenceEnd(bytes, at);
        if (end === MORE) return MORE;
        this.toReferencedText(bytes, at, end);
        at = end;
      }
      if (byte < 0x20 || byte === 0x26) isCoded = true;
      at++;
    }
    this.valueFrom[index] = start;
    this.valueTo[index] = at;
    this.isCoded[index] = isCoded;
    return at + 1;
  }

  /** The tag with `count` attributes, their names resolved under its own declarations. */
  private toTag(
    bytes: Uint8Array,
    written: Name<Meaning>,
    from: number,
    end: number,
    count: number,
  ): Tag<Meaning> {
    const scope = this.toScope(bytes, count);
    const name = scope === this.scope ? written : scope.find(written.bytes, 0, written.bytes.length);
    written.tag ??= new Tag(name, scope);
    const tag = written.tag;
    tag.clear();
    tag.name = name;
    tag.scope = scope;
    tag.raw.length = 0;
    tag.raw.put(bytes, from, end);
    for (let i = 0; i < count; i++) {
      const attribute = scope.find(bytes, this.nameFrom[i] as number, this.nameTo[i] as number);
      this.checkAttribute(tag, attribute, this.nameFrom[i] as number);
      const [valueFrom, valueTo] = [this.valueFrom[i] as number, this.valueTo[i] as number];
      tag.add(attribute, valueFrom - from, valueTo - from, this.isCoded[i] as boolean);
    }
    return tag;
  }

  private checkAttribute(tag: Tag<Meaning>, attribute: Name<Meaning>, at: number): void {
    const { qualified, prefix, local, namespace, attributeNamespace } = attribute;
    if (!attribute.isQualified) throw this.fault('gml.badName', at, { name: qualified });
    if (namespace === undefined) throw this.fault('gml.unboundPrefix', at, { prefix });
    for (let i = 0; i < tag.count; i++) {
      const other = tag.names[i] as Name<Meaning>;
      const isSame =
        other === attribute ||
        (prefix !== '' && other.local === local && other.attributeNamespace === attributeNamespace);
      if (isSame) throw this.fault('gml.duplicateAttribute', at, { name: qualified });
    }
  }

  /** Namespaces in XML 1.0 §3. */
  private toScope(bytes: Uint8Array, count: number): Scope<Meaning> {
    let declarations: [string, string][] | undefined;
    for (let i = 0; i < count; i++) {
      const from = this.nameFrom[i] as number;
      const to = this.nameTo[i] as number;
      const isDeclaration =
        startsWith(bytes, from, 'xmlns') && (to - from === 5 || (bytes[from + 5] === 0x3a && to - from > 6));
      if (!isDeclaration) continue;
      const prefix = fromUtf8(bytes, from + 6, Math.max(to, from + 6));
      const namespace = toAttributeValue(fromUtf8(bytes, this.valueFrom[i], this.valueTo[i]));
      if (!isAllowedBinding(prefix, namespace)) throw this.fault('gml.badNamespace', from, { prefix });
      declarations ??= [];
      declarations.push([prefix, namespace]);
    }
    return declarations === undefined ? this.scope : this.scope.with(declarations);
  }

  private open(tag: Tag<Meaning>, start: number, end: number): number {
    const { name } = tag;
    if (end - start > this.limits.tagBytes) throw this.limitFault('tagBytes', start);
    if (this.depth === this.limits.depth) throw this.limitFault('depth', start);
    if (name.namespace === undefined) throw this.fault('gml.unboundPrefix', start, { prefix: name.prefix });
    this.at = start;
    this.hasBegun = true;
    this.hasRoot = true;
    if (this.learner.isOn) this.learner.startTag(this.input.bytes, start, end, tag);
    this.names[this.depth] = name;
    this.scopes[this.depth++] = this.scope;
    this.scope = tag.scope;
    this.last = name;
    this.isAfterOpen = true;
    this.sink.open(name, tag);
    if (tag.isEmpty) this.close(name);
    if (this.learner.isOn) this.learner.tagDone();
    return end;
  }

  private close(name: Name<Meaning>): void {
    this.sink.close(name);
    this.scope = this.scopes[--this.depth] as Scope<Meaning>;
    this.last = name;
    this.isAfterOpen = false;
  }
}

/** S of XML 1.0 §2.3, which is less than the `\s` of JavaScript. */
const S = '[ \\t\\r\\n]';
const toPseudoAttribute = (name: string, value: string): string =>
  `${S}+${name}${S}*=${S}*(?:"${value}"|'${value}')`;
const XML_DECLARATION = new RegExp(
  `^<\\?xml${toPseudoAttribute('version', '1\\.[0-9]+')}(?:${toPseudoAttribute('encoding', '[A-Za-z][A-Za-z0-9._-]*')})?` +
    `(?:${toPseudoAttribute('standalone', '(?:yes|no)')})?${S}*\\?>$`,
);
const LITERAL = `(?:"[^"]*"|'[^']*')`;
const DOCTYPE = new RegExp(
  `^<!DOCTYPE${S}+([^ \\t\\r\\n"'<>[]+)(?:${S}+(?:SYSTEM|PUBLIC${S}*${LITERAL})${S}*${LITERAL})?${S}*>$`,
);

/** `xml` and `xmlns` are bound for good, and a prefix cannot be unbound (Namespaces in XML 1.0 §3, §5). */
function isAllowedBinding(prefix: string, namespace: string): boolean {
  if (prefix === 'xml') return namespace === XML_NAMESPACE;
  if (prefix === 'xmlns' || namespace === XMLNS_NAMESPACE || namespace === XML_NAMESPACE) return false;
  return prefix === '' || namespace !== '';
}

function hasByte(bytes: Uint8Array, byte: number, from: number, to: number): boolean {
  return bytes.subarray(from, to).includes(byte);
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Whether the bytes end inside `text`. */
function isCut(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] === 0) return true;
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return false;
}
