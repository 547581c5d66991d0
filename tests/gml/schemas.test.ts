import { describe, expect, test } from '@jest/globals';
import { type FeatureType, GmlError, GmlExceptionReport, readFeatureTypes } from '../../src/gml/index.js';
import { fixtures } from './convert.js';

const XSD = 'http://www.w3.org/2001/XMLSchema';
const NAMESPACES = `xmlns:xsd="${XSD}" xmlns:gml="http://www.opengis.net/gml" xmlns:app="http://example.org/app"`;
const schema = (content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><xsd:schema ${NAMESPACES} elementFormDefault="qualified" targetNamespace="http://example.org/app"><xsd:import namespace="http://www.opengis.net/gml" schemaLocation="http://schemas.opengis.net/gml/3.1.1/base/gml.xsd"/>${content}</xsd:schema>`;
const featureType = (content: string, rest = ''): string =>
  schema(
    `<xsd:complexType name="thingType"><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:sequence>${content}</xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType><xsd:element name="thing" substitutionGroup="gml:_Feature" type="app:thingType"/>${rest}`,
  );
const only = (xsd: string): FeatureType => {
  const types = readFeatureTypes(xsd);
  expect(types).toHaveLength(1);
  return types[0] as FeatureType;
};
const summary = ({ attributes, geometries }: FeatureType): string =>
  [
    ...geometries.map(({ name, type }) => `${name}=${type}`),
    ...attributes.map(
      ({ name, type, xsdType, nullable, repeated }) =>
        `${name}:${type}(${xsdType})${nullable ? '?' : ''}${repeated ? '*' : ''}`,
    ),
  ].join(' ');

describe('answers of real servers', () => {
  const recorded = (name: string) => {
    const fixture = fixtures.find((one) => one.name === name);
    return summary(fixture?.options.featureType as FeatureType);
  };

  test('MapServer 8.0: no prefix for XML Schema, minOccurs for null', () => {
    expect(recorded('mapserver-sortby')).toBe(
      'geom=Polygon gid:integer(long)? id:string(string)? code_dep:string(string)? code_com:string(string)? nom_com:string(string)? section:string(string)? numero:string(string)? feuille:integer(integer)? contenance:integer(long)? valeur:number(double)? arpente:integer(integer)? date_maj:date(date)? cree_le:dateTime(dateTime)? proprietaire:string(string)?',
    );
  });

  test('QGIS Server 3.22: gml:MultiSurfacePropertyType and gml:GeometryPropertyType, nillable for null', () => {
    expect(recorded('qgis-commune')).toBe(
      'geometry=MultiPolygon fid:integer(long) insee:string(string)? nom:string(string)? population:integer(int)? superficie:number(decimal)? active:boolean(boolean)?',
    );
    expect(recorded('qgis-borne-3d')).toContain('geometry=Geometry');
  });

  test('GeoServer, as Géoplateforme: prefixed, nillable and optional', () => {
    const xsd = featureType(
      '<xsd:element maxOccurs="1" minOccurs="0" name="gid" nillable="true" type="xsd:int"/><xsd:element maxOccurs="1" minOccurs="0" name="the_geom" nillable="true" type="gml:MultiSurfacePropertyType"/><xsd:element maxOccurs="1" minOccurs="1" name="code" type="xsd:string"/>',
    );
    expect(only(xsd)).toMatchObject({ name: 'thing', namespace: 'http://example.org/app' });
    expect(summary(only(xsd))).toBe('the_geom=MultiPolygon gid:integer(int)? code:string(string)');
  });

  test('Opendatasoft: types without prefix or namespace, two geometries', () => {
    const xsd = `<schema xmlns="${XSD}" xmlns:ods="http://www.opendatasoft.com" xmlns:gml="http://www.opengis.net/gml" targetNamespace="http://www.opendatasoft.com"><element name="trees" type="ods:treesType" substitutionGroup="gml:_Feature"/><complexType name="treesType"><complexContent><extension base="gml:AbstractFeatureType"><sequence><element name="geo_point_2d" type="gml:PointPropertyType"/><element name="geo_shape" type="gml:GeometryPropertyType"/><element name="height" type="float"/></sequence></extension></complexContent></complexType></schema>`;
    expect(summary(only(xsd))).toBe('geo_point_2d=Point geo_shape=Geometry height:number(float)');
  });

  test('deegree: inline simple types, several elements, repeated ones', () => {
    const xsd = featureType(
      '<xsd:element name="code" minOccurs="0" maxOccurs="unbounded"><xsd:simpleType><xsd:restriction base="xsd:string"><xsd:maxLength value="5"/></xsd:restriction></xsd:simpleType></xsd:element><xsd:element name="amount"><xsd:simpleType><xsd:restriction base="xsd:decimal"><xsd:totalDigits value="9"/></xsd:restriction></xsd:simpleType></xsd:element>',
      '<xsd:element name="other" type="app:otherType" substitutionGroup="gml:_Feature"/><xsd:complexType name="otherType"><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:sequence/></xsd:extension></xsd:complexContent></xsd:complexType>',
    );
    const types = readFeatureTypes(xsd);
    expect(types.map(({ name }) => name)).toEqual(['thing', 'other']);
    expect(summary(types[0] as FeatureType)).toBe('code:string(string)?* amount:number(decimal)');
  });

  test('a schema without elements has no feature types (QGIS Server, asked with a prefix)', () => {
    expect(readFeatureTypes(schema(''))).toEqual([]);
  });
});

describe('types', () => {
  test.each([
    [
      'byte short int long integer unsignedByte unsignedShort unsignedInt unsignedLong positiveInteger negativeInteger nonNegativeInteger nonPositiveInteger',
      'integer',
    ],
    ['decimal double float', 'number'],
    ['boolean', 'boolean'],
    ['date', 'date'],
    ['dateTime', 'dateTime'],
    ['time', 'time'],
    ['string anyURI token duration gYear base64Binary QName', 'string'],
  ])('%s: %s', (names, type) => {
    for (const name of names.split(' ')) {
      expect(summary(only(featureType(`<xsd:element name="a" type="xsd:${name}"/>`)))).toBe(
        `a:${type}(${name})`,
      );
    }
  });

  test.each([
    ['Point', 'Point'],
    ['MultiPoint', 'MultiPoint'],
    ['Curve', 'LineString'],
    ['LineString', 'LineString'],
    ['MultiCurve', 'MultiLineString'],
    ['MultiLineString', 'MultiLineString'],
    ['Surface', 'Polygon'],
    ['Polygon', 'Polygon'],
    ['MultiSurface', 'MultiPolygon'],
    ['MultiPolygon', 'MultiPolygon'],
    ['Geometry', 'Geometry'],
    ['MultiGeometry', 'Geometry'],
    ['GeometricPrimitive', 'Geometry'],
  ])('gml:%sPropertyType is a geometry: %s', (name, type) => {
    for (const version of ['', '/3.2']) {
      const xsd = featureType(`<xsd:element name="g" type="gml:${name}PropertyType"/>`);
      expect(only(xsd.replace('net/gml"', `net/gml${version}"`)).geometries).toEqual([{ name: 'g', type }]);
    }
  });

  test('of GML itself: measures are numbers, codes texts, references and features objects', () => {
    const xsd = featureType(
      '<xsd:element name="a" type="gml:MeasureType"/><xsd:element name="b" type="gml:CodeType"/><xsd:element name="c" type="gml:ReferenceType"/><xsd:element name="d" type="gml:FeaturePropertyType"/>',
    );
    expect(summary(only(xsd))).toBe(
      'a:number(MeasureType) b:string(CodeType) c:object(ReferenceType) d:object(FeaturePropertyType)',
    );
  });

  test('named simple types, simple content and restrictions of restrictions lead to their base', () => {
    const xsd = featureType(
      '<xsd:element name="a" type="app:code"/><xsd:element name="b" type="app:price"/><xsd:element name="c" type="app:list"/><xsd:element name="d"/>',
      '<xsd:simpleType name="code"><xsd:restriction base="app:number"/></xsd:simpleType><xsd:simpleType name="number"><xsd:restriction base="xsd:int"/></xsd:simpleType><xsd:complexType name="price"><xsd:simpleContent><xsd:extension base="xsd:decimal"><xsd:attribute name="currency"/></xsd:extension></xsd:simpleContent></xsd:complexType><xsd:simpleType name="list"><xsd:list itemType="xsd:int"/></xsd:simpleType>',
    );
    expect(summary(only(xsd))).toBe('a:integer(int) b:number(decimal) c:string(list) d:string(anyType)');
  });

  test('complex content is an object, a property of its own that holds a geometry is one', () => {
    const xsd = featureType(
      '<xsd:element name="owner" type="app:person" maxOccurs="3"/><xsd:element name="shape"><xsd:complexType><xsd:sequence><xsd:element ref="gml:_Geometry"/></xsd:sequence></xsd:complexType></xsd:element><xsd:element name="area" type="app:areaType"/>',
      '<xsd:complexType name="person"><xsd:sequence><xsd:element name="name" type="xsd:string"/></xsd:sequence></xsd:complexType><xsd:complexType name="areaType"><xsd:complexContent><xsd:extension base="gml:MultiSurfacePropertyType"/></xsd:complexContent></xsd:complexType>',
    );
    expect(summary(only(xsd))).toBe('shape=Geometry area=MultiPolygon owner:object(person)*');
  });

  test('references, groups, choices and base types are followed', () => {
    const xsd = featureType(
      '<xsd:element ref="app:code" minOccurs="0"/><xsd:element ref="gml:name"/><xsd:element ref="gml:pointProperty"/><xsd:choice><xsd:element name="x" type="xsd:int"/></xsd:choice><xsd:group ref="app:more" maxOccurs="2"/>',
      '<xsd:element name="code" type="xsd:long"/><xsd:group name="more"><xsd:sequence><xsd:element name="y" type="xsd:int"/></xsd:sequence></xsd:group><xsd:complexType name="subType"><xsd:complexContent><xsd:extension base="app:thingType"><xsd:sequence><xsd:element name="z" type="xsd:date"/></xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType><xsd:element name="sub" type="app:subType" substitutionGroup="app:thing"/>',
    );
    const types = readFeatureTypes(xsd);
    expect(types.map(({ name }) => name)).toEqual(['thing', 'sub']);
    expect(summary(types[1] as FeatureType)).toBe(
      'pointProperty=Point code:integer(long)? name:string(name) x:integer(int)? y:integer(int)* z:date(date)',
    );
  });

  test("GML's own elements are attributes where the schema declares its own of these names, and only there", () => {
    expect(
      summary(
        only(featureType('<xsd:element name="name" type="xsd:string"/><xsd:element ref="gml:boundedBy"/>')),
      ),
    ).toBe('name:string(string)');
    expect(summary(only(featureType('')))).toBe('');
  });

  test('a feature type whose type stands inside its element', () => {
    const xsd = schema(
      '<xsd:element name="thing" substitutionGroup="gml:AbstractFeature"><xsd:complexType><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:all><xsd:element name="a" type="xsd:int"/></xsd:all></xsd:extension></xsd:complexContent></xsd:complexType></xsd:element>',
    );
    expect(summary(only(xsd))).toBe('a:integer(int)');
  });

  test('types that are defined by themselves end', () => {
    const xsd = featureType(
      '<xsd:element name="a" type="app:loop"/><xsd:group ref="app:g"/>',
      '<xsd:simpleType name="loop"><xsd:restriction base="app:loop"/></xsd:simpleType><xsd:group name="g"><xsd:sequence><xsd:group ref="app:g"/></xsd:sequence></xsd:group>',
    );
    expect(summary(only(xsd))).toBe('a:string(loop)');
  });
});

describe('what is no schema', () => {
  const faultOf = (xsd: string): GmlError => {
    try {
      readFeatureTypes(xsd);
    } catch (error) {
      return error as GmlError;
    }
    throw new Error('it was read');
  };

  test.each([
    ['gml.schemaMalformed', 2, '<schema>\n<a></b></schema>'],
    ['gml.schemaMalformed', 1, ''],
    ['gml.schemaMalformed', 1, 'not XML'],
    ['gml.notSchema', 2, '<!-- -->\n<html/>'],
    ['gml.notSchema', 1, '<schema/>'],
    ['gml.schemaReference', 1, schema('<xsd:element name="a" type="app:missing"/>')],
    ['gml.unboundPrefix', 1, schema('<xsd:element name="a" type="nope:missing"/>')],
    ['gml.doctypeRefused', 1, `<!DOCTYPE a [<!ENTITY x "y">]><schema xmlns="${XSD}"/>`],
  ])('%s in line %i: %s', (id, line, xsd) => {
    const fault = faultOf(xsd);
    expect(fault).toBeInstanceOf(GmlError);
    expect([fault.text.id, fault.line]).toEqual([id, line]);
  });

  test('an exception report is one', () => {
    const fault = faultOf(
      '<ExceptionReport><Exception exceptionCode="InvalidParameterValue">no type x</Exception></ExceptionReport>',
    );
    expect(fault).toBeInstanceOf(GmlExceptionReport);
    expect((fault as GmlExceptionReport).exceptions).toEqual([
      { code: 'InvalidParameterValue', text: 'no type x' },
    ]);
  });
});
