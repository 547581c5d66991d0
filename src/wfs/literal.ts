import { type Message, toMessage } from '../errors.js';
import type { SchemaAttribute } from '../gml/index.js';
import { isXmlText } from './xml.js';

export type AttributeValue = string | number | boolean;

/**
 * The value as an ogc:Literal of the attribute's type (XML Schema Part 2), or what is wrong with it. A number or
 * boolean of JSON compares by value: 28 finds the string "28", and 12.0 the integer 12.
 */
export function toLiteral(
  value: AttributeValue,
  attribute: SchemaAttribute,
): { literal: string } | { fault: Message } {
  const text = typeof value === 'number' ? toPlainNumber(value) : String(value);
  if (!isXmlText(text)) return { fault: toMessage('wfs.valueNotXml', { name: attribute.name }) };
  const isTooLong = isTyped(attribute) && text.length > MAX_LENGTH;
  if (isTooLong && isNumeric(attribute))
    return { fault: toMessage('wfs.tooManyDigits', { name: attribute.name, count: MAX_LENGTH }) };
  const literal = isTooLong ? undefined : READERS[attribute.type](text);
  if (literal !== undefined) return { literal };
  return {
    fault: toMessage('wfs.valueNotOfType', {
      value: toShort(text),
      name: attribute.name,
      type: attribute.type,
    }),
  };
}

/**
 * Longer than any number or date of a database: megabytes of digits would take a reader seconds, or overflow the stack
 * of its patterns.
 */
const MAX_LENGTH = 1000;

function isTyped({ type }: SchemaAttribute): boolean {
  return type !== 'string' && type !== 'object';
}

function isNumeric({ type }: SchemaAttribute): boolean {
  return type === 'integer' || type === 'number';
}

const BOOLEANS: ReadonlyMap<string, string> = new Map([
  ['true', 'true'],
  ['1', 'true'],
  ['false', 'false'],
  ['0', 'false'],
]);

const READERS: Readonly<Record<SchemaAttribute['type'], (text: string) => string | undefined>> = {
  string: (text) => text,
  object: (text) => text,
  // MapServer declares booleans as integers and writes true and false
  integer: (text) => toInteger(text) ?? (/^(true|false)$/.test(text) ? text : undefined),
  number: (text) => toDecimal(text),
  boolean: (text) => BOOLEANS.get(text.trim().toLowerCase()),
  // the day, whatever its zone: PostGIS and OGR read no zone behind a date
  date: (text) => (isDate(text.trim()) ? text.trim().replace(/(Z|[+-]\d\d:\d\d)$/, '') : undefined),
  dateTime: (text) => (isDateTime(text.trim()) ? text.trim() : undefined),
  time: (text) => (/^\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/.test(text.trim()) ? text.trim() : undefined),
};

/** Digits only, exact beyond 2^53; `12.0` and `1e3` are integers too. */
export function toInteger(text: string): string | undefined {
  const plain = toDecimal(text);
  if (plain === undefined) return undefined;
  const [whole = '', fraction = ''] = plain.split('.');
  return /^0*$/.test(fraction) ? whole : undefined;
}

/** Without zeros at the end: `/0+$/` would look from each zero of a long run in the middle to the end of the run. */
function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return digits.slice(0, end);
}

/** xsd:decimal: no exponent, no sign or zero too many, every digit kept. */
function toDecimal(text: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0');
  const at = Math.max(0, point);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '') || '0';
  const rest = trimZeros(padded.slice(at));
  const number = rest === '' ? integer : `${integer}.${rest}`;
  return sign === '-' && /[1-9]/.test(number) ? `-${number}` : number;
}

/** xsd:date, its day on the calendar, a time zone allowed. */
function isDate(text: string): boolean {
  const match = /^(\d{4,})-(\d\d)-(\d\d)(Z|[+-]\d\d:\d\d)?$/.exec(text);
  return match !== null && isDay(Number(match[1]), Number(match[2]), Number(match[3]));
}

function isDateTime(text: string): boolean {
  const match = /^(\d{4,}-\d\d-\d\d)T([01]\d|2[0-4]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  return match !== null && isDate(match[1] as string);
}

function isDay(year: number, month: number, day: number): boolean {
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= new Date(Date.UTC((year % 400) + 2000, month, 0)).getUTCDate()
  );
}

/** A number without exponent: not every server's reader takes one. */
export function toPlainNumber(value: number): string {
  const text = String(value);
  return text.includes('e') ? (toDecimal(text) ?? text) : text;
}

function toShort(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
