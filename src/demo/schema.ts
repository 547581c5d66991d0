import type { Layer } from './layers/index.js';
import { escapeXml, NAMESPACES } from './xml-text.js';

const PROPERTY_TYPES: Readonly<Record<Layer['geometryType'], string>> = {
  Point: 'gml:PointPropertyType',
  MultiPoint: 'gml:MultiPointPropertyType',
  LineString: 'gml:CurvePropertyType',
  MultiLineString: 'gml:MultiCurvePropertyType',
  Polygon: 'gml:SurfacePropertyType',
  MultiPolygon: 'gml:MultiSurfacePropertyType',
  Geometry: 'gml:GeometryPropertyType',
};

const element = (name: string, type: string) =>
  `<xsd:element maxOccurs="1" minOccurs="0" name="${name}" nillable="true" type="${type}"/>\n`;

function encodeType(layer: Layer): string {
  const elements = [
    element(layer.geometryName, PROPERTY_TYPES[layer.geometryType]),
    ...layer.attributes.map(({ name, type }) => element(name, `xsd:${type}`)),
  ];
  return (
    `<xsd:complexType name="${layer.name}Type">\n<xsd:complexContent>\n<xsd:extension base="gml:AbstractFeatureType">\n` +
    `<xsd:sequence>\n${elements.join('')}</xsd:sequence>\n</xsd:extension>\n</xsd:complexContent>\n</xsd:complexType>\n` +
    `<xsd:element name="${layer.name}" substitutionGroup="gml:_Feature" type="${layer.prefix}:${layer.name}Type"/>\n`
  );
}

/** The schema of feature types (WFS 1.1.0 §8): their own when they share a namespace, else one that imports each. */
export function encodeSchema(layers: readonly Layer[], url: string): string {
  const byNamespace = new Map(layers.map(({ namespace, prefix }) => [namespace, prefix]));
  const [only, ...others] = [...byNamespace.keys()];
  const prefixes = [...byNamespace].map(([uri, prefix]) => ` xmlns:${prefix}="${escapeXml(uri)}"`).join('');
  const target = others.length === 0 && only !== undefined ? ` targetNamespace="${escapeXml(only)}"` : '';
  const start =
    `<?xml version="1.0" encoding="UTF-8"?>\n<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" ` +
    `xmlns:gml="${NAMESPACES.gml}"${prefixes} elementFormDefault="qualified"${target}>\n`;
  if (target !== '') {
    const gml = 'http://schemas.opengis.net/gml/3.1.1/base/gml.xsd';
    const importGml = `<xsd:import namespace="${NAMESPACES.gml}" schemaLocation="${gml}"/>\n`;
    return `${start}${importGml}${layers.map(encodeType).join('')}</xsd:schema>\n`;
  }
  const imports = [...byNamespace.keys()].map((uri) => {
    const members = layers.filter(({ namespace }) => namespace === uri);
    const names = members.map(({ typeName }) => encodeURIComponent(typeName)).join(',');
    const location = `${url}?service=WFS&version=1.1.0&request=DescribeFeatureType&typeName=${names}`;
    return `<xsd:import namespace="${escapeXml(uri)}" schemaLocation="${escapeXml(location)}"/>\n`;
  });
  return `${start}${imports.join('')}</xsd:schema>\n`;
}
