import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  /** Whether a socket is given only once the tunnel through a proxy stands. */
  readonly isProxied: boolean;
}

/** @param proxy for the upstream's scheme */
export function createAgents(proxy: string | undefined, keepAlive: boolean): Agents {
  const options = { keepAlive, maxSockets: 256, maxFreeSockets: 64 };
  const isProxied = proxy !== undefined;
  if (isProxied)
    return {
      http: new HttpProxyAgent(proxy, options),
      https: new HttpsProxyAgent(proxy, options),
      isProxied,
    };
  const reading = { ...options, onread };
  return { http: new HttpAgent(reading), https: new HttpsAgent(reading), isProxied };
}

/**
 * What every socket reads into, in turn: Node's parser copies what it gives of a head and of a body, before the next read.
 * Left alone, Node takes 64 kB anew for each read, as much again as the answer, and V8 collects the more often for it.
 */
const READ = Buffer.allocUnsafeSlow(64 * 1024);

/** Options of an agent go to node:net too; the parser listens to `data`. */
const onread = {
  buffer: READ,
  callback(this: Socket, length: number, buffer: Uint8Array): boolean {
    this.emit('data', buffer.subarray(0, length));
    return true;
  },
};
