import type { Dialect, Feature, Geometry, Layer, Ring } from './model.js';
import { escapeText, NAMESPACES } from './xml.js';

const SRS = 'urn:x-ogc:def:crs:EPSG:4326';

/** GeoServer 2, WFS 1.1.0: all in one line, latitude first under the URN, nulls left out. */
export const geoserver: Dialect = {
  head({ prefix, namespace, name }) {
    const spaces = { ...NAMESPACES, [prefix]: namespace };
    const declarations = Object.entries(spaces).map(([key, uri]) => ` xmlns:${key}="${uri}"`);
    const schema = `http://localhost:8080/geoserver/wfs?service=WFS&amp;version=1.1.0&amp;request=DescribeFeatureType&amp;typeName=${prefix}%3A${name}`;
    return (
      `<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection${declarations.join('')} ` +
      `timeStamp="2024-05-01T10:00:00.000Z" xsi:schemaLocation="${namespace} ${schema} ${NAMESPACES.wfs} ` +
      'http://localhost:8080/geoserver/schemas/wfs/1.1.0/wfs.xsd"><gml:featureMembers>'
    );
  },
  feature(layer, { id, geometry, values }) {
    const { prefix, name, geometryName } = layer;
    const shape = `<${prefix}:${geometryName}>${toGeometry(geometry)}</${prefix}:${geometryName}>`;
    return `<${prefix}:${name} gml:id="${id}">${shape}${toAttributes(layer, values)}</${prefix}:${name}>`;
  },
  tail: '</gml:featureMembers></wfs:FeatureCollection>',
};

function toAttributes({ prefix, attributes }: Layer, values: Feature['values']): string {
  return values
    .map((value, i) => {
      const name = `${prefix}:${attributes[i]?.name}`;
      return value === null ? '' : `<${name}>${escapeText(value)}</${name}>`;
    })
    .join('');
}

function toGeometry(geometry: Geometry): string {
  if (geometry.type === 'Point') {
    const [lon, lat] = geometry.position;
    return `<gml:Point srsName="${SRS}" srsDimension="2"><gml:pos>${lat} ${lon}</gml:pos></gml:Point>`;
  }
  const members = geometry.polygons.map(
    (rings) =>
      `<gml:surfaceMember><gml:Polygon srsDimension="2">${rings.map(toRing).join('')}</gml:Polygon></gml:surfaceMember>`,
  );
  return `<gml:MultiSurface srsName="${SRS}" srsDimension="2">${members.join('')}</gml:MultiSurface>`;
}

function toRing({ positions }: Ring, i: number): string {
  const place = i === 0 ? 'gml:exterior' : 'gml:interior';
  const list = positions.map(([lon, lat]) => `${lat} ${lon}`).join(' ');
  return `<${place}><gml:LinearRing srsDimension="2"><gml:posList>${list}</gml:posList></gml:LinearRing></${place}>`;
}
