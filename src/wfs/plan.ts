import { isGeographic, readSrsName } from '../crs/index.js';
import { type Fault, invalidRequest, toMessage } from '../errors.js';
import {
  type Bbox,
  clipToBox,
  countVertices,
  densify,
  type Geometry,
  toBbox,
  toBboxGeometries,
} from '../geometry/index.js';
import type { FeatureType, SchemaAttribute } from '../gml/index.js';
import type { AttributeFilter, SearchQuery } from '../query/index.js';
import type { BoxOperator, SpatialFilter } from './abilities.js';
import { type AttributeTest, toAttributeTest, toEither, toOtherwise } from './attribute-test.js';
import { type FilterForm, toFormBbox, toFormGeometry } from './coordinates.js';
import type { Experience } from './experience.js';
import { type Filter, toAnd, toOr } from './filter.js';
import type { SortProperty } from './get-feature.js';
import { toKnownName } from './names.js';
import { type Asked, type ByBox, type Open, toProbeFilter } from './probe.js';

/** A query read against the schema of its source: every name is the schema's, every literal of its type. */
export interface Plan {
  /** Each a union that must be met: the parts of `geom`, the boxes of `bbox`. */
  readonly unions: readonly (readonly Geometry[])[];
  readonly geometryName: string | undefined;
  readonly tests: readonly AttributeTest[];
  readonly featureIds: readonly string[] | undefined;
  /** In schema order; absent: all. */
  readonly propertyNames: readonly string[] | undefined;
  readonly sortBy: readonly SortProperty[];
}

/**
 * @param crs the CRS the layer is stored in, as the upstream names it: that is where it evaluates the filter
 * @param bbox where the layer says it lies
 * @throws invalidRequest with every fault against the schema
 */
export function toPlan(query: SearchQuery, type: FeatureType, crs?: string, bbox?: Bbox): Plan {
  const faults: Fault[] = [];
  const unions: (readonly Geometry[])[] = [];
  if (query.geometries !== undefined) unions.push(mergeParts(query.geometries));
  if (query.bbox !== undefined) unions.push(toBboxGeometries(query.bbox));
  const geometryName = type.geometries[0]?.name;
  if (unions.length > 0 && geometryName === undefined) {
    const parameter = query.geometries === undefined ? 'bbox' : 'geom';
    faults.push({ parameter, message: toMessage('wfs.noGeometry', { source: query.source }) });
  }
  const tests = toTests(query.attributes, type, faults);
  const propertyNames = toPropertyNames(query, type, faults);
  const sortBy = toSortBy(query, type, faults);
  if (faults.length > 0) throw invalidRequest(faults);
  const isLayerProjected = crs !== undefined && isProjected(crs);
  const most = isLayerProjected ? MAX_VERTICES : FEW_VERTICES;
  const toReachable = (union: readonly Geometry[]) =>
    isLayerProjected && bbox !== undefined ? clipUnion(union, bbox) : union;
  return {
    unions: unions.map((union) => toReachable(union).map((geometry) => toDensified(geometry, most))),
    geometryName,
    tests,
    featureIds: query.featureIds,
    propertyNames,
    sortBy,
  };
}

const EARTH_RADIUS = 6_371_000; // metres
const MAX_VERTICES = 100_000;
// MapServer 8.0 names the first CRS it offers, not the one a layer is stored in: a layer that is said to be geographic is
// asked with the pieces too, in as many as make no filter heavy
const FEW_VERTICES = 1000;
const MAX_DEVIATION = 0.5; // metres; the contract allows 1, and this is not the layer's own projection

/** Degrees around a layer's box, which may be out of date, that its CRS can still show. */
const REACH = 15;

/**
 * What lies far from the layer finds nothing, and a projected CRS may have no place for it: the pole projects to nothing in
 * Lambert-93, and takes the whole geometry with it.
 */
function clipUnion(union: readonly Geometry[], [west, south, east, north]: Bbox): readonly Geometry[] {
  const reach: Bbox = [
    Math.max(-180, west - REACH),
    Math.max(-89, south - REACH),
    Math.min(180, east + REACH),
    Math.min(89, north + REACH),
  ];
  const isWithin = (geometry: Geometry) => {
    const [w, s, e, n] = toBbox(geometry);
    return w >= reach[0] && s >= reach[1] && e <= reach[2] && n <= reach[3];
  };
  const clipped = union.flatMap((one) => (isWithin(one) ? one : (clipToBox(one, reach) ?? [])));
  return clipped.length > 0 ? clipped : union;
}

function isProjected(crs: string): boolean {
  const code = readSrsName(crs)?.code;
  return code !== undefined && !isGeographic(code);
}

/**
 * Edges straight in lon/lat (RFC 7946 §3.1.1) bend in a projected CRS, where an upstream draws them straight: they are
 * asked in pieces. How much they bend is measured in the azimuthal equidistant projection around the geometry, which
 * follows great circles as the conic and transverse projections of national CRSs do; a Mercator bends them less.
 */
function toDensified(geometry: Geometry, most: number): Geometry {
  const [west, south, east, north] = toBbox(geometry);
  if (isStraight(west, south, east, north)) return geometry;
  const radians = Math.PI / 180;
  const lon0 = ((west + east) / 2) * radians;
  const lat0 = ((south + north) / 2) * radians;
  const sinLat0 = Math.sin(lat0);
  const cosLat0 = Math.cos(lat0);
  const toXY = (lon: number, lat: number): [number, number] => {
    const dLon = lon * radians - lon0;
    const sinPhi = Math.sin(lat * radians);
    const cosPhi = Math.cos(lat * radians);
    const cosDLon = Math.cos(dLon);
    const x = cosPhi * Math.sin(dLon);
    const y = cosLat0 * sinPhi - sinLat0 * cosPhi * cosDLon;
    const z = sinLat0 * sinPhi + cosLat0 * cosPhi * cosDLon;
    const length = Math.sqrt(x * x + y * y);
    const scale = length === 0 ? 0 : (EARTH_RADIUS * Math.atan2(length, z)) / length;
    return [x * scale, y * scale];
  };
  for (let deviation = MAX_DEVIATION; ; deviation *= 10) {
    try {
      return densify(geometry, deviation, toXY, countVertices(geometry) + most);
    } catch (error) {
      if (most !== FEW_VERTICES) throw error;
      if (deviation > EARTH_RADIUS) return geometry;
    }
  }
}

/**
 * Whether no edge within the box can bend by half of what is allowed: that of a parallel, of curvature tan(latitude) / radius,
 * between two ends as far apart as its corners; the projection itself bends by next to nothing over such a distance.
 */
function isStraight(west: number, south: number, east: number, north: number): boolean {
  const latitude = Math.max(Math.abs(south), Math.abs(north));
  const degree = (EARTH_RADIUS * Math.PI) / 180;
  const width = (east - west) * degree;
  const height = (north - south) * degree;
  const square = width * width + height * height;
  if (latitude > MOST_STRAIGHT_LATITUDE || square > MOST_STRAIGHT ** 2) return false;
  return (square * Math.tan((latitude * Math.PI) / 180)) / (8 * EARTH_RADIUS) < MAX_DEVIATION / 2;
}

const MOST_STRAIGHT_LATITUDE = 75;
const MOST_STRAIGHT = 5000; // metres

/** Attributes of which it is known in which words the upstream can be asked for them are asked in those alone. */
export function inKnownWords(plan: Plan, experience: Pick<Experience, 'wordsFor'>): Plan {
  if (plan.tests.length === 0) return plan;
  const tests = plan.tests.map((test) => {
    const words = experience.wordsFor(test.name);
    return words === 'other'
      ? toOtherwise(test)
      : words === 'usual'
        ? { ...test, otherwise: undefined }
        : test;
  });
  return { ...plan, tests };
}

/** As much of a plan as an upstream is asked for. */
export interface Asking {
  readonly spatialFilter: SpatialFilter;
  readonly filterForms: readonly FilterForm[];
  readonly attributeFilters: boolean;
  /** Whether Multi* geometries are understood; undefined: not known. */
  readonly multiGeometry: boolean | undefined;
  /** Asked along with a spatial predicate: the features that come for it tell how it is read. */
  readonly openQuestions?: readonly Asked[] | undefined;
  /** What those are to tell. */
  readonly open?: Open | undefined;
  /** Where it is not known that polygons are read, their boxes are asked for along with them: one of both finds it. */
  readonly alsoByBox?: ByBox | undefined;
}

/** The Filter of a plan: the spatial predicates first, as Géoplateforme wants it. */
export function toFilter(plan: Plan, asking: Asking): Filter | undefined {
  const spatial =
    asking.spatialFilter === 'none'
      ? []
      : plan.unions.flatMap((union) => toSpatial(plan, union, asking) ?? []);
  const attributes = asking.attributeFilters ? plan.tests.flatMap(({ filter }) => filter ?? []) : [];
  const filter = toAnd([...spatial, ...attributes]);
  const { openQuestions, spatialFilter, alsoByBox } = asking;
  if (filter === undefined || spatial.length === 0 || openQuestions === undefined) return filter;
  return toOr([filter, toProbeFilter(plan.geometryName ?? '', spatialFilter, openQuestions, alsoByBox)]);
}

/** More boxes than these make a filter heavy; one around all of them is asked for then. */
const MAX_BOXES = 32;

/** What is asked for box by box. */
export function toBoxed(union: readonly Geometry[]): (readonly Geometry[])[] {
  return union.length > MAX_BOXES ? [union] : union.map((geometry) => [geometry]);
}

/** More parts than these, one by one, make a filter heavy. */
const MAX_PARTS = 32;

/** Whether a plan is asked for in parts, since Multi* are not known to be understood, and in too many of them. */
export function hasTooManyParts({ unions }: Plan, multiGeometry: boolean | undefined): boolean {
  return multiGeometry !== true && unions.some((union) => union.flatMap(toParts).length > MAX_PARTS);
}

function toParts(geometry: Geometry): Geometry[] {
  switch (geometry.type) {
    case 'MultiPoint':
      return geometry.coordinates.map((coordinates) => ({ type: 'Point', coordinates }));
    case 'MultiLineString':
      return geometry.coordinates.map((coordinates) => ({ type: 'LineString', coordinates }));
    case 'MultiPolygon':
      return geometry.coordinates.map((coordinates) => ({ type: 'Polygon', coordinates }));
    default:
      return [geometry];
  }
}

function toSpatial(plan: Plan, union: readonly Geometry[], asking: Asking) {
  const { spatialFilter, filterForms, alsoByBox } = asking;
  const propertyName = plan.geometryName ?? '';
  const toBoxes = (all: readonly Geometry[], form: FilterForm, as: BoxOperator): Filter[] =>
    toBoxed(all).map((group) => ({
      operator: 'BBOX',
      propertyName,
      bbox: toFormBbox(group, form),
      form,
      as,
    }));
  if (spatialFilter === 'BBOX') return toOr(filterForms.flatMap((form) => toBoxes(union, form, 'BBOX')));
  const parts = asking.multiGeometry === true ? union : union.flatMap(toParts);
  const toOperands = (form: FilterForm): Filter[] =>
    parts.map((geometry) => ({
      operator: 'Intersects',
      propertyName,
      geometry: toFormGeometry(geometry, form),
      form,
    }));
  const boxes = alsoByBox?.forms.flatMap((form) => toBoxes(parts, form, alsoByBox.operator)) ?? [];
  return toOr([...filterForms.flatMap(toOperands), ...boxes]);
}

/**
 * Points among themselves and lines among themselves become one predicate; polygons could overlap, which a MultiPolygon
 * may not.
 */
function mergeParts(geometries: readonly Geometry[]): Geometry[] {
  if (geometries.length === 1) return [...geometries];
  const points = geometries.flatMap((geometry) =>
    geometry.type === 'Point'
      ? [geometry.coordinates]
      : geometry.type === 'MultiPoint'
        ? geometry.coordinates
        : [],
  );
  const lines = geometries.flatMap((geometry) =>
    geometry.type === 'LineString'
      ? [geometry.coordinates]
      : geometry.type === 'MultiLineString'
        ? geometry.coordinates
        : [],
  );
  const polygons = geometries.filter(({ type }) => type === 'Polygon' || type === 'MultiPolygon');
  return [
    ...(points.length > 0 ? [{ type: 'MultiPoint' as const, coordinates: points }] : []),
    ...(lines.length > 0 ? [{ type: 'MultiLineString' as const, coordinates: lines }] : []),
    ...polygons,
  ];
}

/** One test for each attribute: one that was named in several ways is the same one repeated, any of all its values. */
function toTests(
  filters: readonly AttributeFilter[],
  type: FeatureType,
  faults: Fault[],
): readonly AttributeTest[] {
  const tests = new Map<string, AttributeTest>();
  for (const filter of filters) {
    const attribute = findAttribute(filter.name, filter.parameter, type, faults);
    if (attribute === undefined) continue;
    const { test, faults: messages } = toAttributeTest(filter, attribute);
    for (const message of messages) faults.push({ parameter: filter.parameter, message });
    const known = tests.get(attribute.name);
    tests.set(attribute.name, known === undefined ? test : toEither(known, test));
  }
  return [...tests.values()];
}

function toPropertyNames(
  { propertyNames }: SearchQuery,
  type: FeatureType,
  faults: Fault[],
): string[] | undefined {
  if (propertyNames === undefined) return undefined;
  const wanted = new Set<string>();
  for (const name of propertyNames) {
    if (
      toKnownName(
        name,
        type.geometries.map((geometry) => geometry.name),
      ) !== undefined
    )
      continue; // comes anyway
    const attribute = findAttribute(name, '_propertyNames', type, faults);
    if (attribute !== undefined) wanted.add(attribute.name);
  }
  return type.attributes.map(({ name }) => name).filter((name) => wanted.has(name));
}

function toSortBy({ sortBy }: SearchQuery, type: FeatureType, faults: Fault[]): SortProperty[] {
  if (sortBy === undefined) return [];
  const attribute = findAttribute(sortBy.name, '_sortBy', type, faults);
  return attribute === undefined ? [] : [{ propertyName: attribute.name, descending: sortBy.descending }];
}

/** Checked before anything is sent: an unknown name is an empty 200 on QGIS Server and no help on MapServer. */
function findAttribute(
  name: string,
  parameter: string,
  type: FeatureType,
  faults: Fault[],
): SchemaAttribute | undefined {
  const names = type.attributes.map((attribute) => attribute.name);
  const known = toKnownName(name, names);
  if (known !== undefined) return type.attributes.find((attribute) => attribute.name === known);
  const geometry = toKnownName(
    name,
    type.geometries.map((candidate) => candidate.name),
  );
  const message =
    geometry !== undefined
      ? toMessage('wfs.attributeIsGeometry', { name: geometry })
      : toMessage('wfs.attributeUnknown', { name: name.slice(0, 100), names: names.join(', ') || 'none' });
  faults.push({ parameter, message });
  return undefined;
}
