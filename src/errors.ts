import { texts as en } from './errors.en.js';
import { texts as fr } from './errors.fr.js';

/** The id of a text in the table of each language. */
export type MessageId = keyof typeof en;

const tables: { readonly [language: string]: Readonly<Record<MessageId, string>> } = { en, fr };
/** Every language the service can say its texts in, the default first. */
export const languages = ['en', 'fr'] as const;
export type Language = (typeof languages)[number];

/** A message before it is put into words: which text, and what fills its `{names}`, words of ours among it. */
export interface Message {
  readonly id: MessageId;
  readonly values: Readonly<Record<string, string | number | Message>>;
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

/** Puts a message into words; what is kept for us, as in a log, is English. */
export function toText({ id, values }: Message, language: Language = 'en'): string {
  const text = tables[language]?.[id] ?? '';
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    return typeof value === 'object' ? toText(value, language) : String(value);
  });
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

/** More faults, or more text, than this help nobody: they would only make the answer as large as the request. */
const MAX_FAULTS = 50;
const MAX_FAULTS_LENGTH = 32_768;
const MAX_NAME_LENGTH = 100;
/** Half a pointer points elsewhere: a longer one is left out. */
const MAX_POINTER_LENGTH = 2048;
/** A list of all attributes of a layer fits. */
const MAX_MESSAGE_LENGTH = 4096;

const toShort = (text: string, length: number) => (text.length > length ? `${text.slice(0, length)}…` : text);

/** A fault in words. */
export interface FaultText {
  readonly parameter?: string;
  readonly pointer?: string;
  readonly message: string;
}

function toFaultText({ parameter, pointer, message }: Fault, language: Language): FaultText {
  const values = Object.entries(message.values).map(([name, value]) => {
    const text = typeof value === 'string' ? toShort(value, MAX_MESSAGE_LENGTH) : value;
    return [name, text] as const;
  });
  return {
    ...(parameter === undefined ? {} : { parameter: toShort(parameter, MAX_NAME_LENGTH) }),
    ...(pointer === undefined || pointer.length > MAX_POINTER_LENGTH ? {} : { pointer }),
    message: toShort(toText(toMessage(message.id, Object.fromEntries(values)), language), MAX_MESSAGE_LENGTH),
  };
}

/** The first faults in words, as many as an answer has room for; at least one, where there is one. */
export function toFaultTexts(faults: readonly Fault[], language: Language = 'en'): FaultText[] {
  const texts: FaultText[] = [];
  let length = 0;
  for (const fault of faults.slice(0, MAX_FAULTS)) {
    const text = toFaultText(fault, language);
    length += (text.parameter?.length ?? 0) + text.message.length;
    if (texts.length > 0 && length > MAX_FAULTS_LENGTH) break;
    texts.push(text);
  }
  return texts;
}

/** The text names the first faults with their parameters, and how many there are. */
function toFaultsMessage(faults: readonly Fault[], language: Language): Message {
  const shown = toFaultTexts(faults, language).map(({ parameter, message }) =>
    parameter === undefined ? message : `${parameter}: ${message}`,
  );
  const list = shown.join('; ');
  const values = { count: faults.length, shown: shown.length, list };
  if (faults.length === 1) return toMessage('request.fault', { fault: list });
  return toMessage(shown.length < faults.length ? 'request.firstFaults' : 'request.faults', values);
}

/** All faults of a request in one answer. */
export function invalidRequest(faults: readonly Fault[]): ServiceError {
  return new ServiceError('invalidRequest', toFaultsMessage(faults, 'en'), { faults });
}

/** What an error says as a whole; of several faults each is told. */
export function toDetail({ text, faults }: ServiceError, language: Language): string {
  const isOfFaults = text.id.startsWith('request.') && faults.length > 0;
  return toText(isOfFaults ? toFaultsMessage(faults, language) : text, language);
}
