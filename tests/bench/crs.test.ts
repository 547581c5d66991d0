import { expect, test } from '@jest/globals';
import { toLambert93 } from '../../bench/crs/lambert-93.js';
import { createKind, writeDocument } from '../../bench/data/kinds.js';
import { createProjection } from '../../src/crs/index.js';
import { createGmlConverter } from '../../src/gml/index.js';

// What the bench reprojects is what it began with.

test('a document in Lambert-93 is, made WGS84 again, the document it was made from', () => {
  const projection = createProjection(2154);
  if (projection === undefined) throw new Error('there is no EPSG:2154');
  const kind = createKind('polygons');
  const expected: string[] = [];
  let gml = kind.head;
  for (const sample of writeDocument(kind, 20_000)) {
    gml += sample.gml;
    expected.push(sample.geojson);
  }
  const projected = toLambert93(gml + kind.tail, projection);
  expect(projected.gml).not.toContain('4326');
  const converter = createGmlConverter({
    crs: () => ({ swap: false, isGeographic: false, transform: (x, y) => projection.toLonLat(x, y) }),
  });
  const parts = [converter.push(Buffer.from(projected.gml)), converter.end()].map(({ bytes }) =>
    Buffer.from(bytes).toString(),
  );
  const toNumbers = (text: string) =>
    [...text.matchAll(/\[(-?\d+\.\d+),(-?\d+\.\d+)\]/g)].flatMap(([, lon, lat]) => [
      Number(lon),
      Number(lat),
    ]);
  const [before, after] = [toNumbers(expected.join()), toNumbers(parts.join())];
  expect(after).toHaveLength(before.length);
  expect(before.length).toBe(2 * projected.positions);
  expect(Math.max(...before.map((number, k) => Math.abs(number - (after[k] ?? 0))))).toBeLessThan(1e-7);
});
