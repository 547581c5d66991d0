import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readCapabilities } from '../../src/wfs/capabilities.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/wfs/${name}`, import.meta.url), 'utf8');

describe('capabilities are read', () => {
  test('of MapServer: names without prefix, boxes, and no contact where all its elements are empty', () => {
    const { service, featureTypes, version } = readCapabilities(fixture('capabilities-mapserver.xml'));
    expect(version).toBe('1.1.0');
    expect(service).toEqual({
      title: 'Labo WFS',
      abstract: "Données d'essai",
      keywords: [],
    });
    expect(featureTypes[0]).toEqual({
      name: 'parcelle',
      title: 'Couche parcelle',
      keywords: [],
      crs: 'urn:ogc:def:crs:EPSG::4326',
      bbox: [1.6, 48, 2.1, 48.4],
    });
    expect(featureTypes.map(({ name }) => name)).toContain('departement');
  });

  test('what filters may hold, and which CRSs each layer is offered in', () => {
    const mapServer = readCapabilities(fixture('capabilities-mapserver.xml'));
    expect(mapServer.spatialOperators).toContain('Intersects');
    expect(mapServer.geometryOperands).toEqual(['Point', 'LineString', 'Polygon', 'Envelope']);
    expect(mapServer.getFeatureMethods).toEqual(['GET', 'POST']);
    const qgis = readCapabilities(fixture('capabilities-qgis.xml'));
    expect(qgis.srsNames.get('troncon_l93')).toEqual(['EPSG:2154', 'EPSG:4326', 'EPSG:3857']);
  });

  test('of QGIS Server: a default namespace, short CRS names', () => {
    const { service, featureTypes } = readCapabilities(fixture('capabilities-qgis.xml'));
    expect(service).toMatchObject({ title: 'Labo WFS', fees: 'None', accessConstraints: 'None' });
    expect(featureTypes.find(({ name }) => name === 'troncon_l93')).toMatchObject({
      crs: 'EPSG:2154',
      bbox: [1.648061, 48.103854, 2.018411, 48.33542],
    });
  });

  test('of a server that answers in 1.0.0: the box stands in attributes', () => {
    const { featureTypes } = readCapabilities(fixture('capabilities-mapserver-100.xml'));
    expect(featureTypes[0]).toMatchObject({ name: 'parcelle', bbox: [1.6, 48, 2.1, 48.4] });
  });

  test('provider, contact and keywords', () => {
    const { service, featureTypes } =
      readCapabilities(`<w:WFS_Capabilities xmlns:w="http://www.opengis.net/wfs"
        xmlns:o="http://www.opengis.net/ows" xmlns:x="http://www.w3.org/1999/xlink">
      <o:ServiceIdentification><o:Title>A &amp; B</o:Title><o:Keywords><o:Keyword>un</o:Keyword><o:Keyword>deux</o:Keyword></o:Keywords></o:ServiceIdentification>
      <o:ServiceProvider><o:ProviderName>IGN</o:ProviderName><o:ProviderSite x:href="https://ign.fr"/><o:ServiceContact>
        <o:IndividualName>Géo</o:IndividualName><o:ContactInfo><o:Phone><o:Voice>+33</o:Voice></o:Phone><o:Address>
        <o:ElectronicMailAddress>a@b.fr</o:ElectronicMailAddress></o:Address></o:ContactInfo></o:ServiceContact></o:ServiceProvider>
      <w:FeatureTypeList><w:FeatureType><w:Name>p:n</w:Name><o:Keywords><o:Keyword>k1</o:Keyword></o:Keywords>
        <o:WGS84BoundingBox><o:LowerCorner>10 5</o:LowerCorner><o:UpperCorner>5 10</o:UpperCorner></o:WGS84BoundingBox>
      </w:FeatureType></w:FeatureTypeList></w:WFS_Capabilities>`);
    expect(service).toEqual({
      title: 'A & B',
      keywords: ['un', 'deux'],
      provider: { name: 'IGN', site: 'https://ign.fr' },
      contact: { name: 'Géo', phone: '+33', email: 'a@b.fr' },
    });
    expect(featureTypes).toEqual([{ name: 'p:n', keywords: ['k1'] }]); // a box that is none is left out
  });

  test.each([
    ['<html><body>no</body></html>', /root element is html/],
    ['<a><b></a>', /root element is a/],
    ['<WFS_Capabilities><x></WFS_Capabilities>', /unusable/],
    ['<!DOCTYPE x [<!ENTITY e "e">]><WFS_Capabilities/>', /DOCTYPE/],
  ])('%j is refused and says why', (xml, reason) => {
    expect(() => readCapabilities(xml)).toThrow(reason);
  });
});
