import { ServiceError, toMessage } from '../errors.js';
import {
  type Converted,
  createGmlConverter,
  type FeatureType,
  type GmlConverter,
  type GmlConverterOptions,
  GmlExceptionReport,
  readFeatureTypes,
} from '../gml/index.js';
import { type Capabilities, readCapabilities } from './capabilities.js';
import type { Deadline } from './deadline.js';
import { toExceptionError, toRefusalError } from './exception.js';
import { encodeGetFeature, type GetFeature } from './get-feature.js';
import type { PlacedKey } from './keys.js';
import type { Transport, WfsResponse } from './transport.js';

/** For whom the upstream is asked. */
export interface Asker {
  readonly key: PlacedKey;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
}

/** The three operations of a WFS 1.1.0 (OGC 04-094), each answer read, each refusal one of our errors. */
export interface Dialogue {
  getCapabilities(asker: Asker): Promise<Capabilities>;
  describeFeatureType(typeName: string, asker: Asker): Promise<FeatureType[]>;
  /** Whole features as they come. The first step resolves with the first feature, or throws. */
  getFeature(request: GetFeature, options: GmlConverterOptions, asker: Asker): FeatureStream;
}

export interface FeatureStream extends AsyncGenerator<Converted, void, void> {
  /** `numberOfFeatures` as the root element says it, once that has been read. */
  readonly declaredCount: number | undefined;
}

// Documents that are read whole: Géoplateforme's capabilities are 5 MB.
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;

export function createDialogue(transport: Transport, wantsKey: boolean): Dialogue {
  async function readDocument(parameters: Record<string, string>, asker: Asker): Promise<string> {
    const response = await transport.send({ parameters: { service: 'WFS', ...parameters }, ...asker });
    const body = await readText(response, isOk(response) ? MAX_DOCUMENT_BYTES : MAX_REFUSAL_BYTES);
    const isXml = /^\s*</.test(body) && !looksLikeHtml(body);
    const isReport = /<(?:[\w-]+:)?(?:Service)?ExceptionReport[\s>]/.test(body.slice(0, 4096));
    if (!isOk(response) || !isXml || isReport)
      throw toRefusalError({ ...response, body }, asker.key, wantsKey);
    return body;
  }

  return {
    async getCapabilities(asker) {
      return readCapabilities(await readDocument({ version: '1.1.0', request: 'GetCapabilities' }, asker));
    },
    async describeFeatureType(typeName, asker) {
      const request = { version: '1.1.0', request: 'DescribeFeatureType', typeName };
      return readFeatureTypes(await readDocument(request, asker));
    },
    getFeature(request, options, asker) {
      const converter = createGmlConverter(options);
      const features = readFeatures(transport, request, converter, asker, wantsKey);
      return Object.defineProperty(features, 'declaredCount', {
        get: () => converter.declaredCount,
      }) as unknown as FeatureStream;
    },
  };
}

async function* readFeatures(
  transport: Transport,
  request: GetFeature,
  converter: GmlConverter,
  asker: Asker,
  wantsKey: boolean,
): AsyncGenerator<Converted, void, void> {
  const response = await transport.send({ body: encodeGetFeature(request), ...asker });
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
      const converted = converter.push(bytes);
      if (converted.ends.length > 0) yield converted;
    }
    if (head !== undefined) throw await toRefusal(response, head, asker.key, wantsKey);
    const rest = converter.end();
    if (rest.ends.length > 0) yield rest;
    if (converter.warnings.truncatedResponse !== undefined) {
      throw new ServiceError('upstreamUnusable', toMessage('wfs.truncatedResponse'));
    }
  } catch (error) {
    throw error instanceof GmlExceptionReport ? toExceptionError(error.exceptions, asker.key) : error;
  } finally {
    await response.chunks.return();
  }
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
    return new TextDecoder(declared ?? 'utf-8').decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function isOk({ status }: WfsResponse): boolean {
  return status >= 200 && status < 300;
}
