import { encodeFilter, encodePropertyName, type Filter } from './filter.js';
import { encodeAttribute, encodeElement } from './xml.js';

/** A GetFeature request (OGC 04-094 §9) with one Query, before it is XML. */
export interface GetFeature {
  /** As the capabilities spell it, with or without prefix. */
  readonly typeName: string;
  /** Of the feature type, for the declaration of the prefix. */
  readonly namespace: string;
  /** The CRS of the answer; absent: the layer's own (an upstream that takes no srsName). */
  readonly srsName?: string | undefined;
  readonly filter?: Filter | undefined;
  /** Absent: all. The geometry is named by whoever wants it. */
  readonly propertyNames?: readonly string[] | undefined;
  readonly sortBy?: readonly SortProperty[];
  readonly maxFeatures?: number;
  /** Vendor parameter in WFS 1.1.0; left out when 0 (GeoServer refuses it on layers without a primary key). */
  readonly startIndex?: number;
  readonly resultType?: 'results' | 'hits';
}

export interface SortProperty {
  readonly propertyName: string;
  readonly descending: boolean;
}

// NCName, as far as it can stand before a colon; a prefix that is none is left undeclared.
const PREFIX = /^[\p{L}_][\p{L}\p{N}._-]*$/u;
const OURS = {
  wfs: 'http://www.opengis.net/wfs',
  ogc: 'http://www.opengis.net/ogc',
  gml: 'http://www.opengis.net/gml',
};

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const SERVICE = ' service="WFS" version="1.1.0"';
const OUR_DECLARATIONS = Object.entries(OURS)
  .map(([prefix, uri]) => encodeAttribute(`xmlns:${prefix}`, uri))
  .join('');

/** The request as XML: the body of a POST with `text/xml`. */
export function encodeGetFeature(request: GetFeature): string {
  const { resultType, maxFeatures, startIndex, typeName, srsName, filter, propertyNames = [] } = request;
  const attributes =
    encodeAttribute('resultType', resultType) +
    encodeAttribute('maxFeatures', maxFeatures) +
    encodeAttribute('startIndex', startIndex === 0 ? undefined : startIndex) +
    encodeDeclarations(request);
  let content = '';
  for (const name of propertyNames) content += encodePropertyName(name, 'wfs');
  if (filter !== undefined) content += encodeFilter(filter);
  content += encodeSortBy(request.sortBy ?? []);
  const query = encodeElement(
    'wfs:Query',
    content,
    encodeAttribute('typeName', typeName) + encodeAttribute('srsName', srsName),
  );
  return DECLARATION + encodeElement('wfs:GetFeature', query, SERVICE + attributes);
}

/**
 * The request as the parameters of a GET (OGC 04-094 §14.7), for upstreams that take no POST. Prefixes are those of the
 * capabilities, which every server knows without NAMESPACE (Opendatasoft refuses it).
 */
export function encodeGetFeatureKvp(request: GetFeature): Record<string, string> {
  const {
    typeName,
    srsName,
    filter,
    propertyNames,
    sortBy = [],
    startIndex,
    maxFeatures,
    resultType,
  } = request;
  const parameters: Record<string, string | number | undefined> = {
    service: 'WFS',
    version: '1.1.0',
    request: 'GetFeature',
    typeName,
    srsName,
    resultType,
    maxFeatures,
    startIndex: startIndex === 0 ? undefined : startIndex,
    propertyName: propertyNames?.join(','),
    sortBy:
      sortBy.length === 0
        ? undefined
        : sortBy.map(({ propertyName, descending }) => `${propertyName} ${descending ? 'D' : 'A'}`).join(','),
    ...toFilterParameter(filter),
  };
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  );
}

/** FILTER and FEATUREID exclude each other; ids are known to upstreams that know no filter. */
function toFilterParameter(filter: Filter | undefined): Record<string, string> {
  if (filter === undefined) return {};
  return filter.operator === 'FeatureId'
    ? { featureId: filter.featureIds.join(',') }
    : { filter: encodeFilter(filter, { ogc: OURS.ogc, gml: OURS.gml }) };
}

function encodeDeclarations({ typeName, namespace }: GetFeature): string {
  const prefix = typeName.includes(':') ? typeName.slice(0, typeName.indexOf(':')) : '';
  if (namespace === '' || !PREFIX.test(prefix) || prefix in OURS || /^xml/i.test(prefix))
    return OUR_DECLARATIONS;
  return OUR_DECLARATIONS + encodeAttribute(`xmlns:${prefix}`, namespace);
}

/** OGC 04-095 §12, ogc:SortBy */
function encodeSortBy(properties: readonly SortProperty[]): string {
  if (properties.length === 0) return '';
  let content = '';
  for (const { propertyName, descending } of properties) {
    const order = encodeElement('ogc:SortOrder', descending ? 'DESC' : 'ASC');
    content += encodeElement('ogc:SortProperty', encodePropertyName(propertyName) + order);
  }
  return encodeElement('ogc:SortBy', content);
}
