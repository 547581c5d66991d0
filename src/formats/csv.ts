import { type GeoJsonGeometry, toCentroid } from '../geometry/index.js';
import type { Batch, FeatureWriter } from './model.js';
import { type Layer, readRows, toColumns, toFreeName } from './table.js';
import { toWkt } from './wkt.js';

/** How a geometry becomes fields: their names, and their texts for each feature. */
interface GeometryFields {
  readonly names: readonly string[];
  toFields(geometry: GeoJsonGeometry | null): readonly string[];
}

/** Where a geometry is empty or missing, so are its fields; seven decimals of a degree are a centimetre. */
const geometryFields = {
  wkt: {
    names: ['wkt'],
    toFields: (geometry) => [geometry === null ? '' : toField(toWkt(geometry))],
  },
  centroid: {
    names: ['lon', 'lat'],
    toFields(geometry) {
      const centroid = geometry === null ? undefined : toCentroid(geometry);
      return centroid === undefined ? ['', ''] : centroid.map((degrees) => String(toRounded(degrees)));
    },
  },
} as const satisfies Readonly<Record<string, GeometryFields>>;

const toRounded = (degrees: number) => Math.round(degrees * 1e7) / 1e7 + 0;

/**
 * RFC 4180 §2.5 to 2.7. An empty text is quoted, which tells it from null. A text that a spreadsheet would take for a
 * formula (`=1+1`) stays what it is: whoever reads a file by program would read a changed one wrongly.
 */
function toField(text: string): string {
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A string's text; nothing for null; all else, numbers digit by digit, as JSON has it. */
function toValueField(json: string): string {
  if (json === 'null') return '';
  return toField(json.startsWith('"') ? (JSON.parse(json) as string) : json);
}

/**
 * Comma-separated values (RFC 4180) in UTF-8, with a header: the id, the attributes in the order of the schema, the
 * overlap, the geometry. Counts and links have no place.
 */
export function createCsvWriter(layer: Layer, geometryAs: keyof typeof geometryFields): FeatureWriter {
  const { names, toFields }: GeometryFields = geometryFields[geometryAs];
  const columns = toColumns(layer).map(({ name }) => name);
  const header = [...columns, ...names.map((name) => toFreeName(name, layer.columns))];
  let before = `${header.map(toField).join(',')}\r\n`;
  const take = () => {
    const taken = before;
    before = '';
    return taken;
  };
  return {
    writeBatch(batch: Batch): readonly Uint8Array[] {
      let text = take();
      for (const { values, geometry } of readRows(batch, layer)) {
        text += `${[...values.map(toValueField), ...toFields(geometry)].join(',')}\r\n`;
      }
      return text === '' ? [] : [Buffer.from(text)];
    },
    writeEnd: () => Buffer.from(take()),
  };
}
