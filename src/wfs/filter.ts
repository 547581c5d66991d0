import type { AxisOrder } from '../crs/index.js';
import type { Bbox, Geometry, Position } from '../geometry/index.js';
import { toPlainNumber } from './literal.js';
import { encodeElement, encodeText } from './xml.js';

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
  const declarations = Object.entries(namespaces).map(([prefix, uri]) => [`xmlns:${prefix}`, uri]);
  return encodeElement('ogc:Filter', Object.fromEntries(declarations), encodeOperator(filter));
}

function encodeOperator(filter: Filter): string {
  switch (filter.operator) {
    case 'And':
    case 'Or':
      return encodeElement(`ogc:${filter.operator}`, {}, filter.operands.map(encodeOperator));
    case 'Intersects':
      return encodeElement(
        'ogc:Intersects',
        {},
        encodePropertyName(filter.propertyName),
        encodeGeometry(filter.geometry, filter.form),
      );
    case 'BBOX':
      return encodeElement(
        `ogc:${filter.as ?? 'BBOX'}`,
        {},
        encodePropertyName(filter.propertyName),
        encodeEnvelope(filter.bbox, filter.form),
      );
    case 'PropertyIsEqualTo':
      return encodeElement(
        'ogc:PropertyIsEqualTo',
        {},
        encodePropertyName(filter.propertyName),
        encodeLiteral(filter.literal),
      );
    case 'PropertyIsBetween':
      return encodeElement(
        'ogc:PropertyIsBetween',
        {},
        encodePropertyName(filter.propertyName),
        encodeElement('ogc:LowerBoundary', {}, encodeLiteral(filter.lower)),
        encodeElement('ogc:UpperBoundary', {}, encodeLiteral(filter.upper)),
      );
    case 'PropertyIsLike':
      return encodeElement(
        'ogc:PropertyIsLike',
        { wildCard: '*', singleChar: '.', escapeChar: '!' },
        encodePropertyName(filter.propertyName),
        encodeLiteral(filter.pattern),
      );
    case 'PropertyIsNull':
      return encodeElement('ogc:PropertyIsNull', {}, encodePropertyName(filter.propertyName));
    case 'FeatureId':
      return filter.featureIds.map((fid) => encodeElement('ogc:FeatureId', { fid })).join('');
  }
}

export function encodePropertyName(name: string, prefix: 'ogc' | 'wfs' = 'ogc'): string {
  return encodeElement(`${prefix}:PropertyName`, {}, encodeText(name));
}

function encodeLiteral(literal: string): string {
  return encodeElement('ogc:Literal', {}, encodeText(literal));
}

/** GML 3.1.1 §10.1.4.6 */
function encodeEnvelope([west, south, east, north]: Bbox, { srsName, axisOrder }: CoordinateForm): string {
  const position = axisOrder === 'latLon' ? encodeLatLon : encodeLonLat;
  return encodeElement(
    'gml:Envelope',
    { srsName },
    encodeElement('gml:lowerCorner', {}, position([west, south])),
    encodeElement('gml:upperCorner', {}, position([east, north])),
  );
}

/**
 * `srsName` stands on every geometry of a filter, whatever the server makes of it. GML 3.1.1 in the forms that every server measured understands: posList, MultiLineString and MultiPolygon (QGIS Server
 * finds nothing with pos sequences, MultiCurve or MultiSurface). Heights are left out: predicates are planar.
 */
function encodeGeometry(geometry: Geometry, { srsName, axisOrder }: CoordinateForm): string {
  const position = axisOrder === 'latLon' ? encodeLatLon : encodeLonLat;
  const posList = (positions: readonly Position[]) =>
    encodeElement('gml:posList', {}, positions.map(position).join(' '));
  const ring = (positions: readonly Position[]) => encodeElement('gml:LinearRing', {}, posList(positions));
  const point = (at: Position, srs?: string) =>
    encodeElement('gml:Point', { srsName: srs }, encodeElement('gml:pos', {}, position(at)));
  const line = (positions: readonly Position[], srs?: string) =>
    encodeElement('gml:LineString', { srsName: srs }, posList(positions));
  const polygon = (rings: readonly (readonly Position[])[], srs?: string) =>
    encodeElement(
      'gml:Polygon',
      { srsName: srs },
      rings.map((positions, k) =>
        encodeElement(k === 0 ? 'gml:exterior' : 'gml:interior', {}, ring(positions)),
      ),
    );
  const multi = (name: string, member: string, parts: readonly string[]) =>
    encodeElement(
      name,
      { srsName },
      parts.map((part) => encodeElement(member, {}, part)),
    );

  switch (geometry.type) {
    case 'Point':
      return point(geometry.coordinates, srsName);
    case 'LineString':
      return line(geometry.coordinates, srsName);
    case 'Polygon':
      return polygon(geometry.coordinates, srsName);
    case 'MultiPoint':
      return multi(
        'gml:MultiPoint',
        'gml:pointMember',
        geometry.coordinates.map((at) => point(at)),
      );
    case 'MultiLineString':
      return multi(
        'gml:MultiLineString',
        'gml:lineStringMember',
        geometry.coordinates.map((part) => line(part)),
      );
    case 'MultiPolygon':
      return multi(
        'gml:MultiPolygon',
        'gml:polygonMember',
        geometry.coordinates.map((part) => polygon(part)),
      );
  }
}

function encodeLonLat([lon, lat]: Position): string {
  return `${toPlainNumber(lon)} ${toPlainNumber(lat)}`;
}

function encodeLatLon([lon, lat]: Position): string {
  return `${toPlainNumber(lat)} ${toPlainNumber(lon)}`;
}
