import { type Bbox, type GeoJsonGeometry, toBbox } from '../geometry/index.js';
import { readFeatureText } from './feature-text.js';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COMMA = 0x2c;
const QUOTE = 0x22;
const OPENING = 0x5b;
const CLOSING = 0x5d;

const toAscii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const GEOMETRY = toAscii('"geometry":');
const NULL = toAscii('null');
const TYPE = toAscii('{"type":"');
const COORDINATES = toAscii('","coordinates":');

function isAt(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/**
 * The box of a Feature's geometry; undefined where it has none. Read off its bytes, as the converter writes them; what is
 * written in another way is parsed.
 * @param bytes hold one well-formed GeoJSON Feature from `start` to `end`
 */
export function readFeatureBox(bytes: Uint8Array, start = 0, end = bytes.length): Bbox | undefined {
  let at = start;
  // no text can hold its quotes
  while (at < end && !(bytes[at] === QUOTE && isAt(bytes, at, GEOMETRY))) at += 1;
  at += GEOMETRY.length;
  if (isAt(bytes, at, NULL)) return undefined;
  const nameEnds = isAt(bytes, at, TYPE) ? bytes.indexOf(QUOTE, at + TYPE.length) : -1;
  const isPlain = nameEnds >= 0 && isAt(bytes, nameEnds, COORDINATES);
  const box = isPlain ? readBox(bytes, nameEnds + COORDINATES.length) : undefined;
  return box ?? parseFeatureBox(bytes.subarray(start, end));
}

function parseFeatureBox(feature: Uint8Array): Bbox | undefined {
  const { geometry } = readFeatureText(Buffer.from(feature).toString());
  return geometry === 'null' ? undefined : toBbox(JSON.parse(geometry) as GeoJsonGeometry);
}

/** A double holds each of them. */
const POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** The box of the coordinates that begin here; undefined where a number of them is not read in this way. */
function readBox(bytes: Uint8Array, start: number): Bbox | undefined {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  let depth = 0;
  let axis = 0;
  for (let at = start; at < bytes.length; ) {
    const byte = bytes[at] as number;
    if (byte === OPENING) {
      depth += 1;
      axis = 0;
      at += 1;
    } else if (byte === CLOSING) {
      depth -= 1;
      at += 1;
      if (depth === 0) return [west, south, east, north];
    } else if (byte === COMMA) {
      axis += 1;
      at += 1;
    } else {
      let digits = 0;
      let decimals = 0;
      let hasPoint = false;
      const first = byte === MINUS ? at + 1 : at;
      for (at = first; ; at += 1) {
        const next = bytes[at] as number;
        if (next >= ZERO && next <= NINE) {
          digits = digits * 10 + (next - ZERO);
          if (hasPoint) decimals += 1;
        } else if (next === POINT) hasPoint = true;
        else break;
      }
      // exact: both are, and so their quotient is the nearest there is (Clinger, 1990)
      const isExact = at > first && digits <= Number.MAX_SAFE_INTEGER && decimals < POWERS.length;
      if (!isExact || (bytes[at] !== COMMA && bytes[at] !== CLOSING)) return undefined;
      const magnitude = digits / (POWERS[decimals] as number);
      const value = byte === MINUS ? -magnitude : magnitude;
      if (axis === 0) {
        if (value < west) west = value;
        if (value > east) east = value;
      } else if (axis === 1) {
        if (value < south) south = value;
        if (value > north) north = value;
      }
    }
  }
  return undefined;
}
