import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LayerFeature, Value } from '../../src/demo/index.js';
import { createZoneLayer } from '../../src/demo/layers/planning.js';
import { readXml, type XmlElement } from '../../src/demo/xml.js';
import { escapeXml } from '../../src/demo/xml-text.js';
import type { Position } from '../../src/geometry/index.js';
import { AuthorizationServer, type AuthorizationServerOptions } from './authorization-server.js';

export interface OpendatasoftOptions extends AuthorizationServerOptions {
  /** API keys that open the domain; with some, or with `isPrivate`, nobody is let in without a key or token. */
  readonly apikeys?: readonly string[];
  readonly isPrivate?: boolean;
  /** What is done with a parameter that is not documented. */
  readonly undocumented?: 'refused' | 'ignored';
  /** Which of the two geometry attributes the schema, and each feature, has first. */
  readonly first?: 'geo_point_2d' | 'geo_shape';
  /** How coordinates are written under `EPSG:4326`. */
  readonly axisOrder?: 'latLon' | 'lonLat';
  /** How many features the layer has. */
  readonly count?: number;
}

/** A request to `/api/wfs`. */
export interface WfsAsked {
  readonly method: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Opendatasoft {
  /** `http://127.0.0.1:PORT`, in the place of `https://DOMAIN`. */
  readonly origin: string;
  readonly wfsUrl: string;
  readonly oauth: AuthorizationServer;
  readonly asked: WfsAsked[];
  /** The features of its one layer, `ods:zone_urba`, as the demo has them: `values` by `attributes`. */
  readonly features: readonly LayerFeature[];
  readonly attributes: readonly { readonly name: string; readonly type: string }[];
  /** Answers of `/api/wfs` instead of the usual ones. */
  instead: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

/** Says 429 as Opendatasoft does once the calls of the day are used up. */
export function toQuotaAnswer(resetTime: Date): (response: ServerResponse) => void {
  const reset = resetTime.toISOString().replace(/\.\d+Z$/, 'Z');
  return (response) => {
    response.writeHead(429, {
      'Content-Type': 'application/json; charset=utf-8',
      'X-RateLimit-Limit': '10000',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': reset.replace('T', ' ').replace('Z', '+00:00'),
    });
    const error = 'Too many requests on the domain. Please contact the domain administrator.';
    const quota = { errorcode: 10005, reset_time: reset, limit_time_unit: 'day', call_limit: 10_000 };
    response.end(JSON.stringify({ ...quota, error }));
  };
}

const layer = createZoneLayer();
const TYPE_NAME = 'ods:zone_urba';
const NAMESPACE = 'http://www.opendatasoft.com';
const SECTIONS = ['ServiceIdentification', 'ServiceProvider', 'OperationsMetadata', 'FeatureTypeList'];

// what the documentation of the WFS 1.1.0 names, and the ways in
const COMMON = ['service', 'version', 'request', 'apikey', 'access_token'];
const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  getcapabilities: ['sections', 'acceptversions'],
  describefeaturetype: ['typename'],
  getfeature: ['resulttype', 'maxfeatures', 'typename', 'propertyname', 'featureid'],
};

/** What the WFS says no with. */
class Exception extends Error {
  constructor(
    readonly code: 'InvalidParameterValue' | 'MissingParameterValue' | 'OperationNotSupported',
    readonly locator: string,
    message: string,
  ) {
    super(message);
  }
}

/** A request by either method: names in lower case. */
type Parameters = ReadonlyMap<string, string>;

/**
 * An Opendatasoft domain on the loopback: a WFS 1.1.0 that knows the documented parameters and no other, and the OAuth 2
 * endpoints beside it.
 */
export async function startOpendatasoft(options: OpendatasoftOptions = {}): Promise<Opendatasoft> {
  const features = layer.features.slice(0, options.count ?? 30);
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const oauth = new AuthorizationServer(options);
  const domain: Opendatasoft = {
    origin,
    wfsUrl: `${origin}/api/wfs`,
    oauth,
    asked: [],
    features,
    attributes: layer.attributes,
    instead: undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    let body = '';
    for await (const part of request) body += part;
    if (pathname === '/oauth2/authorize/' && request.method === 'GET')
      return oauth.authorize(searchParams, response);
    if (pathname === '/oauth2/token/' && request.method === 'POST')
      return oauth.token(request, body, response);
    if (pathname !== '/api/wfs') return void response.writeHead(404).end();
    const { method = 'GET', headers } = request;
    domain.asked.push({ method, query: Object.fromEntries(searchParams), headers, body });
    if (domain.instead !== undefined) return domain.instead(response);
    if (!isLetIn(request, searchParams)) return void refuseEntry(response);
    try {
      const parameters = method === 'POST' ? readXmlParameters(request, body) : toKvp(searchParams);
      const text = toAnswer(parameters);
      response.writeHead(200, { 'Content-Type': 'text/xml; charset=utf-8' }).end(text);
    } catch (error) {
      response.writeHead(400, { 'Content-Type': 'text/xml' }).end(encodeException(error as Exception));
    }
  }

  function isLetIn(request: IncomingMessage, query: URLSearchParams): boolean {
    const { apikeys = [], isPrivate = apikeys.length > 0 } = options;
    const [, scheme = '', secret = ''] = /^(\S+) (.*)$/.exec(request.headers.authorization ?? '') ?? [];
    const apikey = query.get('apikey') ?? (/^apikey$/i.test(scheme) ? secret : undefined);
    const token = query.get('access_token') ?? (/^bearer$/i.test(scheme) ? secret : undefined);
    if (apikey !== undefined) return apikeys.includes(apikey);
    return token === undefined ? !isPrivate : oauth.isValid(token);
  }

  function toAnswer(parameters: Parameters): string {
    const operation = parameters.get('request')?.toLowerCase() ?? '';
    const documented = DOCUMENTED[operation];
    if (documented === undefined) throw new Exception('OperationNotSupported', 'request', operation);
    if (parameters.get('service') !== 'WFS')
      throw new Exception('InvalidParameterValue', 'service', 'Service must be WFS or CSW.');
    const unknown = [...parameters.keys()].find((name) => ![...COMMON, ...documented].includes(name));
    if (unknown !== undefined && options.undocumented !== 'ignored')
      throw new Exception('InvalidParameterValue', unknown, `Unknown parameter ${unknown}.`);
    if (operation === 'getcapabilities') return encodeCapabilities(parameters);
    const typeName = parameters.get('typename') ?? (operation === 'getfeature' ? undefined : TYPE_NAME);
    if (typeName === undefined && !parameters.has('featureid'))
      throw new Exception('MissingParameterValue', 'TypeName', 'TypeName is missing.');
    if (typeName !== undefined && typeName !== TYPE_NAME && typeName !== 'zone_urba')
      throw new Exception('InvalidParameterValue', 'TypeName', `Unknown feature type ${typeName}.`);
    return operation === 'getfeature' ? encodeFeatures(parameters) : encodeSchema();
  }

  const geometries = ['geo_point_2d', 'geo_shape'];
  if (options.first === 'geo_shape') geometries.reverse();
  const names = [...geometries, ...layer.attributes.map(({ name }) => name)];

  function encodeSchema(): string {
    const toType = (name: string) =>
      name === 'geo_point_2d'
        ? 'gml:PointPropertyType'
        : name === 'geo_shape'
          ? 'gml:GeometryPropertyType'
          : `xsd:${typeOf(name)}`;
    const elements = names.map(
      (name) => `<xsd:element name="${name}" type="${toType(name)}" minOccurs="0"/>`,
    );
    return `<?xml version="1.0" encoding="utf-8"?><xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml" xmlns:ods="${NAMESPACE}" targetNamespace="${NAMESPACE}" elementFormDefault="qualified">
<xsd:complexType name="zone_urbaType"><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:sequence>${elements.join('')}</xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType>
<xsd:element name="zone_urba" type="ods:zone_urbaType" substitutionGroup="gml:_Feature"/></xsd:schema>`;
  }

  /** One of the two dates is a date with a time, as both kinds are met. */
  function typeOf(name: string): string {
    const type = layer.attributes.find((attribute) => attribute.name === name)?.type ?? 'string';
    return name === 'datvalid' ? 'dateTime' : type;
  }

  function encodeFeatures(parameters: Parameters): string {
    const ids = parameters.get('featureid')?.split(',');
    const found = ids === undefined ? features : features.filter(({ id }) => ids.includes(id));
    const isHits = parameters.get('resulttype')?.toLowerCase() === 'hits';
    const limit = toLimit(parameters.get('maxfeatures'));
    const asked = parameters
      .get('propertyname')
      ?.split(',')
      .map((name) => name.replace(/^ods:/, ''));
    const unknown = asked?.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new Exception('InvalidParameterValue', 'PropertyName', `Unknown property ${unknown}.`);
    const given = isHits ? [] : found.slice(0, limit);
    const members = given.map((feature) => encodeFeature(feature, asked)).join('');
    const number = isHits ? found.length : given.length;
    return `<?xml version="1.0" encoding="utf-8"?><wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:ods="${NAMESPACE}" numberOfFeatures="${number}"><gml:featureMembers>${members}</gml:featureMembers></wfs:FeatureCollection>`;
  }

  function encodeFeature({ id, geometry, values }: LayerFeature, asked: string[] | undefined): string {
    const polygons = geometry?.type === 'MultiPolygon' ? geometry.coordinates : [];
    const content = names.map((name) => {
      if (asked !== undefined && !asked.includes(name)) return '';
      if (name === 'geo_shape') return encodeElement(name, encodeShape(polygons));
      if (name === 'geo_point_2d') return encodeElement(name, encodePoint(polygons[0]?.[0] ?? []));
      const at = layer.attributes.findIndex((attribute) => attribute.name === name);
      const value = values[at] ?? null;
      return value === null ? '' : encodeElement(name, escapeXml(toText(value, layer.attributes[at]?.type)));
    });
    return `<ods:zone_urba gml:id="${escapeXml(id)}">${content.join('')}</ods:zone_urba>`;
  }

  const SRS = ' srsName="urn:ogc:def:crs:EPSG::4326"';
  const encodePosition = ([lon, lat]: Position) =>
    options.axisOrder === 'lonLat' ? `${lon} ${lat}` : `${lat} ${lon}`;

  function encodeShape(polygons: readonly (readonly (readonly Position[])[])[]): string {
    const ring = (kind: string, positions: readonly Position[]) =>
      `<gml:${kind}><gml:LinearRing><gml:posList>${positions.map(encodePosition).join(' ')}</gml:posList></gml:LinearRing></gml:${kind}>`;
    const members = polygons.map(
      (rings) =>
        `<gml:surfaceMember><gml:Polygon>${rings.map((one, i) => ring(i === 0 ? 'exterior' : 'interior', one)).join('')}</gml:Polygon></gml:surfaceMember>`,
    );
    return `<gml:MultiSurface${SRS}>${members.join('')}</gml:MultiSurface>`;
  }

  /** The middle of the box around the first part. */
  function encodePoint(ring: readonly Position[]): string {
    const middle = (axis: 0 | 1) => {
      const numbers = ring.map((position) => position[axis]);
      return (Math.min(...numbers) + Math.max(...numbers)) / 2;
    };
    return `<gml:Point${SRS}><gml:pos>${encodePosition([middle(0), middle(1)])}</gml:pos></gml:Point>`;
  }

  function encodeCapabilities(parameters: Parameters): string {
    const versions = parameters.get('acceptversions')?.split(',') ?? ['1.1.0'];
    if (!versions.includes('1.1.0'))
      throw new Exception('InvalidParameterValue', 'AcceptVersions', 'Only 1.1.0.');
    const wanted = parameters.get('sections')?.split(',') ?? SECTIONS;
    const [west, south, east, north] = layer.wgs84Bbox;
    const sections: Readonly<Record<string, string>> = {
      ServiceIdentification:
        '<ows:ServiceIdentification><ows:Title>Double</ows:Title><ows:ServiceType>WFS</ows:ServiceType><ows:ServiceTypeVersion>1.1.0</ows:ServiceTypeVersion></ows:ServiceIdentification>',
      ServiceProvider:
        '<ows:ServiceProvider><ows:ProviderName>Opendatasoft</ows:ProviderName></ows:ServiceProvider>',
      OperationsMetadata: `<ows:OperationsMetadata>${['GetCapabilities', 'DescribeFeatureType', 'GetFeature'].map((name) => `<ows:Operation name="${name}"><ows:DCP><ows:HTTP><ows:Get xlink:href="https://elsewhere.invalid/api/wfs"/><ows:Post xlink:href="https://elsewhere.invalid/api/wfs"/></ows:HTTP></ows:DCP></ows:Operation>`).join('')}</ows:OperationsMetadata>`,
      FeatureTypeList: `<wfs:FeatureTypeList><wfs:FeatureType><wfs:Name>${TYPE_NAME}</wfs:Name><wfs:Title>${escapeXml(layer.title)}</wfs:Title><wfs:DefaultSRS>urn:ogc:def:crs:EPSG::4326</wfs:DefaultSRS><ows:WGS84BoundingBox><ows:LowerCorner>${west} ${south}</ows:LowerCorner><ows:UpperCorner>${east} ${north}</ows:UpperCorner></ows:WGS84BoundingBox></wfs:FeatureType></wfs:FeatureTypeList>`,
    };
    const text = SECTIONS.filter((name) => wanted.includes(name)).map((name) => sections[name]);
    return `<?xml version="1.0" encoding="utf-8"?><wfs:WFS_Capabilities version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs" xmlns:ows="http://www.opengis.net/ows" xmlns:xlink="http://www.w3.org/1999/xlink">${text.join('')}</wfs:WFS_Capabilities>`;
  }

  return domain;
}

function toKvp(query: URLSearchParams): Parameters {
  return new Map([...query].map(([name, value]) => [name.toLowerCase(), value]));
}

/** WFS 1.1.0 §9.2 as far as it is documented there; what else an element holds is a parameter of its name. */
function readXmlParameters(request: IncomingMessage, body: string): Parameters {
  if (!/^text\/xml\b/.test(request.headers['content-type'] ?? ''))
    throw new Exception('InvalidParameterValue', 'Content-Type', 'Content-Type must be text/xml.');
  const root = readXml(body);
  const parameters = new Map([['request', root.local]]);
  const add = (element: XmlElement) => {
    for (const [name, value] of element.attributes) {
      if (!name.startsWith('{')) parameters.set(name.toLowerCase(), value);
    }
    for (const child of element.children) {
      const name = child.local.toLowerCase();
      if (name === 'query') add(child);
      else parameters.set(name, [parameters.get(name), child.text.trim()].filter(Boolean).join(','));
    }
  };
  add(root);
  return parameters;
}

function toLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text))
    throw new Exception('InvalidParameterValue', 'maxFeatures', 'maxFeatures must be a positive integer.');
  return Number(text);
}

/** Dates have a space where RFC 3339 has a T. */
function toText(value: Exclude<Value, null>, type: string | undefined): string {
  const text = String(value);
  return type === 'date' ? `${text.replace('Z', '')} 00:00:00+00:00` : text;
}

const encodeElement = (name: string, content: string) => `<ods:${name}>${content}</ods:${name}>`;

function encodeException({ code = 'InvalidParameterValue', locator, message }: Exception): string {
  const place = locator === undefined ? '' : ` locator="${escapeXml(locator)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<ExceptionReport xmlns="http://www.opengis.net/ows" version="1.0.0" language="en">
  <Exception exceptionCode="${code}"${place}><ExceptionText>${escapeXml(message)}</ExceptionText></Exception>
</ExceptionReport>`;
}

function refuseEntry(response: ServerResponse): void {
  response.writeHead(401, {
    'Content-Type': 'application/json; charset=utf-8',
    'WWW-Authenticate': 'Bearer realm="api", error="invalid_token"',
  });
  response.end('{"errorcode":10002,"error":"You are not authorized to access this resource."}');
}
