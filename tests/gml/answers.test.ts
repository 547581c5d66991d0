import { describe, expect, test } from '@jest/globals';
import type { FeatureType, SchemaAttribute } from '../../src/gml/index.js';
import { collection, convert, feature, fixtures, only } from './convert.js';

const attribute = (name: string, type: SchemaAttribute['type'], repeated = false): SchemaAttribute => ({
  name,
  type,
  xsdType: type,
  nullable: true,
  repeated,
});
const typeOf = (...attributes: SchemaAttribute[]): FeatureType => ({
  name: 'thing',
  namespace: 'http://example.org/app',
  attributes,
  geometries: [{ name: 'geom', type: 'Point' }],
});
const POINT = '<app:geom><gml:Point><gml:pos>1 2</gml:pos></gml:Point></app:geom>';

describe('recorded answers become the features read from them by other means', () => {
  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
    '%s',
    (_, { answer, options, expected }) => {
      const { features, declaredCount, numberOfFeatures, warnings, error } = convert(answer, options);
      expect(error).toBeUndefined();
      expect(features).toEqual(expected.features);
      expect(declaredCount ?? null).toBe(expected.declaredCount);
      expect(numberOfFeatures).toBe(expected.features.length);
      expect(warnings).toEqual({});
    },
  );
});

describe('a feature has its members in one order', () => {
  test('type, id, geometry, geometry_name, properties in schema order with nulls for what is missing', () => {
    const gml = feature(`<app:b>x</app:b>${POINT}<app:d>4</app:d>`);
    const featureType = typeOf(
      attribute('a', 'string'),
      attribute('b', 'string'),
      attribute('c', 'integer'),
      attribute('d', 'integer'),
      attribute('e', 'date'),
    );
    expect(convert(gml, { featureType }).text).toBe(
      '{"type":"Feature","id":"thing.1","geometry":{"type":"Point","coordinates":[1,2]},"geometry_name":"geom",' +
        '"properties":{"a":null,"b":"x","c":null,"d":4,"e":null}}',
    );
  });

  test('attributes out of schema order, and behind what the schema does not know, are put in order', () => {
    const gml = feature('<app:new>n</app:new><app:b>2</app:b><app:a>1</app:a>');
    const featureType = typeOf(
      attribute('a', 'integer'),
      attribute('b', 'integer'),
      attribute('c', 'integer'),
    );
    expect(convert(gml, { featureType }).text).toContain('"properties":{"a":1,"b":2,"c":null,"new":"n"}');
  });

  test('a null geometry keeps its name where a schema is given, and has none without', () => {
    expect(only(feature('<app:a>1</app:a>'), { featureType: typeOf() })).toEqual({
      type: 'Feature',
      id: 'thing.1',
      geometry: null,
      geometry_name: 'geom',
      properties: { a: '1' },
    });
    expect(only(feature('<app:a>1</app:a>'))).toEqual({
      type: 'Feature',
      id: 'thing.1',
      geometry: null,
      properties: { a: '1' },
    });
  });

  test('only the properties asked for are written, but the geometry always', () => {
    const gml = feature(`<app:a>1</app:a><app:b>2</app:b><app:c>3</app:c>${POINT}`);
    const schemaless = only(gml, { propertyNames: ['b', 'z'] });
    expect(schemaless.properties).toEqual({ b: '2' });
    expect(schemaless.geometry).toEqual({ type: 'Point', coordinates: [1, 2] });
    const featureType = typeOf(
      attribute('a', 'integer'),
      attribute('b', 'integer'),
      attribute('c', 'integer'),
    );
    const { properties, geometry } = only(gml, { featureType, propertyNames: ['c', 'a'] });
    expect(Object.entries(properties)).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
    expect(geometry).toEqual({ type: 'Point', coordinates: [1, 2] });
  });
});

describe('collections and members of every kind', () => {
  const ids = (gml: string): (string | undefined)[] => {
    const { features, error } = convert(gml);
    expect(error).toBeUndefined();
    return features.map(({ id }) => id);
  };
  const NAMESPACES = 'xmlns:gml="http://www.opengis.net/gml" xmlns:a="http://example.org/a"';

  test.each([
    [
      'gml:featureMember each',
      '<gml:featureMember><a:f fid="1"/></gml:featureMember><gml:featureMember><a:f fid="2"/></gml:featureMember>',
    ],
    [
      'gml:featureMembers twice',
      '<gml:featureMembers><a:f fid="1"/></gml:featureMembers><gml:featureMembers><a:f fid="2"/></gml:featureMembers>',
    ],
    [
      'several in one member',
      '<gml:featureMember><a:f fid="1"/><!-- c --><a:f fid="2"/></gml:featureMember>',
    ],
    [
      "the type's own member element",
      '<a:featureMember><a:f fid="1"/></a:featureMember><a:cadMember><a:f fid="2"/></a:cadMember>',
    ],
    ['members of any name', '<a:content><a:f fid="1"/></a:content><a:things><a:f fid="2"/></a:things>'],
    ['features right inside', '<a:f fid="1"><a:x>1</a:x></a:f><a:f gml:id="2"/>'],
    [
      'a collection in a member',
      '<gml:featureMember><gml:FeatureCollection><gml:featureMember><a:f fid="1"/></gml:featureMember></gml:FeatureCollection></gml:featureMember><gml:featureMember><a:f fid="2"/></gml:featureMember>',
    ],
    [
      'properties of the collection beside',
      '<gml:name>n</gml:name><a:queryTime>t</a:queryTime><a:extent><a:Rectangle srsName="x"><gml:coordinates>1,2</gml:coordinates></a:Rectangle></a:extent><gml:featureMember><a:f fid="1"/><a:f fid="2"/></gml:featureMember>',
    ],
  ])('%s', (_, members) => {
    expect(ids(`<a:FeatureCollection ${NAMESPACES}>${members}</a:FeatureCollection>`)).toEqual(['1', '2']);
  });

  test('gml:featureMembers, or a feature, at the root', () => {
    expect(ids(`<gml:featureMembers ${NAMESPACES}><a:f gml:id="1"/></gml:featureMembers>`)).toEqual(['1']);
    expect(ids(`<a:f gml:id="1" ${NAMESPACES}><a:x>y</a:x></a:f>`)).toEqual(['1']);
    expect(ids(`<gml:featureMembers ${NAMESPACES}/>`)).toEqual([]);
  });

  test('types without a namespace, and with names that are not ASCII', () => {
    const gml =
      `<FeatureCollection ${NAMESPACES}><member><Entité gml:id="é.1"><größe>12</größe></Entité></member>` +
      '<member><x><y>1</y></x></member></FeatureCollection>';
    const { features } = convert(gml);
    expect(features.map(({ id, properties }) => [id, properties])).toEqual([
      ['é.1', { größe: '12' }],
      [undefined, { y: '1' }],
    ]);
  });

  test('ids: gml:id by whatever prefix, fid, none; escaped where JSON wants it', () => {
    const gml = `<c:FeatureCollection xmlns:c="http://www.opengis.net/wfs" xmlns:g="http://www.opengis.net/gml/3.2">
      <c:member><f g:id="a b"/></c:member><c:member><f fid="q&quot;&amp;\\"/></c:member><c:member><f id="no"/></c:member>
      </c:FeatureCollection>`;
    expect(ids(gml)).toEqual(['a b', 'q"&\\', undefined]);
  });

  test.each([
    ['numberOfFeatures="12"', 12],
    ['numberMatched="7" numberReturned="0"', 7],
    ['numberMatched="unknown" numberReturned="3"', undefined],
    ['', undefined],
  ])('the count the root declares (%s) is known as soon as the root is', (attributes, count) => {
    const { declaredCount } = convert(
      `<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" ${attributes}>`,
    );
    expect(declaredCount).toBe(count);
  });

  test('the last feature of a push comes with it, not later', () => {
    const gml = collection('<app:a fid="1"/>', '<app:a fid="2"/>');
    const { text, error } = convert(gml.slice(0, gml.indexOf('</gml:featureMembers>')));
    expect(JSON.parse(`[${text}]`)).toHaveLength(2);
    expect(error?.text.id).toBe('gml.truncated');
  });
});

describe('GeoServer', () => {
  test('attributes before and after the geometry, gml:name beside the type, newlines and exponents in posList', () => {
    const gml = `<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection numberOfFeatures="1" timeStamp="2024-01-01T00:00:00Z"
      xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:topp="http://topp"><gml:featureMembers>
      <topp:pop gml:id="pop.1"><gml:name>Aflu</gml:name><gml:boundedBy><gml:Envelope srsName="urn:x-ogc:def:crs:EPSG:4326">
      <gml:lowerCorner>34.12 2.09</gml:lowerCorner><gml:upperCorner>34.12 2.09</gml:upperCorner></gml:Envelope></gml:boundedBy>
      <topp:people>84683</topp:people><topp:the_geom><gml:MultiLineString srsName="urn:x-ogc:def:crs:EPSG:4326"><gml:lineStringMember>
      <gml:LineString><gml:posList>
        34.12 2.09
        1.0E1 -2.5e-1
      </gml:posList></gml:LineString></gml:lineStringMember></gml:MultiLineString></topp:the_geom><topp:code>01004</topp:code></topp:pop>
      </gml:featureMembers></wfs:FeatureCollection>`;
    expect(convert(gml, { crs: () => ({ swap: true }) }).text).toBe(
      '{"type":"Feature","id":"pop.1","geometry":{"type":"MultiLineString","coordinates":[[[2.09,34.12],[-2.5e-1,1.0E1]]]},' +
        '"geometry_name":"the_geom","properties":{"name":"Aflu","people":"84683","code":"01004"}}',
    );
  });

  test("a type's own name stands beside gml:name, and instead of it where the schema declares it", () => {
    const gml = feature('<gml:name>from GML</gml:name><app:name>own</app:name>');
    expect(only(gml).properties).toEqual({ name: 'own', 'gml:name': 'from GML' });
    expect(only(gml, { featureType: typeOf(attribute('name', 'string')) }).properties).toEqual({
      name: 'own',
    });
  });
});

test('Opendatasoft: absent fields are null, the second geometry is a property, dates get their T', () => {
  const gml = `<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:ods="http://ods">
    <gml:featureMember><ods:trees gml:id="t.1"><ods:geo_point_2d><gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>48.8 2.3</gml:pos></gml:Point></ods:geo_point_2d>
    <ods:geo_shape><gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>48.8 2.3 48.9 2.4</gml:posList></gml:LineString></ods:geo_shape>
    <ods:updated>2026-04-15 00:00:00+00:00</ods:updated></ods:trees></gml:featureMember></wfs:FeatureCollection>`;
  const featureType: FeatureType = {
    name: 'trees',
    namespace: 'http://ods',
    attributes: [attribute('species', 'string'), attribute('updated', 'dateTime')],
    geometries: [
      { name: 'geo_point_2d', type: 'Point' },
      { name: 'geo_shape', type: 'Geometry' },
    ],
  };
  expect(only(gml, { featureType, crs: () => ({ swap: true }) })).toEqual({
    type: 'Feature',
    id: 't.1',
    geometry: { type: 'Point', coordinates: [2.3, 48.8] },
    geometry_name: 'geo_point_2d',
    properties: {
      species: null,
      updated: '2026-04-15T00:00:00+00:00',
      geo_shape: {
        type: 'LineString',
        coordinates: [
          [2.3, 48.8],
          [2.4, 48.9],
        ],
      },
    },
  });
});

describe('repeated and nested elements', () => {
  test('what repeats is an array, what the schema repeats is one even alone', () => {
    const gml = feature('<app:a>1</app:a><app:b>x</app:b><app:a>2</app:a><app:c>3</app:c>');
    expect(only(gml).properties).toEqual({ a: ['1', '2'], b: 'x', c: '3' });
    const featureType = typeOf(
      attribute('a', 'integer', true),
      attribute('c', 'integer', true),
      attribute('d', 'string', true),
    );
    expect(only(gml, { featureType }).properties).toEqual({ a: [1, 2], c: [3], d: null, b: 'x' });
  });

  test('nested elements are objects, empty ones null, mixed text is kept', () => {
    const gml = feature(
      '<app:owner><app:Person><app:name>A &amp; B</app:name><app:tel>1</app:tel><app:tel>2</app:tel>' +
        '<app:fax xsi:nil="true"/><app:note>\n  </app:note></app:Person></app:owner><app:html>see <app:b>this</app:b></app:html>',
    );
    expect(only(gml).properties).toEqual({
      owner: { Person: { name: 'A & B', tel: ['1', '2'], fax: null, note: null } },
      html: { b: 'this', '#text': 'see ' },
    });
  });

  test('the unit of a measure stands beside it, and a reference in place of content is kept', () => {
    const gml = feature('<app:height uom="m">12.5</app:height><app:kind xlink:href="http://codes/1"/>');
    const { properties } = only(gml, { featureType: typeOf(attribute('height', 'number')) });
    expect(properties).toEqual({ height: 12.5, height_uom: 'm', kind: { '@href': 'http://codes/1' } });
  });

  test('a nested geometry is the feature geometry where there is no other', () => {
    const nested =
      '<app:position><app:Place><app:at><gml:Point><gml:pos>5 6</gml:pos></gml:Point></app:at></app:Place></app:position>';
    const point = { type: 'Point', coordinates: [5, 6] };
    expect(only(feature(nested))).toMatchObject({
      geometry: point,
      geometry_name: 'at',
      properties: { position: { Place: { at: point } } },
    });
    expect(only(feature(nested + POINT)).geometry).toEqual({ type: 'Point', coordinates: [1, 2] });
  });
});
