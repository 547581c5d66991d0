import { GEOGRAPHIC, NORTHING_FIRST } from './registry.js';

/** Order of the two horizontal coordinates: `lonLat` (easting first) or `latLon` (northing first). */
export type AxisOrder = 'lonLat' | 'latLon';

/** What an srsName says. */
export interface Crs {
  /** `EPSG` or `OGC` (CRS84). */
  readonly authority: 'EPSG' | 'OGC';
  /** EPSG code; 4326 for CRS84, which is the same but for its axis order. */
  readonly code: number;
  /** The order the form of the name stands for; undefined where servers differ (`EPSG:4326`, `...epsg.xml#4326`). */
  readonly axisOrder: AxisOrder | undefined;
}

/** WGS84 as WFS 1.1.0 asks for it (OGC 07-092r1): latitude first, where a server follows the standard. */
export const WGS84_URN = toUrn(4326);

// Each form met in the field, in one place.
const FORMS: readonly { readonly pattern: RegExp; readonly says: 'official' | 'lonLat' | 'nothing' }[] = [
  { pattern: /^urn:(?:x-)?ogc:def:crs:EPSG:[\w.]*:(\d+)$/i, says: 'official' }, // OGC 07-092r1
  { pattern: /^urn:x-ogc:def:crs:EPSG:(\d+)$/i, says: 'official' }, // GeoServer's own
  { pattern: /^https?:\/\/www\.opengis\.net\/def\/crs\/EPSG\/[\w.]*\/(\d+)$/i, says: 'official' }, // OGC 09-048r3
  { pattern: /^https?:\/\/www\.opengis\.net\/gml\/srs\/epsg\.xml#(\d+)$/i, says: 'nothing' }, // GML 2
  { pattern: /^EPSG:(\d+)$/i, says: 'nothing' },
];
const CRS84 =
  /^(?:urn:(?:x-)?ogc:def:crs:OGC:[\w.]*:CRS84|CRS:84|OGC:CRS84|urn:ogc:def:crs:CRS::84|https?:\/\/www\.opengis\.net\/def\/crs\/OGC\/[\w.]*\/CRS84)$/i;

/** Names read so far: each answer of a layer has the same. */
const known = new Map<string, Crs>();
const MOST_KNOWN = 1000;

/** @returns undefined for a name of no known form */
export function readSrsName(srsName: string): Crs | undefined {
  const found = known.get(srsName);
  if (found !== undefined) return found;
  const crs = parseSrsName(srsName.trim());
  if (known.size >= MOST_KNOWN) known.clear();
  if (crs !== undefined) known.set(srsName, crs);
  return crs;
}

function parseSrsName(name: string): Crs | undefined {
  if (CRS84.test(name)) return { authority: 'OGC', code: 4326, axisOrder: 'lonLat' };
  for (const { pattern, says } of FORMS) {
    const code = pattern.exec(name)?.[1];
    if (code === undefined) continue;
    const epsg = Number(code);
    return {
      authority: 'EPSG',
      code: epsg,
      axisOrder: says === 'official' ? (isNorthingFirst(epsg) ? 'latLon' : 'lonLat') : undefined,
    };
  }
  return undefined;
}

/** @returns the name WFS 1.1.0 uses (OGC 07-092r1), under which axes are in the registry's order */
export function toUrn(code: number): string {
  return `urn:ogc:def:crs:EPSG::${code}`;
}

/** Whether positions of this EPSG code are angles: latitudes and longitudes, not eastings and northings. */
export function isGeographic(code: number): boolean {
  geographic ??= toRanges(GEOGRAPHIC);
  return isIn(geographic, code);
}

/** Whether the EPSG registry puts latitude or northing first, and so a URN or a `def/crs` URL of this code does. */
export function isNorthingFirst(code: number): boolean {
  northingFirst ??= toRanges(NORTHING_FIRST);
  return isIn(northingFirst, code);
}

type Range = readonly [number, number];

let geographic: readonly Range[] | undefined;
let northingFirst: readonly Range[] | undefined;

function toRanges(words: string): readonly Range[] {
  return words.split(' ').map((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return [first, last];
  });
}

/** @param ranges from the lowest to the highest */
function isIn(ranges: readonly Range[], code: number): boolean {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ranges[middle] as Range)[1] < code) from = middle + 1;
    else to = middle;
  }
  const range = ranges[from];
  return range !== undefined && range[0] <= code;
}
