import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { Axios, type AxiosAdapter, AxiosHeaders } from 'axios';
import { isPrivateHost, lookupPublic, PRIVATE_ADDRESS } from './addresses.js';
import type { Agents } from './agents.js';

/** One request as it goes over the wire. */
export interface Exchange {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; absent: a GET. */
  readonly body?: Buffer;
  readonly agents: Agents;
  readonly connectTimeoutMs: number;
  /** Only to a public address. */
  readonly isGuarded: boolean;
  /** Called when all of it has been written to a connection. */
  readonly onSent?: (() => void) | undefined;
  /** What destroys the request destroys the answer too. */
  readonly onBegun: (request: ClientRequest) => void;
}

/**
 * Axios with an adapter of our own, straight over node:http: its own one clones and checks what the service has no use
 * for (redirects, proxies, progress, decompression that may be cut off without a word). It is told the method and the address;
 * headers, which it would read and write anew several times, go by it both ways.
 */
const client = new Axios({});
const BY_MESSAGE = new AxiosHeaders();

/** Resolves with the head of the answer, whatever its status. @throws what Node says, with the request it is of */
export async function exchange(asked: Exchange): Promise<IncomingMessage> {
  const response = await client.request<IncomingMessage>({
    method: asked.body === undefined ? 'get' : 'post',
    url: asked.url.href,
    adapter: createAdapter(asked),
  });
  return response.data;
}

const createAdapter =
  (asked: Exchange): AxiosAdapter =>
  (config) =>
    new Promise((resolve, reject) => {
      const request = begin(asked);
      request.on('error', (error) => reject(Object.assign(error, { request })));
      request.once('response', (data: IncomingMessage) => {
        const { statusCode: status = 0, statusMessage: statusText = '' } = data;
        resolve({ data, status, statusText, headers: BY_MESSAGE, config, request });
      });
      if (asked.onSent !== undefined) request.once('finish', asked.onSent);
      boundConnecting(request, asked);
      asked.onBegun(request);
      request.end(asked.body);
    });

function begin({ url, headers, body, agents, isGuarded }: Exchange): ClientRequest {
  if (isGuarded && isPrivateHost(url.hostname)) throw toCoded(PRIVATE_ADDRESS);
  const isTls = url.protocol === 'https:';
  const options: RequestOptions = {
    ...toPlace(url),
    method: body === undefined ? 'GET' : 'POST',
    headers,
    agent: isTls ? agents.https : agents.http,
    ...(isGuarded && { lookup: lookupPublic }),
  };
  return isTls ? requestHttps(options) : requestHttp(options);
}

type Place = Pick<RequestOptions, 'protocol' | 'hostname' | 'port' | 'path' | 'auth'>;

const places = new WeakMap<URL, Place>();

/** What of a URL says where a request goes: of one that is asked again, and of no more than is needed, since Node copies it. */
function toPlace(url: URL): Place {
  const known = places.get(url);
  if (known !== undefined) return known;
  const { protocol, hostname, port, path, auth } = urlToHttpOptions(url);
  const place = { protocol, hostname, port, path, ...(auth != null && { auth }) };
  places.set(url, place);
  return place;
}

/** Through a proxy the agent gives the socket once the tunnel stands; a socket that is kept alive is connected already. */
function boundConnecting(request: ClientRequest, { agents, connectTimeoutMs }: Exchange): void {
  const start = () => setTimeout(() => request.destroy(toCoded('ETIMEDOUT')), connectTimeoutMs);
  let timer = agents.isProxied ? start() : undefined;
  const end = () => clearTimeout(timer);
  request.once('socket', (socket: Socket & { secureConnecting?: boolean }) => {
    if (!socket.connecting && !socket.secureConnecting) return end();
    timer ??= start();
    socket.once(socket.secureConnecting ? 'secureConnect' : 'connect', end);
    request.once('close', end);
  });
  if (timer !== undefined) request.once('close', end);
}

function toCoded(code: string): Error {
  return Object.assign(new Error(code), { code });
}
