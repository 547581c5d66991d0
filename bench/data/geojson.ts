import type { Feature, Geometry, Layer, Position, Ring } from './model.js';

/** The feature every reader must come to (RFC 7946), in the digits the GML has. */
export function toGeojson(layer: Layer, { id, geometry, values }: Feature): string {
  const properties = layer.attributes.map(({ name, xsdType }, i) => {
    const value = values[i] ?? null;
    const isText = xsdType === 'string' || xsdType === 'date' || xsdType === 'dateTime';
    // GeoServer writes dates with the zone of its clock; a day has none
    const text = xsdType === 'date' ? value?.slice(0, 10) : value;
    return `${JSON.stringify(name)}:${value !== null && isText ? JSON.stringify(text) : value}`;
  });
  return (
    `{"type":"Feature","id":${JSON.stringify(id)},"geometry":${toGeometry(geometry)},` +
    `"geometry_name":${JSON.stringify(layer.geometryName)},"properties":{${properties.join(',')}}}`
  );
}

const toPosition = ([lon, lat]: Position) => `[${lon},${lat}]`;
const toRing = ({ positions, isWrong }: Ring) =>
  `[${(isWrong ? positions.toReversed() : positions).map(toPosition).join(',')}]`;

function toGeometry(geometry: Geometry): string {
  if (geometry.type === 'Point') return `{"type":"Point","coordinates":${toPosition(geometry.position)}}`;
  const polygons = geometry.polygons.map((rings) => `[${rings.map(toRing).join(',')}]`);
  return `{"type":"MultiPolygon","coordinates":[${polygons.join(',')}]}`;
}
