import { texts } from './errors.en.js';

/** The id of a text in the table of each language. */
export type MessageId = keyof typeof texts;

/** A message before it is put into words: which text, and the values that fill its `{names}`. */
export interface Message {
  readonly id: MessageId;
  readonly values: Readonly<Record<string, string | number>>;
}

/** One fault of a request: which parameter, where inside it (JSON pointer, RFC 6901), and what is wrong. */
export interface Fault {
  readonly parameter?: string;
  readonly pointer?: string;
  readonly message: Message;
}

/** What went wrong, in the words of the service. The HTTP status follows from `statusOf` and from nothing else. */
export type Kind = keyof typeof statusOf;

/** The one table: kind -> HTTP status (RFC 9110, RFC 6585). */
export const statusOf = {
  invalidRequest: 400,
  keyMissing: 401,
  keyRefused: 403,
  notFound: 404,
  methodNotAllowed: 405,
  notAcceptable: 406,
  requestTooSlow: 408,
  bodyTooLarge: 413,
  urlTooLong: 414,
  mediaTypeUnsupported: 415,
  notAnswerable: 422,
  rateLimited: 429,
  headersTooLarge: 431,
  internal: 500,
  upstreamUnusable: 502,
  unavailable: 503,
  upstreamTimeout: 504,
} as const;

export function toMessage(id: MessageId, values: Message['values'] = {}): Message {
  return { id, values };
}

/** Puts a message into words (English; a table per language can be handed in). */
export function toText(message: Message, table: Readonly<Record<MessageId, string>> = texts): string {
  return table[message.id].replace(/\{(\w+)\}/g, (_, name: string) => String(message.values[name] ?? ''));
}

/**
 * The one error family. Everything the service says no with is one of these; whatever else is thrown is a defect
 * of ours and leaves as `internal`.
 */
export class ServiceError extends Error {
  readonly kind: Kind;
  readonly text: Message;
  /** Each fault of the request, where it has positions. */
  readonly faults: readonly Fault[];
  /** Headers of the answer: `Retry-After`, `Allow`, `WWW-Authenticate`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    kind: Kind,
    text: Message,
    options: { faults?: readonly Fault[]; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(toText(text), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.kind = kind;
    this.text = text;
    this.faults = options.faults ?? [];
    this.headers = options.headers ?? {};
  }
}

/** All faults of a request in one answer; the text names each with its parameter. */
export function invalidRequest(faults: readonly Fault[]): ServiceError {
  const list = faults.map(
    ({ parameter, message }) => `${parameter === undefined ? '' : `${parameter}: `}${toText(message)}`,
  );
  const message =
    list.length === 1
      ? toMessage('request.fault', { fault: list[0] ?? '' })
      : toMessage('request.faults', { count: list.length, list: list.join('; ') });
  return new ServiceError('invalidRequest', message, { faults });
}
