import type { Builder } from 'flatbuffers';
import type { GeoJsonGeometry, Position } from '../geometry/index.js';
import { isEmpty } from './positions.js';

/** enum GeometryType */
const geometryTypes: { readonly [K in GeoJsonGeometry['type']]: number } = {
  Point: 1,
  LineString: 2,
  Polygon: 3,
  MultiPoint: 4,
  MultiLineString: 5,
  MultiPolygon: 6,
  GeometryCollection: 7,
};

/** A vector of tables; like every vector it is written from its end. */
export function addTables(builder: Builder, tables: readonly number[]): number {
  builder.startVector(4, tables.length, 4);
  for (const table of tables.toReversed()) builder.addOffset(table);
  return builder.endVector();
}

function addXy(builder: Builder, positions: readonly Position[]): number {
  builder.startVector(8, positions.length * 2, 8);
  for (let i = positions.length - 1; i >= 0; i -= 1) {
    const [x, y] = positions[i] as Position;
    builder.writeFloat64(y);
    builder.writeFloat64(x);
  }
  return builder.endVector();
}

/** NaN where a position has no height. */
function addZ(builder: Builder, positions: readonly Position[]): number {
  builder.startVector(8, positions.length, 8);
  for (let i = positions.length - 1; i >= 0; i -= 1) builder.writeFloat64(positions[i]?.[2] ?? Number.NaN);
  return builder.endVector();
}

/** Behind which position each line or ring ends; one alone needs no telling. */
function addEnds(builder: Builder, lines: readonly (readonly Position[])[]): number {
  if (lines.length < 2) return 0;
  builder.startVector(4, lines.length, 4);
  let end = lines.reduce((sum, line) => sum + line.length, 0);
  for (let i = lines.length - 1; i >= 0; i -= 1) {
    builder.addInt32(end);
    end -= lines[i]?.length ?? 0;
  }
  return builder.endVector();
}

/** Lines or rings one behind the other. */
function toLines(geometry: GeoJsonGeometry): readonly (readonly Position[])[] {
  switch (geometry.type) {
    case 'Point':
      return [[geometry.coordinates]];
    case 'MultiPoint':
    case 'LineString':
      return [geometry.coordinates];
    case 'MultiLineString':
    case 'Polygon':
      return geometry.coordinates;
    default:
      return [];
  }
}

function toParts(geometry: GeoJsonGeometry): readonly GeoJsonGeometry[] {
  if (geometry.type === 'GeometryCollection') return geometry.geometries.filter((part) => !isEmpty(part));
  if (geometry.type !== 'MultiPolygon') return [];
  const polygons = geometry.coordinates.map((coordinates) => ({ type: 'Polygon', coordinates }) as const);
  return polygons.filter((part) => !isEmpty(part));
}

/** table Geometry. A position without a height, where the header says that there are some, has NaN. */
export function addGeometry(builder: Builder, geometry: GeoJsonGeometry, hasZ: boolean): number {
  const parts = toParts(geometry).map((part) => addGeometry(builder, part, hasZ));
  const partsAt = parts.length === 0 ? 0 : addTables(builder, parts);
  const lines = toLines(geometry);
  const positions = lines.length === 1 ? (lines[0] ?? []) : lines.flat();
  const hasPositions = positions.length > 0;
  const endsAt = addEnds(builder, lines);
  const xyAt = hasPositions ? addXy(builder, positions) : 0;
  const zAt = hasPositions && hasZ ? addZ(builder, positions) : 0;
  builder.startObject(8);
  builder.addFieldOffset(0, endsAt, 0);
  builder.addFieldOffset(1, xyAt, 0);
  builder.addFieldOffset(2, zAt, 0);
  builder.addFieldInt8(6, geometryTypes[geometry.type], 0);
  builder.addFieldOffset(7, partsAt, 0);
  return builder.endObject();
}
