import fc from 'fast-check';
import type { ColumnType } from '../../src/formats/table.js';

export type Geometry = { type: string; coordinates?: unknown; geometries?: Geometry[] };

const number = fc.double({ min: -180, max: 180, noNaN: true, noDefaultInfinity: true }).map((x) => x + 0);

/** A geometry of any type, all of its positions with a height or none. */
const geometryOf = (size: 2 | 3): fc.Arbitrary<Geometry> => {
  const position = fc.array(number, { minLength: size, maxLength: size });
  const line = fc.array(position, { minLength: 2, maxLength: 5 });
  const ring = fc.array(position, { minLength: 3, maxLength: 5 }).map((ps) => [...ps, ps[0]]);
  const rings = fc.array(ring, { minLength: 1, maxLength: 3 });
  const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
  const of = (type: string, coordinates: fc.Arbitrary<unknown>) =>
    coordinates.map((c) => ({ type, coordinates: c }));
  const simple: fc.Arbitrary<Geometry> = fc.oneof(
    of('Point', position),
    of('MultiPoint', some(position)),
    of('LineString', line),
    of('MultiLineString', some(line)),
    of('Polygon', rings),
    of('MultiPolygon', some(rings)),
  );
  const collection = some(simple).map((geometries) => ({ type: 'GeometryCollection', geometries }));
  return fc.oneof({ weight: 6, arbitrary: simple }, { weight: 1, arbitrary: collection });
};

export const geometries2d = geometryOf(2);
export const geometries3d = geometryOf(3);

const day = fc
  .date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** A value of a type, as JSON text. */
export const valuesOf: { readonly [K in ColumnType]: fc.Arbitrary<string> } = {
  string: fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  integer: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)),
  boolean: fc.boolean().map(String),
  date: day.map((text) => JSON.stringify(text.slice(0, 10))),
  dateTime: day.map((text) => JSON.stringify(text)),
  json: fc.json().filter((text) => text !== 'null'),
};

const types = Object.keys(valuesOf) as ColumnType[];

/** A layer's columns, and features of it as JSON text, in batches. */
export const anyLayer = (geometries: fc.Arbitrary<Geometry>) =>
  fc
    .uniqueArray(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.constantFrom(...types)), {
      selector: ([name]) => name.toLowerCase(),
      maxLength: 6,
    })
    .chain((pairs) => {
      const columns = pairs.map(([name, type]) => ({ name, type }));
      const value = (type: ColumnType) => fc.option(valuesOf[type], { nil: 'null' });
      const feature = fc.record({
        id: fc.string(),
        geometry: fc.option(geometries),
        values: fc.tuple(...columns.map(({ type }) => value(type))),
      });
      return fc.record({
        columns: fc.constant(columns),
        batches: fc.array(fc.array(feature, { maxLength: 4 }), { maxLength: 4 }),
      });
    });

export interface AnyFeature {
  readonly id: string;
  readonly geometry: Geometry | null;
  readonly values: readonly string[];
}

export function toText({ id, geometry, values }: AnyFeature, columns: readonly { name: string }[]): string {
  const properties = columns.map(({ name }, i) => `${JSON.stringify(name)}:${values[i]}`).join(',');
  return `{"type":"Feature","id":${JSON.stringify(id)},"geometry":${JSON.stringify(geometry)},"properties":{${properties}}}`;
}
