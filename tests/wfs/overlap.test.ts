import { describe, expect, test } from '@jest/globals';
import { type Geometry, toBboxGeometries } from '../../src/geometry/index.js';
import { createOverlapWriter } from '../../src/wfs/overlap.js';
import { toBatch } from '../http/service.js';
import { start } from './embedded.js';

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
const toChartres = ({ coordinates, type }: ReturnType<typeof square>): Geometry => ({
  type,
  coordinates: coordinates.map((ring) => ring.map(([x, y]): [number, number] => [x, y + 0.4477])),
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

describe('over a server', () => {
  const project = square(1.4878, 0.002);

  test('shares of the parcels under a project sum to no more than the project, and the parcels inside are whole', async () => {
    const { search } = await start();
    const { features, end } = await search({ geometries: [toChartres(project)], overlap: true });
    const overlaps = (features as unknown as { overlap: Record<string, number> }[]).map(
      ({ overlap }) => overlap,
    );
    expect(features.length).toBeGreaterThan(10);
    const sum = overlaps.reduce((total, { shareOfGeom = 0 }) => total + shareOfGeom, 0);
    expect(sum).toBeGreaterThan(0.5);
    expect(sum).toBeLessThan(1.0001);
    expect(overlaps.some(({ shareOfFeature }) => shareOfFeature === 1)).toBe(true);
    expect(overlaps.some(({ shareOfFeature = 0 }) => shareOfFeature > 0 && shareOfFeature < 1)).toBe(true);
    expect(end.warnings ?? []).toEqual([]);
  });

  test('with a bbox alone, the box is the geometry', async () => {
    const { search } = await start();
    const bbox = [1.4878, 48.4477, 1.4888, 48.4487] as const;
    const [box, polygon] = await Promise.all([
      search({ bbox, overlap: true }),
      search({ geometries: toBboxGeometries(bbox), overlap: true }),
    ]);
    expect(box.features).toEqual(polygon.features);
  });

  test('without it, no feature has one', async () => {
    const { search } = await start();
    const { features } = await search({ geometries: [toChartres(project)], limit: 2 });
    expect(features.map((feature) => Object.hasOwn(feature, 'overlap'))).toEqual([false, false]);
  });
});
