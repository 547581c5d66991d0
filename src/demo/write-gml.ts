import type { Geometry, Position } from '../geometry/index.js';
import { toLexical } from './compare.js';
import type { Layer, LayerFeature } from './layers/index.js';
import { createProjection, type Srs } from './srs.js';
import { escapeXml, NAMESPACES } from './xml-text.js';

/** Eight decimals, GeoServer's default, and no exponent. */
function toNumeral(value: number): string {
  const text = String(Math.round(value * 1e8) / 1e8);
  return text.includes('e') ? value.toFixed(8).replace(/\.?0+$/, '') : text;
}

type WritePositions = (positions: readonly Position[]) => string;

function createPositionWriter(code: number, srs: Srs): WritePositions {
  const project = createProjection(code, srs.code);
  return (positions) =>
    positions
      .map(([x, y]) => {
        const [east, north] = project === undefined ? [x, y] : project(x, y);
        const [first, second] = srs.axisOrder === 'latLon' ? [north, east] : [east, north];
        return `${toNumeral(first)} ${toNumeral(second)}`;
      })
      .join(' ');
}

/** Geometries of GML 3.1.1 (OGC 03-105r1 §10) as GeoServer writes them: only the outermost element names the CRS. */
function createGeometryEncoder(write: WritePositions) {
  const point = (position: Position, srs: string) =>
    `<gml:Point${srs}><gml:pos>${write([position])}</gml:pos></gml:Point>`;
  const line = (positions: readonly Position[], srs: string) =>
    `<gml:LineString${srs}><gml:posList>${write(positions)}</gml:posList></gml:LineString>`;
  const ring = (positions: readonly Position[]) =>
    `<gml:LinearRing srsDimension="2"><gml:posList>${write(positions)}</gml:posList></gml:LinearRing>`;
  const polygon = ([exterior = [], ...interiors]: readonly (readonly Position[])[], srs: string) =>
    `<gml:Polygon${srs}><gml:exterior>${ring(exterior)}</gml:exterior>` +
    `${interiors.map((interior) => `<gml:interior>${ring(interior)}</gml:interior>`).join('')}</gml:Polygon>`;
  const multi = (name: string, member: string, srs: string, parts: readonly string[]) =>
    `<gml:${name}${srs}>${parts.map((part) => `<gml:${member}>${part}</gml:${member}>`).join('')}</gml:${name}>`;
  const inner = ' srsDimension="2"';
  return (geometry: Geometry, srs: string): string => {
    switch (geometry.type) {
      case 'Point':
        return point(geometry.coordinates, srs);
      case 'LineString':
        return line(geometry.coordinates, srs);
      case 'Polygon':
        return polygon(geometry.coordinates, srs);
      case 'MultiPoint':
        return multi(
          'MultiPoint',
          'pointMember',
          srs,
          geometry.coordinates.map((part) => point(part, inner)),
        );
      case 'MultiLineString':
        return multi(
          'MultiCurve',
          'curveMember',
          srs,
          geometry.coordinates.map((part) => line(part, inner)),
        );
      case 'MultiPolygon':
        return multi(
          'MultiSurface',
          'surfaceMember',
          srs,
          geometry.coordinates.map((part) => polygon(part, inner)),
        );
    }
  };
}

/** What of a feature is written, and in which CRS. */
export interface Writing {
  readonly layer: Layer;
  readonly srs: Srs;
  readonly withGeometry: boolean;
  /** Positions of the attributes to write, in schema order. */
  readonly attributes: readonly number[];
}

/** One feature as an element of its feature type; null attributes are left out. */
export function createFeatureEncoder({
  layer,
  srs,
  withGeometry,
  attributes,
}: Writing): (feature: LayerFeature) => string {
  const encodeGeometry = createGeometryEncoder(createPositionWriter(layer.code, srs));
  const srsAttributes = ` srsName="${escapeXml(srs.label)}" srsDimension="2"`;
  const wrap = (name: string, content: string) =>
    `<${layer.prefix}:${name}>${content}</${layer.prefix}:${name}>`;
  return ({ id, geometry, values }) => {
    const shape =
      withGeometry && geometry !== null
        ? wrap(layer.geometryName, encodeGeometry(geometry, srsAttributes))
        : '';
    const rest = attributes.map((position) => {
      const [attribute, value] = [layer.attributes[position], values[position] ?? null];
      return attribute === undefined || value === null
        ? ''
        : wrap(attribute.name, escapeXml(toLexical(value, attribute.type)));
    });
    return `<${layer.typeName} gml:id="${escapeXml(id)}">${shape}${rest.join('')}</${layer.typeName}>`;
  };
}

/** The collection's start tag (WFS 1.1.0 §9.3); `schemaUrl` is where the layers' schema is asked for. */
export function encodeCollectionStart(
  layers: readonly Layer[],
  numberOfFeatures: number,
  url: string,
): string {
  const byNamespace = new Map(layers.map((layer) => [layer.namespace, layer.prefix]));
  const prefixes = [...byNamespace].map(([uri, prefix]) => ` xmlns:${prefix}="${escapeXml(uri)}"`).join('');
  const locations = [...byNamespace.keys()].map((uri) => {
    const names = [
      ...new Set(layers.filter(({ namespace }) => namespace === uri).map(({ typeName }) => typeName)),
    ];
    const query = `service=WFS&version=1.1.0&request=DescribeFeatureType&typeName=${names.map(encodeURIComponent).join(',')}`;
    return `${uri} ${url}?${query}`;
  });
  return (
    `<wfs:FeatureCollection xmlns:wfs="${NAMESPACES.wfs}" xmlns:gml="${NAMESPACES.gml}" xmlns:ogc="${NAMESPACES.ogc}" ` +
    `xmlns:ows="${NAMESPACES.ows}" xmlns:xlink="${NAMESPACES.xlink}" xmlns:xsi="${NAMESPACES.xsi}"${prefixes} ` +
    `numberOfFeatures="${numberOfFeatures}" timeStamp="${new Date().toISOString()}" ` +
    `xsi:schemaLocation="${escapeXml(`${NAMESPACES.wfs} http://schemas.opengis.net/wfs/1.1.0/wfs.xsd ${locations.join(' ')}`.trim())}">`
  );
}
