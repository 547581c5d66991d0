import type { Geom, SearchQuery } from '../client/index.js';

/** An attribute and what it must be; null: nothing, or empty. */
export interface Filter {
  readonly name: string;
  readonly value: string | null;
}

/** What the page asks for: all of it is in its address, the key never. */
export interface State {
  readonly module: string;
  readonly source: string;
  readonly geom: Geom | undefined;
  readonly filters: readonly Filter[];
  readonly overlap: boolean;
  readonly limit: number;
}

/** Longer addresses are cut by those who pass them on. */
const maxGeomLength = 16_000;

export const isShareable = (geom: Geom | undefined): boolean =>
  geom === undefined || JSON.stringify(geom).length <= maxGeomLength;

/** The fragment of the page's address. */
export function toFragment(state: State): string {
  const { module, source, geom, filters, overlap, limit } = state;
  const pairs: [string, string][] = [['module', module]];
  if (source !== '') pairs.push(['source', source]);
  if (geom !== undefined && isShareable(geom)) pairs.push(['geom', JSON.stringify(geom)]);
  for (const { name, value } of filters) pairs.push(['where', value === null ? name : `${name}=${value}`]);
  if (!overlap) pairs.push(['overlap', 'false']);
  pairs.push(['limit', String(limit)]);
  return new URLSearchParams(pairs).toString();
}

function readGeom(text: string | null): Geom | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as Geom);
  } catch {
    return undefined;
  }
}

function readFilter(text: string): Filter {
  const at = text.indexOf('=');
  return at === -1 ? { name: text, value: null } : { name: text.slice(0, at), value: text.slice(at + 1) };
}

/** What an address says; `initial` where it says nothing. */
export function readFragment(fragment: string, initial: State): State {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const limit = Number(given.get('limit'));
  return {
    module: given.get('module') ?? initial.module,
    source: given.get('source') ?? initial.source,
    geom: readGeom(given.get('geom')) ?? initial.geom,
    filters: given.getAll('where').map(readFilter),
    overlap: given.get('overlap') !== 'false',
    limit: Number.isInteger(limit) && limit > 0 ? limit : initial.limit,
  };
}

/** Filters on one attribute: any of the values. */
function toAttributes(filters: readonly Filter[]): NonNullable<SearchQuery['attributes']> {
  const names = new Set(filters.map(({ name }) => name));
  const valuesOf = (of: string) => filters.filter(({ name }) => name === of).map(({ value }) => value);
  return Object.fromEntries([...names].map((name) => [name, valuesOf(name)]));
}

export function toQuery({ source, geom, filters, overlap, limit }: State): SearchQuery {
  return {
    source,
    geom,
    attributes: toAttributes(filters),
    _limit: limit,
    _overlap: overlap && geom !== undefined ? true : undefined,
  };
}
