import { SECTIONS, type Section } from './capabilities.js';
import { OwsException } from './exception.js';
import { type Predicate, readFilter, toProperty } from './filter.js';
import type { Layer } from './layers/index.js';
import { type AxisOrderRule, readSrsName, type Srs, toDefaultSrsName } from './srs.js';
import type { XmlElement } from './xml.js';

export interface SortKey {
  /** Among the layer's attributes. */
  readonly position: number;
  readonly descending: boolean;
}

/** One wfs:Query (WFS 1.1.0 §9.2), checked against its layer. */
export interface Query {
  readonly layer: Layer;
  readonly predicate?: Predicate;
  readonly sortBy: readonly SortKey[];
  readonly srs: Srs;
  readonly withGeometry: boolean;
  readonly attributes: readonly number[];
}

export interface GetFeature {
  readonly operation: 'GetFeature';
  readonly queries: readonly Query[];
  readonly maxFeatures: number;
  /** Undefined when not asked for. */
  readonly startIndex: number | undefined;
  readonly isHits: boolean;
}

export type WfsRequest =
  | { readonly operation: 'GetCapabilities'; readonly sections: readonly Section[] }
  | { readonly operation: 'DescribeFeatureType'; readonly layers: readonly Layer[] }
  | GetFeature;

export interface RequestContext {
  readonly layers: readonly Layer[];
  /** How filter geometries, and how the geometries of the answer, are ordered. */
  readonly axisOrder: { readonly in: AxisOrderRule; readonly out: AxisOrderRule };
  readonly lacks: ReadonlySet<string>;
}

export const invalid = (text: string, locator: string) =>
  new OwsException('InvalidParameterValue', text, locator);
export const missing = (locator: string) =>
  new OwsException('MissingParameterValue', `Parameter ${locator} is mandatory.`, locator);

/** What both encodings of a request come down to: names without case, as in KVP, and a filter as XML. */
export interface RawQuery {
  readonly layer: Layer;
  readonly srsName: string | undefined;
  readonly propertyNames: readonly string[];
  readonly sortBy: readonly { readonly name: string; readonly descending: boolean }[];
  readonly predicate: Predicate | undefined;
}

export const toUnknownOperation = (operation: string) =>
  new OwsException('OperationNotSupported', `No such operation WFS ${operation}`, operation);

export function checkService(service: string | undefined): void {
  if (service !== undefined && service.toUpperCase() !== 'WFS')
    throw invalid(`No service: ( ${service} )`, 'service');
}

export function checkVersion(version: string | undefined): void {
  if (version !== undefined && version.trim() !== '1.1.0')
    throw invalid(`Service WFS does not support version ${version}`, 'version');
}

const GML_FORMATS =
  /^(?:text\/xml;\s*subtype=gml\/3\.1\.1|text\/xml;\s*subtype="gml\/3\.1\.1"|gml3|gml31|application\/gml\+xml;\s*version=3\.1)$/i;

export function checkOutputFormat(format: string | undefined, also?: RegExp): void {
  if (format === undefined || GML_FORMATS.test(format) || also?.test(format)) return;
  throw invalid(`Failed to find response for output format ${format}`, 'outputFormat');
}

/** Version negotiation (OGC 05-008 §7.3.2). */
export function toGetCapabilities(acceptVersions: readonly string[], names: readonly string[]): WfsRequest {
  if (acceptVersions.length > 0 && !acceptVersions.some((version) => version.trim() === '1.1.0'))
    throw new OwsException(
      'VersionNegotiationFailed',
      `Could not find a version among ${acceptVersions.join(', ')}: only 1.1.0 is supported`,
      'AcceptVersions',
    );
  const wanted = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  if (wanted.length === 0 || wanted.includes('all'))
    return { operation: 'GetCapabilities', sections: SECTIONS };
  const unknown = wanted.find((name) => !SECTIONS.some((section) => section.toLowerCase() === name));
  if (unknown !== undefined) throw invalid(`Unknown section ${unknown}`, 'sections');
  const sections = SECTIONS.filter((section) => wanted.includes(section.toLowerCase()));
  return { operation: 'GetCapabilities', sections };
}

export const toDescribeFeatureType = (layers: readonly Layer[], context: RequestContext): WfsRequest => ({
  operation: 'DescribeFeatureType',
  layers: layers.length === 0 ? context.layers : layers,
});

export const splitName = (name: string): [local: string, prefix: string | undefined] => {
  const colon = name.indexOf(':');
  return colon === -1 ? [name, undefined] : [name.slice(colon + 1), name.slice(0, colon)];
};

/** By namespace where there is one, else by the server's prefix, else by a local name that only one layer has. */
export function findLayer(
  layers: readonly Layer[],
  local: string,
  uri: string | undefined,
  prefix: string | undefined,
  name: string,
): Layer {
  const named = layers.filter((layer) => layer.name === local);
  const found =
    uri !== undefined
      ? named.filter((layer) => layer.namespace === uri)
      : named.filter((layer) => prefix === undefined || layer.prefix === prefix);
  const [layer] = found;
  if (layer === undefined || found.length > 1) throw invalid(`Feature type ${name} unknown`, 'typeName');
  return layer;
}

export const toPredicateOf = (
  filter: XmlElement,
  layer: Layer,
  { axisOrder, lacks }: RequestContext,
): Predicate | undefined =>
  lacks.has('filter') ? undefined : readFilter(filter, { layer, rule: axisOrder.in, lacks });

export function toQuery(raw: RawQuery, context: RequestContext): Query {
  const { layer, srsName, propertyNames, sortBy, predicate } = raw;
  const wanted = context.lacks.has('propertyName') ? [] : propertyNames.filter((name) => name !== '*');
  const properties = wanted.map((name) => toWantedProperty(name, layer));
  const all = layer.attributes.map((_, position) => position);
  if (sortBy.length > 0 && context.lacks.has('sorting'))
    throw new OwsException('NoApplicableCode', `Layer ${layer.typeName} does not support sorting`);
  return {
    layer,
    ...(predicate === undefined ? {} : { predicate }),
    sortBy: context.lacks.has('sortBy')
      ? []
      : sortBy.map(({ name, descending }) => ({ position: toSortPosition(name, layer), descending })),
    srs: toAnswerSrs(srsName, layer, context),
    withGeometry: wanted.length === 0 || properties.some(({ isGeometry }) => isGeometry),
    attributes:
      wanted.length === 0
        ? all
        : all.filter((position) => properties.some((property) => property.position === position)),
  };
}

function toAnswerSrs(asked: string | undefined, layer: Layer, context: RequestContext) {
  const srs = readSrsName(toAnswerSrsName(asked, layer, context), context.axisOrder.out);
  if (context.lacks.has('unlistedSrs') && srs.code !== layer.code) throw invalid('Invalid SRS', 'srsName');
  return srs;
}

function toAnswerSrsName(asked: string | undefined, { code }: Layer, { lacks }: RequestContext): string {
  return asked === undefined || lacks.has('reprojection') ? toDefaultSrsName(code) : asked;
}

function toWantedProperty(name: string, layer: Layer) {
  try {
    return toProperty(name, layer);
  } catch {
    // GeoServer has other words for it here than in a filter.
    const names = [layer.geometryName, ...layer.attributes.map((attribute) => attribute.name)].join(', ');
    throw new OwsException(
      'InvalidParameterValue',
      `Requested property: ${name} is not available for ${layer.typeName}.  The possible propertyName values are: [${names}]`,
    );
  }
}

function toSortPosition(name: string, layer: Layer): number {
  const { isGeometry, position } = toProperty(name, layer);
  if (isGeometry) throw invalid(`Cannot sort by geometry ${name}`, 'sortBy');
  return position;
}

export function toGetFeature(
  queries: readonly Query[],
  maxFeatures: string | undefined,
  startIndex: string | undefined,
  resultType: string | undefined,
  { lacks }: RequestContext,
): GetFeature {
  const isHits = resultType?.toLowerCase() === 'hits';
  if (
    (resultType !== undefined && !isHits && resultType.toLowerCase() !== 'results') ||
    (isHits && lacks.has('hits'))
  )
    throw invalid(`resultType ${resultType} is not supported`, 'resultType');
  const start =
    startIndex === undefined || lacks.has('startIndex') ? undefined : toCount(startIndex, 'startIndex');
  if (start !== undefined && lacks.has('primaryKey') && queries.some(({ sortBy }) => sortBy.length === 0))
    throw new OwsException(
      'NoApplicableCode',
      'Cannot do natural order without a primary key, please add it or specify a manual sort over existing attributes',
    );
  return {
    operation: 'GetFeature',
    queries,
    maxFeatures: maxFeatures === undefined ? Number.POSITIVE_INFINITY : toCount(maxFeatures, 'maxFeatures'),
    startIndex: start,
    isHits,
  };
}

function toCount(text: string, name: string): number {
  const trimmed = text.trim();
  const count = Number(trimmed);
  if (!/^\+?\d+$/.test(trimmed) || !Number.isSafeInteger(count))
    throw invalid(`${name} is not a count: ${text}`, name);
  // WFS 1.1.0 §9.2: maxFeatures is a positive integer.
  if (name === 'maxFeatures' && count === 0) throw invalid('maxFeatures must be positive', name);
  return count;
}
