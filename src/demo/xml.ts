import { SaxesParser } from 'saxes';
import { OwsException } from './exception.js';
import { NAMESPACES } from './xml-text.js';

/** An element with its namespace resolved. */
export interface XmlElement {
  readonly uri: string;
  readonly local: string;
  /** Attributes without a namespace by name; those with one as `{uri}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly inside, CDATA included. */
  readonly text: string;
  /** Prefixes in scope, for names inside values (`typeName="topp:states"`). */
  readonly prefixes: ReadonlyMap<string, string>;
}

type Draft = Omit<XmlElement, 'children' | 'text'> & { children: XmlElement[]; text: string };

// Far deeper than any filter a person or program writes, and shallow enough for recursion.
const MAX_DEPTH = 200;

// GeoServer's words for XML it cannot read, whatever the operation.
const toFault = (text: string) =>
  new OwsException('NoApplicableCode', `XML getFeature request SAX parsing error: ${text}`);

/** @throws OwsException where it is not well-formed, holds a DOCTYPE or is nested too deep */
export function readXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: Draft[] = [];
  let root: Draft | undefined;
  parser.on('error', (error) => {
    throw toFault(error.message);
  });
  parser.on('doctype', () => {
    throw toFault('DOCTYPE is disallowed');
  });
  parser.on('opentag', (tag) => {
    const parent = open.at(-1);
    if (open.length === MAX_DEPTH) throw toFault(`elements nested deeper than ${MAX_DEPTH}`);
    const declared = Object.entries(tag.ns);
    const inherited = parent?.prefixes ?? new Map<string, string>();
    const element: Draft = {
      uri: tag.uri,
      local: tag.local,
      attributes: new Map(
        Object.values(tag.attributes).map(({ uri, local, value }) => [
          uri === '' ? local : `{${uri}}${local}`,
          value,
        ]),
      ),
      children: [],
      text: '',
      prefixes: declared.length === 0 ? inherited : new Map([...inherited, ...declared]),
    };
    parent?.children.push(element);
    root ??= element;
    open.push(element);
  });
  const addText = (value: string) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += value;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(text).close();
  if (root === undefined) throw toFault('no element');
  return root;
}

export function isElement(element: XmlElement, prefix: keyof typeof NAMESPACES, local: string): boolean {
  return element.local === local && element.uri === NAMESPACES[prefix];
}
