import type { FeatureType } from './conversion.js';

export type Position = number[];

/** The value of an attribute in its declared type; text that is none stays text. */
export function toTyped(text: string, type: string): unknown {
  if (text === '') return null;
  if (type === 'integer' || type === 'number') {
    const number = Number(text);
    return Number.isNaN(number) ? text : number;
  }
  if (type === 'date') return text.slice(0, 10);
  if (type !== 'boolean') return text;
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : text;
}

/** A posList or pos of two dimensions. */
export function toPositions(text: string, swap: boolean): Position[] {
  const numbers = text.trim().split(/\s+/);
  const positions: Position[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    const first = Number(numbers[i]);
    const second = Number(numbers[i + 1]);
    positions.push(swap ? [second, first] : [first, second]);
  }
  return positions;
}

/** RFC 7946 §3.1.6: exteriors counterclockwise, interiors clockwise. */
export function toRightHanded(ring: Position[], isExterior: boolean): Position[] {
  let doubled = 0;
  for (let i = 1; i < ring.length; i++) {
    const [x0, y0] = ring[i - 1] as [number, number];
    const [x1, y1] = ring[i] as [number, number];
    doubled += (x1 - x0) * (y1 + y0);
  }
  return doubled < 0 === isExterior ? ring : ring.reverse();
}

/** Every attribute of the schema, null until it is read. */
export function toEmptyProperties({ attributes }: FeatureType): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const { name } of attributes) properties[name] = null;
  return properties;
}
