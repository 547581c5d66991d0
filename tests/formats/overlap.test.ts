import { expect, test } from '@jest/globals';
import { createOverlapWriter } from '../../src/formats/index.js';
import { toBatch } from '../http/service.js';

const square = (west: number, size: number) => ({
  type: 'Polygon' as const,
  coordinates: [
    [
      [west, 48],
      [west + size, 48],
      [west + size, 48 + size],
      [west, 48 + size],
      [west, 48],
    ] as [number, number][],
  ],
});
const toFeature = (id: string, geometry: object | null) => ({
  type: 'Feature',
  id,
  geometry,
  properties: { a: '}' },
});

test('each feature of a batch bears what it shares, the rest of it untouched, and ends where it says', async () => {
  const features = [toFeature('a', square(1, 0.001)), toFeature('b', null), toFeature('c', square(2, 0.001))];
  const { bytes, ends } = await createOverlapWriter([square(1.0005, 0.01)]).writeOverlaps(
    toBatch(...features),
  );
  const texts = ends.map((end, i) =>
    Buffer.from(bytes.subarray(i === 0 ? 0 : (ends[i - 1] as number) + 1, end)).toString(),
  );
  expect(texts.map((text) => JSON.parse(text))).toEqual(
    [
      { ...features[0], overlap: { area: 4146.5, shareOfFeature: 0.5, shareOfGeom: expect.any(Number) } },
      { ...features[1], overlap: null },
      { ...features[2], overlap: { area: 0, shareOfFeature: 0, shareOfGeom: 0 } },
    ].map((feature) => ({
      ...feature,
      overlap: feature.overlap && { ...feature.overlap, area: expect.closeTo(feature.overlap.area, -2) },
    })),
  );
  expect(Buffer.from(bytes).toString()).toBe(texts.join(','));
});

test('no features, no bytes', async () => {
  const writer = createOverlapWriter([square(1, 0.01)]);
  expect(await writer.writeOverlaps({ bytes: new Uint8Array(), ends: [] })).toEqual({
    bytes: Buffer.alloc(0),
    ends: [],
  });
  expect(writer.skipped).toBe(0);
});
