import { SaxesParser, type SaxesTagNS } from 'saxes';
import { ServiceError, toMessage } from '../errors.js';
import type { Bbox, SourceList, SourceSummary } from '../query/index.js';

/** What a GetCapabilities answer says (OGC 04-094 §13, OGC 05-008), as far as it is used. */
export interface Capabilities {
  readonly version: string | undefined;
  readonly service: Omit<SourceList, 'sources'>;
  readonly featureTypes: readonly SourceSummary[];
  /** Names of ogc:SpatialOperators (OGC 04-095 §18); undefined where the document says nothing of filters. */
  readonly spatialOperators: readonly string[] | undefined;
  /** Names of ogc:GeometryOperands, without prefix; likewise. */
  readonly geometryOperands: readonly string[] | undefined;
  /** The CRSs a feature type is offered in, DefaultSRS first, by its name. */
  readonly srsNames: ReadonlyMap<string, readonly string[]>;
  /** How GetFeature may be sent (OGC 05-008 §7.4.6); empty where the document does not say. */
  readonly getFeatureMethods: readonly ('GET' | 'POST')[];
}

type Draft<T> = { -readonly [K in keyof T]?: T[K] };
interface ServiceDraft extends Draft<Omit<SourceList, 'sources' | 'provider' | 'contact' | 'keywords'>> {
  keywords: string[];
  provider: Draft<NonNullable<SourceList['provider']>>;
  contact: Draft<NonNullable<SourceList['contact']>>;
}
interface TypeDraft extends Draft<Omit<SourceSummary, 'keywords'>> {
  keywords: string[];
  srsNames: string[];
  corners: { lower?: string; upper?: string };
}

/**
 * Reads a capabilities document in one pass; thousands of feature types are several MB. Elements are matched by local
 * name: servers differ in prefixes, and in whether FeatureTypeList has one.
 * @throws upstreamUnusable where it is not well-formed, or something else than capabilities
 */
export function readCapabilities(xml: string): Capabilities {
  const parser = new SaxesParser({ xmlns: true });
  const path: string[] = [];
  const service: ServiceDraft = { keywords: [], provider: {}, contact: {} };
  const types: TypeDraft[] = [];
  const methods = new Set<'GET' | 'POST'>();
  let operators: string[] | undefined;
  let operands: string[] | undefined;
  let operation: string | undefined;
  let version: string | undefined;
  let text = '';

  parser.on('error', (error) => {
    throw unreadable(error.message, error);
  });
  parser.on('doctype', () => {
    throw unreadable('it has a DOCTYPE');
  });
  parser.on('opentag', (tag: SaxesTagNS) => {
    if (path.length === 0) {
      if (!/^WFS_Capabilities$/.test(tag.local))
        throw unreadable(`its root element is ${tag.name.slice(0, 60)}`);
      version = tag.attributes.version?.value;
    }
    path.push(tag.local);
    text = '';
    if (path.at(-1) === 'FeatureType' && path.at(-2) === 'FeatureTypeList')
      types.push({ keywords: [], srsNames: [], corners: {} });
    readTagAttributes(tag, path, service, types.at(-1));
    if (tag.local === 'Filter_Capabilities') operators ??= [];
    const operator = toSpatialOperator(tag, path);
    if (operator !== undefined) operators?.push(operator);
    if (tag.local === 'Operation') operation = tag.attributes.name?.value;
    const method = toGetFeatureMethod(path, operation);
    if (method !== undefined) methods.add(method);
  });
  const collect = (part: string) => {
    text += part;
  };
  parser.on('text', collect);
  parser.on('cdata', collect);
  parser.on('closetag', () => {
    const value = text.trim().replace(/\s+/g, ' ');
    if (value !== '') readTextElement(path, value, service, types.at(-1));
    if (path.at(-1) === 'GeometryOperand' && value !== '') {
      operands ??= [];
      operands.push(value.slice(value.indexOf(':') + 1));
    }
    path.pop();
    text = '';
  });
  parser.write(xml).close();
  return {
    version,
    service: toService(service),
    featureTypes: types.flatMap((type) => toSummary(type) ?? []),
    spatialOperators: operators,
    geometryOperands: operands && [...new Set(operands)],
    srsNames: new Map(types.flatMap(({ name, srsNames }) => (name === undefined ? [] : [[name, srsNames]]))),
    getFeatureMethods: [...methods],
  };
}

/** Filter 1.1: `<SpatialOperator name="Intersects"/>`; Filter 1.0: `<Intersect/>` inside Spatial_Operators. */
function toSpatialOperator(tag: SaxesTagNS, path: readonly string[]): string | undefined {
  if (tag.local === 'SpatialOperator') return tag.attributes.name?.value;
  if (path.at(-2) !== 'Spatial_Operators') return undefined;
  return tag.local === 'Intersect' ? 'Intersects' : tag.local;
}

/** WFS 1.1.0: Operation/DCP/HTTP/Get; WFS 1.0.0: Request/GetFeature/DCPType/HTTP/Get. */
function toGetFeatureMethod(
  path: readonly string[],
  operation: string | undefined,
): 'GET' | 'POST' | undefined {
  const name = path.at(-1);
  if (path.at(-2) !== 'HTTP' || (name !== 'Get' && name !== 'Post')) return undefined;
  const isGetFeature = path.at(-3) === 'DCPType' ? path.at(-4) === 'GetFeature' : operation === 'GetFeature';
  return isGetFeature ? (name === 'Get' ? 'GET' : 'POST') : undefined;
}

function readTagAttributes(
  tag: SaxesTagNS,
  path: readonly string[],
  service: ServiceDraft,
  type: TypeDraft | undefined,
) {
  if (tag.local === 'ProviderSite') {
    const href = Object.values(tag.attributes).find((attribute) => attribute.local === 'href')?.value;
    if (href) service.provider.site = href;
  }
  // WFS 1.0.0, which some servers answer with whatever is asked: the box is in attributes
  if (tag.local === 'LatLongBoundingBox' && path.at(-2) === 'FeatureType' && type !== undefined) {
    const value = (name: string) => tag.attributes[name]?.value ?? '';
    type.corners = { lower: `${value('minx')} ${value('miny')}`, upper: `${value('maxx')} ${value('maxy')}` };
  }
}

function readTextElement(
  path: readonly string[],
  value: string,
  service: ServiceDraft,
  type: TypeDraft | undefined,
) {
  const name = path.at(-1) as string;
  if (path[1] === 'ServiceIdentification' || path[1] === 'Service') readIdentification(name, value, service);
  else if (path[1] === 'ServiceProvider') readProvider(name, value, service);
  else if (path[1] === 'FeatureTypeList' && path[2] === 'FeatureType' && type !== undefined) {
    readFeatureType(path.slice(3).join('/'), value, type);
  }
}

function readIdentification(name: string, value: string, service: ServiceDraft): void {
  if (name === 'Title') service.title = value;
  else if (name === 'Abstract') service.abstract = value;
  else if (name === 'Keyword') service.keywords.push(value);
  else if (name === 'Fees') service.fees = value;
  else if (name === 'AccessConstraints') service.accessConstraints = value;
}

function readProvider(name: string, value: string, { provider, contact }: ServiceDraft): void {
  if (name === 'ProviderName') provider.name = value;
  else if (name === 'IndividualName') contact.name = value;
  else if (name === 'PositionName') contact.position = value;
  else if (name === 'ElectronicMailAddress') contact.email = value;
  else if (name === 'Voice') contact.phone = value;
}

function readFeatureType(path: string, value: string, type: TypeDraft): void {
  if (path === 'Name') type.name = value;
  else if (path === 'Title') type.title = value;
  else if (path === 'Abstract') type.abstract = value;
  else if (path === 'DefaultSRS' || path === 'SRS' || path === 'DefaultCRS') {
    type.crs ??= value;
    type.srsNames.push(value);
  } else if (path === 'OtherSRS' || path === 'OtherCRS') type.srsNames.push(value);
  else if (path === 'Keywords')
    type.keywords.push(
      ...value
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean),
    );
  else if (path.endsWith('/Keyword')) type.keywords.push(value);
  else if (path === 'WGS84BoundingBox/LowerCorner') type.corners.lower ??= value;
  else if (path === 'WGS84BoundingBox/UpperCorner') type.corners.upper ??= value;
}

function toService(draft: ServiceDraft): Capabilities['service'] {
  const { provider, contact, ...rest } = draft;
  return {
    ...rest,
    ...(Object.keys(provider).length > 0 && { provider }),
    ...(Object.keys(contact).length > 0 && { contact }),
  };
}

function toSummary({ corners, name, ...rest }: TypeDraft): SourceSummary | undefined {
  if (name === undefined) return undefined;
  const bbox = toBbox(corners);
  const { title, abstract, keywords, crs } = rest;
  return {
    name,
    ...(title !== undefined && { title }),
    ...(abstract !== undefined && { abstract }),
    keywords,
    ...(bbox && { bbox }),
    ...(crs !== undefined && { crs }),
  };
}

/** ows:WGS84BoundingBox is always longitude first (OGC 05-008 §10.2.2); one that is no box on Earth is none. */
function toBbox({ lower = '', upper = '' }: { lower?: string; upper?: string }): Bbox | undefined {
  const [west = NaN, south = NaN] = lower.split(' ').map(Number.parseFloat);
  const [east = NaN, north = NaN] = upper.split(' ').map(Number.parseFloat);
  const isOnEarth =
    west >= -180.001 && east <= 180.001 && south >= -90.001 && north <= 90.001 && south <= north;
  return isOnEarth && west <= east ? [west, south, east, north] : undefined;
}

function unreadable(reason: string, cause?: unknown): ServiceError {
  return new ServiceError('upstreamUnusable', toMessage('wfs.capabilitiesUnreadable', { reason }), { cause });
}
