import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { ServiceError, toMessage } from '../errors.js';
import { isPrivateAddress, isPrivateHost, lookupPublic, PRIVATE_ADDRESS } from './addresses.js';
import type { Deadline } from './deadline.js';
import type { PlacedKey } from './keys.js';

/** One WFS request, before the key is put in. */
export interface WfsRequest {
  /** KVP of a GET; absent: a POST of `body`. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** XML, sent as `text/xml` (form encoding fails on MapServer). */
  readonly body?: string;
  readonly key: PlacedKey;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
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
  readonly chunks: AsyncGenerator<Uint8Array, void, void>;
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
  const client = createClient(agents);
  return {
    async send(request) {
      const controller = new AbortController();
      const abort = () => controller.abort();
      request.signal.throwIfAborted();
      request.signal.addEventListener('abort', abort, { once: true });
      const target = toTargetUrl(request, options);
      try {
        const config = toRequestConfig(request, target, options, controller.signal);
        const isFresh = request.isFresh === true || request.target?.mayBePrivate === false;
        const response = await request.deadline.wait(
          client.request(isFresh ? { ...config, ...freshAgents } : config),
          options.responseTimeoutMs,
          'wfs.noAnswer',
        );
        return {
          status: response.status,
          contentType: String(response.headers['content-type'] ?? ''),
          retryAfter: toHeader(response.headers['retry-after']),
          rateLimitReset: toHeader(response.headers['x-ratelimit-reset']),
          redirect: toRedirect(response, target, options),
          chunks: toChunks(toPlainStream(response), request, options, abort),
        };
      } catch (error) {
        controller.abort();
        request.signal.removeEventListener('abort', abort);
        if (!request.signal.aborted && isStaleConnection(error))
          throw new StaleConnection('closed meanwhile');
        throw toTransportError(error, request.signal);
      }
    },
    close() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/** Axios does what the service needs of it and nothing more: each transform left on costs every request. */
function createClient(agents: ReturnType<typeof createAgents>): AxiosInstance {
  return axios.create({
    ...agents,
    adapter: 'http',
    proxy: false, // the agents know the proxy
    responseType: 'stream',
    decompress: false, // done here: what axios decompresses may be cut off without a word
    transformRequest: [(data) => data],
    transformResponse: [],
    validateStatus: () => true,
    maxRedirects: 0, // a key follows no redirect: see redirect.ts
    maxBodyLength: Number.POSITIVE_INFINITY,
    maxContentLength: -1, // counted here, over what is decompressed
  });
}

function createAgents(proxy: string | undefined, keepAlive: boolean) {
  const options = { keepAlive, maxSockets: 256, maxFreeSockets: 64 };
  if (proxy === undefined) return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
  return { httpAgent: new HttpProxyAgent(proxy, options), httpsAgent: new HttpsProxyAgent(proxy, options) };
}

/** The upstream's address with the key and the request in it; a redirect's as it stands. */
function toTargetUrl({ parameters, key, target }: WfsRequest, { url }: TransportOptions): URL {
  if (target !== undefined) return target.url;
  const own = new URL(url.replaceAll('{apikey}', () => key.path ?? ''));
  for (const [name, value] of Object.entries({ ...parameters, ...key.parameters })) {
    for (const present of [...own.searchParams.keys()]) {
      if (present.toLowerCase() === name.toLowerCase()) own.searchParams.delete(present); // KVP names have no case
    }
    own.searchParams.set(name, value);
  }
  return own;
}

function toRequestConfig(
  request: WfsRequest,
  url: URL,
  options: TransportOptions,
  signal: AbortSignal,
): Partial<InternalAxiosRequestConfig> {
  const { body, key, target } = request;
  const headers: Record<string, string> = {
    Accept: 'text/xml, application/xml, application/gml+xml, */*;q=0.1',
    'Accept-Encoding': 'gzip, deflate, br',
    'User-Agent': 'carto-wfs',
    ...(target?.isForeign ? {} : key.headers),
    ...(options.referer !== undefined && !target?.isForeign && { Referer: options.referer }),
    ...(body !== undefined && { 'Content-Type': 'text/xml; charset=UTF-8' }),
  };
  return {
    method: body === undefined ? 'GET' : 'POST',
    url: url.href,
    headers: headers as unknown as InternalAxiosRequestConfig['headers'],
    signal,
    transport: createRequester(request, options),
    ...(body !== undefined && { data: Buffer.from(body) }),
  };
}

/** Node's own request, with what axios has no setting for: a timeout for the connection alone, and when it went out. */
function createRequester({ target, onSent }: WfsRequest, { responseTimeoutMs }: TransportOptions) {
  return {
    request(given: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest {
      const isGuarded = target?.mayBePrivate === false;
      if (isGuarded && isPrivateHost(given.hostname ?? '')) throw toCoded(PRIVATE_ADDRESS);
      const options = isGuarded ? { ...given, lookup: lookupPublic } : given;
      const isTls = given.protocol === 'https:';
      const request = isTls ? requestHttps(options, onResponse) : requestHttp(options, onResponse);
      if (onSent !== undefined) request.once('finish', onSent);
      boundConnecting(request, Math.min(CONNECT_TIMEOUT_MS, responseTimeoutMs));
      return request;
    },
  };
}

/** Also through a proxy, whose agent gives the socket once the tunnel stands. */
function boundConnecting(request: ClientRequest, milliseconds: number): void {
  const timer = setTimeout(() => request.destroy(toCoded('ETIMEDOUT')), milliseconds);
  const end = () => clearTimeout(timer);
  request.once('close', end);
  request.once('socket', (socket: Socket & { secureConnecting?: boolean }) => {
    if (!socket.connecting && !socket.secureConnecting) end();
    else socket.once(socket.secureConnecting ? 'secureConnect' : 'connect', end);
  });
}

function toCoded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function toRedirect(
  { status, headers, request }: AxiosResponse,
  from: URL,
  { proxy }: TransportOptions,
): Redirect | undefined {
  const location = toHeader(headers.location);
  if (location === undefined || status < 300 || status > 399) return undefined;
  const { remoteAddress } = (request as ClientRequest).socket ?? {};
  const isSeen = proxy === undefined && remoteAddress !== undefined;
  return { location, from, isFromPrivate: isSeen ? isPrivateAddress(remoteAddress) : undefined };
}

/** RFC 9110 §8.4. A body that ends too early is an error of the decoder. */
function toPlainStream(response: AxiosResponse<Readable>): Readable {
  const encoding = toHeader(response.headers['content-encoding'])?.trim().toLowerCase() ?? 'identity';
  const decoder = DECODERS.get(encoding)?.();
  if (decoder === undefined) return response.data;
  pipeline(response.data, decoder, () => {}); // errors come out of the decoder
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
  request: WfsRequest,
  options: TransportOptions,
  abort: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  stream.on('error', () => {}); // the reader is told; what a destroyed stream still has to say is no news
  const end = () => {
    request.signal.removeEventListener('abort', abort);
    stream.destroy();
    if (!stream.readableEnded) abort();
  };
  return toEndable(readChunks(stream, request, options, end), end);
}

/** A generator that was never begun has no `finally` to clean up with: ending it ends the request all the same. */
export function toEndable<T>(
  chunks: AsyncGenerator<T, void, void>,
  end: () => void,
): AsyncGenerator<T, void, void> {
  const begin = chunks.next.bind(chunks);
  const giveUp = chunks.return.bind(chunks);
  let isBegun = false;
  return Object.assign(chunks, {
    next() {
      isBegun = true;
      return begin();
    },
    return() {
      if (!isBegun) end();
      return giveUp();
    },
  });
}

async function* readChunks(
  stream: Readable,
  { deadline, signal }: WfsRequest,
  { idleTimeoutMs, maxResponseBytes }: TransportOptions,
  end: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
  let received = 0;
  try {
    for (;;) {
      const step = await deadline.wait(chunks.next(), idleTimeoutMs, 'wfs.stalled');
      if (step.done) return;
      received += step.value.length;
      if (received > maxResponseBytes) {
        throw new ServiceError(
          'upstreamUnusable',
          toMessage('wfs.answerTooLarge', { bytes: maxResponseBytes }),
        );
      }
      yield step.value;
    }
  } catch (error) {
    throw toTransportError(error, signal);
  } finally {
    end();
  }
}

function isStaleConnection(error: unknown): boolean {
  const { code, request } = error as { code?: unknown; request?: { reusedSocket?: unknown } };
  return request?.reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** Errors of sockets, TLS, DNS and decompression, without the request they carry (it holds the key). */
function toTransportError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof ServiceError || signal.aborted) return error;
  const code = String((error as { code?: unknown }).code ?? 'unknown');
  if (code === 'ETIMEDOUT')
    return new ServiceError('upstreamTimeout', toMessage('wfs.unreachable', { code }));
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)) {
    return new ServiceError('upstreamUnusable', toMessage('wfs.unreachable', { code }));
  }
  return new ServiceError('upstreamUnusable', toMessage('wfs.brokenOff', { code }));
}

function toHeader(value: AxiosResponse['headers'][string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
