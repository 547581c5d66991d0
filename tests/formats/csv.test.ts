import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createCsvWriter, type Layer } from '../../src/formats/index.js';
import { writeAll } from './batch.js';
import { anyLayer, type Geometry, geometries2d, geometries3d, toText } from './features.js';

interface Field {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** RFC 4180 §2, rule by rule, with a fault for whatever no rule allows. */
function readCsv(text: string): Field[][] {
  const records: Field[][] = [];
  let [record, at] = [[] as Field[], 0];
  while (at < text.length) {
    const quoted = /^"((?:[^"]|"")*)"/.exec(text.slice(at));
    const [whole = '', inside = ''] = quoted ?? /^([^",\r\n]*)/.exec(text.slice(at)) ?? [];
    record.push({ text: quoted === null ? inside : inside.replaceAll('""', '"'), isQuoted: quoted !== null });
    at += whole.length;
    if (text[at] === ',') at += 1;
    else if (text.startsWith('\r\n', at)) {
      records.push(record);
      [record, at] = [[], at + 2];
    } else throw new Error(`neither "," nor CRLF at ${at}`);
  }
  return records;
}

/** Well-known text, back to GeoJSON. */
function readWkt(text: string): Geometry {
  const tokens = text.match(/[A-Z]+|[(),]|[^\s(),A-Z][^\s(),]*/g) ?? [];
  let at = 0;
  const take = (expected?: string) => {
    const token = tokens[at++] ?? '';
    if (expected !== undefined && token !== expected) throw new Error(`${expected} expected, not ${token}`);
    return token;
  };
  const list = <T>(item: () => T): T[] => {
    take('(');
    const items = [item()];
    while (tokens[at] === ',') {
      take();
      items.push(item());
    }
    take(')');
    return items;
  };
  const position = () => {
    const numbers: number[] = [];
    while (!/^[(),]$/.test(tokens[at] ?? ')')) numbers.push(Number(take()));
    return numbers;
  };
  const line = () => list(position);
  const lines = () => list(line);
  const readers: Record<string, () => unknown> = {
    Point: () => list(position)[0],
    MultiPoint: () => list(() => list(position)[0]),
    LineString: line,
    MultiLineString: lines,
    Polygon: lines,
    MultiPolygon: () => list(lines),
  };
  const geometry = (): Geometry => {
    const tag = take();
    if (tokens[at] === 'Z') take();
    if (tag === 'GEOMETRYCOLLECTION') return { type: 'GeometryCollection', geometries: list(geometry) };
    const [type = '', read] = Object.entries(readers).find(([name]) => name.toUpperCase() === tag) ?? [];
    return { type, coordinates: read?.() };
  };
  return geometry();
}

const layer = (parts: Partial<Layer>): Layer => ({ name: 'a:b', columns: [], hasOverlap: false, ...parts });
const lines = (buffer: Buffer) => buffer.toString().split('\r\n');

describe('CSV', () => {
  test.each([
    ['2D', geometries2d],
    ['3D', geometries3d],
  ])('gives every value back, digit by digit, in any batches: %s', (_, geometries) => {
    fc.assert(
      fc.property(anyLayer(geometries), ({ columns, batches }) => {
        const texts = batches.map((features) => features.map((one) => toText(one, columns)));
        const [header, ...rows] = readCsv(
          writeAll(createCsvWriter(layer({ columns }), 'wkt'), texts).toString(),
        );
        const names = header?.map(({ text }) => text) ?? [];
        expect(names.slice(1, -1)).toEqual(columns.map(({ name }) => name));
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
        expect(rows).toHaveLength(batches.flat().length);
        for (const [i, { id, geometry, values }] of batches.flat().entries()) {
          const [first, ...fields] = rows[i] ?? [];
          expect(first?.text).toBe(id);
          const wkt = fields.pop()?.text ?? '';
          expect(wkt === '' ? null : readWkt(wkt)).toEqual(geometry);
          for (const [k, value] of values.entries()) {
            const { text, isQuoted } = fields[k] as Field;
            if (value === 'null') expect([text, isQuoted]).toEqual(['', false]);
            else expect(text).toBe(value.startsWith('"') ? JSON.parse(value) : value);
            if (value === '""') expect(isQuoted).toBe(true);
          }
        }
      }),
    );
  });

  test('has a header where there is no feature', () => {
    const columns = [{ name: 'nom, court', type: 'string' }] as const;
    const written = writeAll(createCsvWriter(layer({ columns }), 'wkt'), []);
    expect(written.toString()).toBe('id,"nom, court",wkt\r\n');
  });

  test('shadows no attribute: names of its own step aside, whatever their case', () => {
    const columns = ['ID', '_id', 'WKT', 'lat', 'overlap_area'].map(
      (name) => ({ name, type: 'string' }) as const,
    );
    const [wkt = ''] = lines(writeAll(createCsvWriter(layer({ columns, hasOverlap: true }), 'wkt'), []));
    expect(wkt).toBe(
      '__id,ID,_id,WKT,lat,overlap_area,_overlap_area,overlap_length,overlap_share_of_feature,overlap_share_of_geom,_wkt',
    );
    const [centroid = ''] = lines(writeAll(createCsvWriter(layer({ columns }), 'centroid'), []));
    expect(centroid).toBe('__id,ID,_id,WKT,lat,overlap_area,lon,_lat');
  });

  test('tells what is shared, as far as it is known', () => {
    const feature = (overlap: string) =>
      `{"type":"Feature","id":"a","geometry":null,"properties":{},"overlap":${overlap}}`;
    const written = writeAll(createCsvWriter(layer({ hasOverlap: true }), 'wkt'), [
      [
        feature('{"area":12.5,"shareOfFeature":0.5,"shareOfGeom":1}'),
        feature('{"length":3,"shareOfFeature":0,"shareOfGeom":0}'),
        feature('null'),
      ],
    ]);
    expect(lines(written).slice(1, 4)).toEqual(['a,12.5,,0.5,1,', 'a,,3,0,0,', 'a,,,,,']);
  });

  test('leaves a text what it is, also where a spreadsheet would take it for a formula', () => {
    const columns = [{ name: 's', type: 'string' }] as const;
    const text = '=HYPERLINK("http://example.org","x")';
    const feature = `{"type":"Feature","id":"a","geometry":null,"properties":{"s":${JSON.stringify(text)}}}`;
    const rows = readCsv(writeAll(createCsvWriter(layer({ columns }), 'wkt'), [[feature]]).toString());
    expect(rows[1]?.[1]?.text).toBe(text);
  });

  test.each([
    ['{"type":"Point","coordinates":[1.4878,48.4477]}', 'POINT (1.4878 48.4477)', '1.4878,48.4477'],
    ['{"type":"Point","coordinates":[1,48,35.5]}', 'POINT Z (1 48 35.5)', '1,48'],
    ['{"type":"LineString","coordinates":[[1,48,3],[2,49]]}', '"LINESTRING (1 48,2 49)"', '1.5,48.5'],
    ['{"type":"Polygon","coordinates":[]}', 'POLYGON EMPTY', ','],
    ['{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}', '"MULTIPOINT ((1 2),(3 4))"', '2,3'],
    [
      '{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[9,9]},{"type":"LineString","coordinates":[[0,0],[2,0]]}]}',
      '"GEOMETRYCOLLECTION (POINT (9 9),LINESTRING (0 0,2 0))"',
      '1,0',
    ],
    ['null', '', ','],
  ])('%s', (geometry, wkt, centroid) => {
    const feature = `{"type":"Feature","id":"a","geometry":${geometry},"properties":{}}`;
    expect(lines(writeAll(createCsvWriter(layer({}), 'wkt'), [[feature]]))[1]).toBe(`a,${wkt}`);
    expect(lines(writeAll(createCsvWriter(layer({}), 'centroid'), [[feature]]))[1]).toBe(`a,${centroid}`);
  });
});
