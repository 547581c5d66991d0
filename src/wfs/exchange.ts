import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { Axios, type AxiosAdapter, type AxiosResponse } from 'axios';
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
 * for (redirects, proxies, progress, decompression that may be cut off without a word): 9 % of what a search of one feature
 * takes, and 3 % so.
 */
const client = new Axios({ headers: {} as never });

/** Resolves with the headers of the answer, whatever its status. @throws what Node says, with the request it is of */
export function exchange(asked: Exchange): Promise<AxiosResponse<IncomingMessage>> {
  return client.request<IncomingMessage>({
    method: asked.body === undefined ? 'get' : 'post',
    url: asked.url.href,
    headers: asked.headers as Record<string, string>,
    data: asked.body,
    adapter: createAdapter(asked),
  });
}

const createAdapter =
  (asked: Exchange): AxiosAdapter =>
  (config) =>
    new Promise((resolve, reject) => {
      const request = begin(asked);
      request.on('error', (error) => reject(Object.assign(error, { request })));
      request.once('response', (data: IncomingMessage) => {
        const { statusCode: status = 0, statusMessage: statusText = '', headers } = data;
        resolve({ data, status, statusText, headers: headers as never, config, request });
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
    method: body === undefined ? 'GET' : 'POST',
    headers,
    agent: isTls ? agents.https : agents.http,
    ...(isGuarded && { lookup: lookupPublic }),
  };
  return isTls ? requestHttps(url, options) : requestHttp(url, options);
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
