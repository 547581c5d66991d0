import { ServiceError, toMessage } from '../errors.js';
import { countVertices } from '../geometry/index.js';
import {
  type Converted,
  type FeatureType,
  type GmlConverter,
  type GmlConverterOptions,
  GmlExceptionReport,
  readFeatureTypes,
} from '../gml/index.js';
import type { TraceContext } from '../metrics/index.js';
import type { Signal } from '../signal.js';
import type { Abilities } from './abilities.js';
import { type Capabilities, readCapabilities } from './capabilities.js';
import type { Chunks } from './chunks.js';
import { createConverters } from './converters.js';
import type { Deadline } from './deadline.js';
import { toExceptionError, toKeylessError, toRefusalError } from './exception.js';
import type { Filter } from './filter.js';
import { begin, fromFirst } from './first-step.js';
import { encodeGetFeature, encodeGetFeatureKvp, type GetFeature } from './get-feature.js';
import type { PlacedKey } from './keys.js';
import type { Retry } from './retry.js';
import type { Transport, WfsResponse } from './transport.js';

/** For whom the upstream is asked. */
export interface Asker {
  readonly key: PlacedKey;
  readonly signal: Signal;
  readonly deadline: Deadline;
  readonly trace?: TraceContext | undefined;
}

/** The three operations of a WFS 1.1.0 (OGC 04-094), each answer read, each refusal one of our errors. */
export interface Dialogue {
  getCapabilities(asker: Asker): Promise<Capabilities>;
  describeFeatureType(typeName: string, asker: Asker): Promise<FeatureType[]>;
  /** Whole features as they come. The first step resolves with the first feature, or throws. */
  getFeature(request: GetFeature, options: GmlConverterOptions, asker: Asker): FeatureStream;
}

export interface FeatureStream extends AsyncIterableIterator<Converted, void> {
  next(): Promise<IteratorResult<Converted, void>>;
  return(): Promise<IteratorResult<Converted, void>>;
  [Symbol.asyncIterator](): FeatureStream;
  /** `numberOfFeatures` as the root element says it, once that has been read. */
  readonly declaredCount: number | undefined;
  /** Faults that cost features their geometry, by name, counted so far. */
  readonly warnings: Readonly<Record<string, number>>;
}

// Documents that are read whole: Géoplateforme's capabilities are 5 MB.
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;

export function createDialogue(
  transport: Transport,
  wantsKey: boolean,
  abilities: Abilities,
  retry: Retry = (_, attempt) => attempt(),
): Dialogue {
  const converters = createConverters();
  const readDocument = (parameters: Record<string, string>, asker: Asker) =>
    retry(asker, () => readDocumentOnce(parameters, asker));

  async function readDocumentOnce(parameters: Record<string, string>, asker: Asker): Promise<string> {
    const response = await transport.send({ parameters: { service: 'WFS', ...parameters }, ...asker });
    const body = await readText(response, isOk(response) ? MAX_DOCUMENT_BYTES : MAX_REFUSAL_BYTES);
    const isXml = /^\s*</.test(body) && !looksLikeHtml(body);
    const isReport = /<(?:[\w-]+:)?(?:Service)?ExceptionReport[\s>]/.test(body.slice(0, 4096));
    if (!isOk(response) || !isXml || isReport)
      throw toRefusalError({ ...response, body }, asker.key, wantsKey);
    return body;
  }

  /** What a document of the upstream cannot be read for may be told in its own words, and so hold the key. */
  function toRead<T>(read: () => T, { key }: Asker): T {
    try {
      return read();
    } catch (error) {
      throw toKeylessError(error, key);
    }
  }

  return {
    async getCapabilities(asker) {
      const document = await readDocument({ version: '1.1.0', request: 'GetCapabilities' }, asker);
      return toRead(() => readCapabilities(document), asker);
    },
    async describeFeatureType(typeName, asker) {
      const request = { version: '1.1.0', request: 'DescribeFeatureType', typeName };
      const document = await readDocument(request, asker);
      return toRead(() => readFeatureTypes(document), asker);
    },
    getFeature(request, reading, asker) {
      const heard: Heard = { said: NOTHING_SAID };
      const send = () => sendGetFeature(transport, request, asker, abilities);
      const attempt = () => {
        const converter = converters.take(reading);
        heard.said = converter;
        const giveBack = () => {
          heard.said = { declaredCount: converter.declaredCount, warnings: converter.warnings };
          converters.give(converter, reading);
        };
        return readFeatures(send, converter, giveBack, asker, wantsKey);
      };
      const isHeavy = countPositions(request.filter) > HEAVY_POSITIONS;
      const features = fromFirst(() => retry(asker, () => begin(attempt()), { isHeavy }));
      return new HeardFeatures(features, heard);
    },
  };
}

/** What an answer says beside its features. */
interface Heard {
  said: Pick<GmlConverter, 'declaredCount' | 'warnings'>;
}

/** Not the generator itself with more properties: each such object would have a hidden class of its own. */
class HeardFeatures implements FeatureStream {
  constructor(
    private readonly features: AsyncGenerator<Converted, void, void>,
    private readonly heard: Heard,
  ) {}

  get declaredCount(): number | undefined {
    return this.heard.said.declaredCount;
  }

  get warnings(): Readonly<Record<string, number>> {
    return this.heard.said.warnings;
  }

  next(): Promise<IteratorResult<Converted, void>> {
    return this.features.next();
  }

  return(): Promise<IteratorResult<Converted, void>> {
    return this.features.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const NOTHING_SAID = { declaredCount: undefined, warnings: {} };

/** By POST, which takes filters of any size, unless the upstream takes GET alone. */
async function sendGetFeature(
  transport: Transport,
  request: GetFeature,
  asker: Asker,
  abilities: Abilities,
): Promise<WfsResponse> {
  // an upstream without filters may know ids all the same: as a parameter of GET (Opendatasoft)
  const isById = request.filter?.operator === 'FeatureId' && !abilities.attributeFilters;
  if (abilities.method === 'POST' && !isById) {
    const response = await transport.send({ body: encodeGetFeature(request), ...asker });
    if (response.status !== 405) return response;
    await response.chunks.return();
  }
  const response = await transport.send({ parameters: encodeGetFeatureKvp(request), ...asker });
  if (isOk(response) && !isById) abilities.lack('POST');
  return response;
}

/** Positions of a filter that every server measured answers at once (QGIS Server 3.22 takes 0.4 s for 1,000). */
const HEAVY_POSITIONS = 1000;

function countPositions(filter: Filter | undefined): number {
  if (filter?.operator === 'And' || filter?.operator === 'Or') {
    return filter.operands.reduce((sum, operand) => sum + countPositions(operand), 0);
  }
  return filter?.operator === 'Intersects' ? countVertices([filter.geometry]) : 0;
}

async function* readFeatures(
  send: () => Promise<WfsResponse>,
  converter: GmlConverter,
  giveBack: () => void,
  asker: Asker,
  wantsKey: boolean,
): AsyncGenerator<Converted, void, void> {
  const response = await send();
  try {
    if (!isOk(response)) throw await toRefusal(response, new Uint8Array(), asker.key, wantsKey);
    let head: Uint8Array | undefined = new Uint8Array();
    for await (const chunk of response.chunks) {
      let bytes = chunk;
      if (head !== undefined) {
        bytes = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
        const verdict = toVerdict(bytes);
        if (verdict === 'other') throw await toRefusal(response, bytes, asker.key, wantsKey);
        head = verdict === 'unknown' ? bytes : undefined;
        if (head !== undefined) continue;
      }
      const converted = pushAll(converter, bytes, response.chunks);
      if (converted.ends.length > 0) yield converted;
    }
    if (head !== undefined) throw await toRefusal(response, head, asker.key, wantsKey);
    const rest = converter.end();
    if (rest.ends.length > 0) yield rest;
    if (converter.warnings.truncatedResponse !== undefined) {
      throw new ServiceError('upstreamUnusable', toMessage('wfs.truncatedResponse'));
    }
    giveBack();
  } catch (error) {
    throw error instanceof GmlExceptionReport
      ? toExceptionError(error.exceptions, asker.key)
      : toKeylessError(error, asker.key);
  } finally {
    await response.chunks.return();
  }
}

/** The bytes, and all that have come since. */
function pushAll(converter: GmlConverter, bytes: Uint8Array, chunks: Chunks): Converted {
  let last = bytes;
  for (let next = chunks.more?.(); next !== undefined; next = chunks.more?.()) {
    converter.push(last, true);
    last = next;
  }
  return converter.push(last);
}

/** Whether an answer can be GML, by its first bytes: servers send HTML and JSON as text/xml. */
function toVerdict(bytes: Uint8Array): 'xml' | 'other' | 'unknown' {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (text === '') return bytes.length >= 1024 ? 'other' : 'unknown';
  if (!text.startsWith('<') && !/^(\u00fe\u00ff|\u00ff\u00fe)/.test(text))
    return text.length < 3 ? 'unknown' : 'other';
  if (looksLikeHtml(text)) return 'other';
  return text.length < 16 ? 'unknown' : 'xml';
}

function looksLikeHtml(text: string): boolean {
  return /^\s*(<!doctype\s+html|<html[\s>])/i.test(text);
}

async function toRefusal(
  response: WfsResponse,
  head: Uint8Array,
  key: PlacedKey,
  wantsKey: boolean,
): Promise<ServiceError> {
  const rest = await readText(response, MAX_REFUSAL_BYTES).catch(() => ''); // the refusal matters, not its end
  return toRefusalError({ ...response, body: Buffer.from(head).toString() + rest }, key, wantsKey);
}

async function readText(response: WfsResponse, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size <= maxBytes) continue;
    if (isOk(response)) {
      throw new ServiceError('upstreamUnusable', toMessage('wfs.answerTooLarge', { bytes: maxBytes }));
    }
    break;
  }
  return toXmlText(Buffer.concat(parts));
}

/** XML 1.0 appendix F: the declared encoding, else UTF-8. */
function toXmlText(bytes: Buffer): string {
  const declared = /^<\?xml[^>]*\bencoding\s*=\s*["']([\w.-]+)["']/.exec(
    bytes.toString('latin1', 0, 256),
  )?.[1];
  try {
    const decoder = new TextDecoder(declared ?? 'utf-8');
    // In two steps: in one, Node 20 takes windows-1252 for ISO-8859-1 (nodejs/node#56542).
    return decoder.decode(bytes, { stream: true }) + decoder.decode();
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function isOk({ status }: WfsResponse): boolean {
  return status >= 200 && status < 300;
}
