import { describe, expect, test } from '@jest/globals';
import { isGeographic, isNorthingFirst, readSrsName, toUrn, WGS84_URN } from '../../src/crs/index.js';

describe('an srsName says which CRS, and in which order where its form settles that', () => {
  test.each([
    ['urn:ogc:def:crs:EPSG::4326', 4326, 'latLon'],
    ['urn:ogc:def:crs:EPSG:6.9:4326', 4326, 'latLon'],
    ['urn:x-ogc:def:crs:EPSG:4326', 4326, 'latLon'],
    ['urn:x-ogc:def:crs:EPSG:6.11.2:4326', 4326, 'latLon'],
    ['http://www.opengis.net/def/crs/EPSG/0/4326', 4326, 'latLon'],
    ['https://www.opengis.net/def/crs/EPSG/0/4258', 4258, 'latLon'],
    ['EPSG:4326', 4326, undefined],
    ['epsg:2154', 2154, undefined],
    ['http://www.opengis.net/gml/srs/epsg.xml#4326', 4326, undefined],
    ['urn:ogc:def:crs:EPSG::2154', 2154, 'lonLat'],
    ['urn:ogc:def:crs:EPSG::3857', 3857, 'lonLat'],
    ['urn:ogc:def:crs:OGC:1.3:CRS84', 4326, 'lonLat'],
    ['urn:ogc:def:crs:OGC::CRS84', 4326, 'lonLat'],
    ['CRS:84', 4326, 'lonLat'],
    ['http://www.opengis.net/def/crs/OGC/1.3/CRS84', 4326, 'lonLat'],
    [' urn:ogc:def:crs:EPSG::4326\n', 4326, 'latLon'],
  ])('%s', (srsName, code, axisOrder) => {
    expect(readSrsName(srsName)).toMatchObject({ code, axisOrder });
  });

  test.each(['', 'EPSG', 'EPSG:', 'EPSG:4326x', 'Lambert', 'urn:ogc:def:crs:IGNF::LAMB93', '#p1'])(
    '%j says nothing',
    (srsName) => {
      expect(readSrsName(srsName)).toBeUndefined();
    },
  );

  // EPSG registry: first axis of each
  test.each([
    [4326, 'latLon'],
    [4171, 'latLon'],
    [4979, 'latLon'],
    [4230, 'latLon'],
    [2154, 'lonLat'],
    [3857, 'lonLat'],
    [32631, 'lonLat'],
    [27572, 'lonLat'],
    [3067, 'lonLat'],
    [5514, 'lonLat'],
    [2975, 'lonLat'],
    [3035, 'latLon'],
    [3034, 'latLon'],
    [31467, 'latLon'],
    [2180, 'latLon'],
    [2193, 'latLon'],
    [3879, 'latLon'],
    [5048, 'latLon'],
  ])('EPSG:%d is written %s under its URN', (code, axisOrder) => {
    expect(readSrsName(`urn:ogc:def:crs:EPSG::${code}`)?.axisOrder).toBe(axisOrder);
  });
});

describe('what kind of positions a code stands for', () => {
  test.each([4326, 4171, 4258, 4979, 4230, 4807, 4463, 4470, 4624, 4627, 7084, 9782, 9057, 20033])(
    'EPSG:%d: angles',
    (code) => {
      expect(isGeographic(code)).toBe(true);
    },
  );

  // Not every code from 4000 to 4999 is a geographic one: Mayotte and Saint-Pierre-et-Miquelon have theirs there.
  test.each([2154, 3857, 4471, 4467, 4462, 4559, 4087, 4414, 4491, 4978, 5698, 900913])(
    'EPSG:%d: lengths',
    (code) => {
      expect(isGeographic(code)).toBe(false);
    },
  );
});

describe('the order of the axes in the registry', () => {
  test.each([4326, 3035, 31467, 2180, 5513, 32661])('EPSG:%d: latitude or northing first', (code) => {
    expect(isNorthingFirst(code)).toBe(true);
  });

  test.each([2154, 3857, 5514, 5041, 3031, 3413, 2985, 900913])('EPSG:%d: easting first', (code) => {
    expect(isNorthingFirst(code)).toBe(false);
  });
});

test('a URN is read as it is written', () => {
  expect(WGS84_URN).toBe('urn:ogc:def:crs:EPSG::4326');
  for (const code of [2154, 3035]) expect(readSrsName(toUrn(code))?.code).toBe(code);
});
