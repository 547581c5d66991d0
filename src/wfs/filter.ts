import type { AxisOrder } from '../crs/index.js';
import type { Bbox, Geometry, Position } from '../geometry/index.js';
import { toPlainNumber } from './literal.js';
import { encodeAttribute, encodeElement, encodeText } from './xml.js';

/** How coordinates are written in a filter: under which srsName, and in which order. */
export interface CoordinateForm {
  readonly srsName: string;
  readonly axisOrder: AxisOrder;
}

/**
 * What a feature must fulfil: the part of OGC Filter 1.1 (OGC 04-095) that is asked of upstreams. The names of
 * properties stand without prefix: a prefixed one matches nothing on QGIS Server.
 */
export type Filter =
  | { readonly operator: 'And' | 'Or'; readonly operands: readonly Filter[] }
  | {
      readonly operator: 'Intersects';
      readonly propertyName: string;
      /** Easting and northing, or longitude and latitude, of `form`'s CRS. */
      readonly geometry: Geometry;
      readonly form: CoordinateForm;
    }
  | {
      readonly operator: 'BBOX';
      readonly propertyName: string;
      /** As `geometry`. */
      readonly bbox: Bbox;
      readonly form: CoordinateForm;
      /** Intersects with an Envelope (OGC 04-095 §10), where an upstream knows no BBOX. */
      readonly as?: 'BBOX' | 'Intersects';
    }
  | { readonly operator: 'PropertyIsEqualTo'; readonly propertyName: string; readonly literal: string }
  | { readonly operator: 'PropertyIsNull'; readonly propertyName: string }
  | {
      readonly operator: 'PropertyIsBetween';
      readonly propertyName: string;
      readonly lower: string;
      readonly upper: string;
    }
  /** `*` in the pattern stands for any characters; the rest of it must be plain. */
  | { readonly operator: 'PropertyIsLike'; readonly propertyName: string; readonly pattern: string }
  | { readonly operator: 'FeatureId'; readonly featureIds: readonly string[] };

/** All operands must hold; an operand on its own needs no And (two in a Filter without one: QGIS Server ignores both). */
export function toAnd(operands: readonly Filter[]): Filter | undefined {
  return toLogical('And', operands);
}

export function toOr(operands: readonly Filter[]): Filter | undefined {
  return toLogical('Or', operands);
}

function toLogical(operator: 'And' | 'Or', operands: readonly Filter[]): Filter | undefined {
  return operands.length > 1 ? { operator, operands } : operands[0];
}

/** The first spatial operator a filter uses, if any. */
export function toSpatialOperator(filter: Filter): 'Intersects' | 'BBOX' | undefined {
  if (filter.operator === 'Intersects' || filter.operator === 'BBOX') return filter.operator;
  if (filter.operator !== 'And' && filter.operator !== 'Or') return undefined;
  return filter.operands.map(toSpatialOperator).find((operator) => operator !== undefined);
}

/** @param namespaces prefix to URI, where the filter stands on its own (GET): nothing around it declares them */
export function encodeFilter(filter: Filter, namespaces: Readonly<Record<string, string>> = {}): string {
  let declarations = '';
  for (const prefix in namespaces) declarations += encodeAttribute(`xmlns:${prefix}`, namespaces[prefix]);
  return encodeElement('ogc:Filter', encodeOperator(filter), declarations);
}

function encodeOperator(filter: Filter): string {
  switch (filter.operator) {
    case 'And':
    case 'Or':
      return encodeElement(`ogc:${filter.operator}`, join(filter.operands, encodeOperator));
    case 'Intersects':
      return encodeComparison(
        'ogc:Intersects',
        filter.propertyName,
        encodeGeometry(filter.geometry, filter.form),
      );
    case 'BBOX':
      return encodeComparison(
        `ogc:${filter.as ?? 'BBOX'}`,
        filter.propertyName,
        encodeEnvelope(filter.bbox, filter.form),
      );
    case 'PropertyIsEqualTo':
      return encodeComparison('ogc:PropertyIsEqualTo', filter.propertyName, encodeLiteral(filter.literal));
    case 'PropertyIsBetween':
      return encodeComparison(
        'ogc:PropertyIsBetween',
        filter.propertyName,
        encodeElement('ogc:LowerBoundary', encodeLiteral(filter.lower)) +
          encodeElement('ogc:UpperBoundary', encodeLiteral(filter.upper)),
      );
    case 'PropertyIsLike':
      return encodeComparison(
        'ogc:PropertyIsLike',
        filter.propertyName,
        encodeLiteral(filter.pattern),
        ' wildCard="*" singleChar="." escapeChar="!"',
      );
    case 'PropertyIsNull':
      return encodeComparison('ogc:PropertyIsNull', filter.propertyName, '');
    case 'FeatureId':
      return join(filter.featureIds, (fid) => `<ogc:FeatureId${encodeAttribute('fid', fid)}/>`);
  }
}

function encodeComparison(name: string, propertyName: string, content: string, attributes = ''): string {
  return encodeElement(name, encodePropertyName(propertyName) + content, attributes);
}

export function encodePropertyName(name: string, prefix: 'ogc' | 'wfs' = 'ogc'): string {
  return encodeElement(`${prefix}:PropertyName`, encodeText(name));
}

function encodeLiteral(literal: string): string {
  return encodeElement('ogc:Literal', encodeText(literal));
}

/** What the parts are encoded to, one behind the other. */
function join<T>(parts: readonly T[], encode: (part: T) => string, separator = ''): string {
  let text = '';
  for (const part of parts) text += text === '' ? encode(part) : separator + encode(part);
  return text;
}

/** GML 3.1.1 §10.1.4.6 */
function encodeEnvelope([west, south, east, north]: Bbox, { srsName, axisOrder }: CoordinateForm): string {
  const position = toEncode(axisOrder);
  return encodeElement(
    'gml:Envelope',
    encodeElement('gml:lowerCorner', position([west, south])) +
      encodeElement('gml:upperCorner', position([east, north])),
    encodeAttribute('srsName', srsName),
  );
}

type EncodePosition = (position: Position) => string;

const toEncode = (axisOrder: AxisOrder): EncodePosition =>
  axisOrder === 'latLon' ? encodeLatLon : encodeLonLat;

/**
 * `srsName` stands on every geometry of a filter, whatever the server makes of it. GML 3.1.1 in the forms that every server measured understands: posList, MultiLineString and MultiPolygon (QGIS Server
 * finds nothing with pos sequences, MultiCurve or MultiSurface). Heights are left out: predicates are planar.
 */
function encodeGeometry(geometry: Geometry, { srsName, axisOrder }: CoordinateForm): string {
  const position = toEncode(axisOrder);
  const srs = encodeAttribute('srsName', srsName);
  switch (geometry.type) {
    case 'Point':
      return encodePoint(geometry.coordinates, position, srs);
    case 'LineString':
      return encodeLine(geometry.coordinates, position, srs);
    case 'Polygon':
      return encodePolygon(geometry.coordinates, position, srs);
    case 'MultiPoint':
      return encodeMulti('gml:MultiPoint', 'gml:pointMember', srs, geometry.coordinates, (part) =>
        encodePoint(part, position),
      );
    case 'MultiLineString':
      return encodeMulti('gml:MultiLineString', 'gml:lineStringMember', srs, geometry.coordinates, (part) =>
        encodeLine(part, position),
      );
    case 'MultiPolygon':
      return encodeMulti('gml:MultiPolygon', 'gml:polygonMember', srs, geometry.coordinates, (part) =>
        encodePolygon(part, position),
      );
  }
}

function encodeMulti<T>(
  name: string,
  member: string,
  srs: string,
  parts: readonly T[],
  encode: (part: T) => string,
): string {
  return encodeElement(
    name,
    join(parts, (part) => encodeElement(member, encode(part))),
    srs,
  );
}

function encodePoint(at: Position, position: EncodePosition, srs?: string): string {
  return encodeElement('gml:Point', encodeElement('gml:pos', position(at)), srs);
}

function encodeLine(positions: readonly Position[], position: EncodePosition, srs?: string): string {
  return encodeElement('gml:LineString', encodePosList(positions, position), srs);
}

function encodePolygon(
  [exterior = [], ...holes]: readonly (readonly Position[])[],
  position: EncodePosition,
  srs?: string,
): string {
  const encodeRing = (name: string, ring: readonly Position[]) =>
    encodeElement(name, encodeElement('gml:LinearRing', encodePosList(ring, position)));
  const rings =
    encodeRing('gml:exterior', exterior) + join(holes, (ring) => encodeRing('gml:interior', ring));
  return encodeElement('gml:Polygon', rings, srs);
}

function encodePosList(positions: readonly Position[], position: EncodePosition): string {
  return encodeElement('gml:posList', join(positions, position, ' '));
}

function encodeLonLat([lon, lat]: Position): string {
  return `${toPlainNumber(lon)} ${toPlainNumber(lat)}`;
}

function encodeLatLon([lon, lat]: Position): string {
  return `${toPlainNumber(lat)} ${toPlainNumber(lon)}`;
}
