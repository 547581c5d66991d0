import { describe, expect, test } from '@jest/globals';
import type { Layer, LayerFeature } from '../../src/demo/index.js';
import { readGeometries } from '../../src/geometry/index.js';
import { COMMUNES, EASEMENTS, layerOf, layers, PARCELS, ROADS } from './samples.js';

const ringsOf = (layer: Layer) =>
  layer.features.flatMap(({ geometry }) => {
    if (geometry?.type === 'Polygon') return geometry.coordinates;
    return geometry?.type === 'MultiPolygon' ? geometry.coordinates.flat() : [];
  });

describe('the sample layers', () => {
  test('every feature has a gml:id of its own and a value for each attribute', () => {
    for (const layer of layers) {
      expect(new Set(layer.features.map(({ id }) => id)).size).toBe(layer.features.length);
      expect(layer.features.every(({ values }) => values.length === layer.attributes.length)).toBe(true);
    }
  });

  test('every geometry in degrees is valid; of the parcels one in seven, and all that are not plain', () => {
    for (const layer of layers.filter(({ code }) => code === 4326)) {
      const isPlain = ({ geometry }: LayerFeature) =>
        geometry?.type === 'MultiPolygon' && geometry.coordinates.flat().length === 1;
      const chosen = layer.features.filter(
        (feature, i) => layer.name !== 'parcelle' || i % 7 === 0 || !isPlain(feature),
      );
      const faults = chosen.flatMap(({ geometry }) =>
        geometry === null ? [] : (readGeometries(geometry, { maxVertices: 100_000 }).faults ?? []),
      );
      expect(faults).toHaveLength(0);
    }
  });

  test('there are 20,000 parcels, and every edge inside of their area belongs to two of them', () => {
    const parcels = layerOf(PARCELS);
    expect(parcels.features).toHaveLength(20_000);
    const edges = new Map<string, number>();
    for (const ring of ringsOf(parcels)) {
      for (let i = 1; i < ring.length; i++) {
        const key = [ring[i - 1]!.join(' '), ring[i]!.join(' ')].sort().join(' ');
        edges.set(key, (edges.get(key) ?? 0) + 1);
      }
    }
    const [outline] = [ringsOf(layerOf(COMMUNES))];
    const single = [...edges].filter(([, count]) => count === 1).map(([key]) => key);
    expect([...edges.values()].every((count) => count <= 2)).toBe(true);
    // What belongs to one parcel only is on the outside, where the communes have no neighbour either.
    const communeEdges = new Map<string, number>();
    for (const ring of outline!) {
      for (let i = 1; i < ring.length; i++) {
        const key = [ring[i - 1]!.join(' '), ring[i]!.join(' ')].sort().join(' ');
        communeEdges.set(key, (communeEdges.get(key) ?? 0) + 1);
      }
    }
    expect(single.sort()).toEqual(
      [...communeEdges]
        .filter(([, count]) => count === 1)
        .map(([key]) => key)
        .sort(),
    );
  });

  test('parcels look like those of Parcellaire Express', () => {
    const { features, attributes } = layerOf(PARCELS);
    const parcel = features.find(({ id }) => id === 'parcelle.28085000AA0001')!;
    const values = Object.fromEntries(attributes.map(({ name }, i) => [name, parcel.values[i]]));
    expect(values).toMatchObject({
      idu: '28085000AA0001',
      numero: '0001',
      section: 'AA',
      code_dep: '28',
      code_com: '085',
      nom_com: 'Chartres',
    });
  });

  test('some parcels have an enclave, some two parts', () => {
    const shapes = layerOf(PARCELS).features.map(({ geometry }) =>
      geometry?.type === 'MultiPolygon' ? geometry.coordinates.map((rings) => rings.length).join('+') : '',
    );
    expect([...new Set(shapes)].sort()).toEqual(['1', '1+1', '2']);
  });

  test('attributes hold what breaks careless software', () => {
    const values = layers.flatMap(({ features }) => features.flatMap((feature) => feature.values));
    const texts = values.filter((value) => typeof value === 'string');
    for (const character of ['&', '<', '>', '"', "'", ']]>', 'É', '*', '\\', 'غ', '法'])
      expect(texts.some((text) => text.includes(character))).toBe(true);
    expect(texts).toContain('');
    expect(texts).toContain('01');
    expect(values).toContain(null);
    expect(values).toContain(true);
    expect(values.some((value) => typeof value === 'bigint' && value > 2n ** 53n && value % 2n === 1n)).toBe(
      true,
    );
  });

  test('every kind of geometry is there, and features without one', () => {
    const kinds = layerOf(EASEMENTS).features.map(({ geometry }) => geometry?.type);
    expect(new Set(kinds)).toEqual(
      new Set(['Point', 'MultiPoint', 'LineString', 'MultiLineString', 'Polygon', 'MultiPolygon', undefined]),
    );
  });

  test('the index finds what a look at every bbox finds', () => {
    const { features, search } = layerOf(ROADS);
    const bbox = [1.48, 48.445, 1.49, 48.45] as const;
    const expected = features.flatMap(({ geometry }, i) => {
      const line = geometry?.type === 'LineString' ? geometry.coordinates : [];
      const [xs, ys] = [line.map(([x]) => x), line.map(([, y]) => y)];
      const isMeeting =
        Math.max(...xs) >= bbox[0] &&
        Math.min(...xs) <= bbox[2] &&
        Math.max(...ys) >= bbox[1] &&
        Math.min(...ys) <= bbox[3];
      return isMeeting ? [i] : [];
    });
    expect(expected.length).toBeGreaterThan(10);
    expect(search(bbox)).toEqual(expected);
  });
});
