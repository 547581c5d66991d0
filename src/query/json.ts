import { type Message, type MessageId, toMessage } from '../errors.js';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Where JSON text is no JSON (RFC 8259): line and column from 1, offset from 0, in UTF-16 units. */
export class JsonFault extends Error {
  readonly text: Message;

  constructor(id: MessageId, source: string, offset: number, values: Message['values'] = {}) {
    const before = source.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    super(id);
    this.name = 'JsonFault';
    this.text = toMessage(id, { ...values, line, column, offset });
  }
}

/** Parameters of a request in one place, repeated ones counted each time: more than any search needs. */
export const maxParameters = 20_000;
/** Deeper nesting than any GeoJSON needs; bounds the recursion of every reader behind this one. */
const maxDepth = 64;

/** The offsets of one value directly inside the outermost array or object. */
interface Part {
  /** Absent in an array. */
  readonly name?: string;
  readonly start: number;
  readonly end: number;
}

const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9;
const isDigit = (code: number) => code >= 48 && code <= 57;

/** Checks JSON text without building anything; remembers where the outermost array's or object's values are, if asked. */
class JsonScanner {
  readonly parts: Part[] = [];
  private readonly text: string;
  private readonly maxParts: number;
  private at = 0;

  constructor(text: string, maxParts: number) {
    this.text = text;
    this.maxParts = maxParts;
  }

  scan(): this {
    this.skipSpace();
    this.scanValue(0);
    this.skipSpace();
    if (this.at < this.text.length) this.fail('json.afterEnd');
    return this;
  }

  private fail(id: MessageId): never {
    throw new JsonFault(this.at < this.text.length ? id : 'json.ended', this.text, this.at);
  }

  private skipSpace(): void {
    while (isSpace(this.text.charCodeAt(this.at))) this.at += 1;
  }

  private scanValue(depth: number): void {
    const code = this.text.charCodeAt(this.at);
    if (code === 0x22) this.scanString();
    else if (code === 0x5b) this.scanItems(depth + 1, 0x5d, false);
    else if (code === 0x7b) this.scanItems(depth + 1, 0x7d, true);
    else if (code === 0x2d || isDigit(code)) this.scanNumber();
    else this.scanWord();
  }

  /** The items of an array (RFC 8259 §5) or the members of an object (§4). */
  private scanItems(depth: number, close: number, isObject: boolean): void {
    if (depth > maxDepth) this.fail('json.tooDeep');
    this.at += 1;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      this.scanItem(depth, isObject);
      const code = this.text.charCodeAt(this.at);
      if (code !== close && code !== 0x2c) {
        this.fail(isObject ? 'json.commaOrBraceExpected' : 'json.commaOrBracketExpected');
      }
      this.at += 1;
      if (code === close) return;
      this.skipSpace();
    }
  }

  private scanItem(depth: number, isObject: boolean): void {
    const isPart = depth === 1 && this.maxParts > 0;
    const name = isObject ? this.scanName(isPart) : undefined;
    const start = this.at;
    this.scanValue(depth);
    if (isPart) {
      if (this.parts.length >= this.maxParts) {
        throw new JsonFault('json.tooManyMembers', this.text, start, { max: this.maxParts });
      }
      this.parts.push({ ...(name === undefined ? {} : { name }), start, end: this.at });
    }
    this.skipSpace();
  }

  /** Undefined: it is not asked for. */
  private scanName(isWanted: boolean): string | undefined {
    const start = this.at;
    if (this.text.charCodeAt(start) !== 0x22) this.fail('json.nameExpected');
    this.scanString();
    const name = isWanted ? (JSON.parse(this.text.slice(start, this.at)) as string) : undefined;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== 0x3a) this.fail('json.colonExpected');
    this.at += 1;
    this.skipSpace();
    return name;
  }

  private scanString(): void {
    this.at += 1;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x22) break;
      if (code === 0x5c) this.scanEscape();
      else if (code >= 0x20) this.at += 1;
      else this.fail('json.controlInString');
    }
    this.at += 1;
  }

  private scanEscape(): void {
    const candidate = this.text.slice(this.at, this.at + 6);
    if (/^\\["\\/bfnrt]/.test(candidate)) this.at += 2;
    else if (/^\\u[0-9a-fA-F]{4}$/.test(candidate)) this.at += 6;
    else this.fail('json.escapeUnknown');
  }

  private scanDigits(): void {
    if (!isDigit(this.text.charCodeAt(this.at))) this.fail('json.digitExpected');
    while (isDigit(this.text.charCodeAt(this.at))) this.at += 1;
  }

  /** RFC 8259 §6: no leading zeros, a digit on both sides of the point. */
  private scanNumber(): void {
    if (this.text.charCodeAt(this.at) === 0x2d) this.at += 1;
    if (this.text.charCodeAt(this.at) === 0x30) {
      this.at += 1;
      if (isDigit(this.text.charCodeAt(this.at))) this.fail('json.leadingZero');
    } else this.scanDigits();
    if (this.text.charCodeAt(this.at) === 0x2e) {
      this.at += 1;
      this.scanDigits();
    }
    if ((this.text.charCodeAt(this.at) | 0x20) === 0x65) {
      this.at += 1;
      const sign = this.text.charCodeAt(this.at);
      if (sign === 0x2b || sign === 0x2d) this.at += 1;
      this.scanDigits();
    }
  }

  private scanWord(): void {
    const word = ['true', 'false', 'null'].find((known) => this.text.startsWith(known, this.at));
    if (word === undefined) this.fail('json.valueExpected');
    this.at += word.length;
  }
}

/** Without zeros at the end: `/0+$/` would look from each zero of a long run in the middle to the end of the run. */
function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return digits.slice(0, end);
}

/** Digits without zeros at either end, and the power of ten they stand for. */
function toDecimal(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = trimZeros(digits);
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return significant === '' ? '0' : `${sign}${significant}e${power}`;
}

/** Longer than any double is written; a pattern's stack overflows on megabytes. */
const maxNumberLength = 1000;

/** The number, where a double prints back as it (2^53+1 does not); else its text, digit by digit. */
function toExactNumber(raw: string): number | string {
  if (raw.length > maxNumberLength) return raw;
  const number = Number(raw) + 0;
  if (/^-?\d{1,15}$/.test(raw)) return number;
  return Number.isFinite(number) && toDecimal(raw) === toDecimal(String(number)) ? number : raw;
}

const isScalar = (value: JsonValue) => typeof value !== 'object' || value === null;

/**
 * Numbers of a list of scalars stay exact; inside anything deeper they are coordinates, and doubles. A list that is too
 * long is refused as such, whatever is in it.
 */
function toValue(raw: string): JsonValue {
  const code = raw.charCodeAt(0);
  if (code === 0x2d || isDigit(code)) return toExactNumber(raw);
  const value = JSON.parse(raw) as JsonValue;
  if (!Array.isArray(value) || value.length > maxParameters || !value.every(isScalar)) return value;
  return new JsonScanner(raw, maxParameters)
    .scan()
    .parts.map(({ start, end }) => toValue(raw.slice(start, end)));
}

/** @throws JsonFault */
export function readJson(text: string): JsonValue {
  new JsonScanner(text, 0).scan();
  return JSON.parse(text) as JsonValue;
}

/**
 * The members of a JSON object in order, a repeated name as often as it is there.
 * @throws JsonFault
 */
export function readJsonMembers(text: string): { readonly name: string; readonly value: JsonValue }[] {
  const { parts } = new JsonScanner(text, maxParameters).scan();
  if (!text.trimStart().startsWith('{')) throw new JsonFault('json.objectExpected', text, 0);
  return parts.map(({ name = '', start, end }) => ({ name, value: toValue(text.slice(start, end)) }));
}
