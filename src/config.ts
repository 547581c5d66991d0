import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** Where the upstream wants a key: each place is filled with the same key or token. */
export type ApikeyPlace =
  | { readonly in: 'path' }
  | { readonly in: 'query'; readonly name: string }
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'authorization' }
  | { readonly in: 'bearer' };

/** The service's own account at the upstream, and the client it is there (RFC 6749). */
export interface OAuthSettings {
  /** Absolute path of the token file. */
  readonly file: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly authentication: 'basic' | 'body' | 'none';
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly redirectUri: string;
  readonly scope?: string;
}

/** Every setting, read and checked. Durations are in milliseconds, sizes in bytes. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Base of the links, without a trailing slash; absent: the request's own host. */
  readonly publicUrl?: string;
  /** Express's `trust proxy`: which proxies' forwarded headers count. */
  readonly trustProxy: boolean | number | readonly string[];
  /** May hold `{apikey}`. */
  readonly wfsUrl: string;
  /** Empty: the upstream takes no key. */
  readonly wfsApikeyIn: readonly ApikeyPlace[];
  readonly wfsApikey?: string;
  readonly wfsReferer?: string;
  /** Absent: the service has no account at the upstream. */
  readonly oauth?: OAuthSettings;
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly wfsAxisOrder: 'auto' | 'lonlat' | 'latlon';
  readonly wfsResponseTimeoutMs: number;
  readonly wfsIdleTimeoutMs: number;
  readonly requestDeadlineMs: number;
  readonly countTimeoutMs: number;
  readonly wfsMaxResponseBytes: number;
  /** Requests over any second to the upstream. */
  readonly wfsRateLimit: number;
  /** Requests to the upstream at once. */
  readonly wfsMaxConcurrency: number;
  readonly limitMax: number;
  readonly bodyLimit: number;
  readonly geomMaxVertices: number;
  readonly localScanMaxFeatures: number;
  /** Requests a second of one caller's address; 0: any number. */
  readonly clientRateLimit: number;
  /** How long an answer is kept, in seconds; 0: not at all. */
  readonly cacheTtlS: number;
  /** Memory for answers, kept and on their way; 0: none are kept. */
  readonly cacheMaxBytes: number;
  readonly cacheMaxEntryBytes: number;
  /** What the page at `/` draws its map on; absent: a graticule, which needs no network. */
  readonly explorerTiles?: { readonly url: string; readonly attribution: string };
  /** Processes that share the port. */
  readonly workers: number;
  /** What replicas have in common: one Redis, or nodes of a cluster; absent: nothing. */
  readonly redisUrls?: readonly string[];
  /** Whether traces are sent; where to is OpenTelemetry's own to read. */
  readonly isTraced: boolean;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
}

/** The settings are not usable. Names every fault, and no value: any of them may hold a secret. */
export class ConfigError extends Error {
  /** Each with the variable, or the place in the modules file. */
  readonly faults: readonly { readonly variable: string; readonly message: string }[];

  constructor(faults: ConfigError['faults']) {
    super(`The settings are not usable:\n${faults.map((f) => `  ${f.variable}: ${f.message}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

const maxTimerMs = 2 ** 31 - 1;
/** A second's requests are remembered one by one. */
const maxRate = 10_000;
const maxWorkers = 64;
const printable = /^[\x21-\x7e]+$/;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A value that `read` understands; what it throws or returns undefined for is the fault `expected`. */
const value = <T>(expected: string, read: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const result = read(text);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });

const integer = (min: number, max: number) =>
  value(`must be an integer from ${min} to ${max}`, (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });
const oneOf = <const T extends string>(...names: T[]) =>
  value(`must be one of ${names.join(', ')}`, (text) => names.find((name) => name === text));
const text = (expected: string, pattern: RegExp) =>
  value(expected, (given) => (pattern.test(given) ? given : undefined));
const milliseconds = integer(1, maxTimerMs);

function readHttpUrl(given: string): URL | undefined {
  if (!URL.canParse(given)) return undefined;
  const url = new URL(given);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

function readPublicUrl(given: string): string | undefined {
  const url = readHttpUrl(given);
  if (url === undefined || url.username || url.password || url.search || url.hash) return undefined;
  return url.href.replace(/\/+$/, '');
}

/** A key stands in the path or query alone: in the host or a password it would choose who is asked. */
function readWfsUrl(given: string): string | undefined {
  const url = readHttpUrl(given.replaceAll('{apikey}', 'apikey'));
  const [, authority = ''] = /^[^:]+:[\\/]*([^\\/?#]*)/.exec(given) ?? [];
  return url === undefined || url.hash || authority.includes('{apikey}') ? undefined : given;
}

/** `{s}`, where there is one, stands for a label of the host. */
function readTilesUrl(given: string): string | undefined {
  const hasAll = ['{z}', '{x}', '{y}'].every((part) => given.includes(part));
  const isFilled = /^https?:\/\/[\w.:[\]-]+\/[^{}\s]*$/.test(
    given.replace('{s}.', '').replace(/\{[zxyr]\}/g, '0'),
  );
  return hasAll && isFilled && readHttpUrl(given.replace('{s}.', '')) !== undefined ? given : undefined;
}

function readProxyUrl(given: string): string | undefined {
  return readHttpUrl(given) === undefined ? undefined : given;
}

/** RFC 3986 §3.5: an absolute URI, of whatever scheme; RFC 6749 §3.1.2: no fragment. */
function readRedirectUri(given: string): string | undefined {
  return URL.canParse(given) && !given.includes('#') && printable.test(given) ? given : undefined;
}

/** RFC 6749 §3.1, §3.2, §10.9: without TLS only on the machine itself. */
function readEndpoint(given: string): string | undefined {
  const url = readHttpUrl(given);
  return url === undefined || url.hash || url.username || url.password || !isPrivateTo(url)
    ? undefined
    : url.href;
}

/** Nobody on the way can read along. */
function isPrivateTo({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Express's names of address ranges, addresses and CIDR ranges. */
function isProxyAddress(given: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(given)) return true;
  const [address = '', prefix, ...rest] = given.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && bits > 0 && (prefix === undefined || (/^\d+$/.test(prefix) && +prefix <= bits));
}

function readTrustProxy(given: string): Config['trustProxy'] | undefined {
  if (given === 'true' || given === 'false') return given === 'true';
  if (/^\d{1,3}$/.test(given)) return Number(given);
  const addresses = given.split(',').map((part) => part.trim());
  return addresses.every(isProxyAddress) ? addresses : undefined;
}

function readApikeyPlace(given: string): ApikeyPlace | undefined {
  if (given === 'path' || given === 'authorization' || given === 'bearer') return { in: given };
  const [kind, name = ''] = given.split(/:(.*)/s);
  if (kind === 'query' && printable.test(name)) return { in: kind, name };
  if (kind === 'header' && headerName.test(name)) return { in: kind, name: name.toLowerCase() };
  return undefined;
}

function readApikeyPlaces(given: string): readonly ApikeyPlace[] | undefined {
  if (given === 'none') return [];
  const places = given.split(',').map((part) => readApikeyPlace(part.trim()));
  const distinct = new Set(places.map((place) => JSON.stringify(place)));
  return places.includes(undefined) || distinct.size < places.length ? undefined : (places as ApikeyPlace[]);
}

/** `auto`: as many as the processors it may use. */
function readWorkers(given: string): number | undefined {
  if (given === 'auto') return Math.min(maxWorkers, availableParallelism());
  const number = /^\d{1,3}$/.test(given) ? Number(given) : Number.NaN;
  return number >= 1 && number <= maxWorkers ? number : undefined;
}

/** One node, or several of one cluster, which have one user and password. */
function readRedisUrls(given: string): readonly string[] | undefined {
  const urls = given.split(',').map((part) => part.trim());
  const isRedis = (url: string) => URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol);
  return urls.every(isRedis) ? urls : undefined;
}

const units: Record<string, number> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

function readSize(given: string): number | undefined {
  const [, number, unit = 'b'] = /^(\d{1,9}(?:\.\d{1,9})?) *(b|kb|mb|gb)?$/i.exec(given) ?? [];
  const size = Math.floor(Number(number) * (units[unit.toLowerCase()] ?? Number.NaN));
  return size >= 1 ? size : undefined;
}

const url = 'must be an http or https URL';
const endpoint = 'must be an https URL (http on the loopback only) without user and fragment';

/** Every variable the service reads: its default as it would be written, and how it is read. */
export const variables = {
  HOST: { default: '0.0.0.0', read: text('must be a host name or an address', /^[A-Za-z0-9.:_%-]+$/) },
  PORT: { default: '8091', read: integer(0, 65535) },
  PUBLIC_URL: { read: value(`${url} without user, query or fragment`, readPublicUrl) },
  TRUST_PROXY: {
    read: value('must be true, false, a number of hops, or a comma list of addresses', readTrustProxy),
  },
  WFS_MODULES_FILE: { read: z.string() },
  WFS_URL: {
    default: 'https://data.geopf.fr/wfs/ows',
    read: value(`${url} without fragment`, readWfsUrl),
  },
  WFS_APIKEY_IN: {
    read: value(
      'must be none, or a comma list of distinct path, query:NAME, header:NAME, authorization, bearer',
      readApikeyPlaces,
    ),
  },
  WFS_APIKEY: { read: text('must be printable ASCII without spaces', printable) },
  WFS_REFERER: { read: text('must be printable ASCII without spaces', printable) },
  WFS_OAUTH_FILE: {
    read: value('must be an absolute path', (given) => (isAbsolute(given) ? given : undefined)),
  },
  WFS_OAUTH_CLIENT_ID: { read: text('must be printable ASCII', /^[\x20-\x7e]+$/) },
  WFS_OAUTH_CLIENT_SECRET: { read: text('must be printable ASCII', /^[\x20-\x7e]+$/) },
  WFS_OAUTH_AUTHENTICATION: { read: oneOf('basic', 'body', 'none') },
  WFS_OAUTH_AUTHORIZE_URL: { read: value(endpoint, readEndpoint) },
  WFS_OAUTH_TOKEN_URL: { read: value(endpoint, readEndpoint) },
  WFS_OAUTH_REDIRECT_URI: { read: value('must be an absolute URI without fragment', readRedirectUri) },
  WFS_OAUTH_SCOPE: {
    read: text('must be scopes with single spaces between them', /^[!#-[\]-~]+( [!#-[\]-~]+)*$/),
  },
  HTTP_PROXY: { read: value(url, readProxyUrl) },
  HTTPS_PROXY: { read: value(url, readProxyUrl) },
  NO_PROXY: { read: z.string() },
  WFS_AXIS_ORDER: { default: 'auto', read: oneOf('auto', 'lonlat', 'latlon') },
  WFS_RESPONSE_TIMEOUT_MS: { default: '15000', read: milliseconds },
  WFS_IDLE_TIMEOUT_MS: { default: '10000', read: milliseconds },
  REQUEST_DEADLINE_MS: { default: '60000', read: milliseconds },
  COUNT_TIMEOUT_MS: { default: '2000', read: milliseconds },
  WFS_MAX_RESPONSE_BYTES: { default: '536870912', read: integer(1, Number.MAX_SAFE_INTEGER) },
  WFS_RATE_LIMIT: { default: '25', read: integer(1, maxRate) },
  WFS_MAX_CONCURRENCY: { default: '16', read: integer(1, maxRate) },
  LIMIT_MAX: { default: '5000', read: integer(1, maxTimerMs) },
  BODY_LIMIT: { default: '10mb', read: value('must be a size such as 512kb or 10mb', readSize) },
  GEOM_MAX_VERTICES: { default: '50000', read: integer(1, maxTimerMs) },
  LOCAL_SCAN_MAX_FEATURES: { default: '100000', read: integer(0, maxTimerMs) },
  CLIENT_RATE_LIMIT: { default: '0', read: integer(0, maxRate) },
  CACHE_TTL_S: { default: '300', read: integer(0, maxTimerMs) },
  CACHE_MAX_BYTES: { default: '67108864', read: integer(0, Number.MAX_SAFE_INTEGER) },
  CACHE_MAX_ENTRY_BYTES: { default: '8388608', read: integer(0, Number.MAX_SAFE_INTEGER) },
  WORKERS: {
    default: '1',
    read: value(`must be auto, or an integer from 1 to ${maxWorkers}`, readWorkers),
  },
  REDIS_URL: { read: value('must be a redis or rediss URL, or a comma list of them', readRedisUrls) },
  OTEL_EXPORTER_OTLP_ENDPOINT: { read: value('must be an http or https URL', readHttpUrl) },
  EXPLORER_TILES: { read: value(`${url} with {z}, {x} and {y}`, readTilesUrl) },
  EXPLORER_TILES_ATTRIBUTION: { read: text('must be one line of text', /^\P{Cc}+$/u) },
  LOG_LEVEL: {
    default: 'info',
    read: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  },
} as const;

/** Variables of the account at a single upstream. */
export const oauthVariables = Object.keys(variables).filter((name) =>
  name.startsWith('WFS_OAUTH_'),
) as (keyof typeof variables)[];

const toFaultMessage = ({ issues }: z.ZodError) => issues.map(({ message }) => message).join('; ');

type Variables = typeof variables;
type Read = { [K in keyof Variables]: z.output<Variables[K]['read']> | undefined };
/** Variables with a default always have a value. */
type Values = {
  [K in keyof Variables]: Variables[K] extends { default: string } ? NonNullable<Read[K]> : Read[K];
};
type Environment = Readonly<Record<string, string | undefined>>;

/** Proxies are written in either case; everything else only as it is listed. A blank variable is an absent one. */
function toText(env: Environment, name: keyof Variables): string | undefined {
  const given = env[name]?.trim() || (name.endsWith('_PROXY') && env[name.toLowerCase()]?.trim());
  const entry = variables[name];
  return given || ('default' in entry ? entry.default : undefined);
}

function readVariables(env: Environment): { values: Values; faults: ConfigError['faults'] } {
  const values: Record<string, unknown> = {};
  const faults: { variable: string; message: string }[] = [];
  for (const [name, entry] of Object.entries(variables)) {
    const given = toText(env, name as keyof Variables);
    if (given === undefined) continue;
    const result = entry.read.safeParse(given);
    if (result.success) values[name] = result.data;
    else faults.push({ variable: name, message: toFaultMessage(result.error) });
  }
  return { values: values as Values, faults };
}

/** The path takes a key exactly where the URL has room for one. */
export function readPathFault(
  url: string,
  places: readonly ApikeyPlace[],
  urlName: string,
): string | undefined {
  const hasRoom = url.includes('{apikey}');
  const isNamed = places.some((place) => place.in === 'path');
  if (hasRoom === isNamed) return undefined;
  return hasRoom
    ? `must name path, since ${urlName} holds {apikey}`
    : `names path, but ${urlName} holds no {apikey}`;
}

function readPathFaults({ WFS_URL, WFS_APIKEY_IN }: Values): ConfigError['faults'] {
  if (WFS_URL === undefined || WFS_APIKEY_IN === undefined) return [];
  const message = readPathFault(WFS_URL, WFS_APIKEY_IN, 'WFS_URL');
  return message === undefined ? [] : [{ variable: 'WFS_APIKEY_IN', message }];
}

const oauthRequired = ['WFS_OAUTH_FILE', 'WFS_OAUTH_CLIENT_ID', 'WFS_OAUTH_REDIRECT_URI'] as const;

/** What an account must agree with. */
export interface AccountParts {
  readonly url: string | undefined;
  readonly apikey?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly authentication?: OAuthSettings['authentication'] | undefined;
}

/**
 * An account in contradiction to itself, or to the other ways in.
 * @param names what the settings are called where they were written: the account's own and its `authentication`
 */
export function readAccountFaults(
  { url, apikey, clientSecret, authentication }: AccountParts,
  names: { readonly account: string; readonly authentication: string },
): { readonly part: keyof AccountParts; readonly message: string }[] {
  const isNone = authentication === 'none';
  const isSecret = clientSecret !== undefined;
  const bare = url?.replaceAll('{apikey}', 'apikey');
  const faults: [keyof AccountParts, string, boolean][] = [
    [
      'clientSecret',
      `is required with ${names.authentication}`,
      authentication !== undefined && !isNone && !isSecret,
    ],
    ['clientSecret', `is not used with ${names.authentication}=none`, isNone && isSecret],
    ['apikey', `is not used with ${names.account}`, apikey !== undefined],
    ['url', `must hold no {apikey} with ${names.account}`, url?.includes('{apikey}') ?? false],
    [
      'url',
      `must be https with ${names.account} (http on the loopback only): a bearer token is sent there`,
      bare !== undefined && !isPrivateTo(new URL(bare)),
    ],
  ];
  return faults.flatMap(([part, message, isFault]) => (isFault ? { part, message } : []));
}

const accountVariables = {
  url: 'WFS_URL',
  apikey: 'WFS_APIKEY',
  clientSecret: 'WFS_OAUTH_CLIENT_SECRET',
  authentication: 'WFS_OAUTH_AUTHENTICATION',
} as const satisfies Record<keyof AccountParts, keyof typeof variables>;

/** An account is set up whole or not at all. */
function readOAuthFaults(env: Environment, values: Values): ConfigError['faults'] {
  const isGiven = (name: keyof Variables) => toText(env, name) !== undefined;
  if (!oauthVariables.some(isGiven)) return [];
  const missing = oauthRequired
    .filter((variable) => !isGiven(variable))
    .map((variable) => ({ variable, message: 'is required where any WFS_OAUTH_* is set' }));
  const parts: AccountParts = {
    url: values.WFS_URL,
    apikey: values.WFS_APIKEY,
    clientSecret: toText(env, 'WFS_OAUTH_CLIENT_SECRET'),
    authentication: values.WFS_OAUTH_AUTHENTICATION,
  };
  const names = { account: 'WFS_OAUTH_FILE', authentication: 'WFS_OAUTH_AUTHENTICATION' };
  const contradictions = readAccountFaults(parts, names).map(({ part, message }) => ({
    variable: accountVariables[part],
    message,
  }));
  return [...missing, ...contradictions];
}

/** An account as it is written, what is left out still missing. */
export interface GivenAccount {
  readonly file: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly authentication?: OAuthSettings['authentication'] | undefined;
  readonly authorizeUrl?: string | undefined;
  readonly tokenUrl?: string | undefined;
  readonly redirectUri: string;
  readonly scope?: string | undefined;
}

/** Opendatasoft has both endpoints on the domain of the WFS. */
export function toOAuthSettings(given: GivenAccount, wfsUrl: string): OAuthSettings {
  const { file, clientId, clientSecret, redirectUri } = given;
  const { origin } = new URL(wfsUrl);
  return Object.freeze({
    file,
    clientId,
    ...optional('clientSecret', clientSecret),
    authentication: given.authentication ?? (clientSecret === undefined ? 'none' : 'basic'),
    authorizeUrl: given.authorizeUrl ?? `${origin}/oauth2/authorize/`,
    tokenUrl: given.tokenUrl ?? `${origin}/oauth2/token/`,
    redirectUri,
    ...optional('scope', given.scope),
  });
}

function toOAuth(values: Values): OAuthSettings | undefined {
  const { WFS_OAUTH_FILE: file, WFS_OAUTH_CLIENT_ID: clientId, WFS_OAUTH_REDIRECT_URI: redirectUri } = values;
  if (file === undefined || clientId === undefined || redirectUri === undefined) return undefined;
  const given = {
    file,
    clientId,
    clientSecret: values.WFS_OAUTH_CLIENT_SECRET,
    authentication: values.WFS_OAUTH_AUTHENTICATION,
    authorizeUrl: values.WFS_OAUTH_AUTHORIZE_URL,
    tokenUrl: values.WFS_OAUTH_TOKEN_URL,
    redirectUri,
    scope: values.WFS_OAUTH_SCOPE,
  };
  return toOAuthSettings(given, values.WFS_URL);
}

function toTiles({ EXPLORER_TILES: url, EXPLORER_TILES_ATTRIBUTION: attribution = '' }: Values) {
  return url === undefined ? undefined : Object.freeze({ url, attribution });
}

const optional = <K extends string, T>(key: K, given: T | undefined) =>
  (given === undefined ? {} : { [key]: given }) as { readonly [P in K]?: T };

/** How the settings of a single upstream agree: where a file names the upstreams, they are no settings of any. */
function readUpstreamFaults(env: Environment, values: Values): ConfigError['faults'] {
  if (values.WFS_MODULES_FILE !== undefined) return [];
  return [...readPathFaults(values), ...readOAuthFaults(env, values)];
}

/**
 * Reads the environment. Pure: nothing else is looked at.
 * @throws ConfigError with every fault at once
 */
export function loadConfig(env: Environment): Config {
  const { values, faults } = readVariables(env);
  const all = [...faults, ...readUpstreamFaults(env, values)];
  if (all.length > 0) throw new ConfigError(all);
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    ...optional('publicUrl', values.PUBLIC_URL),
    trustProxy: values.TRUST_PROXY ?? false,
    wfsUrl: values.WFS_URL,
    wfsApikeyIn:
      values.WFS_APIKEY_IN ?? (values.WFS_URL.includes('{apikey}') ? [{ in: 'path' as const }] : []),
    ...optional('wfsApikey', values.WFS_APIKEY),
    ...optional('wfsReferer', values.WFS_REFERER),
    ...optional('oauth', toOAuth(values)),
    ...optional('httpProxy', values.HTTP_PROXY),
    ...optional('httpsProxy', values.HTTPS_PROXY),
    ...optional('noProxy', values.NO_PROXY),
    wfsAxisOrder: values.WFS_AXIS_ORDER,
    wfsResponseTimeoutMs: values.WFS_RESPONSE_TIMEOUT_MS,
    wfsIdleTimeoutMs: values.WFS_IDLE_TIMEOUT_MS,
    requestDeadlineMs: values.REQUEST_DEADLINE_MS,
    countTimeoutMs: values.COUNT_TIMEOUT_MS,
    wfsMaxResponseBytes: values.WFS_MAX_RESPONSE_BYTES,
    wfsRateLimit: values.WFS_RATE_LIMIT,
    wfsMaxConcurrency: values.WFS_MAX_CONCURRENCY,
    limitMax: values.LIMIT_MAX,
    bodyLimit: values.BODY_LIMIT,
    geomMaxVertices: values.GEOM_MAX_VERTICES,
    localScanMaxFeatures: values.LOCAL_SCAN_MAX_FEATURES,
    clientRateLimit: values.CLIENT_RATE_LIMIT,
    cacheTtlS: values.CACHE_TTL_S,
    cacheMaxBytes: values.CACHE_MAX_BYTES,
    cacheMaxEntryBytes: values.CACHE_MAX_ENTRY_BYTES,
    ...optional('explorerTiles', toTiles(values)),
    workers: values.WORKERS,
    ...optional('redisUrls', values.REDIS_URL),
    isTraced: values.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
    logLevel: values.LOG_LEVEL,
  });
}

/** The proxies of the environment, as curl and its kin read them. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  /** Comma list of hosts, with or without a leading dot or `*.`, a port behind; `*` for all. */
  readonly noProxy?: string | undefined;
}

/** The proxy that requests to `url` go through; undefined: none. */
export function toProxy(
  url: string,
  { httpProxy, httpsProxy, noProxy = '' }: ProxySettings,
): string | undefined {
  const { protocol, hostname, port } = new URL(url.replaceAll('{apikey}', 'apikey'));
  const host = hostname.toLowerCase();
  const isExempt = noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, name = '', itsPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (itsPort !== undefined && itsPort !== (port || (protocol === 'https:' ? '443' : '80'))) return false;
      const suffix = name.replace(/^\*?\.?/, '');
      return name === '*' || host === suffix || (suffix !== '' && host.endsWith(`.${suffix}`));
    });
  return isExempt ? undefined : protocol === 'https:' ? httpsProxy : httpProxy;
}
