import type { ClientRequest, IncomingMessage } from 'node:http';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ServiceError, toMessage } from '../errors.js';
import type { TraceContext } from '../metrics/index.js';
import type { Signal } from '../signal.js';
import { isPrivateAddress } from './addresses.js';
import { createAgents } from './agents.js';
import { type Chunks, StreamChunks } from './chunks.js';
import type { Deadline } from './deadline.js';
import { type Exchange, exchange } from './exchange.js';
import type { PlacedKey } from './keys.js';

/** One WFS request, before the key is put in. */
export interface WfsRequest {
  /** KVP of a GET; absent: a POST of `body`. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** XML, sent as `text/xml` (form encoding fails on MapServer). */
  readonly body?: string;
  readonly key: PlacedKey;
  readonly signal: Signal;
  readonly deadline: Deadline;
  /** What it is a part of in a trace. */
  readonly trace?: TraceContext | undefined;
  /** Where a redirect leads, instead of the upstream's own address: asked as it stands. */
  readonly target?: Target;
  /** On a connection of its own. */
  readonly isFresh?: boolean;
  /** Called when all of it has been written to a connection. */
  readonly onSent?: () => void;
}

/** An address that a redirect named. */
export interface Target {
  readonly url: URL;
  /** Another host than the upstream's: nothing that was meant for that one is sent. */
  readonly isForeign: boolean;
  /** It may be at a private address. */
  readonly mayBePrivate: boolean;
}

/** Where an answer says that another address has it. */
export interface Redirect {
  /** RFC 9110 §10.2.2, as it was sent. */
  readonly location: string;
  /** What was asked; it may hold the key. */
  readonly from: URL;
  /** Whether who said so is at a private address; undefined behind a proxy, where that cannot be seen. */
  readonly isFromPrivate: boolean | undefined;
}

export interface WfsResponse {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly rateLimitReset?: string | undefined;
  readonly redirect?: Redirect | undefined;
  /** Decompressed bytes, as they arrive; ending the iteration ends the request. @throws upstream* */
  readonly chunks: Chunks;
}

export interface Transport {
  /** Resolves with the answer's headers. @throws upstreamTimeout, upstreamUnusable, unavailable, StaleConnection */
  send(request: WfsRequest): Promise<WfsResponse>;
  close(): void;
}

/**
 * A kept-alive connection that the upstream had closed meanwhile: nothing was answered, and a query may be sent twice
 * (RFC 9110 §9.2.2).
 */
export class StaleConnection extends Error {}

export interface TransportOptions {
  /** May hold `{apikey}` and parameters of its own. */
  readonly url: string;
  readonly referer?: string | undefined;
  /** A proxy for the upstream's scheme, where one is set and the upstream is not exempt from it. */
  readonly proxy?: string | undefined;
  readonly responseTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxResponseBytes: number;
}

/** A connection that takes longer is a lost packet or a dead host: another try finds out sooner than waiting does. */
const CONNECT_TIMEOUT_MS = 5000;

export function createTransport(options: TransportOptions): Transport {
  const agents = createAgents(options.proxy, true);
  const freshAgents = createAgents(options.proxy, false);
  const toAddress = createAddress(options.url);
  const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, options.responseTimeoutMs);
  return {
    async send(request) {
      const { body, signal, target } = request;
      signal.throwIfAborted();
      let begun: ClientRequest | undefined;
      const abort = () => void begun?.destroy();
      signal.addEventListener('abort', abort, { once: true });
      try {
        const url = toAddress(request);
        const isGuarded = target?.mayBePrivate === false;
        const asked: Exchange = {
          url,
          headers: toHeaders(request, options),
          ...(body !== undefined && { body: Buffer.from(body) }),
          agents: request.isFresh === true || isGuarded ? freshAgents : agents,
          connectTimeoutMs,
          isGuarded,
          onSent: request.onSent,
          onBegun(given) {
            begun = given;
          },
        };
        const response = await request.deadline.wait(
          exchange(asked),
          options.responseTimeoutMs,
          'wfs.noAnswer',
        );
        const { statusCode: status = 0, headers } = response;
        return {
          status,
          contentType: headers['content-type'] ?? '',
          retryAfter: headers['retry-after'],
          rateLimitReset: toText(headers['x-ratelimit-reset']),
          redirect: toRedirect(response, url, options),
          chunks: toChunks(toPlainStream(response), request, options, abort),
        };
      } catch (error) {
        abort();
        signal.removeEventListener('abort', abort);
        if (!signal.aborted && isStaleConnection(error)) throw new StaleConnection('closed meanwhile');
        throw toTransportError(error, signal);
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/**
 * The upstream's address with the key and the request in it; a redirect's as it stands. A POST without a key in its address
 * goes to the same one as all others.
 */
function createAddress(url: string): (request: WfsRequest) => URL {
  const plain = url.includes('{apikey}') ? undefined : new URL(url);
  return ({ parameters, key, target }) => {
    if (target !== undefined) return target.url;
    const added = { ...parameters, ...key.parameters };
    if (plain !== undefined && Object.keys(added).length === 0) return plain;
    const own = new URL(url.replaceAll('{apikey}', () => key.path ?? ''));
    for (const [name, value] of Object.entries(added)) {
      for (const present of [...own.searchParams.keys()]) {
        if (present.toLowerCase() === name.toLowerCase()) own.searchParams.delete(present); // KVP names have no case
      }
      own.searchParams.set(name, value);
    }
    return own;
  };
}

function toHeaders(
  { body, key, target }: WfsRequest,
  { referer }: TransportOptions,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {
    Accept: 'text/xml, application/xml, application/gml+xml, */*;q=0.1',
    'Accept-Encoding': 'gzip, deflate, br',
    'User-Agent': 'carto-wfs',
  };
  if (!target?.isForeign) Object.assign(headers, key.headers);
  if (referer !== undefined && !target?.isForeign) headers.Referer = referer;
  if (body !== undefined) headers['Content-Type'] = 'text/xml; charset=UTF-8';
  return headers;
}

function toRedirect(
  { statusCode: status = 0, headers, socket }: IncomingMessage,
  from: URL,
  { proxy }: TransportOptions,
): Redirect | undefined {
  const { location } = headers;
  if (location === undefined || status < 300 || status > 399) return undefined;
  const { remoteAddress } = socket;
  const isSeen = proxy === undefined && remoteAddress !== undefined;
  return { location, from, isFromPrivate: isSeen ? isPrivateAddress(remoteAddress) : undefined };
}

/** RFC 9110 §8.4. A body that ends too early is an error of the decoder. */
function toPlainStream(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const decoder = DECODERS.get(encoding)?.();
  if (decoder === undefined) return response;
  pipeline(response, decoder, () => {}); // errors come out of the decoder
  return decoder;
}

const DECODERS: ReadonlyMap<string, () => Duplex> = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

function toChunks(
  stream: Readable,
  { signal, deadline }: WfsRequest,
  { idleTimeoutMs, maxResponseBytes }: TransportOptions,
  abort: () => void,
): Chunks {
  const toFault = (error: unknown) => toTransportError(error, signal);
  const end = () => {
    signal.removeEventListener('abort', abort);
    stream.destroy();
    if (!stream.readableEnded) abort();
  };
  return new StreamChunks(stream, {
    deadline,
    signal,
    idleTimeoutMs,
    maxBytes: maxResponseBytes,
    toFault,
    end,
  });
}

function isStaleConnection(error: unknown): boolean {
  const { code, request } = error as { code?: unknown; request?: { reusedSocket?: unknown } };
  return request?.reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** Errors of sockets, TLS, DNS and decompression, without the request they carry (it holds the key). */
function toTransportError(error: unknown, signal: Signal): unknown {
  if (error instanceof ServiceError) return error;
  if (signal.aborted) return signal.reason;
  const code = String((error as { code?: unknown }).code ?? 'unknown');
  if (code === 'ETIMEDOUT')
    return new ServiceError('upstreamTimeout', toMessage('wfs.unreachable', { code }));
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)) {
    return new ServiceError('upstreamUnusable', toMessage('wfs.unreachable', { code }));
  }
  return new ServiceError('upstreamUnusable', toMessage('wfs.brokenOff', { code }));
}

function toText(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
