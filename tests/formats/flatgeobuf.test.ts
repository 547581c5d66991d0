import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseProperties } from 'flatgeobuf/lib/mjs/generic/feature.js';
import { deserialize } from 'flatgeobuf/lib/mjs/generic.js';
import { fromGeometry } from 'flatgeobuf/lib/mjs/geojson/geometry.js';
import { createFlatgeobufWriter, type Layer } from '../../src/formats/index.js';
import { writeAll } from './batch.js';
import { anyLayer, geometries2d, geometries3d, toText } from './features.js';

// biome-ignore lint/suspicious/noExplicitAny: what the library gives is looked into freely
type Json = any;

/** As the format's own library reads it. */
async function read(bytes: Buffer) {
  const [features, headers]: [Json[], Json[]] = [[], []];
  const fromFeature = (_id: number, feature: Json, header: Json) => {
    const geometry = feature.geometry();
    return {
      geometry: geometry === null ? null : fromGeometry(geometry, header.geometryType),
      properties: parseProperties(feature, header.columns),
      raw: Buffer.from(feature.propertiesArray() ?? []),
    };
  };
  const options = { fromFeature, headerMetaFn: (header: unknown) => void headers.push(header) } as never;
  for await (const one of deserialize(new Uint8Array(bytes), options) as AsyncIterable<unknown>)
    features.push(one);
  return { features, header: headers[0] };
}

const layer = (parts: Partial<Layer>): Layer => ({ name: 'a:b', columns: [], hasOverlap: false, ...parts });
const types = { boolean: 2, integer: 7, number: 10, string: 11, json: 12, date: 13, dateTime: 13 };

describe('FlatGeobuf', () => {
  test.each([
    ['2D', geometries2d],
    ['3D', geometries3d],
  ])('gives every value back, in any batches: %s', async (_, geometries) => {
    await fc.assert(
      fc.asyncProperty(anyLayer(geometries), async ({ columns, batches }) => {
        // the library sets properties on a plain object, which loses this one: see below
        fc.pre(columns.every(({ name }) => name !== '__proto__'));
        const texts = batches.map((features) => features.map((one) => toText(one, columns)));
        const { features, header } = await read(writeAll(createFlatgeobufWriter(layer({ columns })), texts));
        const [id, ...others] = header.columns;
        expect(others.map(({ name, type }: { name: string; type: number }) => [name, type])).toEqual(
          columns.map(({ name, type }) => [name, types[type]]),
        );
        expect(features).toHaveLength(batches.flat().length);
        for (const [i, one] of batches.flat().entries()) {
          expect(features[i].geometry).toEqual(one.geometry);
          const present = columns.flatMap(({ name }, k) => {
            const json = one.values[k] as string;
            return json === 'null' ? [] : [[name, JSON.parse(json)] as const];
          });
          expect(features[i].properties).toEqual(Object.fromEntries([[id.name, one.id], ...present]));
        }
      }),
    );
  });

  test('a property may be called __proto__', async () => {
    const columns = [{ name: '__proto__', type: 'string' }] as const;
    const feature = '{"type":"Feature","geometry":null,"properties":{"__proto__":"kept"}}';
    const { features, header } = await read(
      writeAll(createFlatgeobufWriter(layer({ columns })), [[feature]]),
    );
    expect(header.columns[1].name).toBe('__proto__');
    // the number of the column, the length, the text
    expect(features[0].raw.toString('latin1')).toBe('\x01\x00\x04\x00\x00\x00kept');
  });

  test('is the same, however the features come', () => {
    fc.assert(
      fc.property(anyLayer(geometries2d), ({ columns, batches }) => {
        const texts = batches.flat().map((one) => toText(one, columns));
        const write = (parts: string[][]) => writeAll(createFlatgeobufWriter(layer({ columns })), parts);
        expect(write(texts.map((text) => [text])).equals(write([texts]))).toBe(true);
      }),
    );
  });

  test('integers have 64 bits', async () => {
    const columns = [{ name: 'n', type: 'integer' }] as const;
    const feature = (n: string) => `{"type":"Feature","geometry":null,"properties":{"n":${n}}}`;
    const integers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    await fc.assert(
      fc.asyncProperty(integers, async (n) => {
        const { features } = await read(
          writeAll(createFlatgeobufWriter(layer({ columns })), [[feature(String(n))]]),
        );
        // the number of the column, then the value
        expect(features[0].raw.readBigInt64LE(2)).toBe(n);
      }),
    );
  });

  test.each([
    ['integer', '9223372036854775808', undefined],
    ['integer', '1.5', undefined],
    ['integer', 'true', 1],
    ['number', 'false', 0],
    ['integer', '"abc"', undefined],
    ['integer', '2e3', 2000],
    ['number', '"NaN"', undefined],
    ['boolean', '"maybe"', undefined],
    ['date', '"yesterday"', undefined],
    ['date', '"2024-02-29"', '2024-02-29'],
    ['dateTime', '"2024-02-29T12:00:00+02:00"', '2024-02-29T12:00:00+02:00'],
    ['string', '7', '7'],
    ['json', '[1,{"a":null}]', [1, { a: null }]],
  ] as const)('of a column of %s, %s is %s', async (type, json, value) => {
    const columns = [{ name: 'v', type }];
    const feature = `{"type":"Feature","geometry":null,"properties":{"v":${json}}}`;
    const { features } = await read(writeAll(createFlatgeobufWriter(layer({ columns })), [[feature]]));
    expect(features[0].properties.v).toEqual(value);
  });

  test('the header: WGS84, no index, nobody counted, heights where the first geometry has some', async () => {
    const at = (coordinates: string) =>
      `{"type":"Feature","geometry":{"type":"Point","coordinates":${coordinates}},"properties":{}}`;
    const none = '{"type":"Feature","geometry":null,"properties":{}}';
    const empty = '{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[]},"properties":{}}';
    const written = writeAll(createFlatgeobufWriter(layer({ name: 'BDTOPO_V3:commune' })), [
      [none],
      [empty, at('[1,48,35]')],
      [at('[2,49]')],
    ]);
    const { header, features } = await read(written);
    expect(header).toMatchObject({ title: null, featuresCount: 0, indexNodeSize: 0, geometryType: 0 });
    expect(header.crs).toMatchObject({ org: 'EPSG', code: 4326 });
    expect(features.map(({ geometry }) => geometry?.coordinates)).toEqual([
      undefined,
      undefined,
      [1, 48, 35],
      [2, 49, Number.NaN],
    ]);
    const flat = await read(writeAll(createFlatgeobufWriter(layer({})), [[at('[1,48]'), at('[1,48,35]')]]));
    expect(flat.features[1].geometry.coordinates).toEqual([1, 48]);
  });

  test('features without geometry wait for the first with one, but not for ever', () => {
    const writer = createFlatgeobufWriter(layer({}));
    const none = '{"type":"Feature","geometry":null,"properties":{}}';
    const batch = { bytes: Buffer.from(Array(1000).fill(none).join(',')), ends: [] as number[] };
    for (let i = 1; i <= 1000; i += 1) batch.ends.push(i * (none.length + 1) - 1);
    expect(
      Buffer.concat([...writer.writeBatch(batch)])
        .subarray(0, 4)
        .toString('latin1'),
    ).toBe('fgb\x03');
  });

  test('an answer without features has a header all the same', async () => {
    const columns = [{ name: 'nom', type: 'string' }] as const;
    const { features, header } = await read(
      writeAll(createFlatgeobufWriter(layer({ columns, hasOverlap: true })), []),
    );
    expect(features).toEqual([]);
    expect(header.columns.map(({ name }: { name: string }) => name)).toEqual([
      'id',
      'nom',
      'overlap_area',
      'overlap_length',
      'overlap_share_of_feature',
      'overlap_share_of_geom',
    ]);
  });
});
