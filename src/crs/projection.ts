import { createConversion } from './conversion.js';
import { createPositionVectorShift, type DatumShift } from './datum-shift.js';
import { DATUMS, PROJECTIONS } from './definitions.js';
import { type Conversion, createEllipsoid, type Pair } from './ellipsoid.js';

/**
 * The way between a CRS and WGS 84. Coordinates go by easting or longitude first, whatever the registry says; heights
 * are left as they are.
 */
export interface Projection {
  /** EPSG code. */
  readonly code: number;
  /**
   * How far off a position may be, in metres: the EPSG registry's accuracy of the datum transformation (the best one that
   * needs no grid). 0 for WGS 84 itself; the formulas add less than two millimetres.
   */
  readonly accuracy: number;
  /** Whether positions are the same in both: nothing to compute, and no digit to lose. */
  readonly isIdentity: boolean;
  /**
   * Position in the CRS, in its own units, to longitude and latitude in degrees, to {@link LON_LAT_DECIMALS}. NaN both
   * where there is none.
   */
  toLonLat(x: number, y: number): Pair;
  /** Longitude and latitude in degrees to a position in the CRS, to a tenth of a millimetre. NaN both where there is none. */
  fromLonLat(lon: number, lat: number): Pair;
}

/** Decimals of a computed longitude or latitude: a tenth of a millimetre, finer than any datum is known. */
export const LON_LAT_DECIMALS = 9;

/** Web Mercator under the codes it had before it had one in the registry (Google, ESRI, and the registry's first try). */
const ALIASES = new Map([900913, 102100, 102113, 3785].map((alias) => [alias, 3857]));

const projections = new Map<number, Projection | undefined>();

/**
 * The projection of an EPSG code: projected, geographic or compound (its horizontal part). Known are those that PROJ
 * can transform without grids, and of these the ones transformed here as by PROJ to two millimetres.
 * @returns undefined for every other code
 */
export function createProjection(code: number): Projection | undefined {
  if (projections.has(code)) return projections.get(code);
  const definition = find(ALIASES.get(code) ?? code);
  if (definition === undefined) return undefined; // not kept: there is no end of such codes
  const projection = assemble(code, definition);
  projections.set(code, projection);
  return projection;
}

const RADIANS = Math.PI / 180;
const WGS84_ELLIPSOID = createEllipsoid(6378137, 298.257223563);
const NOWHERE: Pair = [Number.NaN, Number.NaN];

interface Definition {
  readonly words: string;
  /** A line of {@link DATUMS}. */
  readonly datum: readonly number[];
}

// The text is searched as it is: taking it apart would cost more than the few codes one run asks for.
function find(code: number): Definition | undefined {
  const at = PROJECTIONS.search(new RegExp(`[:,]${code}[ ,]`));
  if (at === -1) return undefined;
  const [codes = '', words = ''] = lineAround(PROJECTIONS, at).split('|');
  const before = codes.slice(0, codes.search(new RegExp(`[:,]${code}[ ,]`)));
  const line = Number(/(\d+)(?::[\d,]*)?$/.exec(before)?.[1]);
  datums ??= DATUMS.split('\n');
  return { words, datum: datums[line]?.split(' ').map(Number) ?? [] };
}

let datums: string[] | undefined;

function lineAround(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return text.slice(text.lastIndexOf('\n', at) + 1, end === -1 ? undefined : end);
}

function assemble(code: number, { words, datum }: Definition): Projection | undefined {
  const [a = 0, inverseFlattening = 0, meridian = 0, accuracy = 0, ...parameters] = datum;
  const ellipsoid = createEllipsoid(a, inverseFlattening);
  const shift =
    parameters.length === 0 ? undefined : createPositionVectorShift(ellipsoid, WGS84_ELLIPSOID, parameters);
  if (words === 'longlat' && shift === undefined && meridian === 0) return createIdentity(code, accuracy);
  const conversion = createConversion(words, ellipsoid);
  if (conversion === undefined) return undefined;
  const steps = { conversion, shift, meridian: meridian * RADIANS };
  const unit = Number(/ unit=(\S+)/.exec(words)?.[1] ?? 1);
  const decimals = words.startsWith('longlat') ? LON_LAT_DECIMALS : Math.ceil(4 + Math.log10(unit));
  return { code, accuracy, isIdentity: false, ...createWays(steps, decimals) };
}

function createIdentity(code: number, accuracy: number): Projection {
  const same = (first: number, second: number): Pair => [first, second];
  return { code, accuracy, isIdentity: true, toLonLat: same, fromLonLat: same };
}

interface Steps {
  readonly conversion: Conversion;
  readonly shift: DatumShift | undefined;
  /** Of the CRS, radians east of Greenwich. */
  readonly meridian: number;
}

function createWays({ conversion, shift, meridian }: Steps, decimals: number) {
  const power = 10 ** decimals;
  return {
    toLonLat(x: number, y: number): Pair {
      // Some methods of proj4 make a position out of NaN.
      if (!Number.isFinite(x) || !Number.isFinite(y)) return NOWHERE;
      const [lon, lat] = conversion.inverse(x, y);
      if (shift === undefined) return toDegrees(lon + meridian, lat);
      const [lonWgs84, latWgs84] = shift.forward(lon + meridian, lat);
      return toDegrees(lonWgs84, latWgs84);
    },
    fromLonLat(lon: number, lat: number): Pair {
      if (!(lat >= -90 && lat <= 90) || !Number.isFinite(lon)) return NOWHERE;
      const [lonOwn, latOwn] = shift?.inverse(lon * RADIANS, lat * RADIANS) ?? [lon * RADIANS, lat * RADIANS];
      const [x, y] = conversion.forward(lonOwn - meridian, latOwn);
      return Number.isFinite(x) && Number.isFinite(y) ? [rounded(x, power), rounded(y, power)] : NOWHERE;
    },
  };
}

const LON_LAT_POWER = 10 ** LON_LAT_DECIMALS;

function toDegrees(lon: number, lat: number): Pair {
  const latitude = rounded(lat / RADIANS, LON_LAT_POWER);
  const longitude = rounded(lon / RADIANS, LON_LAT_POWER);
  if (!(latitude >= -90 && latitude <= 90)) return NOWHERE;
  if (longitude >= -180 && longitude <= 180) return [longitude, latitude];
  const within = rounded(longitude - Math.sign(longitude) * 360, LON_LAT_POWER);
  return within >= -180 && within <= 180 ? [within, latitude] : NOWHERE;
}

function rounded(value: number, power: number): number {
  return Math.round(value * power) / power + 0; // never -0
}
