import type { Message } from '../errors.js';
import type { SchemaAttribute } from '../gml/index.js';
import type { AttributeFilter } from '../query/index.js';
import { type Filter, toOr } from './filter.js';
import { toInteger, toLiteral, toPlainNumber } from './literal.js';

/** One attribute filter, as it is asked upstream and as it is compared here. */
export interface AttributeTest {
  readonly name: string;
  /** Finds every feature that matches, and none else where `isExact`; undefined: nothing narrower can be asked. */
  readonly filter: Filter | undefined;
  readonly isExact: boolean;
  /** What to ask instead where `filter` finds nothing: servers are known that cannot be asked in its words. */
  readonly otherwise?: Filter | undefined;
  /** @param json the attribute's value as it stands in the feature */
  matches(json: string): boolean;
}

/** One value of the filter. */
type ValueTest = Omit<AttributeTest, 'name'>;

/**
 * Any of the filter's values. Where servers were seen to read a literal differently from what it says, a wider filter is
 * asked and the answer compared here: each such case names its server.
 */
export function toAttributeTest(
  filter: AttributeFilter,
  attribute: SchemaAttribute,
): { test: AttributeTest; faults: readonly Message[] } {
  const faults: Message[] = [];
  const values: ValueTest[] = [];
  for (const value of filter.values) {
    if (value === null) {
      values.push(toNullTest(attribute));
      continue;
    }
    const read = toLiteral(value, attribute);
    if ('fault' in read) faults.push(read.fault);
    else values.push(TESTS[attribute.type](attribute.name, read.literal));
  }
  const matches = (json: string) =>
    toElements(json).some((element) => values.some((value) => value.matches(element)));
  return { test: { name: attribute.name, ...toAnyOf(values), matches }, faults };
}

type Words = Pick<AttributeTest, 'filter' | 'isExact' | 'otherwise'>;

/** Any of them. Where only some may need other words, all are asked at once: what the rest finds proves nothing. */
function toAnyOf(words: readonly Words[]): Words {
  const filters = words.map(({ filter }) => filter);
  if (filters.includes(undefined)) return { filter: undefined, isExact: false };
  const others = words.flatMap(({ otherwise }) => otherwise ?? []);
  const isMixed = others.length > 0 && others.length < words.length;
  return {
    filter: toOr([...(filters as Filter[]), ...(isMixed ? others : [])]),
    isExact: !isMixed && words.every(({ isExact }) => isExact),
    ...(!isMixed && others.length > 0 && { otherwise: toOr(others) }),
  };
}

/** The same test asked in its other words. */
export function toOtherwise(test: AttributeTest): AttributeTest {
  const { otherwise, ...rest } = test;
  return otherwise === undefined ? test : { ...rest, filter: otherwise, isExact: false };
}

/** Any of the values of both. */
export function toEither(one: AttributeTest, other: AttributeTest): AttributeTest {
  const matches = (json: string) => one.matches(json) || other.matches(json);
  return { name: one.name, ...toAnyOf([one, other]), matches };
}

const equal = (propertyName: string, literal: string): Filter => ({
  operator: 'PropertyIsEqualTo',
  propertyName,
  literal,
});
const between = (propertyName: string, lower: string, upper: string): Filter => ({
  operator: 'PropertyIsBetween',
  propertyName,
  lower,
  upper,
});

/** Null or empty: an empty element and a missing one are the same in GML, but not in every server's store. */
function toNullTest({ name, type }: SchemaAttribute): ValueTest {
  const isNull: Filter = { operator: 'PropertyIsNull', propertyName: name };
  return {
    filter: type === 'string' ? { operator: 'Or', operands: [isNull, equal(name, '')] } : isNull,
    isExact: true,
    matches: (json) => json === 'null' || json === '""',
  };
}

const TESTS: Readonly<Record<SchemaAttribute['type'], (name: string, literal: string) => ValueTest>> = {
  string: toStringTest,
  object: toStringTest,
  time: toStringTest,

  // MapServer 8.0 reads integers beyond 2^53 as doubles, QGIS Server 3.22 does so with the bounds of Between
  integer: (name, literal) => {
    if (/^(true|false)$/.test(literal)) return toDeclaredInteger(name, literal);
    const isSafe = Number.isSafeInteger(Number(literal));
    return {
      filter: isSafe
        ? equal(name, literal)
        : { operator: 'Or', operands: [equal(name, literal), toNear(name, literal)] },
      isExact: isSafe,
      matches: (json) => (toInteger(toText(json)) ?? toText(json)) === literal,
    };
  },

  // QGIS Server 3.22 rounds the literal of a comparison to 6 significant digits
  number: (name, literal) => {
    const isShort = literal.replace(/^-?0*\.?0*|\./g, '').length <= 6;
    const value = Number(literal);
    const margin = Math.abs(value) * 1e-5;
    const wide = between(name, toPlainNumber(value - margin), toPlainNumber(value + margin));
    return {
      filter: isShort ? equal(name, literal) : { operator: 'Or', operands: [equal(name, literal), wide] },
      isExact: isShort,
      matches: (json) => json !== 'null' && json !== '""' && Number(toText(json)) === value,
    };
  },

  boolean: (name, literal) => ({
    filter: equal(name, literal),
    isExact: true,
    matches: (json) => toText(json) === literal || toText(json) === (literal === 'true' ? '1' : '0'),
  }),

  // QGIS Server 3.22 finds no date with PropertyIsEqualTo; Between finds it on every server but MapServer 8.0 over
  // GeoPackage, which compares the text of a date with that of a dateTime
  date: (name, literal) => ({
    filter: between(name, literal, literal),
    isExact: true,
    otherwise: { operator: 'PropertyIsLike', propertyName: name, pattern: `${literal}*` },
    matches: (json) => toText(json).slice(0, literal.length) === literal,
  }),

  // MapServer 8.0 over PostGIS compares the text PostgreSQL writes, and on QGIS Server 3.22 an equality with an instant
  // empties the whole filter, even inside an Or
  dateTime: (name, literal) => ({
    filter: between(name, toDay(literal, -1), toDay(literal, 2)),
    isExact: false,
    matches: (json) => isSameInstant(toText(json), literal),
  }),
};

/** MapServer 8.0 declares booleans as integers: over PostGIS they are `true` and `false`, over GeoPackage 1 and 0. */
function toDeclaredInteger(name: string, literal: string): ValueTest {
  const digit = literal === 'true' ? '1' : '0';
  return {
    filter: equal(name, literal),
    isExact: true,
    otherwise: equal(name, digit),
    matches: (json) => toText(json) === literal || toText(json) === digit,
  };
}

/**
 * MapServer 8.0: a backslash escapes what follows, `[name]` is the attribute of that name, white space in front is lost.
 * QGIS Server 3.22: white space alone, and characters beyond the BMP, find nothing.
 */
function toStringTest(name: string, literal: string): ValueTest {
  const isName = literal.startsWith('[') && literal.endsWith(']');
  const isPlain = !isName && !/[\\\u{10000}-\u{10ffff}]|^\s/u.test(literal);
  return {
    filter: isPlain ? equal(name, literal) : toLikeFilter(name, literal),
    isExact: isPlain,
    matches: (json) => toText(json) === literal,
  };
}

/** Plain characters, so many at a time: MapServer and QGIS Server refuse patterns of 100 kB. */
const LIKE_RUN = /[A-Za-z0-9À-ÖØ-öø-ÿ]{1,100}/g;

/** A pattern of nothing but plain characters and wildcards that the literal fits; undefined where nothing plain is left. */
function toLikeFilter(propertyName: string, literal: string): Filter | undefined {
  let longest = '';
  for (const [run] of literal.matchAll(LIKE_RUN)) if (run.length > longest.length) longest = run;
  return longest === '' ? undefined : { operator: 'PropertyIsLike', propertyName, pattern: `*${longest}*` };
}

/** Every integer that a double could take for this one. */
function toNear(name: string, literal: string): Filter {
  return between(name, String(BigInt(literal) - 4096n), String(BigInt(literal) + 4096n));
}

const FIRST_DAY = Date.parse('0001-01-01T00:00:00Z');
const LAST_DAY = Date.parse('9999-12-31T00:00:00Z');

/** Some days from the day of an instant, within the years that every server's dates know. */
function toDay(dateTime: string, days: number): string {
  const [year = 0, month = 1, day = 1] = dateTime.slice(0, dateTime.indexOf('T')).split('-').map(Number);
  const date = new Date(0);
  date.setUTCFullYear(Math.min(year, 10_000), month - 1, day + days);
  return new Date(Math.min(LAST_DAY, Math.max(FIRST_DAY, date.getTime()))).toISOString().slice(0, 10);
}

/** By instant; where one of the two has no time zone, as the clock shows it. */
function isSameInstant(one: string, other: string): boolean {
  const zone = /(Z|[+-]\d\d:?\d\d)$/;
  const isZoned = zone.test(one) && zone.test(other);
  const instant = (text: string) =>
    Date.parse(isZoned ? text : `${text.replace(' ', 'T').replace(zone, '')}Z`);
  return instant(one) === instant(other);
}

/** A repeated attribute matches when one of its values does. */
function toElements(json: string): string[] {
  if (!json.startsWith('[')) return [json];
  return (JSON.parse(json) as unknown[]).map((element) => JSON.stringify(element));
}

function toText(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}
