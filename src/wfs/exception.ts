import { type Message, ServiceError, toMessage } from '../errors.js';
import { type GmlException, readExceptionReport } from '../gml/index.js';
import { createMask } from '../query/index.js';
import { keyMissing, type PlacedKey } from './keys.js';

/** An answer that is none: its status, headers, and the beginning of its body. */
export interface Refusal {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter?: string | undefined;
  readonly rateLimitReset?: string | undefined;
  readonly body: string;
}

/** RFC 9110 §15.6.4: it cannot answer now, and says when it will. */
export function isLater({ status, retryAfter }: Pick<Refusal, 'status' | 'retryAfter'>): boolean {
  return status === 503 && toSeconds(retryAfter) !== undefined;
}

/** Every dialect of "no" as one error of the family; the exception's code and text reach the caller, cleaned. */
export function toRefusalError(refusal: Refusal, key: PlacedKey, wantsKey: boolean): ServiceError {
  const { status, body } = refusal;
  const exceptions = readExceptionReport(body) ?? readJsonExceptions(body);
  if (status === 401 || status === 403) return toKeyError(status, key, wantsKey);
  if (status === 429) {
    return new ServiceError('rateLimited', toMessage('wfs.rateLimited'), {
      headers: { 'Retry-After': String(toRetryAfter(refusal, body)) },
    });
  }
  const isBack = isLater(refusal);
  const later = isBack ? { headers: { 'Retry-After': String(toRetryAfter(refusal)) } } : {};
  const kind = isBack ? 'unavailable' : 'upstreamUnusable';
  if (exceptions !== undefined) return toExceptionError(exceptions, key, status, later);
  if (body.trim() === '') {
    return new ServiceError(kind, toMessage('wfs.emptyAnswer', { status }), later);
  }
  const what = /^\s*(<!doctype html|<html|<head|<body)/i.test(body)
    ? 'HTML'
    : toMediaType(refusal.contentType);
  return new ServiceError(kind, toMessage('wfs.notGml', { status, what }), later);
}

/**
 * An exception report is an answer of 502: what is wrong with the caller's request is found before it is sent. It has
 * no cause: that would carry the upstream's raw words, and with them perhaps the key, into the log.
 */
export function toExceptionError(
  exceptions: readonly GmlException[],
  key: PlacedKey,
  status = 200,
  about: { readonly headers?: Readonly<Record<string, string>> } = {},
): ServiceError {
  const words = exceptions.map(({ code, locator, text }) =>
    [code, locator && `(${locator})`, text && `: ${text}`].filter(Boolean).join(' ').replace(' : ', ': '),
  );
  const text = toCleanText(words.join('; '), key.secrets) || 'no text';
  return new ServiceError('upstreamUnusable', toMessage('wfs.exceptionReport', { text, status }), about);
}

/** An error as it may leave: where its words, or its cause's, hold the key (in a tag, a path), they are masked. */
export function toKeylessError(error: unknown, { secrets }: PlacedKey): unknown {
  if (!(error instanceof ServiceError)) return error;
  const mask = createMask(secrets);
  const holdsKey = (text: string) => mask(text) !== text;
  if (!holdsKey(`${error.message}\n${error.cause instanceof Error ? error.cause.message : ''}`)) return error;
  const { kind, text, faults, headers } = error;
  return new ServiceError(kind, toMasked(text, mask), { faults, headers });
}

function toMasked({ id, values }: Message, mask: (text: string) => string): Message {
  const masked = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'object' ? toMasked(value, mask) : mask(String(value)),
  ]);
  return toMessage(id, Object.fromEntries(masked));
}

/** The upstream answered with an exception report: it may have been one part of the request that it would not have. */
export function isException(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.text.id === 'wfs.exceptionReport';
}

/** What an upstream reports when it is not the request that is at fault (Géoplateforme does so with status 400). */
export function isPassing(error: ServiceError): boolean {
  return /obtain connection|timed?[ -]?out|too many|temporar|try again|overload|unavailable|connection (?:refused|reset|closed)|pool/i.test(
    error.message,
  );
}

/** MapServer 8.0: "Layer parcelle_fgb does not support sorting" (FlatGeobuf, shapefiles), before it looks at anything else. */
export function isAboutSorting(error: ServiceError): boolean {
  return /\bsort/i.test(error.message);
}

/** MapServer 8.0: "Invalid GetFeature Request:Invalid SRS", with the locator `srsname`. */
export function isAboutSrs(error: ServiceError): boolean {
  return /\bsrs(?:name)?\b/i.test(error.message);
}

/** Said by who has looked at the sort before (MapServer 8.0). */
export function isBehindSorting(error: ServiceError): boolean {
  return /\bInvalid SRS\b/.test(error.message);
}

const MAX_TEXT = 500;

/** Keys, addresses, file paths, stack traces and control characters stay here. */
export function toCleanText(text: string, secrets: readonly string[]): string {
  const clean = createMask(secrets)(text)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, '[address]')
    .replace(/^\s*at [\w.$<>/]+\(.*\)\s*$/gm, '')
    .replace(/(^|[\s"'(=])\/(?:[\w.-]+\/)+[\w.-]*/g, '$1[path]')
    .replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, ' ')
    .trim();
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT).replace(/\S*$/, '')}…` : clean;
}

function toKeyError(status: number, key: PlacedKey, wantsKey: boolean): ServiceError {
  if (!wantsKey) return new ServiceError('upstreamUnusable', toMessage('wfs.keyUnexpected', { status }));
  return key.isKeyed ? new ServiceError('keyRefused', toMessage('wfs.keyRefused')) : keyMissing();
}

/** GeoServer with exceptions=JSON: `{"version":…,"exceptions":[{"code","locator","text"}]}` */
function readJsonExceptions(body: string): GmlException[] | undefined {
  if (!/^\s*\{/.test(body)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  const root = parsed as Record<string, unknown>;
  const list = Array.isArray(root.exceptions) ? root.exceptions : [root];
  const word = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  const exceptions = (list as Record<string, unknown>[]).flatMap((item) => {
    const code = word(item?.code ?? item?.errorcode ?? item?.error_code);
    const text = word(item?.text ?? item?.error ?? item?.message ?? item?.detail);
    const locator = word(item?.locator);
    return code === undefined && text === undefined
      ? []
      : [{ ...(code && { code }), ...(locator && { locator }), text: text ?? '' }];
  });
  return exceptions.length > 0 ? exceptions : undefined;
}

/** Seconds until it may be asked again, at least 1 and at most a day: the first word of the upstream's that is one. */
export function toRetryAfter(refusal: Omit<Refusal, 'status' | 'contentType' | 'body'>, body = ''): number {
  const seconds = [refusal.retryAfter, readResetTime(body), refusal.rateLimitReset]
    .map(toSeconds)
    .find((one) => one !== undefined);
  return Math.min(86_400, Math.max(1, Math.ceil(seconds ?? 5)));
}

/** Opendatasoft: `{"errorcode":10005,"reset_time":"2026-11-24T00:00:00Z","limit_time_unit":"day",...}` */
function readResetTime(body: string): string | undefined {
  return /"reset_time"\s*:\s*"([^"\\]{1,40})"/.exec(body)?.[1];
}

/**
 * Seconds from now, out of seconds or a date (RFC 9110 §10.2.3). `X-RateLimit-Reset` has no standard: it is met as a
 * date, as seconds, as seconds since 1970, and as milliseconds since 1970.
 */
function toSeconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
  if (number !== undefined && number < 1e9) return number;
  const time = number === undefined ? Date.parse(value) : number < 1e12 ? number * 1000 : number;
  return Number.isFinite(time) ? (time - Date.now()) / 1000 : undefined;
}

function toMediaType(contentType: string): string {
  const type = contentType.split(';')[0]?.trim().slice(0, 60) ?? '';
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'something else';
}
