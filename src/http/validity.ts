import type { IncomingMessage } from 'node:http';
import type { Answer } from '../query/index.js';
import type { SearchType } from './negotiate.js';

/** The same features are another representation in another media type or language (RFC 9110 §8.8.3); texts are English. */
const representations: { readonly [K in SearchType]: string } = {
  'application/geo+json': 'g.en',
  'application/json': 'j.en',
  'application/geo+json-seq': 's.en',
};

const toOpaque = (tag: string, type: SearchType) => `${tag}.${representations[type]}`;

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
  type: SearchType,
): Header[] {
  if (validity === undefined) return [];
  const { tag, ageS, freshS, staleIfErrorS, isByKey } = validity;
  const age: Header[] = ageS === undefined ? [] : [['Age', String(ageS)]];
  if (!isCacheable(req)) return age;
  const share = isPrivate ? 'private' : 'public';
  return [
    ...age,
    ['ETag', `W/"${toOpaque(tag, type)}"`],
    [
      'Cache-Control',
      `${share}, max-age=${freshS}, stale-while-revalidate=${Math.min(freshS, MAX_REVALIDATE_S)}, stale-if-error=${staleIfErrorS}`,
    ],
    ['Vary', isByKey ? 'Accept, Accept-Encoding, Apikey, Authorization' : 'Accept, Accept-Encoding'],
  ];
}

/**
 * RFC 9110 §13.1.2, by weak comparison. `*` is any answer that is kept: whether there is one of others cannot be known
 * without asking the upstream.
 */
export function isNotModified(req: IncomingMessage, { validity }: Answer, type: SearchType): boolean {
  const given = req.headers['if-none-match'];
  if (given === undefined || validity?.ageS === undefined || !isCacheable(req)) return false;
  if (given.trim() === '*') return true;
  const opaque = toOpaque(validity.tag, type);
  return [...given.matchAll(/"([^"]*)"/g)].some(([, tag]) => tag === opaque);
}
