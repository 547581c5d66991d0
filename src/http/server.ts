import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
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
/** How long the end of a line that is too long is waited for. */
const lineMs = 1000;
const VERSION_LENGTH = ' HTTP/1.1\r\n'.length;

interface ParserError extends Error {
  readonly code?: string;
  /** What the parser was given last. */
  readonly rawPacket?: Buffer;
  /** How much of that it took. */
  readonly bytesParsed?: number;
}

function toError({ code }: ParserError): ServiceError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ServiceError('requestTooSlow', toMessage('http.requestTooSlow'));
  }
  if (code === 'HPE_INVALID_URL') return new ServiceError('invalidRequest', toMessage('http.urlMalformed'));
  return new ServiceError('invalidRequest', toMessage('http.notHttp'));
}

const toTooLong = (isUrl: boolean): ServiceError =>
  isUrl
    ? new ServiceError('urlTooLong', toMessage('http.urlTooLong', { limit: maxUrlBytes }))
    : new ServiceError('headersTooLarge', toMessage('http.headersTooLarge', { limit: maxHeaderBytes }));

/**
 * Which is too long, the URL or the headers: Node's parser counts both together, and keeps neither. Headers have spaces and
 * line ends, a URL has none; where what was read last has none either, `HTTP/1.1` stands at the end of the line, or does not.
 * A listener that watched all data from the first would take it out of the parser's own hands: a twentieth of a search.
 */
function findTooLong(
  { rawPacket = Buffer.alloc(0), bytesParsed = 0 }: ParserError,
  socket: Socket,
  found: (isUrl: boolean) => void,
): void {
  const parsed = rawPacket.subarray(0, bytesParsed);
  if (parsed.includes(' ') || parsed.includes('\n')) {
    found(false);
    return;
  }
  let line = '';
  const finish = () => {
    clearTimeout(timer);
    socket.off('data', read).off('close', finish);
    found(!line.endsWith('\n') || /^ HTTP\/\d\.\d\r?\n$/.test(line.slice(line.lastIndexOf(' '))));
  };
  const read = (data: Buffer) => {
    const end = data.indexOf('\n') + 1;
    line = (line + data.toString('latin1', 0, end || data.length)).slice(-VERSION_LENGTH);
    if (end > 0) finish();
  };
  const timer = setTimeout(finish, lineMs).unref();
  socket.on('data', read).on('close', finish);
  read(rawPacket.subarray(bytesParsed));
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
function createClientErrorHandler(metrics: HttpMetrics): (error: ParserError, socket: Socket) => void {
  const refuse = (error: ServiceError, socket: Socket) =>
    afterAnswers(socket, () => {
      metrics.refused(statusOf[error.kind]);
      socket.end(toResponse(error));
      setTimeout(() => socket.destroy(), lingerMs).unref();
    });
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
    if (error.code === 'HPE_HEADER_OVERFLOW')
      findTooLong(error, socket, (isUrl) => refuse(toTooLong(isUrl), socket));
    else refuse(toError(error), socket);
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
    socket.once('close', () => open.delete(socket));
  });
  server.on('clientError', createClientErrorHandler(metrics));
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
