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

export function toUrn(code: number): string {
  return `urn:ogc:def:crs:EPSG::${code}`;
}

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

/** Whether the EPSG registry puts latitude or northing first. */
function isNorthingFirst(code: number): boolean {
  return (code >= 4001 && code <= 4999 && code !== 4978 && code !== 4936) || NORTHING_FIRST.has(code);
}

// Projected CRSs of the EPSG registry with northing first that feature services use; the geographic ones are a range.
const NORTHING_FIRST = new Set([
  2180, 2393, 3034, 3035, 3067, 3046, 3047, 3048, 3049, 3050, 3051, 3333, 3334, 3335, 3328, 3329, 3330, 3331,
  3332, 3114, 3115, 3116, 3117, 3118, 5513, 5514, 31254, 31255, 31256, 31257, 31258, 31259, 31275, 31276,
  31277, 31278, 31279, 31281, 31282, 31283, 31284, 31285, 31286, 31287, 31288, 31289, 31290, 31466, 31467,
  31468, 31469, 2065, 3873, 3874, 3875, 3876, 3877, 3878, 3879, 3880, 3881, 3882, 3883, 3884, 3885, 5048,
  6316, 3764, 27205, 27206, 2193,
]);
