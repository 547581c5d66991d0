import type { Value, XsdType } from './layers/index.js';

/** A literal as the values of its attribute's type are compared; undefined: it is no value of that type. */
export type Comparable = string | number | bigint | boolean | undefined;

const INTEGER = /^[+-]?\d+(?:\.0*)?$/;
/** A number as XML Schema writes it, but INF and NaN. */
export const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:Z|[+-]\d{2}:\d{2})?$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?$/;

/** For integers, exact beyond 2^53; JavaScript compares a bigint and a number by mathematical value. */
function toNumeric(text: string, isInteger: boolean): number | bigint | undefined {
  if (isInteger && INTEGER.test(text)) return BigInt(text.replace(/^\+|\..*$/g, ''));
  return NUMBER.test(text) ? Number(text) : undefined;
}

/** Milliseconds since 1970; without an offset the time is UTC. */
function toMilliseconds(text: string): number | undefined {
  const [day, time] = [text.slice(0, 10), text.slice(10)];
  const isDate = DATE.test(text);
  if (!isDate && !DATE_TIME.test(text)) return undefined;
  const clock = isDate ? `T00:00:00${time || 'Z'}` : /(?:Z|[+-]\d{2}:\d{2})$/.test(time) ? time : `${time}Z`;
  const milliseconds = Date.parse(day + clock);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Literal text by the type of the attribute it is compared with, as GeoTools converts it. */
export function toComparable(text: string, type: XsdType): Comparable {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return BOOLEANS.get(text.trim().toLowerCase());
    case 'date':
    case 'dateTime':
      return toMilliseconds(text.trim());
    default:
      return toNumeric(text.trim(), type === 'int' || type === 'long');
  }
}

/** A feature's value, ready to be compared. */
export function toComparableValue(value: Value, type: XsdType): Comparable {
  if (value === null) return undefined;
  return type === 'date' || type === 'dateTime' ? toMilliseconds(String(value)) : value;
}

/** Below, at or above 0 as the one is less than, equal to or greater than the other; undefined: not comparable. */
export function compare(a: Comparable, b: Comparable): number | undefined {
  if (a === undefined || b === undefined || (typeof a === 'string') !== (typeof b === 'string'))
    return undefined;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The text a value has in GML, which is what PropertyIsLike looks at; xsd:decimal knows no exponent. */
export function toLexical(value: Exclude<Value, null>, type: XsdType): string {
  const text = String(value);
  return type === 'decimal' && text.includes('e') ? toPlain(text) : text;
}

/** `1.5e-7` as `0.00000015`. */
function toPlain(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction)
    .padEnd(point, '0')
    .padStart(whole.length + fraction.length - Math.min(point - 1, 0), '0');
  const cut = Math.max(point, 1);
  return `${sign}${digits.slice(0, cut)}${digits.length > cut ? `.${digits.slice(cut)}` : ''}`;
}

/** The special characters of one PropertyIsLike (OGC 04-095 §9). */
export interface Wildcards {
  readonly wildCard: string;
  readonly singleChar: string;
  readonly escapeChar: string;
}

const MANY = Symbol('any number of characters');
const ONE = Symbol('one character');
type Step = string | typeof MANY | typeof ONE;

function toSteps(pattern: string, { wildCard, singleChar, escapeChar }: Wildcards): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; ) {
    const has = (mark: string) => mark !== '' && pattern.startsWith(mark, at);
    const isEscape = has(escapeChar) && at + escapeChar.length < pattern.length;
    if (isEscape) at += escapeChar.length;
    const mark = isEscape ? undefined : has(wildCard) ? MANY : has(singleChar) ? ONE : undefined;
    const character = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    steps.push(mark ?? character);
    at += mark === MANY ? wildCard.length : mark === ONE ? singleChar.length : character.length;
  }
  return steps;
}

/**
 * Whether a text matches the whole of a pattern. Goes back only to the last wild card, so a pattern full of them
 * costs no more than the product of the two lengths.
 */
export function createLike(pattern: string, wildcards: Wildcards): (text: string) => boolean {
  const steps = toSteps(pattern, wildcards);
  return (text) => {
    const characters = [...text];
    let [at, step, resume, mark] = [0, 0, -1, 0];
    while (at < characters.length) {
      const wanted = steps[step];
      if (wanted === MANY) {
        [resume, mark] = [step, at];
        step += 1;
      } else if (step < steps.length && (wanted === ONE || wanted === characters[at])) {
        at += 1;
        step += 1;
      } else if (resume >= 0) {
        mark += 1;
        [at, step] = [mark, resume + 1];
      } else return false;
    }
    while (steps[step] === MANY) step += 1;
    return step === steps.length;
  };
}
