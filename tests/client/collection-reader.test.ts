import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createCollectionReader } from '../../src/client/collection-reader.js';

/** Read in pieces cut at these places. */
function read(text: string, cuts: readonly number[]) {
  const reader = createCollectionReader();
  const features: unknown[] = [];
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    features.push(...reader.push(text.slice(from, cut)));
    from = cut;
  }
  const { features: late, ...others } = reader.end();
  return { ...others, features: [...features, ...(late as unknown[])] };
}

const strings = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"features":[', '}]{"', '\\', '\\"', '[{'),
);
const members = fc.dictionary(strings, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const collections = fc
  .record({ before: members, features: fc.array(members, { maxLength: 4 }), after: members })
  .map(({ before, features, after }) => ({ ...before, features, ...after, features_: 1 }))
  .filter((collection) => Array.isArray(collection.features));

describe('a collection read while it arrives', () => {
  test('is what JSON.parse makes of the whole, wherever it is cut', () => {
    fc.assert(
      fc.property(
        collections,
        fc.boolean(),
        fc.array(fc.nat(2000), { maxLength: 6 }),
        (value, isWide, at) => {
          const text = JSON.stringify(value, null, isWide ? 2 : 0);
          const cuts = at.filter((cut) => cut < text.length).sort((a, b) => a - b);
          expect(read(text, cuts)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  test('is the same cut at every character', () => {
    const text = '{"a":{"features":[1]},"features" : [ {"b":"}]\\""} , {"c":[{}]} ],"numberReturned":2}';
    for (let cut = 0; cut <= text.length; cut += 1) expect(read(text, [cut])).toEqual(JSON.parse(text));
  });

  test('gives each feature with its last brace, not before', () => {
    const reader = createCollectionReader();
    expect(reader.push('{"type":"FeatureCollection","features":[{"id":"a"')).toEqual([]);
    expect(reader.push('},{"id":')).toEqual([{ id: 'a' }]);
    expect(reader.push('"b"}')).toEqual([{ id: 'b' }]);
    expect(() => reader.end()).toThrow(SyntaxError);
  });
});
