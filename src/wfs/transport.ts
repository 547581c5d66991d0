import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { ServiceError, toMessage } from '../errors.js';
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
}

export interface WfsResponse {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly rateLimitReset?: string | undefined;
  /** Decompressed bytes, as they arrive; ending the iteration ends the request. @throws upstream* */
  readonly chunks: AsyncGenerator<Uint8Array, void, void>;
}

export interface Transport {
  /** Resolves with the answer's headers. @throws upstreamTimeout, upstreamUnusable, unavailable */
  send(request: WfsRequest): Promise<WfsResponse>;
  close(): void;
}

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
      try {
        const config = toRequestConfig(request, options, controller.signal);
        const response = await request.deadline.wait(
          client.request(config).catch((error: unknown) => {
            if (!isStaleConnection(error)) throw error;
            return client.request({ ...config, ...freshAgents });
          }),
          options.responseTimeoutMs,
          'wfs.noAnswer',
        );
        return {
          status: response.status,
          contentType: String(response.headers['content-type'] ?? ''),
          retryAfter: toHeader(response.headers['retry-after']),
          rateLimitReset: toHeader(response.headers['x-ratelimit-reset']),
          chunks: readChunks(toPlainStream(response), request, options, abort),
        };
      } catch (error) {
        controller.abort();
        request.signal.removeEventListener('abort', abort);
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
    maxRedirects: 0, // a key follows no redirect
    maxBodyLength: Number.POSITIVE_INFINITY,
    maxContentLength: -1, // counted here, over what is decompressed
  });
}

function createAgents(proxy: string | undefined, keepAlive: boolean) {
  const options = { keepAlive, maxSockets: 256, maxFreeSockets: 64 };
  if (proxy === undefined) return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
  return { httpAgent: new HttpProxyAgent(proxy, options), httpsAgent: new HttpsProxyAgent(proxy, options) };
}

function toRequestConfig(
  { parameters, body, key }: WfsRequest,
  { url, referer }: TransportOptions,
  signal: AbortSignal,
): Partial<InternalAxiosRequestConfig> {
  const target = new URL(url.replaceAll('{apikey}', () => key.path ?? ''));
  for (const [name, value] of Object.entries({ ...parameters, ...key.parameters })) {
    for (const present of [...target.searchParams.keys()]) {
      if (present.toLowerCase() === name.toLowerCase()) target.searchParams.delete(present); // KVP names have no case
    }
    target.searchParams.set(name, value);
  }
  const headers: Record<string, string> = {
    Accept: 'text/xml, application/xml, application/gml+xml, */*;q=0.1',
    'Accept-Encoding': 'gzip, deflate, br',
    'User-Agent': 'carto-wfs',
    ...key.headers,
    ...(referer !== undefined && { Referer: referer }),
    ...(body !== undefined && { 'Content-Type': 'text/xml; charset=UTF-8' }),
  };
  return {
    method: body === undefined ? 'GET' : 'POST',
    url: target.href,
    headers: headers as unknown as InternalAxiosRequestConfig['headers'],
    signal,
    ...(body !== undefined && { data: Buffer.from(body) }),
  };
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

async function* readChunks(
  stream: Readable,
  { deadline, signal }: WfsRequest,
  { idleTimeoutMs, maxResponseBytes }: TransportOptions,
  abort: () => void,
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
    signal.removeEventListener('abort', abort);
    stream.on('error', () => {}); // what a destroyed stream still has to say is no news
    stream.destroy();
    if (!stream.readableEnded) abort();
  }
}

/**
 * A kept-alive connection that the upstream had closed meanwhile: nothing was answered, and a query may be sent twice
 * (RFC 9110 §9.2.2).
 */
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
