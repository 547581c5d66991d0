import { isDeepStrictEqual } from 'node:util';
import { closest, distance } from 'fastest-levenshtein';
import { type Fault, type MessageId, toMessage } from '../errors.js';
import { type JsonValue, readJson } from './json.js';
import type { AttributeFilter, Credentials } from './model.js';

/** Where a parameter was given. */
export type Place = keyof typeof placeNames;

const placeNames = {
  query: toMessage('query.inQuery'),
  json: toMessage('query.inJson'),
  form: toMessage('query.inForm'),
  apikey: toMessage('query.inApikey'),
  authorization: toMessage('query.inAuthorization'),
} as const;

/** One parameter as it came: text, or what JSON held. */
export interface RawParameter {
  readonly name: string;
  readonly value: JsonValue;
  readonly place: Place;
}

const defaultLimit = 1000;
/** xsd:int, which upstreams read offsets as. */
const maxStartIndex = 2 ** 31 - 1;
/** Attributes that a request may name, in filters and in `_propertyNames`; layers have tens. */
const maxNames = 500;
/** Values of all attributes together, and ids: each becomes a condition of the upstream's filter. */
const maxValues = 10_000;
/** No name of ours is near to a longer one, and its distance would be long in coming. */
const maxNearLength = 40;
const attributePrefix = 'property:';

/** Cache busters of browser libraries, and the key that a form sends though nobody filled it in. */
function isIgnored({ name, value }: RawParameter): boolean {
  return name === '_' || ((name === 'apikey' || name === 'access_token') && (value === '' || value === null));
}

/** Ours, one value each; what contradicts itself is a fault. */
export class Parameters<Name extends string> {
  readonly faults: Fault[] = [];
  private readonly ourNames: readonly string[];
  private readonly ours = new Map<string, RawParameter>();
  private readonly comparable = new Map<string, JsonValue>();
  private readonly contradicted = new Set<string>();
  private readonly others: RawParameter[] = [];

  /** @param ourNames in the order faults are told; every other name is an attribute's */
  constructor(given: readonly RawParameter[], ourNames: readonly Name[]) {
    this.ourNames = ourNames;
    for (const parameter of given) {
      if (isIgnored(parameter)) continue;
      if (!this.ourNames.includes(parameter.name)) this.others.push(parameter);
      else this.addOurs(parameter);
    }
  }

  private addOurs(parameter: RawParameter): void {
    const first = this.ours.get(parameter.name);
    if (first === undefined) this.ours.set(parameter.name, parameter);
    else if (!this.contradicted.has(parameter.name) && !this.isSame(first, parameter)) {
      this.contradicted.add(parameter.name);
      const id = first.place === parameter.place ? 'query.givenTwice' : 'query.givenInTwoPlaces';
      const places = { place: placeNames[first.place], other: placeNames[parameter.place] };
      this.fault(parameter.name, id, places);
    }
  }

  /** A geometry may be large and come often: the first is read once. */
  private isSame(first: RawParameter, other: RawParameter): boolean {
    if (first.value === other.value) return true;
    const known = this.comparable.get(first.name) ?? toComparable(first);
    this.comparable.set(first.name, known);
    return isDeepStrictEqual(known, toComparable(other));
  }

  fault(parameter: string, id: MessageId, values = {}, pointer?: string): undefined {
    this.faults.push({
      parameter,
      ...(pointer === undefined ? {} : { pointer }),
      message: toMessage(id, values),
    });
  }

  has(name: Name): boolean {
    return this.ours.has(name);
  }

  /** What was given, empty or not. */
  raw(name: Name): JsonValue | undefined {
    return this.ours.get(name)?.value;
  }

  /** What was given; an empty value is a fault, since dropping it would drop a condition. */
  value(name: Name): JsonValue | undefined {
    const value = this.ours.get(name)?.value;
    if (value !== null && value !== '') return value;
    return this.fault(name, 'query.empty');
  }

  text(name: Name): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.fault(name, 'query.notText');
  }

  integer(name: Name, min: number, max: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    const isValid = Number.isInteger(number) && (number as number) >= min && (number as number) <= max;
    return isValid ? (number as number) : this.fault(name, 'query.notIntegerIn', { min, max });
  }

  /** `_limit` and `_start`. */
  page(this: Parameters<'_limit' | '_start'>, limitMax: number): { limit: number; startIndex: number } {
    const limit = this.integer('_limit', 1, limitMax) ?? Math.min(defaultLimit, limitMax);
    return { limit, startIndex: this.integer('_start', 0, maxStartIndex) ?? 0 };
  }

  /** Parameters that are neither ours nor meant as attributes. */
  refuseOthers(): void {
    for (const { name } of this.others)
      this.fault(name, 'query.unexpected', { known: this.ourNames.join(', ') });
  }

  /** Ours in their order, attributes behind them. */
  orderedFaults(): Fault[] {
    const rank = ({ parameter }: Fault) => {
      const i = this.ourNames.indexOf(parameter ?? '');
      return i < 0 ? this.ourNames.length : i;
    };
    return [...this.faults].sort((a, b) => rank(a) - rank(b));
  }

  /** Ids. */
  ids(name: Name): string[] | undefined {
    return this.list(name, maxValues);
  }

  /** Names of attributes. */
  names(name: Name): string[] | undefined {
    return this.list(name, maxNames);
  }

  /** A comma list, or in JSON also an array of texts; each item once. */
  private list(name: Name, max: number): string[] | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const items = typeof value === 'string' ? value.split(',', max + 1).map((item) => item.trim()) : value;
    if (Array.isArray(items) && items.length > max) return this.fault(name, 'query.tooManyItems', { max });
    if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) {
      return this.fault(name, 'query.notList');
    }
    if (items.length === 0 || items.includes('')) return this.fault(name, 'query.emptyItem');
    return [...new Set(items as string[])];
  }

  /** Everything that is not ours, in the order it came. */
  attributes(): AttributeFilter[] {
    const count = this.others.reduce((sum, { value }) => sum + (Array.isArray(value) ? value.length : 1), 0);
    if (count > maxValues) {
      this.faults.push({ message: toMessage('query.tooManyValues', { max: maxValues }) });
      return [];
    }
    const filters = this.filters();
    if (filters.length <= maxNames) return filters;
    this.faults.push({ message: toMessage('query.tooManyNames', { max: maxNames }) });
    return [];
  }

  private filters(): AttributeFilter[] {
    const filters = new Map<string, { parameter: string; values: Set<AttributeFilter['values'][number]> }>();
    for (const { name: parameter, value } of this.others) {
      const name = this.attributeName(parameter);
      if (name === undefined) continue;
      const filter = filters.get(name) ?? { parameter, values: new Set() };
      for (const one of this.attributeValues(parameter, value)) filter.values.add(one);
      filters.set(name, filter);
    }
    return [...filters].map(([name, { parameter, values }]) => ({ name, values: [...values], parameter }));
  }

  private attributeName(parameter: string): string | undefined {
    if (parameter.startsWith(attributePrefix) && parameter.length > attributePrefix.length) {
      return parameter.slice(attributePrefix.length);
    }
    if (parameter === '' || parameter === attributePrefix) return this.fault(parameter, 'query.nameMissing');
    if (!parameter.startsWith('_')) return parameter;
    const known = this.ourNames.filter((name) => name.startsWith('_'));
    const given = parameter.slice(0, maxNearLength).toLowerCase();
    const nearest = closest(given, known);
    const isNear = distance(given, nearest.toLowerCase()) <= nearest.length / 2;
    return isNear && parameter.length <= maxNearLength
      ? this.fault(parameter, 'query.unknownNear', { nearest, name: parameter })
      : this.fault(parameter, 'query.unknown', { known: known.join(', '), name: parameter });
  }

  private attributeValues(parameter: string, value: JsonValue): AttributeFilter['values'] {
    if (Array.isArray(value) && value.length === 0) this.fault(parameter, 'query.emptyItem');
    const values: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    return values.flatMap((one: JsonValue, i: number) => {
      if (one === '') return [null];
      if (typeof one !== 'object' || one === null) return [one];
      this.fault(parameter, 'query.notScalar', {}, Array.isArray(value) ? `/${i}` : '');
      return [];
    });
  }
}

/** Makes the same value in a query string, a form and JSON equal. */
function toComparable({ name, value }: RawParameter): JsonValue {
  if (name === 'geom' && typeof value === 'string') {
    try {
      return readJson(value);
    } catch {
      return value;
    }
  }
  if (name === 'geom') return value;
  return Array.isArray(value) ? value.join(',') : String(value);
}

export function toPresent<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present: Partial<T> = {};
  for (const name in values) if (values[name] !== undefined) present[name] = values[name];
  return present as never;
}

/** The caller's key and token. Whether they contradict each other is for `toSearchQuery` to say. */
export function toCredentials(given: readonly RawParameter[]): Credentials {
  const find = (name: string) => given.find((one) => one.name === name && typeof one.value === 'string');
  const apikey = find('apikey')?.value as string | undefined;
  const token = find('access_token')?.value as string | undefined;
  return toPresent({ apikey: apikey || undefined, token: token || undefined });
}
