import type { Dialect, Geometry, Position, Ring } from './model.js';
import { escapeText, NAMESPACES } from './xml.js';

/** MapServer 8 names WGS84 by its short name and writes latitude first all the same. */
const SRS = 'EPSG:4326';

/** MapServer 8.0, WFS 1.1.0: indented, each feature with its own member and Envelope, nulls as empty elements. */
export const mapserver: Dialect = {
  head({ prefix, namespace, name }) {
    const { gml, wfs, ogc, xsi } = NAMESPACES;
    const spaces = Object.entries({ [prefix]: namespace, gml, wfs, ogc, xsi });
    const declarations = spaces.map(([key, uri]) => `   xmlns:${key}="${uri}"\n`).join('');
    const schema = `http://localhost:8081/wfs?SERVICE=WFS&amp;VERSION=1.1.0&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=${prefix}:${name}&amp;OUTPUTFORMAT=text/xml;%20subtype=gml/3.1.1`;
    return (
      `<?xml version='1.0' encoding="UTF-8" ?>\n<wfs:FeatureCollection\n${declarations}` +
      `   xsi:schemaLocation="${namespace} ${schema}  ${wfs} http://schemas.opengis.net/wfs/1.1.0/wfs.xsd">\n` +
      toBounds('      ', ['-5.100000', '40.900000'], ['9.100000', '51.100000'])
    );
  },
  feature({ prefix, name, geometryName, attributes }, { id, geometry, values }) {
    const fields = values.map((value, i) => {
      const field = `${prefix}:${attributes[i]?.name}`;
      return `        <${field}>${value === null ? '' : escapeText(value).replaceAll("'", '&#39;').replaceAll('"', '&quot;')}</${field}>\n`;
    });
    return (
      `    <gml:featureMember>\n      <${prefix}:${name} gml:id="${id}">\n${toBounds('        ', ...toBox(geometry))}` +
      `        <${prefix}:${geometryName}>\n${toGeometry(geometry)}        </${prefix}:${geometryName}>\n` +
      `${fields.join('')}      </${prefix}:${name}>\n    </gml:featureMember>\n`
    );
  },
  tail: '</wfs:FeatureCollection>\n\n',
};

function toBounds(indent: string, [west, south]: Position, [east, north]: Position): string {
  return (
    `${indent}<gml:boundedBy>\n${indent}\t<gml:Envelope srsName="${SRS}">\n` +
    `${indent}\t\t<gml:lowerCorner>${south} ${west}</gml:lowerCorner>\n` +
    `${indent}\t\t<gml:upperCorner>${north} ${east}</gml:upperCorner>\n` +
    `${indent}\t</gml:Envelope>\n${indent}</gml:boundedBy>\n`
  );
}

function toBox(geometry: Geometry): [Position, Position] {
  const positions =
    geometry.type === 'Point'
      ? [geometry.position]
      : geometry.polygons.flatMap((rings) => rings.flatMap((ring) => ring.positions));
  const lons = positions.map(([lon]) => Number(lon));
  const lats = positions.map(([, lat]) => Number(lat));
  const toCorner = (lon: number, lat: number): Position => [lon.toFixed(6), lat.toFixed(6)];
  return [toCorner(Math.min(...lons), Math.min(...lats)), toCorner(Math.max(...lons), Math.max(...lats))];
}

function toGeometry(geometry: Geometry): string {
  if (geometry.type === 'Point') {
    const [lon, lat] = geometry.position;
    return `          <gml:Point srsName="${SRS}">\n            <gml:pos>${lat} ${lon}</gml:pos>\n          </gml:Point>\n`;
  }
  const members = geometry.polygons.map(
    (rings) =>
      `            <gml:surfaceMember>\n              <gml:Polygon>\n${rings.map(toRing).join('')}` +
      '              </gml:Polygon>\n            </gml:surfaceMember>\n',
  );
  return `          <gml:MultiSurface srsName="${SRS}">\n${members.join('')}          </gml:MultiSurface>\n`;
}

function toRing({ positions }: Ring, i: number): string {
  const place = i === 0 ? 'gml:exterior' : 'gml:interior';
  const list = positions.map(([lon, lat]) => `${lat} ${lon} `).join('');
  return (
    `                <${place}>\n                  <gml:LinearRing>\n` +
    `                    <gml:posList srsDimension="2">${list}</gml:posList>\n` +
    `                  </gml:LinearRing>\n                </${place}>\n`
  );
}
