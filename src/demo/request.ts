import { OUTPUT_FORMAT, SECTIONS, type Section } from './capabilities.js';
import { OwsException } from './exception.js';
import {
  createIdPredicate,
  createIntersectsPredicate,
  type Predicate,
  readFilter,
  toProperty,
} from './filter.js';
import type { Layer } from './layers/index.js';
import { readKvpBox, toRectangle } from './read-geometry.js';
import { type AxisOrderRule, readSrsName, type Srs, toDefaultSrsName } from './srs.js';
import { isElement, readXml, type XmlElement } from './xml.js';

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

const invalid = (text: string, locator: string) => new OwsException('InvalidParameterValue', text, locator);
const missing = (locator: string) =>
  new OwsException('MissingParameterValue', `Parameter ${locator} is mandatory.`, locator);

/** What both encodings of a request come down to: names without case, as in KVP, and a filter as XML. */
interface RawQuery {
  readonly layer: Layer;
  readonly srsName: string | undefined;
  readonly propertyNames: readonly string[];
  readonly sortBy: readonly { readonly name: string; readonly descending: boolean }[];
  readonly toPredicate: (layer: Layer) => Predicate | undefined;
}

// --- KVP (WFS 1.1.0 §14)

/** @throws OwsException */
export function readKvpRequest(parameters: URLSearchParams, context: RequestContext): WfsRequest {
  // Names are case-insensitive; the first of two counts.
  const kvp = new Map<string, string>();
  for (const [name, value] of parameters) {
    const key = name.toLowerCase();
    if (!kvp.has(key) && value !== '') kvp.set(key, value);
  }
  const operation = kvp.get('request');
  if (operation === undefined) throw missing('request');
  checkService(kvp.get('service'));
  switch (operation.toLowerCase()) {
    case 'getcapabilities':
      return toGetCapabilities(
        kvp.get('acceptversions')?.split(',') ?? [],
        kvp.get('sections')?.split(',') ?? [],
      );
    case 'describefeaturetype':
      checkVersion(kvp.get('version'));
      checkOutputFormat(kvp.get('outputformat'), /^xmlschema$/i);
      return toDescribeFeatureType(toLayers(kvp, context), context);
    case 'getfeature':
      checkVersion(kvp.get('version'));
      checkOutputFormat(kvp.get('outputformat'));
      return toGetFeatureOfKvp(kvp, context);
    default:
      throw toUnknownOperation(operation);
  }
}

const toUnknownOperation = (operation: string) =>
  new OwsException('OperationNotSupported', `No such operation WFS ${operation}`, operation);

function checkService(service: string | undefined): void {
  if (service !== undefined && service.toUpperCase() !== 'WFS')
    throw invalid(`No service: ( ${service} )`, 'service');
}

function checkVersion(version: string | undefined): void {
  if (version !== undefined && version.trim() !== '1.1.0')
    throw invalid(`Service WFS does not support version ${version}`, 'version');
}

const GML_FORMATS =
  /^(?:text\/xml;\s*subtype=gml\/3\.1\.1|text\/xml;\s*subtype="gml\/3\.1\.1"|gml3|gml31|application\/gml\+xml;\s*version=3\.1)$/i;

function checkOutputFormat(format: string | undefined, also?: RegExp): void {
  if (format === undefined || GML_FORMATS.test(format) || also?.test(format)) return;
  throw invalid(`Failed to find response for output format ${format}`, 'outputFormat');
}

/** Version negotiation (OGC 05-008 §7.3.2). */
function toGetCapabilities(acceptVersions: readonly string[], names: readonly string[]): WfsRequest {
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

const toDescribeFeatureType = (layers: readonly Layer[], context: RequestContext): WfsRequest => ({
  operation: 'DescribeFeatureType',
  layers: layers.length === 0 ? context.layers : layers,
});

/** typeName of KVP: a comma list, each name with the server's prefix, one of `namespace=xmlns(p=uri)`, or none. */
function toLayers(kvp: ReadonlyMap<string, string>, { layers }: RequestContext): Layer[] {
  const prefixes = new Map(
    [...(kvp.get('namespace') ?? '').matchAll(/xmlns\((?:([^=,)]*)[=,])?([^)]*)\)/g)].map(
      ([, prefix, uri]) => [prefix ?? '', uri ?? ''],
    ),
  );
  return splitLists(kvp.get('typename'))
    .flat()
    .map((name) => {
      const [local, prefix] = splitName(name);
      const uri = prefixes.get(prefix ?? '');
      if (uri === undefined && prefix !== undefined && !layers.some((layer) => layer.prefix === prefix))
        throw invalid(`Unknown namespace [${prefix}]`, 'namespace');
      return findLayer(layers, local, uri, prefix, name);
    });
}

const splitName = (name: string): [local: string, prefix: string | undefined] => {
  const colon = name.indexOf(':');
  return colon === -1 ? [name, undefined] : [name.slice(colon + 1), name.slice(0, colon)];
};

/** By namespace where there is one, else by the server's prefix, else by a local name that only one layer has. */
function findLayer(
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

/** `a,b` is one list; `(a,b)(c)` are two, one for each query (§14.2.2). */
function splitLists(text: string | undefined): string[][] {
  if (text === undefined) return [];
  const groups = text.startsWith('(') ? text.replace(/^\(|\)$/g, '').split(/\)\s*\(/) : [text];
  return groups.map((group) =>
    group
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
}

function toGetFeatureOfKvp(kvp: ReadonlyMap<string, string>, context: RequestContext): GetFeature {
  const exclusive = ['featureid', 'filter', 'bbox'].filter((name) => kvp.has(name));
  if (exclusive.length > 1)
    throw new OwsException(
      'NoApplicableCode',
      `${exclusive[0]} and ${exclusive[1]} both specified but are mutually exclusive`,
    );
  const ids = splitLists(kvp.get('featureid')).flat();
  const layers = kvp.has('typename') ? toLayers(kvp, context) : toLayersOfIds(ids, context);
  if (layers.length === 0)
    throw new OwsException(
      'MissingParameterValue',
      'The query should specify either typeName, featureId filter, or a stored query id',
      'typeName',
    );
  const filters = splitFilters(kvp.get('filter'));
  const propertyNames = splitLists(kvp.get('propertyname'));
  if (filters.length > 1 && filters.length !== layers.length)
    throw invalid(`${layers.length} feature types but ${filters.length} filters`, 'filter');
  const queries = layers.map((layer, i) => {
    const filter = filters.length === 1 ? filters[0] : filters[i];
    const raw: RawQuery = {
      layer,
      srsName: kvp.get('srsname'),
      propertyNames: (propertyNames.length === 1 ? propertyNames[0] : propertyNames[i]) ?? [],
      sortBy: toSortKeys(kvp.get('sortby')),
      toPredicate: () => {
        if (ids.length > 0) return createIdPredicate(ids);
        const box = kvp.get('bbox');
        if (box !== undefined && !context.lacks.has('BBOX')) {
          return createIntersectsPredicate([
            toRectangle(readKvpBox(box, { code: layer.code, rule: context.axisOrder.in })),
          ]);
        }
        return filter === undefined ? undefined : toPredicateOf(readXml(filter), layer, context);
      },
    };
    return toQuery(raw, context);
  });
  return toGetFeature(queries, kvp.get('maxfeatures'), kvp.get('startindex'), kvp.get('resulttype'), context);
}

/** Several filters stand in parentheses (§14.7.3.3); XML never begins with one. */
const splitFilters = (text: string | undefined): string[] =>
  text === undefined ? [] : text.startsWith('(') ? text.replace(/^\(|\)$/g, '').split(/\)\s*\(/) : [text];

const toLayersOfIds = (ids: readonly string[], { layers }: RequestContext): Layer[] => [
  ...new Set(
    ids.map((id) => {
      const local = id.slice(0, id.lastIndexOf('.'));
      return findLayer(layers, local, undefined, undefined, local);
    }),
  ),
];

/** `a D,b A` (§14.7.3): A, also ASC, is the default. */
const toSortKeys = (text: string | undefined) =>
  splitLists(text)
    .flat()
    .map((key) => {
      const [, name = key, order] = /^(\S+)(?:\s+(A|D|ASC|DESC))?$/i.exec(key) ?? [];
      if (/\s/.test(name)) throw invalid(`sortBy: ${key}`, 'sortBy');
      return { name, descending: order?.toUpperCase().startsWith('D') ?? false };
    });

// --- XML

/** @throws OwsException */
export function readXmlRequest(body: string, context: RequestContext): WfsRequest {
  const root = readXml(body.charCodeAt(0) === 0xfeff ? body.slice(1) : body);
  checkService(root.attributes.get('service'));
  if (root.uri !== 'http://www.opengis.net/wfs') throw toUnknownOperation(root.local);
  switch (root.local) {
    case 'GetCapabilities':
      return toGetCapabilities(
        textsOf(root, 'AcceptVersions', 'Version'),
        textsOf(root, 'Sections', 'Section'),
      );
    case 'DescribeFeatureType': {
      checkVersion(root.attributes.get('version'));
      checkOutputFormat(root.attributes.get('outputFormat'), /^xmlschema$/i);
      const names = root.children.filter((child) => isElement(child, 'wfs', 'TypeName'));
      return toDescribeFeatureType(
        names.map((name) => toLayer(name.text, name, context)),
        context,
      );
    }
    case 'GetFeature':
      checkVersion(root.attributes.get('version'));
      checkOutputFormat(root.attributes.get('outputFormat'));
      return toGetFeatureOfXml(root, context);
    default:
      throw toUnknownOperation(root.local);
  }
}

const textsOf = (root: XmlElement, outer: string, inner: string) =>
  root.children
    .filter((child) => isElement(child, 'ows', outer))
    .flatMap(({ children }) =>
      children.filter((child) => isElement(child, 'ows', inner)).map(({ text }) => text),
    );

/** A QName in the prefixes the document declares; one that declares none for it may use the server's own. */
function toLayer(text: string, { prefixes }: XmlElement, { layers }: RequestContext): Layer {
  const name = text.trim();
  const [local, prefix] = splitName(name);
  // An unprefixed name is in the default namespace, unless that is WFS's own (which holds no feature types).
  const uri = prefixes.get(prefix ?? '');
  const isForeign = uri !== undefined && !layers.some(({ namespace }) => namespace === uri);
  if (isForeign && prefix !== undefined)
    throw invalid(`Could not locate {${uri}}${local} in catalog.`, 'typeName');
  return findLayer(layers, local, isForeign ? undefined : uri, prefix, name);
}

function toGetFeatureOfXml(root: XmlElement, context: RequestContext): GetFeature {
  const elements = root.children.filter((child) => isElement(child, 'wfs', 'Query'));
  if (elements.length === 0)
    throw new OwsException('MissingParameterValue', 'wfs:GetFeature holds no wfs:Query', 'Query');
  const queries = elements.map((element) => toQuery(toRawQuery(element, context), context));
  const { attributes } = root;
  return toGetFeature(
    queries,
    attributes.get('maxFeatures'),
    attributes.get('startIndex'),
    attributes.get('resultType'),
    context,
  );
}

function toRawQuery(element: XmlElement, context: RequestContext): RawQuery {
  const typeName = element.attributes.get('typeName');
  if (typeName === undefined || typeName.trim() === '') throw missing('typeName');
  const [filter, ...others] = element.children.filter((child) => isElement(child, 'ogc', 'Filter'));
  if (others.length > 0) throw invalid('wfs:Query holds more than one ogc:Filter', 'filter');
  const sortProperties = element.children
    .filter((child) => isElement(child, 'ogc', 'SortBy'))
    .flatMap(({ children }) => children.filter((child) => isElement(child, 'ogc', 'SortProperty')));
  return {
    layer: toLayer(typeName, element, context),
    srsName: element.attributes.get('srsName'),
    propertyNames: element.children
      .filter((child) => isElement(child, 'wfs', 'PropertyName'))
      .map(({ text }) => text.trim()),
    sortBy: sortProperties.map(toSortProperty),
    toPredicate: (layer) => (filter === undefined ? undefined : toPredicateOf(filter, layer, context)),
  };
}

/** ogc:SortProperty (OGC 04-095 §12). */
function toSortProperty({ children }: XmlElement) {
  const name = children.find((child) => isElement(child, 'ogc', 'PropertyName'))?.text.trim();
  const order =
    children
      .find((child) => isElement(child, 'ogc', 'SortOrder'))
      ?.text.trim()
      .toUpperCase() ?? 'ASC';
  if (name === undefined) throw missing('ogc:PropertyName');
  if (order !== 'ASC' && order !== 'DESC')
    throw invalid(`ogc:SortOrder is ASC or DESC, not ${order}`, 'sortBy');
  return { name, descending: order === 'DESC' };
}

// --- what both have in common

const toPredicateOf = (
  filter: XmlElement,
  layer: Layer,
  { axisOrder, lacks }: RequestContext,
): Predicate | undefined =>
  lacks.has('filter') ? undefined : readFilter(filter, { layer, rule: axisOrder.in, lacks });

function toQuery(
  { layer, srsName, propertyNames, sortBy, toPredicate }: RawQuery,
  context: RequestContext,
): Query {
  const predicate = toPredicate(layer);
  const wanted = context.lacks.has('propertyName') ? [] : propertyNames.filter((name) => name !== '*');
  const properties = wanted.map((name) => toWantedProperty(name, layer));
  const all = layer.attributes.map((_, position) => position);
  return {
    layer,
    ...(predicate === undefined ? {} : { predicate }),
    sortBy: context.lacks.has('sortBy')
      ? []
      : sortBy.map(({ name, descending }) => ({ position: toSortPosition(name, layer), descending })),
    srs: readSrsName(srsName ?? toDefaultSrsName(layer.code), context.axisOrder.out),
    withGeometry: wanted.length === 0 || properties.some(({ isGeometry }) => isGeometry),
    attributes:
      wanted.length === 0
        ? all
        : all.filter((position) => properties.some((property) => property.position === position)),
  };
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

function toGetFeature(
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

export { OUTPUT_FORMAT };
