import { OwsException } from './exception.js';
import type { Layer } from './layers/index.js';
import {
  checkOutputFormat,
  checkService,
  checkVersion,
  findLayer,
  type GetFeature,
  invalid,
  missing,
  type RawQuery,
  type RequestContext,
  splitName,
  toDescribeFeatureType,
  toGetCapabilities,
  toGetFeature,
  toPredicateOf,
  toQuery,
  toUnknownOperation,
  type WfsRequest,
} from './request.js';
import { isElement, readXml, type XmlElement } from './xml.js';

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

// What a wfs:Query may hold (§9.2); ogc:Function and wfs:XlinkPropertyName are read over.
const QUERY_PARTS = [
  ['wfs', 'PropertyName'],
  ['ogc', 'Filter'],
  ['ogc', 'SortBy'],
  ['ogc', 'Function'],
  ['wfs', 'XlinkPropertyName'],
] as const;

function toRawQuery(element: XmlElement, context: RequestContext): RawQuery {
  const { attributes, children } = element;
  const typeName = attributes.get('typeName');
  if (typeName === undefined || typeName.trim() === '') throw missing('typeName');
  const foreign = children.find(
    (child) => !QUERY_PARTS.some(([prefix, local]) => isElement(child, prefix, local)),
  );
  if (foreign !== undefined)
    throw invalid(`Invalid element in wfs:Query: {${foreign.uri}}${foreign.local}`, 'Query');
  const [filter, ...others] = children.filter((child) => isElement(child, 'ogc', 'Filter'));
  if (others.length > 0) throw invalid('wfs:Query holds more than one ogc:Filter', 'filter');
  const layer = toLayer(typeName, element, context);
  return {
    layer,
    srsName: attributes.get('srsName'),
    propertyNames: children
      .filter((child) => isElement(child, 'wfs', 'PropertyName'))
      .map(({ text }) => text.trim()),
    sortBy: children
      .filter((child) => isElement(child, 'ogc', 'SortBy'))
      .flatMap((sortBy) => sortBy.children.filter((child) => isElement(child, 'ogc', 'SortProperty')))
      .map(toSortProperty),
    predicate: filter === undefined ? undefined : toPredicateOf(filter, layer, context),
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
