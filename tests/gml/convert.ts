import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import {
  type Converted,
  type CrsReading,
  createGmlConverter,
  type FeatureType,
  type GmlConverter,
  type GmlConverterOptions,
  type GmlEngine,
  GmlError,
  readFeatureTypes,
} from '../../src/gml/index.js';

export type Options = Partial<GmlConverterOptions>;

export interface Feature {
  type: 'Feature';
  id?: string;
  geometry: { type: string; coordinates?: unknown; geometries?: unknown } | null;
  geometry_name?: string;
  properties: Record<string, unknown>;
}

/** Everything a converter gives for one document: its text, byte for byte, and what it says beside. */
export interface Outcome {
  text: string;
  features: Feature[];
  numberOfFeatures: number;
  declaredCount: number | undefined;
  warnings: Readonly<Record<string, number>>;
  error: GmlError | undefined;
}

export function convert(gml: string | Uint8Array, options: Options = {}, cut = Infinity): Outcome {
  return convertCut(gml, options, () => cut);
}

/** The document in pieces; `next` says how long the next one is. By every loop there is: all must say the same. */
export function convertCut(gml: string | Uint8Array, options: Options, next: () => number): Outcome {
  const bytes = typeof gml === 'string' ? Buffer.from(gml) : gml;
  const lengths: number[] = [];
  const readings = new Map<string | undefined, CrsReading>();
  const { crs = () => ({ swap: false }) } = options;
  const asking: Options = {
    ...options,
    crs(srsName) {
      const reading = crs(srsName);
      readings.set(srsName, reading);
      return reading;
    },
  };
  const outcome = convertBy('typescript', bytes, asking, () => {
    lengths.push(next());
    return lengths.at(-1) as number;
  });
  let piece = 0;
  const answered: Options = { ...options, crs: (srsName) => readings.get(srsName) ?? crs(srsName) };
  const other = convertBy('simd', bytes, answered, () => lengths[piece++] ?? Number.POSITIVE_INFINITY);
  assert.deepStrictEqual(other, outcome);
  return outcome;
}

function convertBy(engine: GmlEngine, bytes: Uint8Array, options: Options, next: () => number): Outcome {
  const converter = createGmlConverter({ crs: () => ({ swap: false }), ...options, engine });
  assert.equal(converter.engine, engine);
  const lengths: number[] = [];
  const outcome = convertWith(converter, bytes, () => {
    lengths.push(next());
    return lengths.at(-1) as number;
  });
  // By what was learnt of it, the same document once more.
  let piece = 0;
  const again = () => lengths[piece++] ?? Number.POSITIVE_INFINITY;
  if (converter.reuse()) assert.deepStrictEqual(convertWith(converter, bytes, again), outcome);
  return outcome;
}

function convertWith(converter: GmlConverter, bytes: Uint8Array, next: () => number): Outcome {
  const parts: string[] = [];
  const error = run(converter, bytes, next, (converted) => parts.push(...cutAtEnds(converted)));
  const text = parts.join(',');
  const { numberOfFeatures, declaredCount, warnings } = converter;
  return { text, features: JSON.parse(`[${text}]`), numberOfFeatures, declaredCount, warnings, error };
}

function run(
  converter: GmlConverter,
  bytes: Uint8Array,
  next: () => number,
  take: (converted: Converted) => void,
): GmlError | undefined {
  try {
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(next(), bytes.length - at);
      take(converter.push(bytes.subarray(at, at + length)));
      at += length;
    }
    take(converter.end());
    return undefined;
  } catch (error) {
    if (error instanceof GmlError) return error;
    throw error;
  }
}

/** The features of a batch by its offsets, each one a JSON text of its own. */
function cutAtEnds({ bytes, ends }: Converted): string[] {
  const text = Buffer.from(bytes);
  const features = ends.map((end, i) =>
    text.toString('utf8', i === 0 ? 0 : (ends[i - 1] as number) + 1, end),
  );
  for (const feature of features) JSON.parse(feature);
  if ((ends.at(-1) ?? 0) !== bytes.length) throw new Error('bytes behind the last feature');
  return features;
}

/** One feature's element inside a collection as GeoServer writes it. */
export function collection(...members: string[]): string {
  return (
    '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" ' +
    'xmlns:app="http://example.org/app" xmlns:xlink="http://www.w3.org/1999/xlink" ' +
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><gml:featureMembers>' +
    `${members.join('')}</gml:featureMembers></wfs:FeatureCollection>`
  );
}

export function feature(content: string): string {
  return collection(`<app:thing gml:id="thing.1">${content}</app:thing>`);
}

/** The only feature of a document that holds one. */
export function only(gml: string | Uint8Array, options: Options = {}): Feature {
  const { features, error } = convert(gml, options);
  if (error !== undefined) throw error;
  if (features.length !== 1) throw new Error(`${features.length} features`);
  return features[0] as Feature;
}

/** The geometry of `<app:geom>` with this content, and the warnings it costs. */
export function geometryOf(
  content: string,
  options: Options = {},
): { geometry: Feature['geometry']; warnings: Readonly<Record<string, number>> } {
  const { features, warnings, error } = convert(feature(`<app:geom>${content}</app:geom>`), options);
  if (error !== undefined) throw error;
  return { geometry: features[0]?.geometry ?? null, warnings };
}

const FIXTURES = new URL('../fixtures/gml/', import.meta.url);

export interface Fixture {
  name: string;
  answer: Buffer;
  options: Options;
  expected: { swap: boolean; declaredCount: number | null; features: Feature[] };
}

/** Recorded answers of MapServer 8.0 and QGIS Server 3.22, with features read from the XML by other means. */
export const fixtures: Fixture[] = readdirSync(FIXTURES)
  .sort()
  .map((name) => {
    const read = (file: string): Buffer => readFileSync(new URL(`${name}/${file}`, FIXTURES));
    const expected = JSON.parse(read('expected.json').toString());
    const [featureType] = readFeatureTypes(read('schema.xsd').toString()) as [FeatureType];
    const options: Options = { featureType, crs: () => ({ swap: expected.swap }) };
    return { name, answer: read('answer.xml'), options, expected };
  });
