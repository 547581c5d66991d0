import { createHash } from 'node:crypto';
import { ServiceError, toMessage } from '../errors.js';
import type { Account } from '../oauth/index.js';
import type { Credentials } from '../query/index.js';
import { isXmlText } from './xml.js';

/** Where an upstream takes a key: in `{apikey}` of its URL, a query parameter, a header, or `Authorization`. */
export interface KeyPlace {
  readonly in: 'path' | 'query' | 'header' | 'authorization' | 'bearer';
  /** Of the query parameter or header. */
  readonly name?: string;
}

export interface KeyRule {
  readonly places: readonly KeyPlace[];
  /** The service's own key, for callers who bring none. */
  readonly serverKey?: string | undefined;
  /** The service's own account, likewise. */
  readonly account?: Account | undefined;
}

/** A key put in its places, for the requests of one caller. */
export interface PlacedKey {
  readonly path: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** The key came from the caller: nobody else may see what it opens. */
  readonly isCallers: boolean;
  /** Some key is sent. */
  readonly isKeyed: boolean;
  /** For cache keys: the same for the same key, and nothing can be learnt from it. */
  readonly identity: string;
  /** For whose turn it is, where requests wait: the caller's address, and the key of it where it brought one. */
  readonly lane: string;
  /** What must never leave: for masking. */
  readonly secrets: readonly string[];
  /** Its token is put in when a request is sent (see account.ts). */
  readonly account?: Account;
}

/**
 * The caller's `apikey` goes to every place but `bearer`, a token to `bearer`; each serves the other's places where the
 * upstream has no other. Where no place wants a key it is not even part of the identity.
 * @throws keyMissing where the URL cannot be built without one; invalidRequest for a key that cannot stand in its place
 */
export function toPlacedKey(rule: KeyRule, credentials: Credentials, address = ''): PlacedKey {
  const bearer = rule.places.filter((place) => place.in === 'bearer');
  const others = rule.places.filter((place) => place.in !== 'bearer');
  const isCallers =
    rule.places.length > 0 && (credentials.apikey !== undefined || credentials.token !== undefined);
  if (!isCallers && rule.account !== undefined) return toAccountKey(rule.account, address);
  const apikey = isCallers ? credentials.apikey : rule.serverKey;
  const token = isCallers ? credentials.token : undefined;
  const inOthers = apikey ?? (bearer.length === 0 ? token : undefined);
  const inBearer = token ?? (others.length === 0 ? apikey : undefined);

  const headers: Record<string, string> = {};
  const parameters: Record<string, string> = {};
  let path: string | undefined;
  for (const place of others) {
    if (inOthers === undefined) continue;
    if (place.in === 'path') path = toPathSegment(inOthers);
    else if (place.in === 'query') parameters[place.name ?? 'apikey'] = inOthers;
    else if (place.in === 'header') headers[place.name ?? 'apikey'] = toHeaderValue(inOthers);
    else headers.Authorization = `Apikey ${toHeaderValue(inOthers)}`;
  }
  if (bearer.length > 0 && inBearer !== undefined)
    headers.Authorization = `Bearer ${toHeaderValue(inBearer)}`;
  if (others.some((place) => place.in === 'path') && path === undefined) throw keyMissing();

  const secrets = [...new Set([inOthers, bearer.length > 0 ? inBearer : undefined])].filter(
    (secret): secret is string => secret !== undefined && rule.places.length > 0,
  );
  const identity = isCallers && secrets.length > 0 ? toIdentity(secrets) : SERVICE;
  return {
    path,
    parameters,
    headers,
    isCallers: identity !== SERVICE,
    isKeyed: secrets.length > 0,
    identity,
    lane: `${address} ${identity}`,
    secrets,
  };
}

const SERVICE = 'service';

function toAccountKey(account: Account, address: string): PlacedKey {
  const { secrets } = account;
  const nothing = { path: undefined, parameters: {}, headers: {} };
  const lane = `${address} ${SERVICE}`;
  return { ...nothing, isCallers: false, isKeyed: true, identity: SERVICE, lane, secrets, account };
}

/** Whether callers who bring no key are answered all the same, with one of the service's or without. */
export function isOpen({ places, serverKey, account }: KeyRule): boolean {
  return places.length === 0 || serverKey !== undefined || account !== undefined;
}

export function keyMissing(cause?: unknown): ServiceError {
  return new ServiceError('keyMissing', toMessage('wfs.keyMissing'), {
    headers: { 'WWW-Authenticate': 'Apikey realm="upstream WFS", Bearer realm="upstream WFS"' },
    cause,
  });
}

/** RFC 3986 §3.3; `.` and `..` would be resolved away, encoded or not. */
function toPathSegment(key: string): string {
  if (key === '.' || key === '..' || !isXmlText(key)) throw malformed();
  return encodeURIComponent(key);
}

/** RFC 9110 §5.5: visible ASCII; anything else could end the header or be read differently at the other end. */
function toHeaderValue(key: string): string {
  if (!/^[\x21-\x7e]+$/.test(key)) throw malformed();
  return key;
}

function malformed(): ServiceError {
  const message = toMessage('wfs.keyMalformed');
  return new ServiceError('invalidRequest', message, { faults: [{ parameter: 'apikey', message }] });
}

function toIdentity(secrets: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(secrets)).digest('base64url');
}
