import { encodeFilter, encodePropertyName, type Filter } from './filter.js';
import { encodeElement, encodeText } from './xml.js';

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

/** The request as XML: the body of a POST with `text/xml`. */
export function encodeGetFeature(request: GetFeature): string {
  const query = encodeElement(
    'wfs:Query',
    { typeName: request.typeName, srsName: request.srsName },
    (request.propertyNames ?? []).map((name) => encodePropertyName(name, 'wfs')),
    request.filter === undefined ? '' : encodeFilter(request.filter),
    encodeSortBy(request.sortBy ?? []),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>${encodeElement(
    'wfs:GetFeature',
    {
      service: 'WFS',
      version: '1.1.0',
      resultType: request.resultType,
      maxFeatures: request.maxFeatures,
      startIndex: request.startIndex === 0 ? undefined : request.startIndex,
      ...toDeclarations(request),
    },
    query,
  )}`;
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

function toDeclarations({ typeName, namespace }: GetFeature): Record<string, string> {
  const declarations: Record<string, string> = {};
  for (const [prefix, uri] of Object.entries(OURS)) declarations[`xmlns:${prefix}`] = uri;
  const prefix = typeName.includes(':') ? typeName.slice(0, typeName.indexOf(':')) : '';
  if (PREFIX.test(prefix) && !(prefix in OURS) && !/^xml/i.test(prefix) && namespace !== '') {
    declarations[`xmlns:${prefix}`] = namespace;
  }
  return declarations;
}

/** OGC 04-095 §12, ogc:SortBy */
function encodeSortBy(properties: readonly SortProperty[]): string {
  if (properties.length === 0) return '';
  const sortProperty = ({ propertyName, descending }: SortProperty) =>
    encodeElement(
      'ogc:SortProperty',
      {},
      encodePropertyName(propertyName),
      encodeElement('ogc:SortOrder', {}, encodeText(descending ? 'DESC' : 'ASC')),
    );
  return encodeElement('ogc:SortBy', {}, properties.map(sortProperty));
}
