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
  let answer = new AnswerReader();
  let begun = 0;
  const send = () => {
    begun = performance.now();
    socket.write(`GET ${toPath()} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: */*\r\n\r\n`);
  };
  const take = (chunk: Buffer) => {
    if (!answer.take(chunk)) return;
    answer = new AnswerReader();
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

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/** Tells where an HTTP/1.1 answer ends, and keeps nothing of its body: what this costs, the server has not. */
class AnswerReader {
  private start: Buffer = Buffer.alloc(0);
  private hasHead = false;
  /** With the head; absent: in chunks. */
  private length: number | undefined;
  private received = 0;
  private tail: Buffer = Buffer.alloc(0);

  /** @returns whether this was the last of it @throws Error where it is not a 200 */
  take(chunk: Buffer): boolean {
    this.received += chunk.length;
    if (!this.hasHead) this.readHead(chunk);
    if (this.length !== undefined) return this.hasHead && this.received >= this.length;
    const isShort = chunk.length < LAST_CHUNK.length;
    this.tail = (isShort ? Buffer.concat([this.tail, chunk]) : chunk).subarray(-LAST_CHUNK.length);
    return this.hasHead && this.tail.equals(LAST_CHUNK);
  }

  private readHead(chunk: Buffer): void {
    this.start = this.start.length === 0 ? chunk : Buffer.concat([this.start, chunk]);
    const end = this.start.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.start.toString('latin1', 0, end).toLowerCase();
    if (!head.startsWith('http/1.1 200')) throw new Error(this.start.toString('utf8', 0, 1000));
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (length !== undefined) this.length = end + HEAD_END.length + Number(length);
    this.hasHead = true;
  }
}
