import { describe, expect, test } from '@jest/globals';
import { type Ability, createLayer, type Layer } from '../../src/demo/index.js';
import { createProjection } from '../../src/demo/srs.js';
import { createIntersects, type Geometry, mapPositions, toPositions } from '../../src/geometry/index.js';
import { box, filter, parcels, start } from './embedded.js';

// Layers in CRSs of every kind: what lies where is known in degrees, and brought into the layer by proj4 alone.

const CRSS: readonly [code: number, name: string, lon: number, lat: number][] = [
  [2154, 'Lambert-93', 1.49, 48.45],
  [3857, 'Web Mercator', 1.49, 48.45],
  [5490, 'RGAF09 / UTM 20N', -61.55, 16.25],
  [32620, 'WGS 84 / UTM 20N', -61.03, 14.64],
  [2972, 'RGFG95 / UTM 22N', -52.33, 4.92],
  [2975, 'RGR92 / UTM 40S', 55.45, -20.88],
  [4471, 'RGM04 / UTM 38S', 45.23, -12.78],
  [3035, 'ETRS89 / LAEA, northing first', 9.18, 48.78],
  [2180, 'ETRS89 / Poland CS92, northing first', 21.01, 52.23],
];

const SIDE = 6;
const STEP = 0.002;

/** A grid of squares, each a feature; and the layer that holds them in a CRS. */
function createGrid(code: number, lon: number, lat: number) {
  const squares = Array.from({ length: SIDE * SIDE }, (_, k) => {
    const [west, south] = [lon + STEP * (k % SIDE), lat + STEP * Math.floor(k / SIDE)];
    return { id: `carre.${k}`, geometry: box(west, south, west + 0.001, south + 0.001) };
  });
  const project = createProjection(4326, code);
  if (project === undefined) throw new Error(`EPSG:${code} is WGS84`);
  const features = squares.map(({ id, geometry }, k) => ({
    id,
    geometry: mapPositions(geometry, (x, y) => project(x, y)),
    values: [k],
  }));
  const description = {
    ...parcels,
    prefix: 'g',
    name: 'carre',
    geometryType: 'Polygon' as const,
    code,
    attributes: [{ name: 'n', type: 'int' as const }],
    wgs84Bbox: [lon, lat, lon + STEP * SIDE, lat + STEP * SIDE] as const,
  };
  return { squares, layer: createLayer(description as unknown as Layer, features) };
}

/** Across the grid, through squares and between them. */
const toTriangle = (lon: number, lat: number): Geometry => ({
  type: 'Polygon',
  coordinates: [
    [
      [lon + 0.0005, lat + 0.0005],
      [lon + 0.0093, lat + 0.0021],
      [lon + 0.0032, lat + 0.0088],
      [lon + 0.0005, lat + 0.0005],
    ],
  ],
});

describe.each(CRSS)('a layer in EPSG:%d (%s)', (code, _, lon, lat) => {
  const { squares, layer } = createGrid(code, lon, lat);
  const triangle = toTriangle(lon, lat);
  const intersects = createIntersects([triangle]);
  const expected = squares.filter(({ geometry }) => intersects(geometry)).map(({ id }) => id);

  const LACKS: Ability[][] = [
    [],
    ['reprojection'],
    ['reprojection', 'Intersects'],
    ['reprojection', 'filter'],
    ['unlistedSrs'],
    ['unlistedSrs', 'sorting'],
  ];
  test.each(LACKS.map((lacks) => ({ lacks })))(
    'is asked with a geometry and answers in WGS84, by an upstream that lacks $lacks',
    async ({ lacks }) => {
      const { search } = await start({ layers: [layer], lacks: new Set(lacks) });
      const { ids, features } = await search({ source: 'g:carre', geometries: [triangle] });
      expect(expected.length).toBeGreaterThan(8);
      expect(ids.sort()).toEqual([...expected].sort());
      for (const { id, geometry } of features) {
        const [found, meant] = [geometry, squares.find((square) => square.id === id)?.geometry].map((one) =>
          one ? toPositions(one) : [],
        );
        const off = (found ?? []).map(([x, y]) =>
          Math.min(...(meant ?? []).map(([lon2, lat2]) => Math.hypot(x - lon2, y - lat2))),
        );
        expect(found).toHaveLength(5);
        expect(Math.max(...off)).toBeLessThan(2e-8); // 2 mm
      }
      const only = await search({ source: 'g:carre', geometries: [triangle], attributes: [filter('n', 7)] });
      expect(only.ids).toEqual(['carre.7']);
    },
  );
});

test.each([3035, 2180])('EPSG:%d by a server that writes easting first all the same', async (code) => {
  const [, , lon = 0, lat = 0] = CRSS.find(([one]) => one === code) ?? [];
  const { squares, layer } = createGrid(code, lon, lat);
  const triangle = toTriangle(lon, lat);
  const intersects = createIntersects([triangle]);
  const expected = squares.filter(({ geometry }) => intersects(geometry)).map(({ id }) => id);
  for (const axisOrder of [
    { in: 'lonLat', out: 'lonLat' },
    { in: 'standard', out: 'lonLat' },
    { in: 'lonLat', out: 'standard' },
  ] as const) {
    const { search } = await start({ layers: [layer], lacks: new Set(['reprojection']), axisOrder });
    const { ids } = await search({ source: 'g:carre', geometries: [triangle] });
    expect(ids.sort()).toEqual([...expected].sort());
  }
});
