import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createGatherer, readPart } from '../../src/answers/parts.js';
import type { FeatureBatch } from '../../src/query/index.js';

const toBatch = (texts: readonly string[]): FeatureBatch => {
  const bytes = Buffer.from(texts.join(','));
  let at = 0;
  const ends = texts.map((text) => {
    at += Buffer.byteLength(text);
    return at++;
  });
  return { bytes, ends };
};
const toTexts = ({ bytes, ends }: FeatureBatch) =>
  ends.map((end, i) =>
    Buffer.from(bytes.subarray(i === 0 ? 0 : (ends[i - 1] as number) + 1, end)).toString(),
  );

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
  .map((given) => JSON.stringify(given));

test('features come out of parts as they went in, however they were batched', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { maxLength: 5 }), { maxLength: 8 }),
      fc.nat(3),
      (batches, offset) => {
        const gatherer = createGatherer();
        const parts = batches.map((texts) => gatherer.add(toBatch(texts)));
        const stored = [...parts, gatherer.rest()].flatMap((part) => {
          if (part === undefined) return [];
          // as a reply lies in the middle of what was received
          const received = Buffer.alloc(part.length + offset);
          received.set(part, offset);
          return [received.subarray(offset)];
        });
        expect(stored.flatMap((part) => toTexts(readPart(part)))).toEqual(batches.flat());
      },
    ),
  );
});

test('parts are of a size that is good to store', () => {
  const gatherer = createGatherer();
  const batch = toBatch(['x'.repeat(10_000)]);
  const parts = Array.from({ length: 300 }, () => gatherer.add(batch)).filter((part) => part !== undefined);
  expect(parts.length).toBeGreaterThan(8);
  for (const { length } of parts) expect(length).toBeLessThan(300_000);
});

test('what is no part, or half of one, is not taken for one', () => {
  const gatherer = createGatherer();
  gatherer.add(toBatch(['{"a":1}', '{"b":2}']));
  const part = gatherer.rest() as Uint8Array;
  for (let length = 0; length < part.length; length += 1)
    expect(() => readPart(part.subarray(0, length))).toThrow('not all there');
});
