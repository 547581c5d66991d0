import { gunzipSync, inflateRawSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pack, unite } from '../../src/http/gzip.js';

test('what is packed once and ended anew each time unpacks to the two, one behind the other', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(fc.array(bytes), fc.array(bytes), async (beginning, endings) => {
      const packed = await pack(beginning);
      for (const ending of endings) {
        const whole = gunzipSync(Buffer.concat(unite(packed, ending)));
        expect(whole.equals(Buffer.concat([...beginning, ending]))).toBe(true);
      }
    }),
  );
});

test('an ending may be longer than a block', async () => {
  const packed = await pack([Buffer.from('a')]);
  for (const length of [65_534, 65_535, 65_536, 131_070, 200_000]) {
    const whole = gunzipSync(Buffer.concat(unite(packed, Buffer.alloc(length, 'b'))));
    expect(whole).toHaveLength(length + 1);
  }
});

test('it is one gzip member, as all clients read it', async () => {
  const packed = await pack([Buffer.from('a'.repeat(1000))]);
  const file = Buffer.concat(unite(packed, Buffer.from('b')));
  expect(packed.bytes.length).toBeLessThan(100);
  expect(inflateRawSync(file.subarray(10, -8)).toString()).toBe(`${'a'.repeat(1000)}b`);
});
