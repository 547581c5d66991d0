import proj4 from 'proj4';
import type { Conversion, Ellipsoid, Pair } from './ellipsoid.js';
import { createLambertConicConformal } from './lambert.js';
import { createPseudoMercator } from './mercator.js';

const RADIANS = Math.PI / 180;

type Parameters = ReadonlyMap<string, string>;

/**
 * @param words a projection in PROJ's words, without its ellipsoid: `lcc lat_1=49 lat_2=44 lat_0=46.5 lon_0=3`; `unit` is
 *   the metres, or for `longlat` the degrees, in one unit
 * @returns undefined for what is neither here nor in proj4
 */
export function createConversion(words: string, ellipsoid: Ellipsoid): Conversion | undefined {
  const [method = '', ...rest] = words.split(' ');
  const parameters = new Map(
    rest.map((word) => word.split('=', 2)).map(([key = '', value = '']) => [key, value]),
  );
  const conversion = createInMetres(method, parameters, ellipsoid);
  const unit = Number(parameters.get('unit') ?? 1);
  const axis = parameters.get('axis') ?? 'enu';
  if (conversion === undefined || (unit === 1 && axis === 'enu')) return conversion;
  if (!/^[ew][ns]u$/.test(axis)) return undefined;
  return scaled(conversion, axis.startsWith('w') ? -unit : unit, axis[1] === 's' ? -unit : unit);
}

function scaled({ forward, inverse }: Conversion, unitX: number, unitY: number): Conversion {
  return {
    forward: (lon, lat) => {
      const [x, y] = forward(lon, lat);
      return [x / unitX, y / unitY];
    },
    inverse: (x, y) => inverse(x * unitX, y * unitY),
  };
}

function createInMetres(
  method: string,
  parameters: Parameters,
  ellipsoid: Ellipsoid,
): Conversion | undefined {
  switch (method) {
    case 'longlat':
      return DEGREES;
    case 'webmerc':
      return createPseudoMercator(ellipsoid.a);
    case 'lcc':
      return createLambert(parameters, ellipsoid);
    default:
      return createByProj4(method, parameters, ellipsoid);
  }
}

const DEGREES: Conversion = {
  forward: (lon, lat) => [lon / RADIANS, lat / RADIANS],
  inverse: (x, y) => [x * RADIANS, y * RADIANS],
};

function createLambert(parameters: Parameters, ellipsoid: Ellipsoid): Conversion | undefined {
  const number = (name: string, otherwise = 0) => Number(parameters.get(name) ?? otherwise);
  return createLambertConicConformal(ellipsoid, {
    latitudeOfOrigin: number('lat_0') * RADIANS,
    longitudeOfOrigin: number('lon_0') * RADIANS,
    standardParallels: [number('lat_1') * RADIANS, number('lat_2', number('lat_1')) * RADIANS],
    scale: number('k_0', number('k', 1)),
    falseEasting: number('x_0'),
    falseNorthing: number('y_0'),
  });
}

// Some of proj4's methods count with undefined where these are left out.
const DEFAULTS = new Map(['lat_0', 'lon_0', 'x_0', 'y_0'].map((key) => [key, '0']));

// proj4's own chain of checks, arrays and datums is left aside: it costs more than the formulas do.
function createByProj4(method: string, parameters: Parameters, { a, e2 }: Ellipsoid): Conversion | undefined {
  const own = [...new Map([...DEFAULTS, ...parameters])].filter(([key]) => key !== 'unit' && key !== 'axis');
  if (!parameters.has('k') && !parameters.has('k_0') && !parameters.has('lat_ts')) own.push(['k_0', '1']);
  const words = own.map(([key, value]) => (value === '' ? `+${key}` : `+${key}=${value}`));
  const shape = e2 === 0 ? `+b=${a}` : `+rf=${1 / (1 - Math.sqrt(1 - e2))}`;
  const definition = `+proj=${method} ${words.join(' ')} +a=${a} ${shape} +no_defs`;
  try {
    const projection = new proj4.Proj(definition);
    return {
      forward: (lon, lat) => guarded(() => projection.forward({ x: lon, y: lat })),
      inverse: (x, y) => guarded(() => projection.inverse({ x, y })),
    };
  } catch {
    return undefined;
  }
}

/** What a method of proj4 cannot show is undefined in some, null or thrown in others. */
function guarded(compute: () => { readonly x: number; readonly y: number } | null | undefined): Pair {
  try {
    const point = compute();
    return [point?.x ?? Number.NaN, point?.y ?? Number.NaN];
  } catch {
    return [Number.NaN, Number.NaN];
  }
}
