import type { GeoJsonGeometry } from '../geometry/index.js';
import { readFeatureText } from './feature-text.js';
import type { Batch } from './model.js';

/** What a column holds; `json` for whatever is no single value. */
export type ColumnType = 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'dateTime' | 'json';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** What is known of features before the first comes: formats with columns name them first. */
export interface Layer {
  readonly name: string;
  /** The attributes, as many as were asked for, in the order of the layer's schema. */
  readonly columns: readonly Column[];
  /** Features have an `overlap`. */
  readonly hasOverlap: boolean;
}

/** A feature as a row: a value for each column, as JSON text; `null` where it has none. */
export interface Row {
  readonly values: readonly string[];
  readonly geometry: GeoJsonGeometry | null;
}

const measures = ['area', 'length', 'shareOfFeature', 'shareOfGeom'] as const;
const measureColumns = [
  'overlap_area',
  'overlap_length',
  'overlap_share_of_feature',
  'overlap_share_of_geom',
];

/** The name, or with as many `_` before it as it takes: no layer's attribute is shadowed. Many readers know no case. */
export function toFreeName(name: string, columns: readonly Column[]): string {
  const isTaken = columns.some((column) => column.name.toLowerCase() === name.toLowerCase());
  return isTaken ? toFreeName(`_${name}`, columns) : name;
}

/** The id, the attributes, and what is shared with the geometry that was asked with. */
export function toColumns({ columns, hasOverlap }: Layer): Column[] {
  const own = (name: string, type: ColumnType): Column => ({ name: toFreeName(name, columns), type });
  const overlap = hasOverlap ? measureColumns.map((name) => own(name, 'number')) : [];
  return [own('id', 'string'), ...columns, ...overlap];
}

/** An overlap, which this service itself wrote, measure by measure. */
function toMeasures(overlap: string): string[] {
  const values = (JSON.parse(overlap) ?? {}) as Partial<Record<string, number>>;
  return measures.map((name) => JSON.stringify(values[name] ?? null));
}

/** The features of a batch, with the values of `toColumns`. Numbers of attributes are not read: they keep their digits. */
export function* readRows({ bytes, ends }: Batch, { columns, hasOverlap }: Layer): Generator<Row> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (const end of ends) {
    const { id, properties, overlap, geometry } = readFeatureText(buffer.toString('utf8', start, end));
    start = end + 1;
    const own = columns.map(({ name }) => properties.get(name) ?? 'null');
    const values = [id, ...own, ...(hasOverlap ? toMeasures(overlap) : [])];
    yield { values, geometry: JSON.parse(geometry) as GeoJsonGeometry | null };
  }
}
