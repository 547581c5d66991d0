import type { Column } from './table.js';

/** xsd:date, and dateTime as ISO 8601 has it; a zone or none. */
const dateTime = /^-?\d{4,}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?$/;
const integer = /^-?\d+$/;
const number = /^-?\d/;

const toPlain = (json: string) => (json.startsWith('"') ? (JSON.parse(json) as string) : json);

/** MapServer declares the booleans of PostGIS integers; as such `true` is 1 (XML Schema 2 §3.2.2). */
const toNumber = (json: string) => (json === 'true' ? '1' : json === 'false' ? '0' : json);

function toLong(value: string): Buffer | undefined {
  const json = toNumber(value);
  if (!number.test(json)) return undefined;
  const whole = integer.test(json) ? BigInt(json) : toWhole(Number(json));
  if (whole === undefined || BigInt.asIntN(64, whole) !== whole) return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(whole);
  return bytes;
}

const toWhole = (value: number) => (Number.isInteger(value) ? BigInt(value) : undefined);

function toDouble(value: string): Buffer | undefined {
  const json = toNumber(value);
  if (!number.test(json)) return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(Number(json));
  return bytes;
}

function toDateTime(json: string): Buffer | undefined {
  const text = toPlain(json);
  return dateTime.test(text) ? toText(text) : undefined;
}

function toText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function toValue(json: string, type: Column['type']): Buffer | undefined {
  switch (type) {
    case 'integer':
      return toLong(json);
    case 'number':
      return toDouble(json);
    case 'boolean':
      return json === 'true' || json === 'false' ? Buffer.of(Number(json === 'true')) : undefined;
    case 'date':
    case 'dateTime':
      return toDateTime(json);
    case 'json':
      return toText(json);
    default:
      return toText(toPlain(json));
  }
}

/**
 * The `properties` of a Feature: of each value the number of its column and its bytes. What is left out is null, and so
 * is what the type of its column cannot hold (a text declared integer, an integer beyond 64 bits): the format has no
 * other place for it.
 * @param values as JSON text, one for each column
 */
export function writeProperties(values: readonly string[], columns: readonly Column[]): Uint8Array {
  const pieces: Buffer[] = [];
  for (const [i, { type }] of columns.entries()) {
    const json = values[i] as string;
    const value = json === 'null' ? undefined : toValue(json, type);
    if (value === undefined) continue;
    const column = Buffer.alloc(2);
    column.writeUInt16LE(i);
    pieces.push(column, value);
  }
  return Buffer.concat(pieces);
}
