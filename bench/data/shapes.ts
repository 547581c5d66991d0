import type { Geometry, Position, Ring } from './model.js';
import type { Random } from './random.js';

/** How shapes of a kind of data are drawn. */
export interface ShapeRule {
  /** Decimals of a coordinate. */
  readonly digits: number;
  /** Trailing zeros are written (MapServer) or not (GeoServer). */
  readonly isPadded: boolean;
  /** Share of the features whose rings all run the wrong way round. */
  readonly wrong: number;
  /** West, south, width and height in degrees; absent: over the French mainland. */
  readonly within?: readonly [number, number, number, number];
}

const MAINLAND = [-5, 41, 14, 10] as const;

function toCentre(random: Random, { within = MAINLAND }: ShapeRule): readonly [number, number] {
  const [west, south, width, height] = within;
  return [west + width * random.unit(), south + height * random.unit()];
}

function toText(number: number, { digits, isPadded }: ShapeRule): string {
  const text = number.toFixed(digits);
  return isPadded ? text : text.replace(/\.?0+$/, '');
}

export function makePoint(random: Random, rule: ShapeRule): Geometry {
  const [lon, lat] = toCentre(random, rule);
  return { type: 'Point', position: [toText(lon, rule), toText(lat, rule)] };
}

/** Of one polygon, in one case of ten two; one polygon of seven has a hole. */
export function makeMultiPolygon(random: Random, rule: ShapeRule): Geometry {
  const [lon, lat] = toCentre(random, rule);
  const isWrong = random.chance(rule.wrong);
  const polygons = Array.from({ length: random.chance(0.1) ? 2 : 1 }, (_, i) => {
    const centre = [lon + i * 0.05, lat] as const;
    const radius = 0.001 + 0.01 * random.unit();
    const exterior = makeRing(random, rule, centre, radius, random.integer(5, 59), !isWrong);
    if (!random.chance(1 / 7)) return [{ ...exterior, isWrong }];
    const interior = makeRing(random, rule, centre, radius * 0.3, random.integer(5, 20), isWrong);
    return [
      { ...exterior, isWrong },
      { ...interior, isWrong },
    ];
  });
  return { type: 'MultiPolygon', polygons };
}

/** A star around the centre, of `size` corners, closed. */
function makeRing(
  random: Random,
  rule: ShapeRule,
  [lon, lat]: readonly [number, number],
  radius: number,
  size: number,
  isCounterclockwise: boolean,
): Pick<Ring, 'positions'> {
  const positions = Array.from({ length: size }, (_, i): Position => {
    const angle = ((isCounterclockwise ? 2 : -2) * Math.PI * i) / size;
    const reach = radius * (0.7 + 0.3 * random.unit());
    return [toText(lon + reach * Math.cos(angle), rule), toText(lat + reach * Math.sin(angle), rule)];
  });
  return { positions: [...positions, positions[0] as Position] };
}
