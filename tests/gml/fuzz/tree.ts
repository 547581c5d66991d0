import { SaxesParser, type SaxesTagNS } from 'saxes';
import { doubt } from './curves.js';

export interface Attribute {
  prefix: string;
  local: string;
  uri: string;
  value: string;
}

/** An element with all that is in it, in order. */
export interface Element {
  local: string;
  uri: string;
  attributes: Attribute[];
  content: (Element | string)[];
}

/** The document is to be refused. */
export class Refused extends Error {}

/** The whole document by saxes: the one strict XML parser here that is not ours. */
export function readTree(bytes: Uint8Array): Element {
  const parser = new SaxesParser({ xmlns: true, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  const top: Element = { local: '', uri: '', attributes: [], content: [] };
  const open = [top];
  const put = (text: string): void => {
    open.at(-1)?.content.push(text);
  };
  parser.on('error', (error) => {
    throw new Refused(error.message);
  });
  parser.on('doctype', checkDoctype);
  parser.on('text', put);
  parser.on('cdata', put);
  parser.on('opentag', (tag: SaxesTagNS) => {
    for (const { local } of [tag, ...Object.values(tag.attributes)]) checkName(local);
    const attributes = Object.values(tag.attributes).map(({ prefix, local, uri, value }) => ({
      prefix,
      local,
      uri,
      value,
    }));
    // saxes trims namespace names, which are compared as they stand (Namespaces in XML 1.0 §2.3)
    if (attributes.some(({ prefix, local, value }) => isDeclaration(prefix, local) && value !== value.trim()))
      doubt.isRaised = true;
    const element = { local: tag.local, uri: tag.uri, attributes, content: [] };
    open.at(-1)?.content.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(decode(bytes)).close();
  const [root] = elementsOf(top);
  if (root === undefined) throw new Refused('no root element');
  return root;
}

const isDeclaration = (prefix: string, local: string) =>
  prefix === 'xmlns' || `${prefix}${local}` === 'xmlns';

/** Behind the colon saxes takes what no name begins with: `a:0` (Namespaces in XML 1.0 §4). */
function checkName(local: string): void {
  if (/^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/u.test(local)) throw new Refused(`the name ${local}`);
}

/** Whether an element could be called so (Namespaces in XML 1.0 §4). */
function isQName(text: string): boolean {
  const parts = text.split(':');
  const parser = new SaxesParser();
  let isName = parts.length <= 2;
  parser.on('error', () => {
    isName = false;
  });
  for (const part of isName ? parts : []) parser.write(`<${part}>`);
  return isName;
}

/** saxes hands a DOCTYPE on as it finds it; with declarations it is refused, and it has to be one (XML 1.0 §2.8). */
function checkDoctype(doctype: string): void {
  const space = '[ \\t\\r\\n]';
  const literal = '(?:"[^"]*"|\'[^\']*\')';
  const system = `(?:SYSTEM|PUBLIC${space}*${literal})${space}*${literal}`;
  const parts = new RegExp(`^${space}+([^ \\t\\r\\n"'<>[]+)(?:${space}+${system})?${space}*$`).exec(doctype);
  if (parts === null || !isQName(parts[1] as string)) throw new Refused('DOCTYPE');
}

/** XML 1.0 appendix F. */
function decode(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const declared =
    /^<\?xml[^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([\w.-]+)["'][^>]*\?>/.exec(head)?.[1] ?? 'utf-8';
  const label = head.startsWith('\xff\xfe')
    ? 'utf-16le'
    : head.startsWith('\xfe\xff')
      ? 'utf-16be'
      : head.startsWith('\xef\xbb\xbf') || /^(?:utf-?16|us-ascii|ascii)/i.test(declared)
        ? 'utf-8'
        : declared;
  try {
    const decoder = new TextDecoder(label, { fatal: true });
    // In two steps: in one, Node 20 takes windows-1252 for ISO-8859-1 (nodejs/node#56542).
    const text = decoder.decode(bytes, { stream: true }) + decoder.decode();
    if (text.startsWith('\ufeff')) throw new Refused('a second byte order mark, which saxes passes over');
    // Of another encoding than UTF-8 the converter cannot tell U+FFFD from what could not be decoded.
    if (label === 'utf-8' || /^utf-8$/i.test(label) || !text.includes('\ufffd')) return text;
  } catch {
    // Refused, too.
  }
  throw new Refused('encoding');
}

export function elementsOf(element: Element): Element[] {
  return element.content.filter((one) => typeof one !== 'string');
}

/** Whether there is nothing but XML's white space, which is less than JavaScript's (XML 1.0 §2.3). */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/** Without white space around. */
export function trim(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

/** Its own text, without that of the elements inside. */
export function textOf(element: Element): string {
  return element.content.filter((one) => typeof one === 'string').join('');
}

export const isGml = (uri: string): boolean => uri.startsWith('http://www.opengis.net/gml');
export const isWfs = (uri: string): boolean => uri.startsWith('http://www.opengis.net/wfs');
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const XLINK = 'http://www.w3.org/1999/xlink';

/** An attribute of GML or WFS: without a namespace, or in GML's. */
export function plain(element: Element, ...names: string[]): string | undefined {
  return element.attributes.find(
    ({ prefix, local, uri }) => names.includes(local) && (prefix === '' || isGml(uri)),
  )?.value;
}

export function idOf(element: Element): string | undefined {
  const id = element.attributes.find(
    ({ prefix, local, uri }) => prefix !== '' && local === 'id' && isGml(uri),
  );
  return id?.value ?? plain(element, 'fid');
}

export function gmlIdOf(element: Element): string | undefined {
  return element.attributes.find(({ prefix, local, uri }) => prefix !== '' && local === 'id' && isGml(uri))
    ?.value;
}

export function hrefOf(element: Element): string | undefined {
  return element.attributes.find(({ local, uri }) => local === 'href' && uri === XLINK)?.value;
}

export function isNil(element: Element): boolean {
  const nil = element.attributes.find(({ local, uri }) => local === 'nil' && uri === XSI)?.value ?? '';
  return ['true', '1'].includes(trim(nil));
}
