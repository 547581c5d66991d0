import { OPERATORS } from './filter.js';
import type { Layer } from './layers/index.js';
import { SUPPORTED_CODES, toDefaultSrsName } from './srs.js';
import { escapeXml, NAMESPACES } from './xml-text.js';

/** Sections of the document (WFS 1.1.0 §13.3.2), in its order. */
export const SECTIONS = [
  'ServiceIdentification',
  'ServiceProvider',
  'OperationsMetadata',
  'FeatureTypeList',
  'Filter_Capabilities',
] as const;

export type Section = (typeof SECTIONS)[number];

export interface CapabilitiesContext {
  readonly url: string;
  readonly layers: readonly Layer[];
  readonly lacks: ReadonlySet<string>;
}

export const OUTPUT_FORMAT = 'text/xml; subtype=gml/3.1.1';

export function encodeCapabilities(sections: readonly Section[], context: CapabilitiesContext): string {
  const prefixes = new Map(context.layers.map(({ prefix, namespace }) => [prefix, namespace]));
  const declarations = [...prefixes].map(([prefix, uri]) => ` xmlns:${prefix}="${escapeXml(uri)}"`).join('');
  const wanted = SECTIONS.filter((section) => sections.includes(section));
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<wfs:WFS_Capabilities version="1.1.0" xmlns="${NAMESPACES.wfs}" ` +
    `xmlns:wfs="${NAMESPACES.wfs}" xmlns:ows="${NAMESPACES.ows}" xmlns:gml="${NAMESPACES.gml}" ` +
    `xmlns:ogc="${NAMESPACES.ogc}" xmlns:xlink="${NAMESPACES.xlink}" xmlns:xsi="${NAMESPACES.xsi}"${declarations} ` +
    `xsi:schemaLocation="${NAMESPACES.wfs} http://schemas.opengis.net/wfs/1.1.0/wfs.xsd" updateSequence="1">\n` +
    `${wanted.map((section) => ENCODERS[section](context)).join('')}</wfs:WFS_Capabilities>\n`
  );
}

const ENCODERS: Readonly<Record<Section, (context: CapabilitiesContext) => string>> = {
  ServiceIdentification: () => `<ows:ServiceIdentification>
<ows:Title>WFS de démonstration</ows:Title>
<ows:Abstract>Serveur WFS 1.1.0 embarqué : couches d'exemple autour de Chartres, synthétiques pour la plupart &amp; sans valeur réglementaire.</ows:Abstract>
<ows:Keywords>
<ows:Keyword>WFS</ows:Keyword>
<ows:Keyword>démonstration</ows:Keyword>
<ows:Keyword>Chartres</ows:Keyword>
</ows:Keywords>
<ows:ServiceType>WFS</ows:ServiceType>
<ows:ServiceTypeVersion>1.1.0</ows:ServiceTypeVersion>
<ows:Fees>NONE</ows:Fees>
<ows:AccessConstraints>NONE</ows:AccessConstraints>
</ows:ServiceIdentification>
`,
  ServiceProvider: ({ url }) => `<ows:ServiceProvider>
<ows:ProviderName>Démonstration</ows:ProviderName>
<ows:ProviderSite xlink:href="${escapeXml(url)}"/>
<ows:ServiceContact>
<ows:IndividualName>Hélène d'Aubépine</ows:IndividualName>
<ows:PositionName>Géomaticienne</ows:PositionName>
<ows:ContactInfo>
<ows:Phone>
<ows:Voice>+33 2 00 00 00 00</ows:Voice>
</ows:Phone>
<ows:Address>
<ows:City>Chartres</ows:City>
<ows:PostalCode>28000</ows:PostalCode>
<ows:Country>France</ows:Country>
<ows:ElectronicMailAddress>demo@example.org</ows:ElectronicMailAddress>
</ows:Address>
</ows:ContactInfo>
</ows:ServiceContact>
</ows:ServiceProvider>
`,
  OperationsMetadata: encodeOperations,
  FeatureTypeList: ({ layers, lacks }) =>
    `<wfs:FeatureTypeList>\n<wfs:Operations>\n<wfs:Operation>Query</wfs:Operation>\n</wfs:Operations>\n` +
    `${layers.map((layer) => encodeFeatureType(layer, lacks)).join('')}</wfs:FeatureTypeList>\n`,
  Filter_Capabilities: encodeFilterCapabilities,
};

function encodeOperations({ url, lacks }: CapabilitiesContext): string {
  const href = escapeXml(url);
  const values = (list: readonly string[]) =>
    list.map((value) => `<ows:Value>${escapeXml(value)}</ows:Value>\n`).join('');
  const parameter = (name: string, list: readonly string[]) =>
    `<ows:Parameter name="${name}">\n${values(list)}</ows:Parameter>\n`;
  const post = lacks.has('post') ? '' : `<ows:Post xlink:href="${href}"/>\n`;
  const operation = (name: string, parameters: string) =>
    `<ows:Operation name="${name}">\n<ows:DCP>\n<ows:HTTP>\n<ows:Get xlink:href="${href}"/>\n${post}</ows:HTTP>\n` +
    `</ows:DCP>\n${parameters}</ows:Operation>\n`;
  const formats = parameter('outputFormat', [OUTPUT_FORMAT]);
  const resultTypes = lacks.has('hits') ? ['results'] : ['results', 'hits'];
  return (
    `<ows:OperationsMetadata>\n` +
    operation(
      'GetCapabilities',
      parameter('AcceptVersions', ['1.1.0']) +
        parameter('AcceptFormats', ['text/xml']) +
        parameter('Sections', SECTIONS),
    ) +
    operation('DescribeFeatureType', formats) +
    operation('GetFeature', parameter('resultType', resultTypes) + formats) +
    `</ows:OperationsMetadata>\n`
  );
}

/** One feature type (§13.3.3). */
function encodeFeatureType(layer: Layer, lacks: ReadonlySet<string>): string {
  const keywords = layer.keywords
    .map((keyword) => `<ows:Keyword>${escapeXml(keyword)}</ows:Keyword>\n`)
    .join('');
  const isOwnAlone = lacks.has('unlistedSrs') || lacks.has('srsList');
  const others = SUPPORTED_CODES.filter((code) => code !== layer.code && !isOwnAlone);
  const [west, south, east, north] = layer.wgs84Bbox;
  return (
    `<wfs:FeatureType xmlns:${layer.prefix}="${escapeXml(layer.namespace)}">\n<wfs:Name>${layer.typeName}</wfs:Name>\n` +
    `<wfs:Title>${escapeXml(layer.title)}</wfs:Title>\n<wfs:Abstract>${escapeXml(layer.abstract)}</wfs:Abstract>\n` +
    `<ows:Keywords>\n${keywords}</ows:Keywords>\n` +
    `<wfs:DefaultSRS>${toDefaultSrsName(layer.code)}</wfs:DefaultSRS>\n` +
    others.map((code) => `<wfs:OtherSRS>${toDefaultSrsName(code)}</wfs:OtherSRS>\n`).join('') +
    `<wfs:OutputFormats>\n<wfs:Format>${OUTPUT_FORMAT}</wfs:Format>\n</wfs:OutputFormats>\n<ows:WGS84BoundingBox>\n` +
    `<ows:LowerCorner>${west} ${south}</ows:LowerCorner>\n<ows:UpperCorner>${east} ${north}</ows:UpperCorner>\n` +
    `</ows:WGS84BoundingBox>\n</wfs:FeatureType>\n`
  );
}

const SPATIAL = ['Disjoint', 'DWithin', 'Beyond', 'Intersects', 'BBOX'];
// The names of OGC 04-095 annex B for the operators of a filter.
const COMPARISONS: readonly (readonly [element: string, name: string])[] = [
  ['PropertyIsLessThan', 'LessThan'],
  ['PropertyIsGreaterThan', 'GreaterThan'],
  ['PropertyIsLessThanOrEqualTo', 'LessThanEqualTo'],
  ['PropertyIsGreaterThanOrEqualTo', 'GreaterThanEqualTo'],
  ['PropertyIsEqualTo', 'EqualTo'],
  ['PropertyIsNotEqualTo', 'NotEqualTo'],
  ['PropertyIsLike', 'Like'],
  ['PropertyIsBetween', 'Between'],
  ['PropertyIsNull', 'NullCheck'],
];

/** ogc:Filter_Capabilities (OGC 04-095 §13): what this server can do, no more. */
function encodeFilterCapabilities({ lacks }: CapabilitiesContext): string {
  const isThere = (operator: string) => OPERATORS.includes(operator) && !lacks.has(operator);
  const spatial = SPATIAL.filter(isThere).map((name) => `<ogc:SpatialOperator name="${name}"/>\n`);
  const comparisons = COMPARISONS.filter(([element]) => isThere(element)).map(
    ([, name]) => `<ogc:ComparisonOperator>${name}</ogc:ComparisonOperator>\n`,
  );
  const operands = ['Envelope', 'Point', 'LineString', 'Polygon'].map(
    (name) => `<ogc:GeometryOperand>gml:${name}</ogc:GeometryOperand>\n`,
  );
  return (
    `<ogc:Filter_Capabilities>\n<ogc:Spatial_Capabilities>\n<ogc:GeometryOperands>\n${operands.join('')}</ogc:GeometryOperands>\n` +
    `<ogc:SpatialOperators>\n${spatial.join('')}</ogc:SpatialOperators>\n</ogc:Spatial_Capabilities>\n` +
    `<ogc:Scalar_Capabilities>\n<ogc:LogicalOperators/>\n<ogc:ComparisonOperators>\n${comparisons.join('')}</ogc:ComparisonOperators>\n` +
    `</ogc:Scalar_Capabilities>\n<ogc:Id_Capabilities>\n<ogc:FID/>\n<ogc:EID/>\n</ogc:Id_Capabilities>\n</ogc:Filter_Capabilities>\n`
  );
}
