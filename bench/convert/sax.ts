import { createBuilder, type Events } from './builder.js';
import type { Open, Source } from './conversion.js';
import { loadPeer } from './load-peer.js';

/** A SAX parser of text, wired to the builder's events. */
interface TextParser {
  write(text: string): unknown;
  end(): unknown;
}

/** Parsers that take text: bytes are decoded as they come, as `setEncoding('utf8')` does. */
function openText(source: Source, create: (events: Events) => TextParser): Open {
  return (sink) => {
    const events = createBuilder(source, sink);
    const parser = create(events);
    const decoder = new TextDecoder();
    return {
      push: (chunk) => void parser.write(decoder.decode(chunk, { stream: true })),
      end() {
        parser.end();
        return events.end();
      },
    };
  };
}

const raise = (error: unknown): never => {
  throw error instanceof Error ? error : new Error(String(error));
};

type Attributes = Record<string, string>;

interface Saxes {
  SaxesParser: new () => {
    on(event: string, handler: (value: never) => void): void;
    write(text: string): unknown;
    close(): unknown;
  };
}

export async function loadSaxes(source: Source): Promise<Open> {
  const { SaxesParser } = await loadPeer<Saxes>('saxes');
  return openText(source, (events) => {
    const parser = new SaxesParser();
    parser.on('error', raise);
    parser.on('opentag', (tag: { name: string; attributes: Attributes }) =>
      events.open(tag.name, () => tag.attributes),
    );
    parser.on('text', events.text);
    parser.on('cdata', events.text);
    parser.on('closetag', (tag: { name: string }) => events.close(tag.name));
    return { write: (text) => parser.write(text), end: () => parser.close() };
  });
}

interface SaxParser {
  onerror: (error: Error) => void;
  onopentag: (tag: { name: string; attributes: Attributes }) => void;
  ontext: (text: string) => void;
  oncdata: (text: string) => void;
  onclosetag: (name: string) => void;
  write(text: string): SaxParser;
  close(): unknown;
}

export async function loadSax(source: Source): Promise<Open> {
  const { default: sax } = await loadPeer<{ default: { parser(strict: boolean): SaxParser } }>('sax');
  return openText(source, (events) => {
    const parser = sax.parser(true);
    parser.onerror = raise;
    parser.onopentag = (tag) => events.open(tag.name, () => tag.attributes);
    parser.ontext = events.text;
    parser.oncdata = events.text;
    parser.onclosetag = events.close;
    return { write: (text) => parser.write(text), end: () => parser.close() };
  });
}

interface Htmlparser2 {
  Parser: new (
    handler: Record<string, (...values: never[]) => void>,
    options: Record<string, boolean>,
  ) => TextParser;
}

export async function loadHtmlparser2(source: Source): Promise<Open> {
  const { Parser } = await loadPeer<Htmlparser2>('htmlparser2');
  return openText(
    source,
    (events) =>
      new Parser(
        {
          onerror: raise,
          onopentag: (name: string, attributes: Attributes) => events.open(name, () => attributes),
          ontext: events.text,
          onclosetag: events.close,
        },
        { xmlMode: true, decodeEntities: true },
      ),
  );
}

interface Easysax {
  default: new () => {
    on(event: string, handler: (...values: never[]) => void): void;
    write(text: string): unknown;
    end(): unknown;
  };
}

export async function loadEasysax(source: Source): Promise<Open> {
  const { default: EasySax } = await loadPeer<Easysax>('easysax');
  const none: Attributes = {};
  return openText(source, (events) => {
    const parser = new EasySax();
    parser.on('error', raise);
    parser.on('startNode', (name: string, toAttributes: () => Attributes | boolean) =>
      events.open(name, () => {
        const attributes = toAttributes();
        return typeof attributes === 'object' ? attributes : none;
      }),
    );
    parser.on('textNode', events.text);
    parser.on('cdata', events.text);
    parser.on('endNode', events.close);
    return parser;
  });
}

interface NodeExpat {
  default: {
    Parser: new (
      encoding: string,
    ) => {
      on(event: string, handler: (...values: never[]) => void): void;
      parse(bytes: Uint8Array | string, isFinal: boolean): boolean;
      getError(): string;
    };
  };
}

/** Native, over libexpat: takes bytes. */
export async function loadNodeExpat(source: Source): Promise<Open> {
  const { default: expat } = await loadPeer<NodeExpat>('node-expat');
  return (sink) => {
    const events = createBuilder(source, sink);
    const parser = new expat.Parser('UTF-8');
    parser.on('startElement', (name: string, attributes: Attributes) => events.open(name, () => attributes));
    parser.on('text', events.text);
    parser.on('endElement', events.close);
    const parse = (bytes: Uint8Array | string, isFinal: boolean) => {
      if (!parser.parse(bytes, isFinal)) raise(parser.getError());
    };
    return {
      push: (chunk) => parse(chunk, false),
      end() {
        parse('', true);
        return events.end();
      },
    };
  };
}
