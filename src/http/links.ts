import type { Request } from 'express';
import type { Config } from '../config.js';
import type { Link } from '../formats/index.js';
import type { PageEnd, RawParameter, SearchQuery } from '../query/index.js';

/** Parameters no link carries: secrets, and what only keeps caches away. */
const unlinked = ['apikey', 'access_token', '_'];

/**
 * Where this service is for the caller: `PUBLIC_URL`, or the host of the request, as a trusted proxy forwards it.
 * HTTP/1.0 may come without Host; then it is the address that was connected to.
 */
export function toBaseUrl(req: Request, config: Pick<Config, 'publicUrl'>): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  const { localAddress = 'localhost', localPort, remoteFamily } = req.socket;
  const address = remoteFamily === 'IPv6' ? `[${localAddress}]` : localAddress;
  const scheme = req.protocol === 'https' ? 'https' : 'http'; // a proxy may forward anything
  return toOrigin(`${scheme}://${req.host ?? ''}`) ?? `${scheme}://${address}:${localPort}`;
}

/** Callers come by few hosts, one after the other by the same. */
let last: { readonly url: string; readonly origin: string | undefined } | undefined;

/** Undefined: it is no URL. */
function toOrigin(url: string): string | undefined {
  if (last?.url !== url) last = { url, origin: URL.canParse(url) ? new URL(url).origin : undefined };
  return last.origin;
}

/** Percent-encoded, but for the reserved characters that a query may hold (RFC 3986 §3.4). */
function encode(text: string): string {
  const encoded = encodeURIComponent(text);
  return encoded.includes('%')
    ? encoded.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%2F', '/')
    : encoded;
}

type Changes = Readonly<Record<string, string | number | readonly string[]>>;

/** A page before the first has no room for a whole one: `_limit` shrinks, so that no feature comes twice. */
export function toPreviousChanges({ limit, startIndex }: Pick<SearchQuery, 'limit' | 'startIndex'>): Changes {
  const start = Math.max(0, startIndex - limit);
  return startIndex < limit ? { _start: start, _limit: startIndex } : { _start: start };
}

function toNextChanges(next: NonNullable<PageEnd['next']>): Changes {
  return 'startIndex' in next ? { _start: next.startIndex } : { _featureId: next.featureIds };
}

/** What a search's links are made of. */
export interface LinkContext {
  /** Absolute, without query. */
  readonly url: string;
  readonly isPost: boolean;
  readonly parameters: readonly RawParameter[];
  readonly query: SearchQuery;
  readonly type: string;
}

/** The same parameters as were asked, but for what changes. */
export function toGetLink(
  rel: Link['rel'],
  changes: Changes,
  context: Pick<LinkContext, 'url' | 'parameters' | 'type'>,
): Link {
  let href = context.url;
  let before = '?';
  const add = (name: string, value: unknown) => {
    href += `${before}${encode(name)}=${encode(String(value))}`;
    before = '&';
  };
  for (const { name, value, place } of context.parameters) {
    if (place === 'query' && !unlinked.includes(name) && !Object.hasOwn(changes, name)) add(name, value);
  }
  for (const name of Object.keys(changes)) add(name, changes[name]);
  return { rel, type: context.type, href };
}

/** The URL keeps what was in it and does not change; the body says what changes, merged into the one that was sent. */
function toPostLink(rel: Link['rel'], changes: Changes, context: LinkContext): Link {
  const parameters = context.parameters.filter(({ name }) => !Object.hasOwn(changes, name));
  const { href } = toGetLink(rel, {}, { ...context, parameters });
  const body = Object.fromEntries(
    Object.entries(changes).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
  return { rel, type: context.type, href, method: 'POST', merge: true, body };
}

/** self, next and prev of a page; `next` is there exactly when more features exist. */
export function toLinks(context: LinkContext, next: PageEnd['next']): Link[] {
  const toLink = context.isPost ? toPostLink : toGetLink;
  const links = [toLink('self', {}, context)];
  if (next !== undefined) links.push(toLink('next', toNextChanges(next), context));
  if (context.query.startIndex > 0) links.push(toLink('prev', toPreviousChanges(context.query), context));
  return links;
}

/** RFC 8288 §3. A POST cannot be said in a header: what has no body of its own to send says nothing of it. */
export function toLinkHeader(links: readonly Link[]): string {
  return links
    .filter(({ method }) => method === undefined)
    .map(({ rel, type, href }) => `<${href}>; rel="${rel}"; type="${type}"`)
    .join(', ');
}
