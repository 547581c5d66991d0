import { fromUtf8, type Lane, putEscaped, putText, STRING_STOP, TEXT_STOP, toUtf8, WHITE } from './bytes.js';
import type { SchemaAttribute } from './model.js';
import { isPlainNumber, toJsonNumber } from './numbers.js';

export const NULL = toUtf8('null');
const TRUE = toUtf8('true');
const FALSE = toUtf8('false');
const QUOTE = 0x22;
const SPACE = 0x20;
const LETTER_T = 0x54;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Copies character data into a JSON string, up to where `Sink.text` has to stop. */
export function copyString(lane: Lane, bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const from = at;
    while (STRING_STOP[bytes[at] as number] === 0) at++;
    lane.put(bytes, from, at);
    const byte = bytes[at] as number;
    if (TEXT_STOP[byte] === 1) return at;
    putEscaped(lane, byte);
    at++;
  }
}

/** Copies character data as it is, up to where `Sink.text` has to stop. */
export function copyText(lane: Lane, bytes: Uint8Array, start: number): number {
  let at = start;
  while (TEXT_STOP[bytes[at] as number] === 0) at++;
  lane.put(bytes, start, at);
  return at;
}

/**
 * Makes the text on the lane from `from` on a JSON value of its declared type (XML Schema 2 §3, white space
 * collapsed). Text outside the type keeps its lexical type: `true` declared integer is `true`, `abc` is `"abc"`.
 */
export function toTyped(lane: Lane, from: number, type: SchemaAttribute['type']): void {
  const { bytes } = lane;
  let start = from;
  let end = lane.length;
  while (start < end && isWhite(bytes[start])) start++;
  while (end > start && isWhite(bytes[end - 1])) end--;
  // MapServer writes every attribute that is null as an empty element.
  if (start === end) {
    lane.length = from;
    lane.put(NULL);
    return;
  }
  if (type === 'date' || type === 'dateTime') toRfc3339(bytes, start, end);
  if (type === 'date') end = toDateEnd(bytes, start, end);
  const isNumber = type === 'integer' || type === 'number';
  if (isNumber && start === from && isPlainNumber(bytes, start, end)) {
    lane.length = end;
    return;
  }
  if (!isNumber && type !== 'boolean' && start === from && end > start && isPlainText(bytes, start, end)) {
    lane.reserve(2);
    lane.bytes.copyWithin(from + 1, from, end);
    lane.bytes[from] = QUOTE;
    lane.length = end + 1;
    lane.putByte(QUOTE);
    return;
  }
  if (
    type === 'boolean' &&
    start === from &&
    (isWord(bytes, start, end, TRUE) || isWord(bytes, start, end, FALSE))
  ) {
    lane.length = end;
    return;
  }
  const text = fromUtf8(bytes, start, end);
  lane.length = from;
  putText(lane, toJson(text, type));
}

/**
 * GeoServer writes xsd:date with a zone (`2009-02-02Z`), Opendatasoft with a time (`2026-04-15 00:00:00+00:00`); a date of
 * JSON Schema is the day alone (RFC 3339 full-date). A time that is not midnight stays.
 */
function toDateEnd(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length !== 11 && length !== 16 && length !== 20 && length !== 25) return end;
  const isDay = /^\d{4}-\d\d-\d\d(?:T00:00:00)?(?:Z|[+-]\d\d:\d\d)$/.test(fromUtf8(bytes, start, end));
  return isDay ? start + 10 : end;
}

/** Opendatasoft writes instants with a space (`2026-04-15 00:00:00+00:00`); RFC 3339 §5.6 and XML Schema have a T. */
function toRfc3339(bytes: Uint8Array, start: number, end: number): void {
  if (bytes[start + 10] !== SPACE || end - start < 20 || end - start > 35) return;
  const isInstant = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
  if (isInstant.test(fromUtf8(bytes, start, end))) bytes[start + 10] = LETTER_T;
}

function isWord(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  if (to - from !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false;
  return true;
}

function isPlainText(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (STRING_STOP[bytes[at] as number] === 1) return false;
  return true;
}

function isWhite(byte: number | undefined): boolean {
  return byte !== undefined && (WHITE[byte] === 1 || byte === 0x0d);
}

function toJson(text: string, type: SchemaAttribute['type']): string {
  if (type === 'boolean') {
    if (text === 'true' || text === '1') return 'true';
    if (text === 'false' || text === '0') return 'false';
    return JSON_NUMBER.test(text) ? text : JSON.stringify(text);
  }
  if (type !== 'integer' && type !== 'number') return JSON.stringify(text);
  if (text === 'true' || text === 'false') return text;
  const number = toJsonNumber(text);
  return number === undefined ? JSON.stringify(text) : (number ?? 'null');
}

/** Ends the JSON string that begins with the quote at `from`; an empty one is null. */
export function endString(lane: Lane, from: number): void {
  if (lane.length > from + 1) {
    lane.putByte(QUOTE);
    return;
  }
  lane.length = from;
  lane.put(NULL);
}
