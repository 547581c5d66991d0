import { ServiceError, toMessage } from '../errors.js';
import type { Geometry, Position } from './model.js';

/** A projection, in metres. */
export type ToXy = (lon: number, lat: number) => readonly [x: number, y: number];

/**
 * Subdivides the edges of a geometry, straight in lon/lat (RFC 7946 §3.1.1), so that in another CRS the chord of every
 * piece stays within `maxDeviation` metres of the projected edge. Positions of the original stay as they are; an edge
 * and its reverse get the same new positions. An edge that leaves the domain of the projection (a result that is
 * not finite) is left alone.
 * @throws ServiceError notAnswerable where more than `maxVertices` positions would be needed
 */
export function densify<G extends Geometry>(
  geometry: G,
  maxDeviation: number,
  toXY: ToXy,
  maxVertices = 200_000,
): G {
  const edges = new Densifier(maxDeviation, toXY, maxVertices);
  const densifyLine = (line: readonly Position[]) => edges.densifyLine(line);
  const toCoordinates = (): Geometry['coordinates'] => {
    switch (geometry.type) {
      case 'LineString':
        return densifyLine(geometry.coordinates);
      case 'MultiLineString':
      case 'Polygon':
        return geometry.coordinates.map(densifyLine);
      case 'MultiPolygon':
        return geometry.coordinates.map((rings) => rings.map(densifyLine));
      default:
        return geometry.coordinates;
    }
  };
  return { ...geometry, coordinates: toCoordinates() };
}

/** Halvings of one edge: a piece of a 360° edge is then 40 m long. */
const MAX_DEPTH = 20;

interface Station {
  readonly position: Position;
  readonly x: number;
  readonly y: number;
}

class Densifier {
  readonly #maxDeviation: number;
  readonly #toXY: ToXy;
  readonly #maxVertices: number;
  #vertices = 0;

  constructor(maxDeviation: number, toXY: ToXy, maxVertices: number) {
    this.#maxDeviation = maxDeviation;
    this.#toXY = toXY;
    this.#maxVertices = maxVertices;
  }

  densifyLine(line: readonly Position[]): Position[] {
    const out: Position[] = [];
    let previous: Station | undefined;
    for (const position of line) {
      const station = this.#toStation(position);
      if (previous) this.#split(previous, this.#toMiddle(previous, station), station, 0, out);
      this.#put(position, out);
      previous = station;
    }
    return out;
  }

  /** Puts what is needed between the two ends; the middle has been projected already. */
  #split(from: Station, middle: Station, to: Station, depth: number, out: Position[]): void {
    // Quarters too: an edge through a point of inflection crosses its chord in the middle.
    const first = this.#toMiddle(from, middle);
    const second = this.#toMiddle(middle, to);
    const isFar =
      this.#isFar(middle, from, to) || this.#isFar(first, from, to) || this.#isFar(second, from, to);
    if (!isFar || depth >= MAX_DEPTH) return;
    this.#split(from, first, middle, depth + 1, out);
    this.#put(middle.position, out);
    this.#split(middle, second, to, depth + 1, out);
  }

  #isFar(at: Station, from: Station, to: Station): boolean {
    return toChordDistance(at, from, to) > this.#maxDeviation;
  }

  #put(position: Position, out: Position[]): void {
    if (++this.#vertices > this.#maxVertices)
      throw new ServiceError(
        'notAnswerable',
        toMessage('geometry.tooManyWhenDensified', { max: this.#maxVertices }),
      );
    out.push(position);
  }

  #toStation(position: Position): Station {
    const [x, y] = this.#toXY(position[0], position[1]);
    return { position, x, y };
  }

  #toMiddle({ position: from }: Station, { position: to }: Station): Station {
    const lon = (from[0] + to[0]) / 2;
    const lat = (from[1] + to[1]) / 2;
    const z1 = from[2];
    const z2 = to[2];
    return this.#toStation(z1 === undefined || z2 === undefined ? [lon, lat] : [lon, lat, (z1 + z2) / 2]);
  }
}

/** NaN, which is never too far, where a projection has failed. */
function toChordDistance(at: Station, from: Station, to: Station): number {
  const ux = to.x - from.x;
  const uy = to.y - from.y;
  const vx = at.x - from.x;
  const vy = at.y - from.y;
  const square = ux * ux + uy * uy;
  const part = square === 0 ? 0 : Math.min(Math.max((vx * ux + vy * uy) / square, 0), 1);
  const dx = vx - part * ux;
  const dy = vy - part * uy;
  return Math.sqrt(dx * dx + dy * dy); // metres: nothing here is too large or too small to be squared
}
