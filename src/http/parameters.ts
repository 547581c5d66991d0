import type { Request } from 'express';
import { invalidRequest, ServiceError, toMessage } from '../errors.js';
import {
  JsonFault,
  type JsonValue,
  maxParameters,
  type RawParameter,
  readJsonMembers,
} from '../query/index.js';

/** A bare `+` in the exponent of a coordinate, which form encoding would read as a space. */
const exponentSign = /(\d[eE])\+(?=\d)/g;
function checkUtf8(name: string, value: string, raw: string): void {
  if (!(name.includes('\ufffd') || value.includes('\ufffd')) || /%ef%bf%bd|\ufffd/i.test(raw)) return;
  throw invalidRequest([{ parameter: name, message: toMessage('http.notUtf8') }]);
}

/** Undefined: an empty pair. */
function readPair(pair: string): readonly [name: string, value: string] | undefined {
  if (pair.includes('%') || pair.includes('+') || pair.startsWith('?')) {
    const isGeom = pair.startsWith('geom=') || pair.startsWith('bbox=');
    const [entry] = new URLSearchParams(isGeom ? pair.replace(exponentSign, '$1%2B') : pair);
    return entry;
  }
  if (pair === '') return undefined;
  const end = pair.indexOf('=');
  return end < 0 ? [pair, ''] : [pair.slice(0, end), pair.slice(end + 1)];
}

/** application/x-www-form-urlencoded (WHATWG URL §5.1), where reserved characters may also stand as they are. */
function readFormEncoded(text: string, place: 'query' | 'form'): RawParameter[] {
  const pairs = text.split('&', maxParameters + 1);
  if (pairs.length > maxParameters) {
    throw invalidRequest([{ message: toMessage('query.tooManyParameters', { max: maxParameters }) }]);
  }
  const parameters: RawParameter[] = [];
  for (const pair of pairs) {
    const entry = readPair(pair);
    if (entry === undefined) continue;
    const [name, value] = entry;
    checkUtf8(name, value, pair);
    parameters.push({ name, value, place });
  }
  return parameters;
}

function toText(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalidRequest([{ parameter: 'body', message: toMessage('http.notUtf8') }]);
  }
}

function readMembers(text: string): ReturnType<typeof readJsonMembers> {
  try {
    return readJsonMembers(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw invalidRequest([{ parameter: 'body', message: error.text }]);
  }
}

/** Lists that are too long are refused here already: the check against the document would look at every item. */
function readJsonBody(text: string): RawParameter[] {
  const members = readMembers(text);
  const message = toMessage('query.tooManyItems', { max: maxParameters });
  const tooLong = members.filter(({ value }) => Array.isArray(value) && value.length > maxParameters);
  if (tooLong.length > 0)
    throw invalidRequest(tooLong.map(({ name: parameter }) => ({ parameter, message })));
  return members.map((member) => ({ ...member, place: 'json' }));
}

/** Of JSON (RFC 8259 §2): a body of nothing else says as little as an empty one. */
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const bodyTypes = ['application/json', 'application/x-www-form-urlencoded'] as const;

/** RFC 9110 §8.3: the type without parameters, and the charset. */
function readContentType(header: string): { type: string; charset: string } {
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8) ?? 'utf-8';
  return { type, charset: charset.replace(/^"(.*)"$/, '$1') };
}

/** @throws mediaTypeUnsupported, invalidRequest */
function readBody(req: Request): RawParameter[] {
  const body: unknown = req.body;
  if (!Buffer.isBuffer(body) || body.every(isSpace)) return [];
  const { type, charset } = readContentType(req.headers['content-type'] ?? '');
  if (!(bodyTypes as readonly string[]).includes(type)) {
    const types = bodyTypes.join(', ');
    throw new ServiceError('mediaTypeUnsupported', toMessage('http.mediaTypeUnsupported', { types }));
  }
  if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) {
    throw new ServiceError('mediaTypeUnsupported', toMessage('http.charsetUnsupported'));
  }
  return type === 'application/json' ? readJsonBody(toText(body)) : readFormEncoded(toText(body), 'form');
}

/** RFC 9110 §11.6.2; schemes that are none of ours are for somebody in front of us. */
function readAuthorization(value: string): RawParameter[] {
  const [, scheme = '', credentials = ''] = /^(apikey|bearer) +(\S+) *$/i.exec(value) ?? [];
  if (credentials === '') return [];
  const name = scheme.toLowerCase() === 'bearer' ? 'access_token' : 'apikey';
  return [{ name, value: credentials, place: 'authorization' }];
}

/** As they came: Node joins one header that is there twice with a comma, and drops the second of another. */
function readHeaders({ headers, rawHeaders }: Request): RawParameter[] {
  if (headers.apikey === undefined && headers.authorization === undefined) return [];
  const parameters: RawParameter[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i]?.toLowerCase(), rawHeaders[i + 1]];
    if (name === 'apikey') parameters.push({ name, value, place: 'apikey' });
    if (name === 'authorization') parameters.push(...readAuthorization(value));
  }
  return parameters;
}

/**
 * Every parameter of a request, from wherever it came, before any check of its value.
 * @throws mediaTypeUnsupported, invalidRequest where the body or the encoding cannot be read
 */
export function readParameters(req: Request): RawParameter[] {
  const { originalUrl } = req;
  const end = originalUrl.indexOf('?');
  const search = end < 0 ? '' : originalUrl.slice(end + 1);
  return [...readFormEncoded(search, 'query'), ...readBody(req), ...readHeaders(req)];
}

/** Parameters of one place by name, a repeated one as an array of its distinct values. */
export function toRecord(
  parameters: readonly RawParameter[],
  places: readonly RawParameter['place'][],
): Record<string, JsonValue> {
  const record: Record<string, JsonValue> = {};
  for (const { name, value, place } of parameters) {
    if (!places.includes(place)) continue;
    if (name in record) return toRecordOfRepeated(parameters, places); // or one that every object has
    record[name] = value;
  }
  return record;
}

function toRecordOfRepeated(
  parameters: readonly RawParameter[],
  places: readonly RawParameter['place'][],
): Record<string, JsonValue> {
  const values = new Map<string, Set<JsonValue>>();
  for (const { name, value, place } of parameters) {
    if (!places.includes(place)) continue;
    const known = values.get(name) ?? new Set();
    values.set(name, known.add(value));
  }
  return Object.fromEntries(
    [...values].map(([name, [first, ...others]]) => [name, others.length === 0 ? first : [first, ...others]]),
  ) as never;
}
