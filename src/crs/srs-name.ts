import { NORTHING_FIRST } from './northing-first.js';

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
export const WGS84_URN = 'urn:ogc:def:crs:EPSG::4326';

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

/** @returns undefined for a name of no known form */
export function readSrsName(srsName: string): Crs | undefined {
  const name = srsName.trim();
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

/** EPSG codes of geographic CRSs: the registry keeps 4000 to 4999 for them, and a few beyond. */
export function isGeographic(code: number): boolean {
  return (code >= 4000 && code <= 4999) || FURTHER_GEOGRAPHIC.has(code);
}

// Those of France and its territories, and of ITRF and WGS 84 realisations, that have codes beyond the range.
const FURTHER_GEOGRAPHIC = new Set([
  5886, 7034, 7035, 7084, 7086, 7088, 7133, 8902, 9775, 9777, 9779, 9782, 9784,
]);

/** Whether the EPSG registry puts latitude or northing first. */
function isNorthingFirst(code: number): boolean {
  northingFirst ??= NORTHING_FIRST.split(' ').map((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return [first, last];
  });
  return northingFirst.some(([first, last]) => code >= first && code <= last);
}

let northingFirst: [number, number][] | undefined;
