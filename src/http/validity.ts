import type { IncomingMessage } from 'node:http';
import type { Answer, Format } from '../query/index.js';
import { isCollection, type SearchContext } from './page.js';

/** The same features are another representation in another format (RFC 9110 §8.8.3). */
const representations: { readonly [F in Format]: string } = {
  geojson: 'g',
  json: 'j',
  geojsonseq: 's',
  csv: 'c',
  'csv-centroid': 'cc',
  flatgeobuf: 'f',
};

/** What a representation follows from. */
type Negotiated = Pick<SearchContext, 'format' | 'language' | 'query'>;

/** Warnings, which a collection alone has a place for, are in the reader's language. */
const toOpaque = (tag: string, { format, language }: Negotiated) =>
  `${tag}.${representations[format]}${isCollection(format) ? `.${language}` : ''}`;

/** What of the request the representation follows from (RFC 9110 §12.5.5). */
export function toVary({ format, query }: Negotiated): string[] {
  return [
    ...(query.format === undefined ? ['Accept'] : []),
    ...(isCollection(format) ? ['Accept-Language'] : []),
    'Accept-Encoding',
  ];
}

/** POST is cached by nobody (RFC 9110 §9.3.3), and has no validator. */
const isCacheable = ({ method }: IncomingMessage) => method === 'GET' || method === 'HEAD';

/** A cache in front may give an answer that is so much too old to who asks next, while it asks for a new one. */
const MAX_REVALIDATE_S = 60;

type Header = readonly [name: string, value: string];

/**
 * `ETag`, `Cache-Control`, `Age` and `Vary` (RFC 9111 §5, RFC 5861 §3, §4); none without a validity. The tag is weak: links
 * and timeStamp differ from answer to answer.
 */
export function toValidityHeaders(
  req: IncomingMessage,
  { isPrivate, validity }: Answer,
  negotiated: Negotiated,
): Header[] {
  if (validity === undefined) return [];
  const { tag, ageS, freshS, staleIfErrorS, isByKey } = validity;
  const age: Header[] = ageS === undefined ? [] : [['Age', String(ageS)]];
  if (!isCacheable(req)) return age;
  const share = isPrivate ? 'private' : 'public';
  return [
    ...age,
    ['ETag', `W/"${toOpaque(tag, negotiated)}"`],
    [
      'Cache-Control',
      `${share}, max-age=${freshS}, stale-while-revalidate=${Math.min(freshS, MAX_REVALIDATE_S)}, stale-if-error=${staleIfErrorS}`,
    ],
    ['Vary', [...toVary(negotiated), ...(isByKey ? ['Apikey', 'Authorization'] : [])].join(', ')],
  ];
}

/**
 * RFC 9110 §13.1.2, by weak comparison. `*` is any answer that is kept: whether there is one of others cannot be known
 * without asking the upstream.
 */
export function isNotModified(req: IncomingMessage, { validity }: Answer, negotiated: Negotiated): boolean {
  const given = req.headers['if-none-match'];
  if (given === undefined || validity?.ageS === undefined || !isCacheable(req)) return false;
  if (given.trim() === '*') return true;
  const opaque = toOpaque(validity.tag, negotiated);
  return [...given.matchAll(/"([^"]*)"/g)].some(([, tag]) => tag === opaque);
}
