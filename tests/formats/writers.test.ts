import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Batch,
  createCollectionWriter,
  createSequenceWriter,
  type FeatureWriter,
} from '../../src/formats/index.js';

const timeStamp = new Date('2026-11-23T08:00:00.000Z');

function toBatch(features: readonly unknown[]): Batch {
  const bytes = Buffer.from(features.map((one) => JSON.stringify(one)).join(','));
  const ends: number[] = [];
  for (const one of features) ends.push((ends.at(-1) ?? -1) + 1 + Buffer.byteLength(JSON.stringify(one)));
  return { bytes, ends };
}

function write(
  writer: FeatureWriter,
  batches: readonly (readonly unknown[])[],
  numberMatched?: number,
): string {
  const parts = batches.flatMap((features) => writer.writeBatch(toBatch(features)));
  const count = numberMatched === undefined ? {} : { numberMatched };
  const page = { numberReturned: batches.flat().length, ...count, timeStamp, links: [] };
  return Buffer.concat([...parts, writer.writeEnd(page)]).toString();
}

const features = fc.array(
  fc.array(fc.record({ type: fc.constant('Feature'), id: fc.string({ unit: 'grapheme' }) })),
);

describe('a collection', () => {
  test('holds every feature once, in order, however they are batched', () => {
    fc.assert(
      fc.property(features, (batches) => {
        expect(JSON.parse(write(createCollectionWriter(), batches, 7))).toEqual({
          type: 'FeatureCollection',
          features: batches.flat(),
          numberReturned: batches.flat().length,
          numberMatched: 7,
          totalFeatures: 7,
          timeStamp: '2026-11-23T08:00:00.000Z',
          links: [],
        });
      }),
    );
  });

  test('leaves the counts out that are not known', () => {
    const json = JSON.parse(write(createCollectionWriter(), [[{ a: 1 }]]));
    expect(Object.keys(json)).toEqual(['type', 'features', 'numberReturned', 'timeStamp', 'links']);
  });

  test('brings its beginning along with the first features, and is no JSON before its end', () => {
    const writer = createCollectionWriter();
    expect(writer.writeBatch(toBatch([]))).toHaveLength(0);
    const first = Buffer.concat(writer.writeBatch(toBatch([{ a: 1 }]))).toString();
    expect(first).toBe('{"type":"FeatureCollection",\n"features":[{"a":1}');
  });
});

describe('a sequence', () => {
  test('is a record for every feature, however they are batched', () => {
    fc.assert(
      fc.property(features, (batches) => {
        const records = batches.flat().map((one) => `\x1e${JSON.stringify(one)}\n`);
        expect(write(createSequenceWriter(), batches, 7)).toBe(records.join(''));
      }),
    );
  });
});
