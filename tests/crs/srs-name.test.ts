import { describe, expect, test } from '@jest/globals';
import { readSrsName } from '../../src/crs/index.js';

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
