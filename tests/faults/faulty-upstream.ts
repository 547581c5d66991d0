import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { COLLECTION_END, COLLECTION_START, toCollection, toMember } from '../support/upstream.js';

/** What an upstream does to a question, on its bare connection. */
export interface Fault {
  readonly name: string;
  /** Undefined: the connection itself is refused. */
  readonly act: ((socket: Socket, response: ServerResponse) => unknown) | undefined;
  /** The status the caller gets; `reset`: features came first, so the connection is reset behind them. */
  readonly expected: number | 'reset';
}

export const MAX_RESPONSE_BYTES = 4 * 2 ** 20;

const head = (lines: readonly string[], status = '200 OK') =>
  `HTTP/1.1 ${[status, 'Content-Type: text/xml; subtype=gml/3.1.1', ...lines].join('\r\n')}\r\n\r\n`;
const CHUNKED = head(['Transfer-Encoding: chunked']);
const chunk = (text: string | Buffer) =>
  Buffer.concat([
    Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n`),
    Buffer.from(text),
    Buffer.from('\r\n'),
  ]);
const LAST_CHUNK = '0\r\n\r\n';
/** Enough for the service to have begun its own answer. */
const BEGINNING = COLLECTION_START + Array.from({ length: 40 }, (_, k) => toMember(k)).join('');
const HALF_FEATURE = `${COLLECTION_START}<t:point gml:id="point.1"><t:g><gml:Po`;

/** So that what went before is on its way to the caller. */
const PAUSE_MS = 100;

/** The beginning of a right answer, and then something else. */
const behindFeatures = (then: (socket: Socket) => unknown) => async (socket: Socket) => {
  socket.write(CHUNKED);
  socket.write(chunk(BEGINNING));
  await sleep(PAUSE_MS);
  return then(socket);
};

/** A whole answer over HTTP, whatever it holds. */
const whole = (body: string | Buffer, lines: readonly string[] = [], status = '200 OK') => {
  const text = head([...lines, `Content-Length: ${Buffer.byteLength(body)}`], status);
  return (socket: Socket) => void socket.write(Buffer.concat([Buffer.from(text), Buffer.from(body)]));
};

/** The beginning, the middle, and all of what HTTP asks for behind it. */
const wholeBehind = (middle: string | Buffer) =>
  behindFeatures((socket) => void socket.write(Buffer.concat([chunk(middle), Buffer.from(LAST_CHUNK)])));

const reset = (socket: Socket) => void socket.resetAndDestroy();
const nothing = () => {};

async function drip(socket: Socket, text: string): Promise<void> {
  for (let at = 0; !socket.destroyed; at += 1) {
    socket.write(chunk(text[at % text.length] ?? ' '));
    await sleep(100);
  }
}

async function writeForEver(socket: Socket, part: Buffer): Promise<void> {
  let wake = () => {};
  for (const event of ['drain', 'close']) socket.on(event, () => wake());
  while (!socket.destroyed) {
    if (socket.write(part)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

const EXCEPTION =
  '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows" version="1.0.0"><ows:Exception exceptionCode="NoApplicableCode"><ows:ExceptionText>java.lang.IllegalStateException</ows:ExceptionText></ows:Exception></ows:ExceptionReport>';
const ENTITIES = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "${'a'.repeat(50)}"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>`;
const EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>';
const inProperty = (text: string) => toCollection(toMember(1, text));
const gzipped = (text: string | Buffer) => gzipSync(text);
const GZIP = ['Content-Encoding: gzip'];

/** Every fault before the first feature, at its stage; the status is the documented one. */
const early: readonly Fault[] = [
  { name: 'refuses the connection', act: undefined, expected: 502 },
  { name: 'resets when it is asked', act: reset, expected: 502 },
  { name: 'closes when it is asked', act: (socket) => void socket.end(), expected: 502 },
  {
    name: 'resets in its status line',
    act: async (socket) => {
      socket.write('HTTP/1.1 200');
      await sleep(PAUSE_MS);
      reset(socket);
    },
    expected: 502,
  },
  {
    name: 'resets behind its headers',
    act: async (socket) => {
      socket.write(CHUNKED);
      await sleep(PAUSE_MS);
      reset(socket);
    },
    expected: 502,
  },
  {
    name: 'resets in its first feature',
    act: async (socket) => {
      socket.write(CHUNKED);
      socket.write(chunk(HALF_FEATURE));
      await sleep(PAUSE_MS);
      reset(socket);
    },
    expected: 502,
  },
  { name: 'never answers', act: nothing, expected: 504 },
  {
    name: 'stalls in its headers',
    act: (socket) => void socket.write('HTTP/1.1 200 OK\r\nCont'),
    expected: 504,
  },
  { name: 'stalls behind its headers', act: (socket) => void socket.write(CHUNKED), expected: 504 },
  {
    name: 'stalls in its first feature',
    act: (socket) => void socket.write(Buffer.concat([Buffer.from(CHUNKED), chunk(HALF_FEATURE)])),
    expected: 504,
  },
  {
    name: 'drips white space for ever',
    act: (socket) => {
      socket.write(CHUNKED);
      return drip(socket, ' ');
    },
    expected: 504,
  },
  {
    name: 'drips its first feature',
    act: (socket) => {
      socket.write(CHUNKED);
      return drip(socket, HALF_FEATURE + '>'.repeat(10_000));
    },
    expected: 504,
  },
  { name: 'says 500 in HTML', act: whole('<html>Oops</html>', [], '500 Oops'), expected: 502 },
  { name: 'says 502', act: whole('<html>Bad Gateway</html>', [], '502 Bad Gateway'), expected: 502 },
  { name: 'says 503', act: whole('', [], '503 Service Unavailable'), expected: 502 },
  {
    name: 'says 503 with Retry-After',
    act: whole('', ['Retry-After: 1'], '503 Service Unavailable'),
    expected: 503,
  },
  { name: 'says 504', act: whole('', [], '504 Gateway Timeout'), expected: 502 },
  {
    name: 'says 429 with Retry-After',
    act: whole('', ['Retry-After: 1'], '429 Too Many Requests'),
    expected: 429,
  },
  { name: 'answers nothing', act: whole(''), expected: 502 },
  { name: 'answers white space', act: whole(' \n'.repeat(5000)), expected: 502 },
  { name: 'answers HTML', act: whole('<!DOCTYPE html><html><body>Welcome</body></html>'), expected: 502 },
  { name: 'answers JSON', act: whole('{"type":"FeatureCollection","features":[]}'), expected: 502 },
  {
    name: 'answers bytes',
    act: whole(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 31) & 255))),
    expected: 502,
  },
  { name: 'answers other XML', act: whole('<a><b/></a>'), expected: 502 },
  { name: 'answers an exception report', act: whole(EXCEPTION), expected: 502 },
  { name: 'answers with a document that is cut', act: whole(HALF_FEATURE), expected: 502 },
  { name: 'says gzip, and it is none', act: whole('not gzip at all', GZIP), expected: 502 },
  {
    name: 'says gzip, and it is cut',
    act: whole(gzipped(toCollection(toMember(1))).subarray(0, 60), GZIP),
    expected: 502,
  },
  {
    name: 'says deflate, and it is none',
    act: whole(deflateRawSync('x').subarray(1), ['Content-Encoding: deflate']),
    expected: 502,
  },
  { name: 'is not UTF-8', act: whole(Buffer.from(inProperty('\u00e9'), 'latin1')), expected: 502 },
  {
    name: 'has headers without end',
    act: (socket) => void socket.write(head([`X-Huge: ${'x'.repeat(200_000)}`])),
    expected: 502,
  },
  {
    name: 'does not speak HTTP',
    act: (socket) => void socket.write('220 smtp.example.org ESMTP\r\n\r\n'),
    expected: 502,
  },
  {
    name: 'redirects in a circle',
    act: whole('', ['Location: /wfs'], '307 Temporary Redirect'),
    expected: 502,
  },
  {
    name: 'redirects to a host that nobody knows',
    act: whole('', ['Location: http://no-such-host.invalid/wfs'], '307 Temporary Redirect'),
    expected: 502,
  },
  {
    name: 'redirects to TLS where none is spoken',
    act: (socket) =>
      whole('', [`Location: https://127.0.0.1:${socket.localPort}/wfs`], '307 Temporary Redirect')(socket),
    expected: 502,
  },
  {
    name: 'redirects to a file',
    act: whole('', ['Location: file:///etc/passwd'], '307 Temporary Redirect'),
    expected: 502,
  },
  { name: 'has entities to be expanded', act: whole(`${ENTITIES}${inProperty('&c;')}`), expected: 502 },
  { name: 'has an external entity', act: whole(`${EXTERNAL}${inProperty('&a;')}`), expected: 502 },
  { name: 'is nested without end', act: whole(inProperty('<t:a>'.repeat(100_000))), expected: 502 },
  {
    name: 'has an attribute of a megabyte',
    act: whole(`${COLLECTION_START}<t:point gml:id="${'x'.repeat(2 ** 20)}"></t:point>${COLLECTION_END}`),
    expected: 502,
  },
  {
    name: 'has a thousand attributes on one element',
    act: whole(
      `${COLLECTION_START}<t:point ${Array.from({ length: 1000 }, (_, k) => `a${k}="1"`).join(' ')}/>${COLLECTION_END}`,
    ),
    expected: 502,
  },
  { name: 'is a bomb of gzip', act: whole(gzipped(Buffer.alloc(64 * 2 ** 20, ' ')), GZIP), expected: 502 },
  {
    name: 'has one feature without end',
    act: (socket) => {
      socket.write(CHUNKED);
      socket.write(chunk(`${HALF_FEATURE}int/></t:g><t:s>`));
      return writeForEver(socket, chunk('x'.repeat(65_536)));
    },
    expected: 502,
  },
];

/** Every fault behind the first features: nothing but a reset tells the caller, whatever the format. */
const late: readonly Fault[] = [
  { name: 'resets behind features', act: behindFeatures(reset), expected: 'reset' },
  { name: 'closes behind features', act: behindFeatures((socket) => void socket.end()), expected: 'reset' },
  {
    name: 'ends its answer behind features',
    act: behindFeatures((socket) => void socket.write(LAST_CHUNK)),
    expected: 'reset',
  },
  {
    name: 'closes before the length it said',
    act: async (socket) => {
      socket.write(head(['Content-Length: 1000000']));
      socket.write(BEGINNING);
      await sleep(PAUSE_MS);
      socket.end();
    },
    expected: 'reset',
  },
  {
    name: 'says less than its length',
    act: (socket) =>
      void socket.write(head([`Content-Length: ${BEGINNING.length}`]) + BEGINNING + COLLECTION_END),
    expected: 'reset',
  },
  { name: 'stalls behind features', act: behindFeatures(nothing), expected: 'reset' },
  {
    name: 'drips behind features',
    act: behindFeatures((socket) => drip(socket, toMember(1))),
    expected: 'reset',
  },
  {
    name: 'breaks the framing behind features',
    act: behindFeatures((socket) => void socket.write('zz\r\n')),
    expected: 'reset',
  },
  { name: 'reports an exception behind features', act: wholeBehind(EXCEPTION), expected: 'reset' },
  {
    name: 'reports an exception in a document of its own behind features',
    act: wholeBehind(`<?xml version="1.0"?>${EXCEPTION}`),
    expected: 'reset',
  },
  {
    name: 'turns to HTML behind features',
    act: wholeBehind('<html><body>Oops</body></html>'),
    expected: 'reset',
  },
  { name: 'is no UTF-8 behind features', act: wholeBehind(Buffer.from([0xc3, 0x28])), expected: 'reset' },
  {
    name: 'is no XML behind features',
    act: wholeBehind('<t:point><t:n>1</t:s></t:point>'),
    expected: 'reset',
  },
  {
    name: 'has gzip that is cut behind features',
    act: async (socket) => {
      const packed = gzipped(
        BEGINNING.repeat(1) + Array.from({ length: 20_000 }, (_, k) => toMember(k, `${k * 7919}`)).join(''),
      );
      socket.write(head(['Transfer-Encoding: chunked', ...GZIP]));
      socket.write(chunk(packed.subarray(0, packed.length / 2)));
      await sleep(PAUSE_MS);
      socket.write(LAST_CHUNK);
    },
    expected: 'reset',
  },
  {
    name: 'never ends',
    act: behindFeatures((socket) =>
      writeForEver(socket, chunk(Array.from({ length: 200 }, (_, k) => toMember(k)).join(''))),
    ),
    expected: 'reset',
  },
];

export const faults: readonly Fault[] = [...early, ...late];

/** A gate before the upstream that can be shut: then connections are refused. */
export interface Gate {
  readonly port: number;
  shut(): Promise<void>;
  open(): Promise<void>;
}

export async function startGate(behind: number): Promise<Gate> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    const other = connect(behind, '127.0.0.1');
    for (const [one, its] of [
      [socket, other],
      [other, socket],
    ] as const) {
      connections.add(one);
      one.on('error', () => {});
      // a reset goes through as a reset
      one.on('close', (hadError) => {
        connections.delete(one);
        if (hadError) its.resetAndDestroy();
        else its.destroySoon();
      });
      one.pipe(its);
    }
  });
  const open = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await open(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async shut() {
      server.close();
      for (const socket of connections) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
    open: () => open(port),
  };
}
