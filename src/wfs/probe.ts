import type { AxisOrder } from '../crs/index.js';
import { type Bbox, type Position, toBbox, toBboxGeometries } from '../geometry/index.js';
import type { SpatialFilter } from './abilities.js';
import { type FilterForm, toFormBbox, toFormGeometry, toProjection } from './coordinates.js';
import { isException } from './exception.js';
import { type Filter, toOr } from './filter.js';
import { readSample, type SampleContext, type SampleFeature } from './sample.js';

/** How coordinates of answers are read: their CRS (EPSG code) and order. */
export interface Reading {
  readonly code: number;
  readonly axisOrder: AxisOrder;
}

export interface Verdict {
  /** The form that was understood; where that could not be told, all that may be. */
  readonly filterForms: readonly FilterForm[];
  /** What may be asked of this layer; `none` where filters are passed over. */
  readonly spatialFilter: SpatialFilter;
  readonly attributeFilters: boolean;
  /** False: too little to go by. */
  readonly isProven: boolean;
}

type LonLat = readonly [lon: number, lat: number];

/** A feature's place on Earth, and a position of it. */
interface Place {
  readonly at: LonLat;
  readonly box: Bbox;
}

const PROBE_RADIUS = 0.0001; // degrees: 11 m, above the precision servers write

/**
 * One filter that asks for several features, each in another form of coordinates: the feature that comes back tells
 * which form was understood. A feature that was not asked for in any form tells that filters are passed over.
 */
export async function probe(
  context: SampleContext,
  sample: readonly SampleFeature[],
  reading: Reading,
  forms: readonly FilterForm[],
): Promise<Verdict> {
  const { spatialFilter, attributeFilters } = context.abilities;
  const unknown: Verdict = { filterForms: forms, spatialFilter, attributeFilters, isProven: false };
  const proven = (form: FilterForm): Verdict => ({ ...unknown, filterForms: [form], isProven: true });
  if (spatialFilter === 'none') return { ...unknown, isProven: true };
  const places = toProbes(toPlaces(sample, reading), forms.length);
  const [first] = places;
  if (first === undefined || (places.length === 1 && isSymmetric(first))) return unknown;
  const asked = places.map(({ at }, k) => ({ form: forms[k] as FilterForm, box: toProbeBox(at) }));
  const filter = toProbeFilter(context.type.geometries[0]?.name ?? '', spatialFilter, asked);
  const found = await readFound(context, filter);
  // not what its capabilities say: the weaker operator is asked in every form, and the answer compared here
  if (found === undefined)
    return { ...unknown, spatialFilter: context.abilities.weakerThan(spatialFilter), isProven: true };
  const foundPlaces = toPlaces(found, reading);
  // a neighbour of two of the features, met by both boxes, tells nothing
  const met = foundPlaces.map((place) => asked.filter(({ box }) => isMet(place.box, box)));
  const understood = asked.filter((one) => met.some((by) => by.length === 1 && by[0] === one));
  const isAskedFor = ({ box }: Place) =>
    asked.some((one) => isMet(box, one.box) || isMet(box, toSwapped(one.box)));
  if (understood.length > 1 || !foundPlaces.every(isAskedFor)) {
    return { ...unknown, spatialFilter: 'none', attributeFilters: false, isProven: true };
  }
  const [only] = understood;
  if (only !== undefined) return proven(only.form);
  // one feature to go by: what is not read in the one order is read in the other
  const isElimination = places.length === 1 && forms.length === 2 && found.length === 0;
  return isElimination ? proven(forms[1] as FilterForm) : unknown;
}

/** Whether two of the features can be told apart by a filter, in whatever order it is read. */
export function arePlentyToProbe(features: readonly SampleFeature[]): boolean {
  return toProbes(features.flatMap(toPlaceAsWritten), 2).length === 2;
}

/** @returns undefined where the upstream refuses the filter */
async function readFound(context: SampleContext, filter: Filter): Promise<SampleFeature[] | undefined> {
  try {
    return await readSample(context, {
      filter,
      isUsable: (features) => features.length > 0,
      isPlenty: (features) => features.length > 2,
    });
  } catch (error) {
    if (isException(error)) return undefined;
    throw error;
  }
}

/** Features each far from the others, in either order of the axes. */
function toProbes(places: readonly Place[], count: number): Place[] {
  for (const [k, first] of places.entries()) {
    const chosen = [first];
    for (const place of places.slice(k + 1)) {
      const isFar = chosen.every((other) => isApart(place.at, other.box) && isApart(other.at, place.box));
      if (isFar && chosen.push(place) === count) return chosen;
    }
    if (chosen.length > 1) return chosen;
  }
  return places.slice(0, 1);
}

function isApart([a, b]: LonLat, [west, south, east, north]: Bbox): boolean {
  const margin = 4 * PROBE_RADIUS;
  const isIn = (x: number, y: number) =>
    x > west - margin && x < east + margin && y > south - margin && y < north + margin;
  return !isIn(a, b) && !isIn(b, a);
}

/** A place that is the same in either order tells nothing. */
function isSymmetric({ at: [lon, lat] }: Place): boolean {
  return Math.abs(lon - lat) <= 4 * PROBE_RADIUS;
}

function toPlaces(features: readonly SampleFeature[], { code, axisOrder }: Reading): Place[] {
  const projection = toProjection(code);
  const toLonLat = ([a, b]: Position): [number, number] => {
    const [x, y] = axisOrder === 'lonLat' ? [a, b] : [b, a];
    return projection === undefined ? [x, y] : [...projection.toLonLat(x, y)];
  };
  return features.flatMap((feature) => toPlace(feature.positions.map(toLonLat)));
}

function toPlaceAsWritten({ positions }: SampleFeature): Place[] {
  return toPlace(positions);
}

function toPlace(positions: readonly Position[]): Place[] {
  const [first] = positions;
  if (first === undefined) return [];
  return [{ at: [first[0], first[1]], box: toBbox({ type: 'MultiPoint', coordinates: positions }) }];
}

function toProbeFilter(
  propertyName: string,
  operator: SpatialFilter,
  asked: readonly { readonly form: FilterForm; readonly box: Bbox }[],
): Filter {
  const operands = asked.flatMap(({ form, box }): Filter[] => {
    const geometries = toBboxGeometries(box);
    return operator === 'BBOX'
      ? [{ operator, propertyName, bbox: toFormBbox(geometries, form), form }]
      : geometries.map((geometry) => ({
          operator: 'Intersects',
          propertyName,
          geometry: toFormGeometry(geometry, form),
          form,
        }));
  });
  return toOr(operands) as Filter;
}

function toProbeBox([lon, lat]: LonLat): Bbox {
  return [
    Math.max(-180, lon - PROBE_RADIUS),
    Math.max(-90, lat - PROBE_RADIUS),
    Math.min(180, lon + PROBE_RADIUS),
    Math.min(90, lat + PROBE_RADIUS),
  ];
}

function toSwapped([west, south, east, north]: Bbox): Bbox {
  return [south, west, north, east];
}

function isMet(one: Bbox, other: Bbox): boolean {
  return one[0] <= other[2] && one[2] >= other[0] && one[1] <= other[3] && one[3] >= other[1];
}
