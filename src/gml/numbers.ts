import { fromUtf8, type Lane } from './bytes.js';

/** So many digits never come to more than a double holds, whatever the order of the steps. */
export const DIGITS_FINITE = 300;

/** 10^n, exact up to 22. */
export const POWERS = Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`));

/** RFC 8259 §6. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** xsd:decimal and xsd:double (XML Schema 2 §3.2.3, §3.2.5) as servers write them. */
const XSD_NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const NOT_A_NUMBER = /^[+-]?(?:NaN|INF|Infinity|inf|nan|1\.#\w+)$/;

/**
 * A number in XML Schema's or a server's spelling in JSON's: no digit lost or invented (`+1.50` is `1.50`, `007` is
 * `7`, `1.` is `1`, `.5` is `0.5`).
 * @returns `null` for NaN and the infinities, undefined for what is no number
 */
export function toJsonNumber(text: string): string | null | undefined {
  if (JSON_NUMBER.test(text)) return text;
  const parts = XSD_NUMBER.exec(text);
  if (parts === null || ((parts[2] ?? '') === '' && (parts[3] ?? '') === '')) {
    return NOT_A_NUMBER.test(text) ? null : undefined;
  }
  const [, sign, whole = '', fraction = '', exponent] = parts;
  const integer = whole.replace(/^0+(?=\d)/, '') || '0';
  const decimals = fraction === '' ? '' : `.${fraction}`;
  return `${sign === '-' ? '-' : ''}${integer}${decimals}${exponent === undefined ? '' : `e${exponent}`}`;
}

/**
 * The value of a number in JSON's grammar, by the same steps as the copying loops where it has no exponent: a ring's
 * direction must not depend on where a chunk was cut.
 */
export function readNumber(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  if (to - at > DIGITS_FINITE) return Number(fromUtf8(bytes, from, to));
  let digits = 0;
  let fraction = 0;
  let inFraction = 0;
  for (; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x2e) inFraction = 1;
    else if (byte > 0x39) return Number(fromUtf8(bytes, from, to));
    else {
      digits = digits * 10 + (byte - 0x30);
      fraction += inFraction;
    }
  }
  const value = fraction === 0 ? digits : digits / (POWERS[fraction] as number);
  return negative ? -value : value;
}

/** A computed coordinate. */
export function putNumber(lane: Lane, value: number): void {
  const text = String(value === 0 ? 0 : value);
  for (let i = 0; i < text.length; i++) lane.putByte(text.charCodeAt(i));
}

/** Whether the bytes are a number in JSON's grammar without exponent: they can be copied as they are. */
export function isPlainNumber(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  if (bytes[at] === 0x2d) at++;
  const whole = at;
  while (at < to && isDigit(bytes[at])) at++;
  if (at === whole || (bytes[whole] === 0x30 && at - whole > 1)) return false;
  if (at === to) return true;
  if (bytes[at] !== 0x2e) return false;
  const fraction = ++at;
  while (at < to && isDigit(bytes[at])) at++;
  return at === to && at > fraction;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
