import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DocumentFiles } from '../data/files.js';
import { readWaiting } from '../measure/waiting.js';
import { paths } from '../paths.js';
import type { Outcome } from './job.js';

/** `GDAL 3.6.2, released 2023/01/02`, or undefined where it is not installed. */
export function readOgrVersion(): string | undefined {
  const { status, stdout } = spawnSync('ogr2ogr', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Every digit, rings by the right-hand rule, and no look-up of the schema over the network. */
const TO_GEOJSON = ['-f', 'GeoJSON', '-lco', 'RFC7946=YES', '-lco', 'COORDINATE_PRECISION=15'];
const OFFLINE = ['-oo', 'DOWNLOAD_SCHEMA=NO'];
/** MapServer and QGIS Server write latitude first under `EPSG:4326`. */
const LAT_LON = ['-oo', 'CONSIDER_EPSG_AS_URN=YES'];

/** A folder with the document alone or, where the schema is cached, beside the .gfs made from it. */
function prepare(document: DocumentFiles, isCached: boolean): string {
  const folder = join(
    paths.cache,
    'ogr',
    `${document.kind}-${document.megabytes}-${isCached ? 'gfs' : 'bare'}`,
  );
  const gml = join(folder, 'document.gml');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(document.gml, gml);
  if (!isCached) return gml;
  const schema = join(folder, 'schema.xsd');
  copyFileSync(document.schema, schema);
  const options = [...OFFLINE, ...LAT_LON, '-oo', `XSD=${schema}`, '-oo', 'WRITE_GFS=YES', '-limit', '1'];
  spawnSync('ogr2ogr', [...TO_GEOJSON, '/vsistdout/', gml, ...options], { stdio: 'ignore' });
  if (!existsSync(join(folder, 'document.gfs'))) throw new Error('ogr2ogr wrote no .gfs');
  return gml;
}

/** Start of the program to its end, its output to a file or to nowhere. */
export async function runOgr(
  document: DocumentFiles,
  isCached: boolean,
  output = '/dev/null',
): Promise<Omit<Outcome, 'features'>> {
  const gml = prepare(document, isCached);
  const options = isCached ? [...OFFLINE, ...LAT_LON] : [...OFFLINE, ...LAT_LON, '-oo', 'WRITE_GFS=NO'];
  const target = openSync(output, 'w');
  const from = performance.now();
  const child = spawn('ogr2ogr', [...TO_GEOJSON, '/vsistdout/', gml, ...options], {
    stdio: ['ignore', target, 'ignore'],
  });
  const end = watch(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  const wall = (performance.now() - from) / 1000;
  closeSync(target);
  if (code !== 0) throw new Error(`ogr2ogr ended with ${code}`);
  const { peakMemory, waited } = end();
  return { seconds: wall - waited, peakMemory, waited: waited / wall };
}

const WATCH_MS = 20;

/** The largest resident memory in bytes and the seconds it waited for a processor, as last seen (Linux). */
function watch({ pid = 0 }: ChildProcess): () => { peakMemory: number; waited: number } {
  let peakMemory = Number.NaN;
  let waited = 0;
  const look = () => {
    try {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (peak !== undefined) peakMemory = Number(peak) * 1024;
      waited = Math.max(waited, readWaiting(pid));
    } catch {
      // it has ended
    }
  };
  const timer = setInterval(look, WATCH_MS);
  return () => {
    clearInterval(timer);
    return { peakMemory, waited };
  };
}
