import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CHUNK, type FeatureType } from '../convert/conversion.js';
import { readFeatureType } from '../convert/engine.js';
import { ensureDocument } from '../data/files.js';
import { toMedian } from '../measure/median.js';
import type { Options } from '../options.js';
import { paths } from '../paths.js';
import { toFigure, toRatio } from '../report/figures.js';
import type { Section } from '../report/section.js';
import { createLambert93, toLambert93 } from './lambert-93.js';

const MOST_MEGABYTES = 10;
const PASSES = 3;

interface CrsReading {
  readonly swap: boolean;
  readonly isGeographic?: boolean;
  readonly transform?: (x: number, y: number) => readonly [number, number];
}

interface Way {
  readonly name: string;
  readonly document: Buffer;
  readonly reading: CrsReading;
}

/** What it costs that an upstream answers in the layer's own CRS: the same polygons, with their coordinates made WGS84 or not. */
export async function runCrs(options: Options, tell: (progress: string) => void): Promise<Section> {
  const megabytes = Math.min(options.megabytes, MOST_MEGABYTES);
  const files = ensureDocument('polygons', megabytes);
  const projection = await createLambert93();
  const degrees = readFileSync(files.gml);
  const { gml, positions } = toLambert93(degrees.toString(), projection);
  const metres = Buffer.from(gml);
  const ways: readonly Way[] = [
    { name: 'WGS84, latitude first', document: degrees, reading: { swap: true } },
    { name: 'Lambert-93, left as it is', document: metres, reading: { swap: false, isGeographic: false } },
    {
      name: 'Lambert-93, made WGS84 by proj4',
      document: metres,
      reading: { swap: false, isGeographic: false, transform: (x, y) => projection.toLonLat(x, y) },
    },
  ];
  const type = await readFeatureType(readFileSync(files.schema, 'utf8'), files.typeName);
  const convert = await loadConversion(type);
  verify(convert(ways[0] as Way), convert(ways[2] as Way));
  for (const way of ways) convert(way); // warm
  const seconds = ways.map(() => [] as number[]);
  for (let run = 1; run <= options.runs * PASSES; run++) {
    for (const [k, way] of ways.entries()) {
      tell(`reprojection: pass ${run} of ${options.runs * PASSES}, ${way.name}`);
      const begun = process.cpuUsage();
      convert(way);
      const { user, system } = process.cpuUsage(begun);
      seconds[k]?.push((user + system) / 1e6);
    }
  }
  return toSection(ways, seconds.map(toMedian), files.features, positions);
}

type Convert = (way: Way) => string;

async function loadConversion(featureType: FeatureType): Promise<Convert> {
  const { createGmlConverter } = (await import(pathToFileURL(join(paths.dist, 'gml/index.js')).href)) as {
    createGmlConverter(options: { featureType: FeatureType; crs: () => CrsReading }): {
      push(bytes: Uint8Array): { readonly bytes: Uint8Array };
      end(): { readonly bytes: Uint8Array };
    };
  };
  return ({ document, reading }) => {
    const converter = createGmlConverter({ featureType, crs: () => reading });
    let first = '';
    const take = ({ bytes }: { readonly bytes: Uint8Array }) => {
      if (first === '') first = Buffer.from(bytes).toString();
    };
    for (let at = 0; at < document.length; at += CHUNK)
      take(converter.push(document.subarray(at, at + CHUNK)));
    take(converter.end());
    return first;
  };
}

/** @throws Error where the features do not lie where they did before they were brought into Lambert-93 */
function verify(expected: string, actual: string): void {
  const toPositions = (features: string) =>
    [...features.matchAll(/\[(-?\d+\.\d+),(-?\d+\.\d+)/g)].map(([, lon, lat]) => [Number(lon), Number(lat)]);
  const [before, after] = [toPositions(expected), toPositions(actual)];
  const length = Math.min(before.length, after.length);
  const isNear = (k: number, i: 0 | 1) => Math.abs((before[k]?.[i] ?? 0) - (after[k]?.[i] ?? 1)) < 1e-6;
  for (let k = 0; k < length; k++) {
    if (!isNear(k, 0) || !isNear(k, 1)) throw new Error(`position ${k}: ${after[k]}, not ${before[k]}`);
  }
  if (length === 0) throw new Error('no positions');
}

function toSection(
  ways: readonly Way[],
  seconds: readonly number[],
  features: number,
  positions: number,
): Section {
  const base = seconds[1] ?? Number.NaN;
  const rows = ways.map(({ name, document }, k) => {
    const time = seconds[k] ?? Number.NaN;
    return [
      name,
      toFigure(document.length / 1e6 / time),
      toFigure(features / time),
      toRatio(time / base),
      k === 2 ? toFigure(((time - base) / positions) * 1e9) : '–',
    ];
  });
  return {
    title: 'Answers in another CRS',
    notes: [
      'The same GeoServer polygons in degrees and in metres, in chunks of 64 kB from memory, in one process that has warmed up; processor time, the median of all passes, interleaved. What proj4 makes of them was compared with what they were made from.',
    ],
    tables: [
      {
        columns: ['answer', 'MB/s', 'features/s', 'time', 'ns a position'],
        rows,
      },
    ],
    demands: [],
    quoted: [],
  };
}
