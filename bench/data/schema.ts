import type { Layer } from './model.js';
import { NAMESPACES } from './xml.js';

/** The answer of DescribeFeatureType for a layer (WFS 1.1.0 §8). */
export function toSchema({ name, prefix, namespace, geometryName, geometryType, attributes }: Layer): string {
  const elements = [
    { name: geometryName, type: geometryType },
    ...attributes.map((attribute) => ({ name: attribute.name, type: `xs:${attribute.xsdType}` })),
  ].map(({ name, type }) => `<xs:element name="${name}" type="${type}" minOccurs="0" nillable="true"/>\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="${NAMESPACES.xs}" xmlns:gml="${NAMESPACES.gml}" xmlns:${prefix}="${namespace}" targetNamespace="${namespace}" elementFormDefault="qualified">
<xs:import namespace="${NAMESPACES.gml}" schemaLocation="http://schemas.opengis.net/gml/3.1.1/base/gml.xsd"/>
<xs:complexType name="${name}Type"><xs:complexContent><xs:extension base="gml:AbstractFeatureType"><xs:sequence>
${elements.join('')}</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:element name="${name}" type="${prefix}:${name}Type" substitutionGroup="gml:_Feature"/>
</xs:schema>
`;
}
