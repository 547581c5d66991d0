import { type AxisOrder, readSrsName, WGS84_URN } from '../crs/index.js';
import { type Bbox, type Position, toBboxGeometries, toPositions } from '../geometry/index.js';
import type { FeatureType } from '../gml/index.js';
import type { Asker, Dialogue } from './dialogue.js';
import type { Filter } from './filter.js';
import { within } from './within.js';

/** What was found out about one feature type by asking for it. */
export interface Learnt {
  /** How coordinates of a filter are read under the URN of WGS84; both orders where that could not be told. */
  readonly axisOrdersIn: readonly AxisOrder[];
  /** How coordinates of answers are written when the URN of WGS84 is asked for. */
  readonly axisOrderOut: AxisOrder;
  /** Feature ids are `prefix` and the value of `attribute`: a unique one to sort by, where there is one. */
  readonly id: { readonly prefix: string; readonly attribute: string } | undefined;
  /** False: too little to go by (an empty layer, one around lon = lat); to be learnt again soon. */
  readonly isCertain: boolean;
  /** Features that came in one answer meanwhile: the upstream caps its answers no lower. */
  readonly sampled: number;
}

/** One feature type, and what its capabilities and schema say. */
export interface Subject {
  /** As the capabilities spell it. */
  readonly typeName: string;
  readonly type: FeatureType;
  /** WGS84BoundingBox: the hint that tells lat/lon from lon/lat. */
  readonly bbox: Bbox | undefined;
}

const SAMPLE_SIZE = 10;
const PATIENCE_MS = 300;
const WORLD: Bbox = [-180, -90, 180, 90];

/**
 * A wrong axis order is no error but an empty answer, so it is learnt, not assumed: the first features tell how answers
 * are written (held against the layer's box), and one filter around two of them how filters are read. At most two
 * requests; both orders can differ (QGIS Server 3.22: lon/lat in, lat/lon out).
 */
export async function learn(
  subject: Subject,
  forced: AxisOrder | undefined,
  dialogue: Dialogue,
  asker: Asker,
): Promise<Learnt> {
  const hasGeometry = subject.type.geometries.length > 0;
  const isUsable = (features: readonly SampleFeature[]) =>
    forced !== undefined || !hasGeometry || toAxisOrderOut(features, subject.bbox) !== undefined;
  const isPlenty = (features: readonly SampleFeature[]) =>
    features.length > 1 &&
    isUsable(features) &&
    (forced !== undefined || !hasGeometry || toProbes(features) !== undefined);
  const sample = await readSample(subject, dialogue, asker, isUsable, isPlenty);
  const id = toIdRule(sample, subject.type);
  if (forced !== undefined || !hasGeometry) {
    const order = forced ?? 'latLon';
    return { axisOrdersIn: [order], axisOrderOut: order, id, isCertain: true, sampled: sample.length };
  }
  const told = toAxisOrderOut(sample, subject.bbox);
  const axisOrderOut = told ?? toOfficialOrder(sample);
  const { axisOrdersIn, isProven } = await probe(subject, sample, axisOrderOut, dialogue, asker);
  return {
    axisOrdersIn,
    axisOrderOut,
    id,
    isCertain: told !== undefined && isProven,
    sampled: sample.length,
  };
}

interface SampleFeature {
  readonly id: string | undefined;
  /** As written, in whatever order. */
  readonly positions: readonly Position[];
  readonly srsName: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * The first features of the layer as they are written: until there are plenty, or, once they are usable, until the next
 * ones are slow to come.
 */
async function readSample(
  subject: Subject,
  dialogue: Dialogue,
  asker: Asker,
  isUsable: (features: readonly SampleFeature[]) => boolean,
  isPlenty: (features: readonly SampleFeature[]) => boolean,
  filter?: Filter,
): Promise<SampleFeature[]> {
  const features: SampleFeature[] = [];
  let lastSrsName: string | undefined;
  const leaving = new AbortController();
  const stream = dialogue.getFeature(
    {
      typeName: subject.typeName,
      namespace: subject.type.namespace,
      srsName: WGS84_URN,
      maxFeatures: SAMPLE_SIZE,
      filter,
    },
    {
      featureType: subject.type,
      crs: (srsName) => {
        lastSrsName = srsName ?? lastSrsName;
        return { swap: false };
      },
    },
    { ...asker, signal: AbortSignal.any([asker.signal, leaving.signal]) },
  );
  while (!isPlenty(features)) {
    const next = stream.next();
    const step = await (features.length > 0 && isUsable(features) ? within(next, PATIENCE_MS) : next);
    if (step === undefined || step.done) break;
    for (const { id, geometry, properties } of toRawFeatures(step.value.bytes)) {
      const positions = geometry === null ? [] : toPositions(geometry);
      features.push({ id, positions, srsName: lastSrsName, properties });
    }
  }
  leaving.abort();
  stream.return().catch(() => {}); // a step still under way ends with the request
  return features;
}

function toRawFeatures(bytes: Uint8Array): RawFeature[] {
  return JSON.parse(
    `[${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()}]`,
  ) as RawFeature[];
}

interface RawFeature {
  readonly id?: string;
  readonly geometry: Parameters<typeof toPositions>[0] | null;
  readonly properties: Record<string, unknown>;
}

/** The order under which the features lie in the layer's box; undefined where both do, or neither clearly. */
export function toAxisOrderOut(
  features: readonly { readonly positions: readonly Position[] }[],
  bbox: Bbox = WORLD,
): AxisOrder | undefined {
  const positions = features.flatMap((feature) => feature.positions);
  let asLonLat = 0;
  let asLatLon = 0;
  for (const [a, b] of positions) {
    asLonLat += toDistance(a, b, bbox);
    asLatLon += toDistance(b, a, bbox);
  }
  const nearer = Math.min(asLonLat, asLatLon);
  const farther = Math.max(asLonLat, asLatLon);
  // a layer's box is often a little too small, or out of date; the wrong order is far away
  if (farther < 0.01 * positions.length || nearer * 4 > farther) return undefined;
  return asLonLat < asLatLon ? 'lonLat' : 'latLon';
}

/** Degrees from a position to the box; beyond any where no such position exists. */
function toDistance(lon: number, lat: number, [west, south, east, north]: Bbox): number {
  if (Math.abs(lat) > 90.001 || Math.abs(lon) > 180.001) return 360;
  return Math.max(0, west - lon, lon - east) + Math.max(0, south - lat, lat - north);
}

/** What the srsName of the answer stands for; the short names mean lat/lon where the URN was asked for. */
function toOfficialOrder(features: readonly SampleFeature[]): AxisOrder {
  const srsName = features.find((feature) => feature.srsName !== undefined)?.srsName;
  return (srsName === undefined ? undefined : readSrsName(srsName)?.axisOrder) ?? 'latLon';
}

/**
 * Two positions of two features, each far from the other's feature in either order: the filter asks for the first in
 * lat/lon, for the second in lon/lat, and the feature that comes back tells which was understood.
 */
function toProbes(features: readonly SampleFeature[]): readonly [Position, Position] | undefined {
  for (const first of features) {
    for (const second of features) {
      const [p] = first.positions;
      const [q] = second.positions;
      if (first === second || p === undefined || q === undefined) continue;
      if (isApart(p, second.positions) && isApart(q, first.positions)) return [p, q];
    }
  }
  return undefined;
}

const PROBE_RADIUS = 0.0001; // degrees: 11 m, above the precision servers write

function isApart([a, b]: Position, positions: readonly Position[]): boolean {
  const xs = positions.map(([x]) => x);
  const ys = positions.map(([, y]) => y);
  const isIn = (x: number, y: number) =>
    x > Math.min(...xs) - 4 * PROBE_RADIUS &&
    x < Math.max(...xs) + 4 * PROBE_RADIUS &&
    y > Math.min(...ys) - 4 * PROBE_RADIUS &&
    y < Math.max(...ys) + 4 * PROBE_RADIUS;
  return !isIn(a, b) && !isIn(b, a);
}

interface Verdict {
  readonly axisOrdersIn: readonly AxisOrder[];
  readonly isProven: boolean;
}

const BOTH: Verdict = { axisOrdersIn: ['latLon', 'lonLat'], isProven: false };

async function probe(
  subject: Subject,
  sample: readonly SampleFeature[],
  axisOrderOut: AxisOrder,
  dialogue: Dialogue,
  asker: Asker,
): Promise<Verdict> {
  const single = sample.find(({ positions }) => positions.length > 0)?.positions[0];
  const [p, q] = toProbes(sample) ?? [single, undefined];
  const isTelling = p !== undefined && (q !== undefined || Math.abs(p[0] - p[1]) > 4 * PROBE_RADIUS);
  if (!isTelling) return BOTH;
  const inLatLon = toProbeBox(toLonLat(p, axisOrderOut));
  const inLonLat = q && toProbeBox(toLonLat(q, axisOrderOut));
  const isAnswered = (features: readonly SampleFeature[]) => features.length > 0;
  const isPlenty = (features: readonly SampleFeature[]) => features.length > 1;
  const filter = toProbeFilter(subject.type.geometries[0]?.name ?? '', inLatLon, inLonLat);
  const found = await readSample(subject, dialogue, asker, isAnswered, isPlenty, filter);
  const isFound = (box: Bbox | undefined) =>
    box !== undefined && found.some(({ positions }) => touches(positions, axisOrderOut, box));
  // both come back: this upstream passes over filters, or all but; it is taken at its word
  if (isFound(inLatLon)) return { axisOrdersIn: ['latLon'], isProven: !isFound(inLonLat) };
  if (isFound(inLonLat)) return { axisOrdersIn: ['lonLat'], isProven: true };
  // one feature to go by: what is not read as lat/lon is read as lon/lat
  return q === undefined ? { axisOrdersIn: ['lonLat'], isProven: true } : BOTH;
}

function toProbeFilter(propertyName: string, inLatLon: Bbox, inLonLat: Bbox | undefined): Filter {
  const intersects = (bbox: Bbox | undefined, axisOrder: AxisOrder): Filter[] =>
    bbox === undefined
      ? []
      : toBboxGeometries(bbox).map((geometry) => ({
          operator: 'Intersects',
          propertyName,
          geometry,
          axisOrder,
        }));
  const operands = [...intersects(inLatLon, 'latLon'), ...intersects(inLonLat, 'lonLat')];
  return operands.length === 1 ? (operands[0] as Filter) : { operator: 'Or', operands };
}

function toLonLat([a, b]: Position, axisOrder: AxisOrder): readonly [number, number] {
  return axisOrder === 'lonLat' ? [a, b] : [b, a];
}

function toProbeBox([lon, lat]: readonly [number, number]): Bbox {
  return [
    Math.max(-180, lon - PROBE_RADIUS),
    Math.max(-90, lat - PROBE_RADIUS),
    Math.min(180, lon + PROBE_RADIUS),
    Math.min(90, lat + PROBE_RADIUS),
  ];
}

/** Whether the box of the positions meets the box. */
function touches(
  positions: readonly Position[],
  axisOrder: AxisOrder,
  [west, south, east, north]: Bbox,
): boolean {
  let [w, s, e, n] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const position of positions) {
    const [lon, lat] = toLonLat(position, axisOrder);
    w = Math.min(w, lon);
    e = Math.max(e, lon);
    s = Math.min(s, lat);
    n = Math.max(n, lat);
  }
  return w <= east && e >= west && s <= north && n >= south;
}

/** The attribute whose value ends every id: `parcelle.28085000AA0001` is `parcelle.` and a parcel's own number. */
function toIdRule(features: readonly SampleFeature[], type: FeatureType): Learnt['id'] {
  const withId = features.filter((feature) => feature.id !== undefined);
  const [first] = withId;
  if (first?.id === undefined) return undefined;
  const prefix = first.id.slice(0, first.id.indexOf('.') + 1);
  const isMadeOf = (attribute: string) =>
    withId.every(({ id, properties }) => {
      const value = properties[attribute];
      return (typeof value === 'string' || typeof value === 'number') && id === `${prefix}${value}`;
    });
  const attribute = type.attributes.map(({ name }) => name).find(isMadeOf);
  return attribute === undefined ? undefined : { prefix, attribute };
}
