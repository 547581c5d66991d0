/** Random GeoJSON around a layer: seeded, valid, empty to large results, edges and vertices touched exactly. */

export type Position = number[];

export const kinds = [
  'Point',
  'MultiPoint',
  'LineString',
  'MultiLineString',
  'Polygon',
  'MultiPolygon',
  'GeometryCollection',
  'FeatureCollection',
] as const;
export type Kind = (typeof kinds)[number];

export interface GeoJson {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface Surroundings {
  /** West, south, east, north of the layer. */
  readonly bbox: readonly [number, number, number, number];
  /** Positions taken from the layer's own geometries: what lies on one touches the feature, to the last bit. */
  readonly vertices: readonly Position[];
}

/** mulberry32: 32 bits of state are plenty for a test, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` geometries of one kind; the same for the same seed. */
export function createGeometries(kind: Kind, seed: number, count: number, around: Surroundings): GeoJson[] {
  const random = createRandom(seed * 7919 + kinds.indexOf(kind));
  const draw = createDraw(random, around);
  return Array.from({ length: count }, () => {
    const geometry = draw(kind);
    return random() < 0.1 ? withHeights(geometry, random) : geometry;
  });
}

function createDraw(random: () => number, { bbox, vertices }: Surroundings): (kind: Kind) => GeoJson {
  const [west, south, east, north] = bbox;
  // Of a layer that spans the world, a part: no position may leave the globe.
  const extent = Math.min(Math.max(east - west, north - south), 4);
  const within = (low: number, high: number) => low + random() * (high - low);
  const integer = (low: number, high: number) => Math.floor(within(low, high + 1));
  const pick = <T>(from: readonly T[]): T => from[integer(0, from.length - 1)] as T;
  // Some with seven decimals, as clients send them, some with all the digits a double has.
  const round = (x: number, isWhole: boolean) => (isWhole ? x : Math.round(x * 1e7) / 1e7);
  const vertex = () => [...pick(vertices)];
  const near = (): Position => {
    const isWhole = random() < 0.5;
    const off = random() < 0.12 ? extent * 1.5 : 0;
    return [round(within(west, east) + off, isWhole), round(within(south, north), isWhole)];
  };
  const position = () => (random() < 0.35 ? vertex() : near());
  // From a hundredth of a parcel to the whole layer, every order of magnitude alike.
  const size = () => Math.exp(within(Math.log(2e-5), Math.log(extent * 0.4)));

  const line = (): Position[] => {
    const step = size();
    const points = [position()];
    for (let left = integer(1, 9); left > 0; left--) {
      const [x, y] = points.at(-1) as [number, number];
      const isVertex = random() < 0.15;
      points.push(
        isVertex ? vertex() : [round(x + within(-step, step), false), round(y + within(-step, step), false)],
      );
    }
    return points.filter((p, i) => i === 0 || `${p}` !== `${points[i - 1]}`);
  };
  // Star-shaped around its centre, so simple whatever the radii; gaps under 90 degrees keep 0.7 of the least radius inside.
  const ring = (x: number, y: number, radius: number, isClockwise: boolean): Position[] => {
    const n = integer(5, 14);
    const turn = within(0, 1);
    const points = Array.from({ length: n }, (_, i): Position => {
      const angle = (2 * Math.PI * (i + turn)) / n;
      const r = radius * within(0.55, 1);
      return [round(x + r * Math.cos(angle), false), round(y + 0.7 * r * Math.sin(angle), false)];
    });
    if (isClockwise) points.reverse();
    return [...points, [...(points[0] as Position)]];
  };
  const star = (x: number, y: number, radius: number): Position[][] => {
    const isClockwise = random() < 0.3; // RFC 7946 §3.1.6: parsers should not reject such rings
    return [ring(x, y, radius, isClockwise), ring(x, y, radius * 0.35, !isClockwise)];
  };
  // Corners on vertices of the layer: edges run along edges, and touch without entering.
  const box = (): Position[][] => {
    const [a, b] = [vertex(), vertex()];
    const [w, e] = [Math.min(a[0]!, b[0]!), Math.max(a[0]!, b[0]!)];
    const [s, n] = [Math.min(a[1]!, b[1]!), Math.max(a[1]!, b[1]!)];
    if (e - w < 1e-4 || n - s < 1e-4) return star(w, s, 2e-4);
    const [w2, s2] = [w + (e - w) / 4, s + (n - s) / 4];
    const [e2, n2] = [e - (e - w) / 4, n - (n - s) / 4];
    const rectangle = (x1: number, y1: number, x2: number, y2: number): Position[] =>
      [x1, x2, x2, x1, x1].map((x, i) => [x, i === 0 || i === 1 || i === 4 ? y1 : y2]);
    return [rectangle(w, s, e, n), rectangle(w2, s2, e2, n2).reverse()];
  };
  const centre = () => (random() < 0.2 ? vertex() : near()) as [number, number];
  const polygon = () => (random() < 0.2 ? box() : star(...centre(), size()));
  const several = <T>(low: number, high: number, one: (index: number) => T): T[] =>
    Array.from({ length: integer(low, high) }, (_, index) => one(index));

  const draw = (kind: Kind): GeoJson => {
    switch (kind) {
      case 'Point':
        return { type: kind, coordinates: position() };
      case 'MultiPoint':
        return { type: kind, coordinates: several(1, 8, position) };
      case 'LineString':
        return { type: kind, coordinates: line() };
      case 'MultiLineString':
        return { type: kind, coordinates: several(1, 4, line) };
      case 'Polygon':
        return { type: kind, coordinates: polygon() };
      case 'MultiPolygon': {
        const [[x, y], radius] = [centre(), Math.min(size(), extent / 6)];
        return { type: kind, coordinates: several(1, 4, (i) => star(x + i * radius * 2.5, y, radius)) };
      }
      case 'GeometryCollection':
        return { type: kind, geometries: several(1, 4, () => draw(pick(kinds.slice(0, 6)))) };
      case 'FeatureCollection':
        return {
          type: kind,
          features: several(1, 4, (i) => ({
            type: 'Feature',
            properties: i === 0 ? null : { i },
            geometry: draw(pick(kinds.slice(0, 7))),
          })),
        };
    }
  };
  return draw;
}

/** The same with a height in every position: which must change nothing. */
function withHeights<T>(value: T, random: () => number): T {
  if (Array.isArray(value)) {
    if (typeof value[0] === 'number') return [value[0], value[1], Math.round(random() * 3000) / 10] as T;
    return value.map((one) => withHeights(one, random)) as T;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withHeights(one, random)])) as T;
}

/** The geometry as PostGIS reads it: a FeatureCollection or Feature as the collection of its geometries. */
export function toGeometry(geojson: GeoJson): GeoJson {
  if (geojson.type === 'Feature') return toGeometry(geojson.geometry as GeoJson);
  if (geojson.type !== 'FeatureCollection') return geojson;
  const geometries = (geojson.features as GeoJson[]).map(toGeometry);
  return { type: 'GeometryCollection', geometries };
}
