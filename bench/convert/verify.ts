import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { paths } from '../paths.js';
import { measure, type Setting } from './measure.js';
import type { Subject } from './subjects.js';

interface Feature {
  readonly id?: string;
  readonly geometry: { readonly type: string; readonly coordinates: readonly unknown[] } | null;
  readonly geometry_name?: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Whether a subject makes of a document exactly the features it stands for, every one compared: a peer that does less
 * work is no peer.
 * @returns the first difference, undefined where there is none
 */
export async function findDifference(subject: Subject, setting: Setting): Promise<string | undefined> {
  const output = join(paths.cache, `features-${subject.name.replaceAll(/\W+/g, '-')}.json`);
  await measure(subject, 'features', setting, output);
  const expected = readFeatures(readFileSync(setting.document.geojson, 'utf8'));
  const actual = readFeatures(readFileSync(output, 'utf8'));
  if (actual.length !== expected.length) return `${actual.length} features, not ${expected.length}`;
  const isEqual = toTest(subject);
  const at = actual.findIndex((feature, i) => !isEqual(feature, expected[i] as Feature));
  if (at < 0) return undefined;
  return `feature ${at} is ${JSON.stringify(actual[at])}, not ${JSON.stringify(expected[at])}`;
}

function readFeatures(text: string): Feature[] {
  const read = JSON.parse(text) as Feature[] | { features: Feature[] };
  return Array.isArray(read) ? read : read.features;
}

type Test = (theirs: Feature, ours: Feature) => boolean;

function toTest(subject: Subject): Test {
  if (subject.group === 'ogr') return toOgrTest(subject);
  return subject.name === 'openlayers'
    ? (theirs, ours) => isDeepStrictEqual(withoutHeights(theirs), ours)
    : isDeepStrictEqual;
}

/** OpenLayers 10 reads each position with a height, 0 where the GML has none. */
function withoutHeights(feature: Feature): Feature {
  const { geometry } = feature;
  if (geometry === null) return feature;
  const strip = (value: readonly unknown[]): readonly unknown[] =>
    typeof value[0] === 'number'
      ? value.filter((number, i) => i < 2 || number !== 0)
      : value.map((part) => strip(part as readonly unknown[]));
  return { ...feature, geometry: { ...geometry, coordinates: strip(geometry.coordinates) } };
}

/**
 * ogr2ogr says the same in its own words: the id among the properties, dates without `Z`, one polygon of a multipolygon
 * alone; without a schema it takes numbers for numbers (`01004` for 1004), and leaves out what no feature has.
 */
function toOgrTest({ name }: Subject): Test {
  const toWord = (value: unknown): unknown => {
    if (typeof value !== 'string') return value ?? null;
    const date = value.replace(/(\d{4}-\d\d-\d\d(?:T[\d:.]+)?)Z$/, '$1');
    return name === 'ogr-guessing' && /^\d+$/.test(date) ? Number(date) : date;
  };
  const toWords = (properties: Feature['properties'], names: readonly string[]) =>
    names.map((one) => toWord(properties[one]));
  return (theirs, ours) => {
    const names = Object.keys(ours.properties);
    return (
      (theirs.properties.gml_id ?? undefined) === ours.id &&
      isDeepStrictEqual(toWords(theirs.properties, names), toWords(ours.properties, names)) &&
      isDeepStrictEqual(toParts(theirs.geometry), toParts(ours.geometry))
    );
  };
}

function toParts(geometry: Feature['geometry']): unknown {
  if (geometry === null) return null;
  return geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
}
