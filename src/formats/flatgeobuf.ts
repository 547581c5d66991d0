import { Builder } from 'flatbuffers';
import type { GeoJsonGeometry } from '../geometry/index.js';
import { addGeometry, addTables } from './flatgeobuf-geometry.js';
import { writeProperties } from './flatgeobuf-properties.js';
import type { Batch, FeatureWriter } from './model.js';
import { hasHeights, isEmpty } from './positions.js';
import { type Column, type ColumnType, type Layer, type Row, readRows, toColumns } from './table.js';

// Tables and fields by their numbers in header.fbs and feature.fbs of FlatGeobuf 3, whose spelling comments keep.

/** `fgb`, major version 3, `fgb`, patch level 0. */
const magic = Uint8Array.of(0x66, 0x67, 0x62, 3, 0x66, 0x67, 0x62, 0);

/** enum ColumnType; a date is a DateTime of which the time is left out. */
const columnTypes: { readonly [K in ColumnType]: number } = {
  boolean: 2, // Bool
  integer: 7, // Long
  number: 10, // Double
  string: 11, // String
  json: 12, // Json
  date: 13, // DateTime
  dateTime: 13,
};

/** Behind its size, as long as a multiple of 8: some readers look at doubles where they lie. */
function finish(builder: Builder, table: number): void {
  builder.prep(8, 0);
  builder.finishSizePrefixed(table);
}

/** table Column */
function addColumn(builder: Builder, { name, type }: Column): number {
  const nameAt = builder.createString(name);
  builder.startObject(11);
  builder.addFieldOffset(0, nameAt, 0);
  builder.addFieldInt8(1, columnTypes[type], 0);
  return builder.endObject();
}

/** table Crs: WGS84; coordinates are longitude, latitude, whatever EPSG says. */
function addCrs(builder: Builder): number {
  const org = builder.createString('EPSG');
  const name = builder.createString('WGS 84');
  builder.startObject(6);
  builder.addFieldOffset(0, org, 0);
  builder.addFieldInt32(1, 4326, 0);
  builder.addFieldOffset(2, name, 0);
  return builder.endObject();
}

/** table Header: how many features follow is not known, and there is no index; each geometry tells its own type. */
function toHeader({ name }: Layer, columns: readonly Column[], hasZ: boolean): Uint8Array {
  const builder = new Builder(1024);
  const columnsAt = addTables(
    builder,
    columns.map((column) => addColumn(builder, column)),
  );
  const [nameAt, crsAt] = [builder.createString(name), addCrs(builder)];
  builder.startObject(14);
  builder.addFieldOffset(0, nameAt, 0);
  builder.addFieldInt8(2, 0, 0); // geometry_type: Unknown
  builder.addFieldInt8(3, Number(hasZ), 0);
  builder.addFieldOffset(7, columnsAt, 0);
  builder.addFieldInt64(8, 0n, 0n); // features_count: unknown
  builder.addFieldInt16(9, 0, 16); // index_node_size: no index
  builder.addFieldOffset(10, crsAt, 0);
  finish(builder, builder.endObject());
  return builder.asUint8Array();
}

/** table Feature. What has no positions is no geometry: readers differ in what they make of it. */
function toFeature(builder: Builder, row: Row, columns: readonly Column[], hasZ: boolean): Uint8Array {
  builder.clear();
  const { geometry, values } = row;
  const geometryAt = geometry === null || isEmpty(geometry) ? 0 : addGeometry(builder, geometry, hasZ);
  const propertiesAt = builder.createByteVector(writeProperties(values, columns));
  builder.startObject(3);
  builder.addFieldOffset(0, geometryAt, 0);
  builder.addFieldOffset(1, propertiesAt, 0);
  finish(builder, builder.endObject());
  return Uint8Array.from(builder.asUint8Array());
}

/** How many features without a geometry wait for the first one with one. */
const MAX_WAITING = 1000;

/**
 * FlatGeobuf 3 without an index, so that it can be written before the last feature is known. The header says whether
 * there are heights: there are where the first geometry has some. Counts and links have no place, and the end is that of
 * the answer.
 */
export function createFlatgeobufWriter(layer: Layer): FeatureWriter {
  const columns = toColumns(layer);
  const builder = new Builder(4096);
  let waiting: Row[] = [];
  let hasZ: boolean | undefined;
  const write = (row: Row) => toFeature(builder, row, columns, hasZ === true);
  const begin = (geometry: GeoJsonGeometry | null) => {
    hasZ = geometry !== null && hasHeights(geometry);
    const pieces = [magic, toHeader(layer, columns, hasZ), ...waiting.map(write)];
    waiting = [];
    return pieces;
  };
  return {
    writeBatch(batch: Batch): readonly Uint8Array[] {
      const pieces: Uint8Array[] = [];
      for (const row of readRows(batch, layer)) {
        if (hasZ !== undefined) {
          pieces.push(write(row));
          continue;
        }
        waiting.push(row);
        const hasGeometry = row.geometry !== null && !isEmpty(row.geometry);
        if (hasGeometry || waiting.length >= MAX_WAITING) pieces.push(...begin(row.geometry));
      }
      return pieces.length === 0 ? [] : [Buffer.concat(pieces)];
    },
    writeEnd: () => (hasZ === undefined ? Buffer.concat(begin(null)) : Buffer.alloc(0)),
  };
}
