import { expect, jest } from '@jest/globals';
import { SaxesParser } from 'saxes';
import type { Geometry, Position } from '../../src/geometry/index.js';

// Answers of megabytes, on machines with other work to do.
jest.setTimeout(30_000);

/** An element as the tests look at it: with the prefix it was written with. */
export interface Node {
  readonly name: string;
  readonly local: string;
  readonly uri: string;
  readonly attributes: Record<string, string>;
  readonly children: Node[];
  text: string;
}

/** Reads a document; throws where it is not well-formed, so every answer that goes through here is. */
export function readNode(xml: string): Node {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: Node[] = [];
  let root: Node | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, local, uri, attributes }) => {
    const values = Object.fromEntries(Object.values(attributes).map((a) => [a.name, a.value]));
    const node: Node = { name, local, uri, attributes: values, children: [], text: '' };
    open.at(-1)?.children.push(node);
    root ??= node;
    open.push(node);
  });
  parser.on('text', (text) => {
    const node = open.at(-1);
    if (node !== undefined) node.text += text;
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(xml).close();
  return root!;
}

export const allOf = (node: Node, local: string): Node[] => [
  ...(node.local === local ? [node] : []),
  ...node.children.flatMap((child) => allOf(child, local)),
];

export const textsOf = (node: Node, local: string) => allOf(node, local).map(({ text }) => text);

export interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly root: Node;
}

async function toReply(response: Response): Promise<Reply> {
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), text, root: readNode(text) };
}

export const get = async (url: string, parameters: Record<string, string>): Promise<Reply> =>
  toReply(await fetch(`${url}?${new URLSearchParams(parameters)}`));

export const post = async (url: string, body: string, type = 'text/xml'): Promise<Reply> =>
  toReply(await fetch(url, { method: 'POST', body, headers: { 'Content-Type': type } }));

/** The exception of a report, which must be one. */
export function exceptionOf({ root, status, type }: Reply) {
  expect(root.name).toBe('ows:ExceptionReport');
  expect(root.attributes.version).toBe('1.0.0');
  expect([status, type]).toEqual([200, 'application/xml']);
  const [exception] = allOf(root, 'Exception');
  const { exceptionCode, locator } = exception!.attributes;
  return { code: exceptionCode, locator, text: textsOf(root, 'ExceptionText')[0] };
}

const escapeText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');

// Builders for filters, written out so that they share nothing with the server.
export const literal = (value: string) => `<ogc:Literal>${escapeText(value)}</ogc:Literal>`;
export const property = (name: string) => `<ogc:PropertyName>${name}</ogc:PropertyName>`;
export const compare = (operator: string, name: string, value: string, attributes = '') =>
  `<ogc:PropertyIs${operator}${attributes}>${property(name)}${literal(value)}</ogc:PropertyIs${operator}>`;
export const like = (
  name: string,
  pattern: string,
  attributes = 'wildCard="*" singleChar="?" escapeChar="!"',
) => `<ogc:PropertyIsLike ${attributes}>${property(name)}${literal(pattern)}</ogc:PropertyIsLike>`;
export const between = (name: string, low: string, high: string) =>
  `<ogc:PropertyIsBetween>${property(name)}<ogc:LowerBoundary>${literal(low)}</ogc:LowerBoundary>` +
  `<ogc:UpperBoundary>${literal(high)}</ogc:UpperBoundary></ogc:PropertyIsBetween>`;
export const isNull = (name: string) => `<ogc:PropertyIsNull>${property(name)}</ogc:PropertyIsNull>`;
export const spatial = (operator: string, name: string, gml: string) =>
  `<ogc:${operator}>${property(name)}${gml}</ogc:${operator}>`;
export const distance = (operator: string, name: string, gml: string, metres: number) =>
  `<ogc:${operator}>${property(name)}${gml}<ogc:Distance units="m">${metres}</ogc:Distance></ogc:${operator}>`;
export const combine = (operator: string, ...parts: string[]) =>
  `<ogc:${operator}>${parts.join('')}</ogc:${operator}>`;

const DECLARATIONS = 'xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"';

/** A GetFeature as both encodings of WFS 1.1.0 can say it. */
export interface Ask {
  readonly typeName: string;
  /** What stands inside ogc:Filter. */
  readonly filter?: string;
  readonly maxFeatures?: number;
  readonly startIndex?: number;
  readonly propertyNames?: readonly string[];
  readonly sortBy?: readonly { readonly name: string; readonly order: 'A' | 'D' }[];
  readonly srsName?: string;
  readonly resultType?: string;
}

export function toParameters(ask: Ask): Record<string, string> {
  const { typeName, filter, maxFeatures, startIndex, propertyNames, sortBy, srsName, resultType } = ask;
  const values = {
    filter: filter === undefined ? undefined : `<ogc:Filter ${DECLARATIONS}>${filter}</ogc:Filter>`,
    maxFeatures: maxFeatures?.toString(),
    startIndex: startIndex?.toString(),
    propertyName: propertyNames?.join(','),
    sortBy: sortBy?.map(({ name, order }) => `${name} ${order}`).join(','),
    srsName,
    resultType,
  };
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { service: 'WFS', version: '1.1.0', request: 'GetFeature', typeName, ...Object.fromEntries(given) };
}

/** The same as XML; the layer's prefix is bound by its namespace to another one. */
export function toXml({ typeName, filter, propertyNames = [], sortBy = [], ...ask }: Ask): string {
  const [prefix, local] = typeName.split(':');
  const attribute = (name: string, value: unknown) => (value === undefined ? '' : ` ${name}="${value}"`);
  const order = sortBy.map(
    (key) =>
      `<ogc:SortProperty>${property(key.name)}<ogc:SortOrder>${key.order === 'A' ? 'ASC' : 'DESC'}</ogc:SortOrder></ogc:SortProperty>`,
  );
  return (
    `<?xml version="1.0"?><wfs:GetFeature service="WFS" version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs" ${DECLARATIONS}` +
    `${attribute('maxFeatures', ask.maxFeatures)}${attribute('startIndex', ask.startIndex)}${attribute('resultType', ask.resultType)}>` +
    `<wfs:Query xmlns:other="http://${prefix}" typeName="other:${local}"${attribute('srsName', ask.srsName)}>` +
    `${propertyNames.map((name) => `<wfs:PropertyName>${name}</wfs:PropertyName>`).join('')}` +
    `${filter === undefined ? '' : `<ogc:Filter>${filter}</ogc:Filter>`}` +
    `${order.length === 0 ? '' : `<ogc:SortBy>${order.join('')}</ogc:SortBy>`}</wfs:Query></wfs:GetFeature>`
  );
}

const withoutTime = (text: string) => text.replace(/timeStamp="[^"]*"/, '');

/** Asks by GET and by POST; both must say the same. */
export async function ask(url: string, question: Ask): Promise<Reply> {
  const [byGet, byPost] = await Promise.all([get(url, toParameters(question)), post(url, toXml(question))]);
  const [one, other] = [withoutTime(byGet.text), withoutTime(byPost.text)];
  // Only the beginning, lest a difference fill the screen.
  if (one !== other) expect(other.slice(0, 3000)).toBe(one.slice(0, 3000));
  expect(one === other).toBe(true);
  return byGet;
}

export interface ReadFeature {
  readonly id: string;
  readonly geometryNode: Node | undefined;
  /** Attributes by local name, as written. */
  readonly values: Record<string, string>;
}

/** The features of a collection, whose declared number must be true. */
export function featuresOf({ root, status }: Reply): ReadFeature[] {
  expect([status, root.name]).toEqual([200, 'wfs:FeatureCollection']);
  const members = root.children.flatMap((child) =>
    child.name === 'gml:featureMembers' ? child.children : [],
  );
  expect(root.attributes.numberOfFeatures).toBe(String(members.length));
  expect(members.every(({ children, uri }) => children.every((child) => child.uri === uri))).toBe(true);
  return members.map((member) => {
    const geometry = member.children.find(({ children }) => children.length > 0);
    const plain = member.children.filter((child) => child !== geometry);
    return {
      id: member.attributes['gml:id']!,
      geometryNode: geometry?.children[0],
      values: Object.fromEntries(plain.map(({ local, text }) => [local, text])),
    };
  });
}

export const idsOf = (reply: Reply) => featuresOf(reply).map(({ id }) => id);

/** Pairs of numbers of every pos and posList below, in the order they are written. */
export const pairsOf = (node: Node): [number, number][] =>
  [node, ...node.children].flatMap((child, i) => {
    if (i > 0) return pairsOf(child);
    if (child.local !== 'pos' && child.local !== 'posList') return [];
    const numbers = child.text.trim().split(/\s+/).map(Number);
    return Array.from({ length: numbers.length / 2 }, (_, k): [number, number] => [
      numbers[2 * k]!,
      numbers[2 * k + 1]!,
    ]);
  });

const EPSG_4326 = ' srsName="EPSG:4326"';

/** A GeoJSON geometry as GML, longitude first as GeoServer reads `EPSG:4326`. */
export function toGml(geometry: Geometry, srs = EPSG_4326): string {
  const list = (positions: readonly Position[]) => positions.map(([x, y]) => `${x} ${y}`).join(' ');
  const point = (position: Position, name: string) =>
    `<gml:Point${name}><gml:pos>${list([position])}</gml:pos></gml:Point>`;
  const line = (positions: readonly Position[], name: string) =>
    `<gml:LineString${name}><gml:posList>${list(positions)}</gml:posList></gml:LineString>`;
  const ring = (positions: readonly Position[], side: string) =>
    `<gml:${side}><gml:LinearRing><gml:posList>${list(positions)}</gml:posList></gml:LinearRing></gml:${side}>`;
  const polygon = (rings: readonly (readonly Position[])[], name: string) =>
    `<gml:Polygon${name}>${rings.map((positions, i) => ring(positions, i === 0 ? 'exterior' : 'interior')).join('')}</gml:Polygon>`;
  const multi = (name: string, member: string, parts: readonly string[]) =>
    `<gml:${name}${srs}>${parts.map((part) => `<gml:${member}>${part}</gml:${member}>`).join('')}</gml:${name}>`;
  switch (geometry.type) {
    case 'Point':
      return point(geometry.coordinates, srs);
    case 'LineString':
      return line(geometry.coordinates, srs);
    case 'Polygon':
      return polygon(geometry.coordinates, srs);
    case 'MultiPoint':
      return multi(
        'MultiPoint',
        'pointMember',
        geometry.coordinates.map((part) => point(part, '')),
      );
    case 'MultiLineString':
      return multi(
        'MultiLineString',
        'lineStringMember',
        geometry.coordinates.map((part) => line(part, '')),
      );
    case 'MultiPolygon':
      return multi(
        'MultiPolygon',
        'polygonMember',
        geometry.coordinates.map((part) => polygon(part, '')),
      );
  }
}
