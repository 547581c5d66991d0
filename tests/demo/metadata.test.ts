import { describe, expect, test } from '@jest/globals';
import { layers, serveSamples } from './samples.js';
import { allOf, exceptionOf, get, type Node, post, readNode, textsOf } from './wfs.js';

const server = serveSamples();

const capabilities = (parameters: Record<string, string> = {}) =>
  get(server.url, { service: 'WFS', request: 'GetCapabilities', ...parameters });
const postCapabilities = (content: string) =>
  post(
    server.url,
    `<GetCapabilities service="WFS" xmlns="http://www.opengis.net/wfs" xmlns:ows="http://www.opengis.net/ows">${content}</GetCapabilities>`,
  );
const sectionsOf = (root: Node) => root.children.map(({ local }) => local);
const ALL = [
  'ServiceIdentification',
  'ServiceProvider',
  'OperationsMetadata',
  'FeatureTypeList',
  'Filter_Capabilities',
];

describe('GetCapabilities', () => {
  test('is a WFS 1.1.0 document with its five sections in order', async () => {
    const { root, type } = await capabilities();
    expect([root.name, root.uri, root.attributes.version, type]).toEqual([
      'wfs:WFS_Capabilities',
      'http://www.opengis.net/wfs',
      '1.1.0',
      'application/xml',
    ]);
    expect(sectionsOf(root)).toEqual(ALL);
  });

  test('lists every layer as the client needs it', async () => {
    const { root } = await capabilities();
    const types = allOf(root, 'FeatureType');
    expect(types.map((node) => textsOf(node, 'Name')[0])).toEqual(layers.map(({ typeName }) => typeName));
    for (const [i, node] of types.entries()) {
      const { title, keywords, code, prefix, namespace } = layers[i]!;
      expect(textsOf(node, 'Title')).toEqual([title]);
      expect(textsOf(node, 'Keyword')).toEqual(keywords);
      expect(textsOf(node, 'DefaultSRS')).toEqual([`urn:x-ogc:def:crs:EPSG:${code}`]);
      expect(textsOf(node, 'OtherSRS')).toContain(`urn:x-ogc:def:crs:EPSG:${code === 4326 ? 2154 : 4326}`);
      expect(node.attributes[`xmlns:${prefix}`]).toBe(namespace);
    }
  });

  test('bounding boxes are longitude first and hold what the layer holds', async () => {
    const { root } = await capabilities();
    const corners = allOf(root, 'FeatureType').map((node) =>
      [...textsOf(node, 'LowerCorner'), ...textsOf(node, 'UpperCorner')].join(' ').split(' ').map(Number),
    );
    const [departments, , parcels] = corners;
    expect(departments![0]).toBeLessThan(-60);
    expect(departments![3]).toBeGreaterThan(51);
    expect(parcels!.map((value) => Math.round(value * 100) / 100)).toEqual([1.45, 48.43, 1.53, 48.47]);
    const buildings = corners.at(-1)!;
    expect(buildings[0]).toBeGreaterThan(1.45);
    expect(buildings[3]).toBeLessThan(48.47);
  });

  test('says who serves it, and where', async () => {
    const { root } = await capabilities();
    expect(textsOf(root, 'ServiceType')).toEqual(['WFS']);
    expect(textsOf(root, 'ServiceTypeVersion')).toEqual(['1.1.0']);
    expect(textsOf(root, 'IndividualName')).toEqual(["Hélène d'Aubépine"]);
    expect(textsOf(root, 'ElectronicMailAddress')).toEqual(['demo@example.org']);
    const operations = allOf(root, 'Operation').filter(({ attributes }) => 'name' in attributes);
    expect(operations.map(({ attributes }) => attributes.name)).toEqual([
      'GetCapabilities',
      'DescribeFeatureType',
      'GetFeature',
    ]);
    for (const operation of operations)
      for (const method of ['Get', 'Post'])
        expect(allOf(operation, method)[0]!.attributes['xlink:href']).toBe(server.url);
  });

  test('lists the operators it has, no others', async () => {
    const { root } = await capabilities({ sections: 'Filter_Capabilities' });
    expect(
      allOf(root, 'SpatialOperator')
        .map(({ attributes }) => attributes.name)
        .sort(),
    ).toEqual(['BBOX', 'Beyond', 'DWithin', 'Disjoint', 'Intersects']);
    expect(textsOf(root, 'ComparisonOperator')).toHaveLength(9);
  });

  test.each([
    ['FeatureTypeList', ['FeatureTypeList']],
    ['featuretypelist,SERVICEIDENTIFICATION', ['ServiceIdentification', 'FeatureTypeList']],
    ['All', ALL],
  ])('sections=%s', async (sections, wanted) => {
    expect(sectionsOf((await capabilities({ sections })).root)).toEqual(wanted);
    const elements = sections.split(',').map((section) => `<ows:Section>${section}</ows:Section>`);
    expect(
      sectionsOf((await postCapabilities(`<ows:Sections>${elements.join('')}</ows:Sections>`)).root),
    ).toEqual(wanted);
  });

  test('an unknown section is refused', async () => {
    expect(exceptionOf(await capabilities({ sections: 'Contents' }))).toMatchObject({
      code: 'InvalidParameterValue',
      locator: 'sections',
    });
  });

  test('versions are negotiated', async () => {
    for (const acceptVersions of ['1.1.0', '2.0.0,1.1.0,1.0.0', ' 1.1.0'])
      expect((await capabilities({ acceptVersions })).root.attributes.version).toBe('1.1.0');
    const refusal = { code: 'VersionNegotiationFailed', locator: 'AcceptVersions' };
    expect(exceptionOf(await capabilities({ acceptVersions: '2.0.0' }))).toMatchObject(refusal);
    const versions = (version: string) =>
      `<ows:AcceptVersions><ows:Version>${version}</ows:Version></ows:AcceptVersions>`;
    expect((await postCapabilities(versions('1.1.0'))).root.attributes.version).toBe('1.1.0');
    expect(exceptionOf(await postCapabilities(versions('2.0.0')))).toMatchObject(refusal);
  });

  test('a client that names another version gets the one there is', async () => {
    expect((await capabilities({ version: '2.0.0' })).root.attributes.version).toBe('1.1.0');
  });

  test('GET and POST say the same', async () => {
    expect((await postCapabilities('')).text).toBe((await capabilities()).text);
  });
});

const describeType = (parameters: Record<string, string>) =>
  get(server.url, { service: 'WFS', version: '1.1.0', request: 'DescribeFeatureType', ...parameters });
const elementsOf = (root: Node, type: string) =>
  allOf(allOf(root, 'complexType').find(({ attributes }) => attributes.name === type)!, 'element').map(
    ({ attributes }) => [attributes.name, attributes.type],
  );

describe('DescribeFeatureType', () => {
  test.each(layers.map((layer) => [layer.typeName, layer] as const))('%s', async (typeName, layer) => {
    const { root, type } = await describeType({ typeName });
    expect([root.local, root.uri, type]).toEqual([
      'schema',
      'http://www.w3.org/2001/XMLSchema',
      'text/xml; subtype=gml/3.1.1',
    ]);
    expect(root.attributes).toMatchObject({
      targetNamespace: layer.namespace,
      elementFormDefault: 'qualified',
    });
    const [geometry, ...others] = elementsOf(root, `${layer.name}Type`);
    expect(geometry![0]).toBe(layer.geometryName);
    expect(geometry![1]).toMatch(/^gml:\w+PropertyType$/);
    expect(others).toEqual(layer.attributes.map((attribute) => [attribute.name, `xsd:${attribute.type}`]));
    const element = root.children.find(({ local }) => local === 'element')!;
    expect(element.attributes).toEqual({
      name: layer.name,
      substitutionGroup: 'gml:_Feature',
      type: `${layer.prefix}:${layer.name}Type`,
    });
  });

  test('geometry types are those of the features', async () => {
    const typeOf = async (typeName: string) =>
      elementsOf((await describeType({ typeName })).root, `${typeName.split(':')[1]}Type`)[0];
    expect(await typeOf('BAN.DATA.GOUV:ban')).toEqual(['geom', 'gml:PointPropertyType']);
    expect(await typeOf('BDTOPO_V3:troncon_de_route')).toEqual(['geometrie', 'gml:CurvePropertyType']);
    expect(await typeOf('RPG.LATEST:parcelles_graphiques')).toEqual(['geom', 'gml:SurfacePropertyType']);
    expect(await typeOf('wfs_du:zone_urba')).toEqual(['the_geom', 'gml:MultiSurfacePropertyType']);
    expect(await typeOf('wfs_sup:assiette_sup')).toEqual(['geom', 'gml:GeometryPropertyType']);
  });

  test('names are found with the prefix, without it, and with another bound to the namespace', async () => {
    const wanted = (await describeType({ typeName: 'wfs_du:zone_urba' })).text;
    expect((await describeType({ typeName: 'zone_urba' })).text).toBe(wanted);
    expect((await describeType({ typeName: 'q:zone_urba', namespace: 'xmlns(q=http://wfs_du)' })).text).toBe(
      wanted,
    );
    const byPost = (name: string, declaration = '') =>
      post(
        server.url,
        `<w:DescribeFeatureType xmlns:w="http://www.opengis.net/wfs" service="WFS" version="1.1.0"><w:TypeName ${declaration}>${name}</w:TypeName></w:DescribeFeatureType>`,
      );
    expect((await byPost('q:zone_urba', 'xmlns:q="http://wfs_du"')).text).toBe(wanted);
    expect((await byPost(' wfs_du:zone_urba ')).text).toBe(wanted);
    expect((await byPost('zone_urba', 'xmlns="http://wfs_du"')).text).toBe(wanted);
    expect((await byPost('zone_urba')).text).toBe(wanted);
  });

  test('two types of one namespace stand in one schema', async () => {
    const { root } = await describeType({ typeName: 'BDTOPO_V3:batiment,BDTOPO_V3:troncon_de_route' });
    expect(root.children.map(({ local, attributes }) => [local, attributes.name])).toEqual([
      ['import', undefined],
      ['complexType', 'batimentType'],
      ['element', 'batiment'],
      ['complexType', 'troncon_de_routeType'],
      ['element', 'troncon_de_route'],
    ]);
  });

  test('types of several namespaces are imported, each from where it is described', async () => {
    const { root } = await describeType({});
    expect(root.attributes.targetNamespace).toBeUndefined();
    const imports = root.children.map(({ attributes }) => attributes);
    expect(imports.map(({ namespace }) => namespace)).toEqual([
      ...new Set(layers.map(({ namespace }) => namespace)),
    ]);
    const names: string[] = [];
    for (const { namespace, schemaLocation } of imports) {
      const schema = readNode(await (await fetch(schemaLocation!)).text());
      expect(schema.attributes.targetNamespace).toBe(namespace);
      names.push(
        ...schema.children
          .filter(({ local }) => local === 'element')
          .map(({ attributes }) => attributes.name!),
      );
    }
    expect(names.sort()).toEqual(layers.map(({ name }) => name).sort());
  });

  test('an unknown type is an exception', async () => {
    const unknown = async (typeName: string) => exceptionOf(await describeType({ typeName }));
    expect(await unknown('BDTOPO_V3:nothing')).toEqual({
      code: 'InvalidParameterValue',
      locator: 'typeName',
      text: 'Feature type BDTOPO_V3:nothing unknown',
    });
    expect(await unknown('nothing:batiment')).toEqual({
      code: 'InvalidParameterValue',
      locator: 'namespace',
      text: 'Unknown namespace [nothing]',
    });
    const foreign =
      '<w:DescribeFeatureType xmlns:w="http://www.opengis.net/wfs" xmlns:q="http://elsewhere" service="WFS"><w:TypeName>q:batiment</w:TypeName></w:DescribeFeatureType>';
    expect(exceptionOf(await post(server.url, foreign))).toEqual({
      code: 'InvalidParameterValue',
      locator: 'typeName',
      text: 'Could not locate {http://elsewhere}batiment in catalog.',
    });
  });
});
