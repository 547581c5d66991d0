import { once } from 'node:events';
import { connect } from 'node:net';

/** What so many connections got, each asking the next question when it has the whole answer to the last. */
export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds in which 99 of 100 were answered. */
  readonly p99: number;
}

/** How long. */
type Bound = { readonly seconds: number } | { readonly requests: number };

/**
 * Not a tool of the shelf: those take one URL, or hold all of them ready, and every question here is another one.
 * @throws Error where any answer was not a 200
 */
export async function load(
  url: string,
  toPath: () => string,
  { connections, ...bound }: Bound & { readonly connections: number },
): Promise<Load> {
  const latencies: number[] = [];
  const begun = performance.now();
  const isOver = () =>
    'seconds' in bound
      ? performance.now() - begun >= bound.seconds * 1000
      : latencies.length >= bound.requests;
  await Promise.all(Array.from({ length: connections }, () => ask(new URL(url), toPath, isOver, latencies)));
  const sorted = latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    perSecond: latencies.length / ((performance.now() - begun) / 1000),
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
}

/** One connection that asks, reads the whole answer, and asks again. */
async function ask(
  { hostname, port }: URL,
  toPath: () => string,
  isOver: () => boolean,
  latencies: number[],
): Promise<void> {
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.setNoDelay(true);
  let parts: Buffer[] = [];
  let received = 0;
  let end: number | undefined;
  let begun = 0;
  const send = () => {
    begun = performance.now();
    socket.write(`GET ${toPath()} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: */*\r\n\r\n`);
  };
  const take = (chunk: Buffer) => {
    parts.push(chunk);
    received += chunk.length;
    // a length is read once; without one, only the tail is looked at
    end ??= toEnd(parts.length === 1 ? chunk : Buffer.concat(parts));
    if (end === undefined || received < end) return;
    parts = [];
    received = 0;
    end = undefined;
    latencies.push(performance.now() - begun);
    if (isOver()) socket.destroy();
    else send();
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('data', (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
    send();
  });
}

const LAST_CHUNK = '\r\n0\r\n\r\n';

/** Where an HTTP/1.1 answer at the beginning of the bytes ends; undefined: not yet. */
function toEnd(bytes: Buffer): number | undefined {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const text = bytes.toString('latin1', 0, head).toLowerCase();
  if (!text.startsWith('http/1.1 200')) throw new Error(bytes.toString('utf8', 0, 1000));
  const length = /\r\ncontent-length: *(\d+)/.exec(text)?.[1];
  if (length !== undefined) return head + 4 + Number(length);
  return bytes.subarray(-LAST_CHUNK.length).toString('latin1') === LAST_CHUNK ? bytes.length : undefined;
}
