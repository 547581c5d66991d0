import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server was sent it. */
export interface Recorded {
  readonly operation: 'GetCapabilities' | 'DescribeFeatureType' | 'GetFeature' | 'other';
  readonly isHits: boolean;
  readonly body: string;
}

/** Stands between the service and a server: passes everything on as it is, and writes down what was asked. */
export interface RecordingProxy {
  readonly url: string;
  /** What was asked since it was last asked for this. */
  take(): Recorded[];
  close(): Promise<void>;
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  let recorded: Recorded[] = [];
  const server = createServer(async (asked, answer) => {
    const parts: Buffer[] = [];
    for await (const part of asked) parts.push(part);
    const body = Buffer.concat(parts);
    recorded.push(toRecorded(asked.url ?? '', body.toString()));
    passOn(target, asked, body, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.port = String(port);
  return {
    url: url.href,
    take() {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(target: string, asked: IncomingMessage, body: Buffer, answer: ServerResponse): void {
  const url = new URL(asked.url ?? '', target);
  const { host: _, ...headers } = asked.headers;
  const onward = request(url, { method: asked.method, headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
    reply.on('error', () => answer.destroy());
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  onward.end(body);
}

function toRecorded(url: string, body: string): Recorded {
  const named = body === '' ? (new URL(url, 'http://proxy').searchParams.get('request') ?? '') : body;
  const operations = ['GetCapabilities', 'DescribeFeatureType', 'GetFeature'] as const;
  const operation = operations.find((one) => named.includes(one)) ?? 'other';
  return { operation, isHits: /resultType="hits"/.test(body), body };
}
