import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDeadline } from '../../src/wfs/deadline.js';
import { type PlacedKey, toPlacedKey } from '../../src/wfs/keys.js';
import {
  createTransport,
  StaleConnection,
  type Transport,
  type TransportOptions,
} from '../../src/wfs/transport.js';

const open: { server: Server; transport?: Transport }[] = [];
afterEach(() => {
  for (const { server, transport } of open.splice(0)) {
    transport?.close();
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: RequestListener, options: Partial<TransportOptions> = {}) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/wfs`;
  const transport = createTransport({
    responseTimeoutMs: 500,
    idleTimeoutMs: 300,
    maxResponseBytes: 1e6,
    ...options,
    url: options.url?.replace('BASE', url) ?? url,
  });
  open.push({ server, transport });
  return { server, transport, url };
}

async function readCertificate() {
  const at = (name: string) => readFile(new URL(`../fixtures/tls/${name}`, import.meta.url));
  return { key: await at('key.pem'), cert: await at('certificate.pem') };
}

const noKey = toPlacedKey({ places: [] }, {});
const ask = (
  transport: Transport,
  key: PlacedKey = noKey,
  signal = new AbortController().signal,
  deadlineMs = 5000,
) =>
  transport.send({
    parameters: { request: 'GetCapabilities' },
    key,
    signal,
    deadline: createDeadline(deadlineMs),
  });

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

describe('an answer that is not read to its end', () => {
  test.each([
    ['a few bytes are left: its connection is used again', 1000, 1],
    ['much is left: its connection is closed', 5e6, 2],
  ])('%s', async (_, left, connections) => {
    let seen = 0;
    const { server, transport } = await serve((_, response) => {
      response.write('<a>');
      setTimeout(() => response.end('x'.repeat(left)), 10);
    });
    server.on('connection', () => {
      seen += 1;
    });
    for (let round = 0; round < 2; round += 1) {
      const { chunks } = await ask(transport);
      for await (const _chunk of chunks) break;
    }
    expect(seen).toBe(connections);
  });
});

describe('an answer of several megabytes', () => {
  const body = Buffer.alloc(3e6, 'abcdefghij klmnopqrst');

  test.each(['with its length', 'in chunks'])(
    '%s: nothing is lost, whoever waits for whom, also on a connection that is used again',
    async (kind) => {
      const { transport } = await serve(
        (_, response) => {
          if (kind === 'with its length') response.setHeader('Content-Length', body.length);
          for (let at = 0; at < body.length; at += 99_999) response.write(body.subarray(at, at + 99_999));
          response.end();
        },
        { maxResponseBytes: 1e7 },
      );
      const readSlowly = async (pauseMs: number) => {
        const parts: Uint8Array[] = [];
        const { chunks } = await ask(transport);
        for await (const chunk of chunks) {
          parts.push(chunk);
          for (let more = chunks.more?.(); more !== undefined; more = chunks.more?.()) parts.push(more);
          if (pauseMs > 0) await pause(pauseMs);
        }
        return Buffer.concat(parts).equals(body);
      };
      for (let round = 0; round < 3; round += 1) {
        expect(await Promise.all([0, 1, 5, 0].map(readSlowly))).toEqual([true, true, true, true]);
      }
    },
  );

  test('is not read on while nobody takes it', async () => {
    let written = 0;
    const { transport } = await serve(
      (_, response) => {
        const write = () => {
          while (written < 1e8 && response.write(body)) written += body.length;
        };
        response.on('drain', write);
        write();
      },
      { maxResponseBytes: 1e9 },
    );
    const { chunks } = await ask(transport);
    await chunks.next();
    await pause(200);
    expect(written).toBeLessThan(5e7);
    await chunks.return();
  });

  test('more than it may have is refused, also where it comes at once', async () => {
    const { transport } = await serve((_, response) => response.end(body));
    const { chunks } = await ask(transport);
    const readAll = async () => {
      for await (const _ of chunks) while (chunks.more?.() !== undefined);
    };
    await expect(readAll()).rejects.toMatchObject({ kind: 'upstreamUnusable' });
  });
});

describe('a request', () => {
  test('keeps the parameters of the upstream\u2019s own URL, and puts the key in its places alone', async () => {
    let seen: IncomingMessage | undefined;
    const { transport } = await serve(
      (request, response) => {
        seen = request;
        response.end('<a/>');
      },
      { url: 'BASE/{apikey}?map=CAD&REQUEST=x', referer: 'https://a.fr' },
    );
    const rule = {
      places: [{ in: 'path' }, { in: 'query', name: 'k' }, { in: 'header', name: 'x-k' }] as const,
    };
    await read((await ask(transport, toPlacedKey(rule, { apikey: 'a/b' }))).chunks).catch(() => '');
    await expect(read((await ask(transport, toPlacedKey(rule, { apikey: 'ab' }))).chunks)).resolves.toBe(
      '<a/>',
    );
    expect(seen?.url).toBe('/wfs/ab?map=CAD&request=GetCapabilities&k=ab');
    expect(seen?.headers).toMatchObject({ 'x-k': 'ab', referer: 'https://a.fr' });
    expect(seen?.headers.authorization).toBeUndefined();
  });

  test('is a POST of text/xml when it has a body, and takes gzip', async () => {
    let seen: IncomingMessage | undefined;
    let body = '';
    const { transport } = await serve(async (request, response) => {
      seen = request;
      for await (const part of request) body += part;
      response.setHeader('Content-Encoding', 'gzip');
      response.end(gzipSync('<é/>'));
    });
    const { signal } = new AbortController();
    const response = await transport.send({
      body: '<ü/>',
      key: noKey,
      signal,
      deadline: createDeadline(5000),
    });
    await expect(read(response.chunks)).resolves.toBe('<é/>');
    expect(seen).toMatchObject({ method: 'POST' });
    expect(seen?.headers).toMatchObject({ 'content-type': 'text/xml; charset=UTF-8', 'content-length': '5' });
    expect(seen?.headers['accept-encoding']).toContain('gzip');
    expect(body).toBe('<ü/>');
  });
});

describe('an upstream that fails is told apart', () => {
  test('no answer in time', async () => {
    const { transport } = await serve(() => {});
    await expect(ask(transport)).rejects.toMatchObject({
      kind: 'upstreamTimeout',
      message: expect.stringContaining('0.5 s'),
    });
  });

  test('the deadline of the whole request is nearer', async () => {
    const { transport } = await serve(() => {});
    await expect(ask(transport, noKey, undefined, 100)).rejects.toMatchObject({ kind: 'upstreamTimeout' });
  });

  test('it stalls in the middle', async () => {
    const { transport } = await serve((_, response) => void response.write('<a>'));
    const { chunks } = await ask(transport);
    await expect(read(chunks)).rejects.toMatchObject({
      kind: 'upstreamTimeout',
      text: { id: 'wfs.stalled' },
    });
  });

  test('it drips until the whole request has taken too long, though it never stalled', async () => {
    const { transport } = await serve((_, response) => {
      const drip = setInterval(() => response.write('<a/>'), 50);
      response.on('close', () => clearInterval(drip));
    });
    const { chunks } = await ask(transport, noKey, undefined, 400);
    await expect(read(chunks)).rejects.toMatchObject({
      kind: 'upstreamTimeout',
      message: 'The upstream WFS took more than 0.4 s in all (REQUEST_DEADLINE_MS).',
    });
  });

  test.each(['constructor', '__proto__', 'toString', 'utf-8'])(
    'it names a content encoding that is none, %s: the bytes are taken as they are',
    async (encoding) => {
      const { transport } = await serve((_, response) => {
        response.setHeader('Content-Encoding', encoding);
        response.end('<a/>');
      });
      await expect(read((await ask(transport)).chunks)).resolves.toBe('<a/>');
    },
  );

  test('it refuses the connection', async () => {
    const { transport, server } = await serve(() => {});
    server.close();
    await expect(ask(transport)).rejects.toMatchObject({
      kind: 'upstreamUnusable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('it breaks off, before and in the body, plain and compressed', async () => {
    const bytes = gzipSync(Buffer.from('x'.repeat(100_000)));
    const broken: RequestListener[] = [
      (request) => request.socket.destroy(),
      (request, response) => {
        response.setHeader('Content-Length', 100);
        response.write('<a>', () => request.socket.destroy());
      },
      (_, response) => {
        response.setHeader('Content-Encoding', 'gzip');
        response.end(bytes.subarray(0, 60));
      },
    ];
    for (const answer of broken) {
      const { transport } = await serve(answer);
      const whole = ask(transport).then(({ chunks }) => read(chunks));
      await expect(whole).rejects.toMatchObject({ kind: 'upstreamUnusable', text: { id: 'wfs.brokenOff' } });
    }
  });

  test('its answer grows past the bound, counted after decompression', async () => {
    const { transport } = await serve((_, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      response.end(gzipSync(Buffer.alloc(2e6)));
    });
    const { chunks } = await ask(transport);
    await expect(read(chunks)).rejects.toMatchObject({
      kind: 'upstreamUnusable',
      text: { id: 'wfs.answerTooLarge' },
    });
  });

  test('no error carries the URL or the key', async () => {
    const { transport, server } = await serve(() => {}, { url: 'BASE/{apikey}' });
    server.close();
    const key = toPlacedKey({ places: [{ in: 'path' }] }, { apikey: 'SECRET' });
    const error = await ask(transport, key).catch((reason: Error) => reason);
    const whole = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause);
    expect(whole).not.toMatch(/SECRET|127\.0\.0\.1/);
  });

  test('it takes the connection and never says a word of TLS: the connection is given up before the answer is', async () => {
    const server = createTcpServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { transport } = await serve(() => {}, {
      url: `https://127.0.0.1:${port}/wfs`,
      responseTimeoutMs: 300,
    });
    await expect(ask(transport)).rejects.toMatchObject({ kind: 'upstreamTimeout' });
    server.close();
  });

  test('it has a certificate that nobody vouches for', async () => {
    const server = createHttpsServer(await readCertificate(), (_, response) => void response.end('<a/>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { transport } = await serve(() => {}, { url: `https://127.0.0.1:${port}/wfs` });
    await expect(ask(transport)).rejects.toMatchObject({
      kind: 'upstreamUnusable',
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    });
    server.close();
  });
});

test('a kept-alive connection that was closed meanwhile is told apart: nothing was asked of the upstream', async () => {
  let answered = 0;
  const { transport } = await serve((request, response) => {
    answered += 1;
    if (answered === 2) request.socket.resetAndDestroy();
    else response.end('<a/>');
  });
  await read((await ask(transport)).chunks);
  await expect(ask(transport)).rejects.toBeInstanceOf(StaleConnection);
  await expect(read((await ask(transport)).chunks)).resolves.toBe('<a/>');
});

describe('a key in the path', () => {
  test('is one segment of it, whatever it holds, and reads back to itself', async () => {
    let seen = '';
    const { transport } = await serve(
      (request, response) => {
        seen = String(request.url);
        response.end('<a/>');
      },
      { url: 'BASE/{apikey}/end' },
    );
    const anyKey = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
      fc.constantFrom(
        'a/b',
        '../x',
        '%2e%2e',
        '..%2f',
        'a\r\nX: 1',
        '?a=b',
        '#',
        'é',
        '\\',
        '//evil.example',
        ';',
        '@',
      ),
    );
    const property = fc.asyncProperty(anyKey, async (apikey) => {
      let key: PlacedKey;
      try {
        key = toPlacedKey({ places: [{ in: 'path' }] }, { apikey });
      } catch {
        return; // refused: it cannot stand in a path
      }
      await read((await ask(transport, key)).chunks);
      const [, segment = ''] = /^\/wfs\/([^/?]*)\/end\?request=GetCapabilities$/.exec(seen) ?? [];
      expect(decodeURIComponent(segment)).toBe(apikey);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});

describe('the request ends', () => {
  test('when nobody ever reads its answer', async () => {
    let isClosed: Promise<unknown> | undefined;
    const { transport } = await serve((_, response) => {
      isClosed = once(response, 'close');
      response.write('<a>');
    });
    const { chunks } = await ask(transport);
    await chunks.return();
    await isClosed;
  });

  test('when the caller leaves, before the answer and in it', async () => {
    const closed: Promise<unknown>[] = [];
    const { transport, server } = await serve((_, response) => {
      closed.push(once(response, 'close'));
      server.emit('asked');
      if (closed.length === 2) response.write('<a>');
    });
    const first = new AbortController();
    const waiting = ask(transport, noKey, first.signal);
    await once(server, 'asked');
    first.abort();
    await expect(waiting).rejects.toMatchObject({ name: expect.stringMatching(/Cancel|Abort/) });

    const second = new AbortController();
    const { chunks } = await ask(transport, noKey, second.signal);
    await chunks.next();
    const next = chunks.next();
    second.abort();
    await expect(next).rejects.toBeDefined();
    await Promise.all(closed);
  });

  test('when its reader has enough', async () => {
    let isClosed: Promise<unknown> | undefined;
    const { transport } = await serve((_, response) => {
      isClosed = once(response, 'close');
      response.write('<a>');
    });
    const { chunks } = await ask(transport);
    await chunks.next();
    await chunks.return();
    await isClosed;
  });

  test('a slow reader costs no waiting time: only the upstream\u2019s counts', async () => {
    const { transport } = await serve((_, response) => void response.end('<a/>'));
    const deadline = createDeadline(400);
    const { chunks } = await transport.send({
      parameters: {},
      key: noKey,
      signal: new AbortController().signal,
      deadline,
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    await expect(read(chunks)).resolves.toBe('<a/>');
    expect(deadline.left).toBeGreaterThan(200);
  });
});
