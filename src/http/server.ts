import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { ServiceError, statusOf, toMessage } from '../errors.js';
import { type HttpMetrics, uncountedHttp } from '../metrics/index.js';
import { corsResponseHeaders } from './cors.js';
import type { App } from './messages.js';
import { toProblem, toProblemHeaders, toProblemText } from './problem.js';

/** A geometry of 50 kB fits, also percent-encoded. */
export const maxUrlBytes = 192 * 1024;
export const maxHeaderBytes = 64 * 1024;
/** Beyond this Node itself gives up, and the answer is written by hand. */
const maxHeaderSize = 1024 * 1024;
/** How long a refused client may go on sending before it is cut off; else it might never read why. */
const lingerMs = 2000;

interface ParserError extends Error {
  readonly code?: string;
}

function toError({ code }: ParserError, isInUrl: boolean): ServiceError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ServiceError('requestTooSlow', toMessage('http.requestTooSlow'));
  }
  if (code === 'HPE_INVALID_URL') return new ServiceError('invalidRequest', toMessage('http.urlMalformed'));
  if (code !== 'HPE_HEADER_OVERFLOW') return new ServiceError('invalidRequest', toMessage('http.notHttp'));
  return isInUrl
    ? new ServiceError('urlTooLong', toMessage('http.urlTooLong', { limit: maxUrlBytes }))
    : new ServiceError('headersTooLarge', toMessage('http.headersTooLarge', { limit: maxHeaderBytes }));
}

/**
 * Whether a connection is in the first line of a request, which is all that tells a URL that is too long from headers
 * that are: Node's parser counts both together, and keeps neither.
 */
function createFirstLines() {
  const inFirstLine = new WeakSet<Socket>();
  const begin = (socket: Socket) => inFirstLine.add(socket);
  return {
    isIn: (socket: Socket) => inFirstLine.has(socket),
    watch(socket: Socket) {
      begin(socket);
      // before the parser's own listener, which tells of the request that this data ends
      socket.prependListener('data', (data: Buffer) => {
        if (inFirstLine.has(socket) && hasLine(data)) inFirstLine.delete(socket);
      });
    },
    /** Behind a request, and behind its body, stands the first line of the next. */
    beginBehind(req: IncomingMessage) {
      begin(req.socket);
      req.once('end', () => begin(req.socket));
    },
  };
}

/** A line end behind anything else: those before the first line are passed over (RFC 9112 §2.2). */
function hasLine(data: Buffer): boolean {
  let start = 0;
  while (data[start] === 0x0a || data[start] === 0x0d) start += 1;
  return data.indexOf(0x0a, start) >= 0;
}

function toResponse(error: ServiceError): string {
  const requestId = randomUUID();
  const problem = toProblem(error, requestId, 'en');
  const body = toProblemText(problem);
  const headers = {
    ...corsResponseHeaders,
    ...toProblemHeaders(error, 'en'),
    'X-Request-Id': requestId,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...lines, '', body].join('\r\n');
}

/** What Node's parser refuses never becomes a request: the one shape is written to the socket itself. */
function createClientErrorHandler(
  isInFirstLine: (socket: Socket) => boolean,
  metrics: HttpMetrics,
): (error: ParserError, socket: Socket) => void {
  const refused = new WeakSet<Socket>();
  return (error, socket) => {
    if (refused.has(socket)) return;
    refused.add(socket);
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.resetAndDestroy();
      return;
    }
    socket.on('error', () => {});
    socket.resume();
    afterAnswers(socket, () => {
      const refusal = toError(error, isInFirstLine(socket));
      metrics.refused(statusOf[refusal.kind]);
      socket.end(toResponse(refusal));
      setTimeout(() => socket.destroy(), lingerMs).unref();
    });
  };
}

/**
 * Requests before the one that was refused (pipelined, RFC 9112 §9.3.2) keep their answers, which come first. One that
 * breaks off in its own body is answered in its stead, unless its answer has begun.
 */
function afterAnswers(socket: Socket, end: () => void): void {
  const answer = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage;
  if (answer?.req.complete) answer.once('finish', () => afterAnswers(socket, end));
  else if (answer?.headersSent) socket.resetAndDestroy();
  else if (socket.writable) end();
}

export interface HttpServerOptions {
  /** Until the headers of a request are there. */
  readonly headersTimeoutMs?: number;
  /** Until all of a request is there. */
  readonly requestTimeoutMs?: number;
  readonly metrics?: HttpMetrics;
}

const sockets = new WeakMap<Server, Set<Socket>>();

/** An HTTP server whose every answer, also to what is not HTTP, has the one shape. */
export function createHttpServer(app: App, options: HttpServerOptions = {}): Server {
  const { headersTimeoutMs = 30_000, requestTimeoutMs = 120_000, metrics = uncountedHttp } = options;
  const firstLines = createFirstLines();
  const server = createServer(
    {
      maxHeaderSize,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, headersTimeoutMs),
      // longer than proxies keep theirs (60 s): a request must not meet a connection that is closed just then
      keepAliveTimeout: 65_000,
      requireHostHeader: false, // the app asks for it, and says so in the one shape
      ...(app.IncomingMessage && { IncomingMessage: app.IncomingMessage }),
      ...(app.ServerResponse && { ServerResponse: app.ServerResponse }),
    },
    app,
  );
  // An expectation that is not understood may be passed over (RFC 9110 §10.1.1); Node's own 417 is a bare one.
  server.on('checkExpectation', app);
  const open = new Set<Socket>();
  sockets.set(server, open);
  server.on('connection', (socket) => {
    open.add(socket);
    firstLines.watch(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.prependListener('request', firstLines.beginBehind);
  server.on('clientError', createClientErrorHandler(firstLines.isIn, metrics));
  return server;
}

/**
 * Ends a server: no new connections, answers under way are finished, and what is not done after `graceMs` is reset,
 * never closed: half an answer must not look whole. Resolves once every connection is gone.
 */
export async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const deadline = setTimeout(() => {
    for (const socket of sockets.get(server) ?? []) socket.resetAndDestroy();
  }, graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}
