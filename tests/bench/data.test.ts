import { describe, expect, test } from '@jest/globals';
import { toFingerprint } from '../../bench/data/files.js';
import { createKind, kindNames, writeDocument } from '../../bench/data/kinds.js';
import { createGmlConverter, readFeatureTypes } from '../../src/gml/index.js';

/** SHA-256 of 100 kB of each kind and of the features they stand for. */
const FINGERPRINTS: Readonly<Record<string, string>> = {
  polygons: 'ceaab6e7c55a9daaf42da72692c903ced5efe30e4929d6696f9492fedd669e54',
  mapserver: '8103ec3096d79e6a6d84e627991d46f35189937eaec7f2af7a6a89885ee8c801',
  points: '20a41b127d9b4d09498480f3b106764728f9e926a5e51d2496df5a643c8117f5',
  clockwise: '2ae7df622345cbfcf03ed4e7f34c5bd34c8c646219c2938bd4da3aa17507b0fa',
  'mapserver-commune': '5d1df43aa2dfb32b2c97c88956c73a5be256b4940b24620eeb2905e8a242f94f',
  'qgis-commune': '1f5ea2ee45dfef49ef408101889a8e87cc4ab5f62ced1182c6e9fa1a2e7e9bb6',
  'qgis-troncon': '8d98d3d7699479b1bd9afb69b7a7df8971bd7eb509117d9218caa260330d3df2',
  'mapserver-adresse': '28940fc5cc8703f031a97eacd4a91df33e6a0c125c48cd7fbe26b97bf516d351',
};

test('the bench measures the same data on every machine', () => {
  const fingerprints = Object.fromEntries(kindNames.map((name) => [name, toFingerprint(name, 100_000)]));
  expect(fingerprints).toEqual(FINGERPRINTS);
});

test('a longer document of a kind begins as a shorter one does', () => {
  const kind = createKind('polygons');
  const short = [...writeDocument(kind, 20_000)];
  const long = [...writeDocument(kind, 40_000)];
  expect(long.slice(0, short.length)).toEqual(short);
  expect(long.length).toBeGreaterThan(short.length);
});

describe('a document of the bench stands for the features it says it does', () => {
  test.each(kindNames)('%s', (name) => {
    const kind = createKind(name);
    const samples = [...writeDocument(kind, 60_000)];
    const document = kind.head + samples.map(({ gml }) => gml).join('') + kind.tail;
    const expected = samples.map(({ geojson }) => JSON.parse(geojson) as unknown);
    expect(convert(document, kind)).toEqual(expected);
  });
});

function convert(document: string, { schema, typeName }: { schema: string; typeName: string }): unknown {
  const featureType = readFeatureTypes(schema).find(({ name }) => name === typeName);
  if (featureType === undefined) throw new Error(`no ${typeName}`);
  const converter = createGmlConverter({ featureType, crs: () => ({ swap: true }) });
  const batches = [converter.push(Buffer.from(document)), converter.end()];
  const texts = batches.map(({ bytes }) => Buffer.from(bytes).toString()).filter((text) => text !== '');
  return JSON.parse(`[${texts.join(',')}]`);
}

test('kinds nobody knows are refused by name', () => {
  expect(() => createKind('lines')).toThrow('no such kind of data: lines; there are polygons, mapserver');
});
