import { describe, expect, test } from '@jest/globals';
import type { Geometry } from '../../src/geometry/index.js';
import { encodeFilter, type Filter, toAnd, toOr } from '../../src/wfs/filter.js';
import { encodeGetFeature } from '../../src/wfs/get-feature.js';

const SRS = 'urn:ogc:def:crs:EPSG::4326';
const intersects = (geometry: object, axisOrder: 'lonLat' | 'latLon' = 'latLon') =>
  encodeFilter({
    operator: 'Intersects',
    propertyName: 'geom',
    geometry: geometry as Geometry,
    form: { srsName: SRS, axisOrder },
  });

describe('a geometry becomes GML 3.1.1 in the forms every server reads', () => {
  test('a point is written in either axis order, its srsName on it', () => {
    const point = { type: 'Point', coordinates: [1.5, 48.25, 130] };
    expect(intersects(point, 'latLon')).toContain(
      `<gml:Point srsName="${SRS}"><gml:pos>48.25 1.5</gml:pos></gml:Point>`,
    );
    expect(intersects(point, 'lonLat')).toContain('<gml:pos>1.5 48.25</gml:pos>');
  });

  test('a polygon has its holes as interiors, each a posList', () => {
    const outer = [
      [0, 0],
      [4, 0],
      [4, 4],
      [0, 0],
    ];
    const hole = [
      [1, 1],
      [2, 1],
      [2, 2],
      [1, 1],
    ];
    expect(intersects({ type: 'Polygon', coordinates: [outer, hole] }, 'lonLat')).toContain(
      '<gml:exterior><gml:LinearRing><gml:posList>0 0 4 0 4 4 0 0</gml:posList></gml:LinearRing></gml:exterior>' +
        '<gml:interior><gml:LinearRing><gml:posList>1 1 2 1 2 2 1 1</gml:posList></gml:LinearRing></gml:interior>',
    );
  });

  test('multi-geometries carry the srsName on the outer element and are never MultiSurface or MultiCurve', () => {
    const line = [
      [0, 0],
      [1, 2],
    ];
    expect(intersects({ type: 'MultiPoint', coordinates: line }, 'lonLat')).toContain(
      `<gml:MultiPoint srsName="${SRS}"><gml:pointMember><gml:Point><gml:pos>0 0</gml:pos></gml:Point></gml:pointMember>`,
    );
    expect(intersects({ type: 'MultiLineString', coordinates: [line] }, 'lonLat')).toContain(
      `<gml:MultiLineString srsName="${SRS}"><gml:lineStringMember><gml:LineString><gml:posList>0 0 1 2</gml:posList>`,
    );
    expect(
      intersects({
        type: 'MultiPolygon',
        coordinates: [
          [
            [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 0],
            ],
          ],
        ],
      }),
    ).toContain(`<gml:MultiPolygon srsName="${SRS}"><gml:polygonMember><gml:Polygon><gml:exterior>`);
  });

  test('no coordinate is written with an exponent', () => {
    expect(intersects({ type: 'Point', coordinates: [1e-7, -2.5e-9] }, 'lonLat')).toContain(
      '<gml:pos>0.0000001 -0.0000000025</gml:pos>',
    );
  });
});

describe('predicates are combined', () => {
  const equal = (literal: string): Filter => ({ operator: 'PropertyIsEqualTo', propertyName: 'n', literal });

  test('one needs no And, several have exactly one', () => {
    expect(toAnd([])).toBeUndefined();
    expect(toAnd([equal('1')])).toEqual(equal('1'));
    expect(encodeFilter(toAnd([equal('1'), toOr([equal('2'), equal('3')]) as Filter]) as Filter)).toBe(
      '<ogc:Filter><ogc:And><ogc:PropertyIsEqualTo><ogc:PropertyName>n</ogc:PropertyName><ogc:Literal>1</ogc:Literal>' +
        '</ogc:PropertyIsEqualTo><ogc:Or><ogc:PropertyIsEqualTo><ogc:PropertyName>n</ogc:PropertyName><ogc:Literal>2' +
        '</ogc:Literal></ogc:PropertyIsEqualTo><ogc:PropertyIsEqualTo><ogc:PropertyName>n</ogc:PropertyName>' +
        '<ogc:Literal>3</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Or></ogc:And></ogc:Filter>',
    );
  });

  test('feature ids stand side by side, as Filter 1.1 has it', () => {
    expect(encodeFilter({ operator: 'FeatureId', featureIds: ['a.1', 'b"2'] })).toBe(
      '<ogc:Filter><ogc:FeatureId fid="a.1"/><ogc:FeatureId fid="b&quot;2"/></ogc:Filter>',
    );
  });
});

describe('a GetFeature request', () => {
  const request = { typeName: 'CAD.X:parcelle', namespace: 'http://cad/ "x"', srsName: SRS };

  test('declares every prefix it uses, the feature type\u2019s own among them', () => {
    const xml = encodeGetFeature(request);
    expect(xml).toContain('xmlns:CAD.X="http://cad/ &quot;x&quot;"');
    expect(xml).toContain('xmlns:ogc="http://www.opengis.net/ogc"');
    expect(xml).toContain('<wfs:Query typeName="CAD.X:parcelle" srsName="urn:ogc:def:crs:EPSG::4326">');
  });

  test('a type name without prefix stays as it is, and a prefix that is none is not declared', () => {
    expect(encodeGetFeature({ ...request, typeName: 'parcelle' })).not.toContain('http://cad');
    expect(encodeGetFeature({ ...request, typeName: '1 x:parcelle' })).not.toContain('http://cad');
    expect(encodeGetFeature({ ...request, typeName: 'gml:parcelle' })).toContain(
      'xmlns:gml="http://www.opengis.net/gml"',
    );
  });

  test('startIndex is left out when 0, and the rest follows the order of the schema of WFS', () => {
    expect(encodeGetFeature({ ...request, startIndex: 0 })).not.toContain('startIndex');
    const xml = encodeGetFeature({
      ...request,
      startIndex: 7,
      maxFeatures: 3,
      propertyNames: ['geom', 'a'],
      filter: { operator: 'PropertyIsNull', propertyName: 'a' },
      sortBy: [{ propertyName: 'a', descending: true }],
    });
    expect(xml).toMatch(/maxFeatures="3" startIndex="7"/);
    expect(xml).toMatch(/PropertyName>geom<.*PropertyName>a<.*<ogc:Filter>.*<ogc:SortBy>.*>DESC</);
  });
});
