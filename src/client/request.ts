import type { AttributeValue, SearchBody, SearchLink } from './schemas.js';

type SearchParameters = Omit<SearchBody, 'source' | 'apikey' | 'access_token' | '_explain' | '_format'>;

/** What is searched for: the parameters of the service by their own names, and the attributes by theirs. */
export type SearchQuery = { [K in keyof SearchParameters]?: SearchParameters[K] | undefined } & {
  source: string;
  /** Each equals the value, or one of the values; null stands for null or empty. */
  attributes?: { readonly [name: string]: AttributeValue | undefined };
};

/** A search as it is sent. The key is none of it. */
export interface SearchRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Of a POST: the JSON body. */
  readonly body?: { readonly [name: string]: unknown };
}

/** Proxies and servers on the way take 8 kB without being asked. */
const maxUrlLength = 8000;

const parameterNames = ['source', 'geom', 'bbox', 'apikey', 'access_token'];

/** An attribute that bears a parameter's name, or could one day, is asked for as `property:NAME`. */
const toParameterName = (attribute: string) =>
  parameterNames.includes(attribute) || /^(?:_|property:)/.test(attribute)
    ? `property:${attribute}`
    : attribute;

function toMembers({ attributes = {}, ...parameters }: SearchQuery): Record<string, unknown> {
  const named = Object.entries(attributes).map(([name, value]) => [toParameterName(name), value] as const);
  const all: (readonly [string, unknown])[] = [...Object.entries(parameters), ...named];
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

const toText = (value: unknown) =>
  value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** A list is a comma list where it is one of the service's parameters, and repeated where it is an attribute's. */
function toPairs([name, value]: [string, unknown]): [string, string][] {
  if (!Array.isArray(value)) return [[name, toText(value)]];
  if (name === 'bbox' || name.startsWith('_')) return [[name, value.join(',')]];
  return value.map((item): [string, string] => [name, toText(item)]);
}

/** Percent-encoded, but for the reserved characters a query may hold (RFC 3986 §3.4). */
const encode = (text: string) => encodeURIComponent(text).replace(/%(?:3A|2C|2F)/g, decodeURIComponent);

/** The parameters of a search, as a query string has them. */
export function toParameters(query: SearchQuery): [string, string][] {
  return Object.entries(toMembers(query)).flatMap(toPairs);
}

/** GET, which caches know, as long as the URL is one that everybody takes; else POST. */
export function toSearchRequest(searchUrl: string, query: SearchQuery): SearchRequest {
  const pairs = toParameters(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const url = `${searchUrl}?${pairs.join('&')}`;
  if (url.length <= maxUrlLength) return { method: 'GET', url };
  return { method: 'POST', url: searchUrl, body: toMembers(query) };
}

/**
 * The request for the next page. Only what the link changes is taken from it: the service is where it was found, also
 * behind a proxy it does not know of.
 */
export function toNextRequest(
  request: SearchRequest,
  links: readonly SearchLink[],
): SearchRequest | undefined {
  const next = links.find(({ rel }) => rel === 'next');
  if (next === undefined) return undefined;
  if (request.method === 'POST') return { ...request, body: { ...request.body, ...next.body } };
  const [path = ''] = request.url.split('?');
  return { method: 'GET', url: `${path}${new URL(next.href).search}` };
}
