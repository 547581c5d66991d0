import { invalidRequest } from '../errors.js';
import { type Bbox, type Geometry, readGeometries } from '../geometry/index.js';
import { type Format, formats } from './format.js';
import { JsonFault, type JsonValue, readJson } from './json.js';
import type { AttributeFilter, SearchQuery } from './model.js';
import { Parameters, type RawParameter, toPresent } from './parameters.js';

export interface QueryLimits {
  readonly limitMax: number;
  readonly geomMaxVertices: number;
}

/** Every name of ours, in the order faults are told; all others are attributes. */
const ourNames = [
  'source',
  'geom',
  'bbox',
  '_featureId',
  'apikey',
  'access_token',
  '_limit',
  '_start',
  '_propertyNames',
  '_sortBy',
  '_count',
  '_overlap',
  '_format',
  '_explain',
] as const;

type Ours = Parameters<(typeof ourNames)[number]>;

function readSource(parameters: Ours): string {
  if (!parameters.has('source')) parameters.fault('source', 'query.missing');
  return parameters.text('source') ?? '';
}

function readGeojson(parameters: Ours): JsonValue | undefined {
  const value = parameters.value('geom');
  if (typeof value !== 'string') return value;
  try {
    return readJson(value);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    parameters.faults.push({ parameter: 'geom', message: error.text });
    return undefined;
  }
}

function readGeom(parameters: Ours, maxVertices: number): readonly Geometry[] | undefined {
  const geojson = readGeojson(parameters);
  if (geojson === undefined) return undefined;
  const read = readGeometries(geojson, { maxVertices });
  if (read.geometries !== undefined) return read.geometries;
  for (const { pointer, message } of read.faults) {
    parameters.faults.push({ parameter: 'geom', pointer, message });
  }
  return undefined;
}

/** Longer than anyone writes an angle; a pattern's stack overflows on megabytes. */
const maxDecimalLength = 1000;
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** RFC 7946 §5: west, south, east, north. */
function readBbox(parameters: Ours): Bbox | undefined {
  const value = parameters.value('bbox');
  if (value === undefined) return undefined;
  const items = typeof value === 'string' ? value.split(',', 5) : value;
  if (!Array.isArray(items) || items.length !== 4) return parameters.fault('bbox', 'query.notBbox');
  const numbers = items.map((item: JsonValue) => {
    const text = typeof item === 'string' ? item.trim() : String(item);
    return text.length <= maxDecimalLength && decimal.test(text) ? Number(text) : Number.NaN;
  });
  return isBbox(parameters, numbers) ? numbers : undefined;
}

function isBbox(parameters: Ours, numbers: number[]): numbers is [number, number, number, number] {
  const before = parameters.faults.length;
  for (const [i, side] of (['west', 'south', 'east', 'north'] as const).entries()) {
    const bound = i % 2 === 0 ? 180 : 90;
    const number = numbers[i] ?? Number.NaN;
    if (!(Math.abs(number) <= bound)) {
      parameters.fault('bbox', 'query.bboxRange', { side, min: -bound, max: bound }, `/${i}`);
    }
  }
  if ((numbers[1] ?? 0) > (numbers[3] ?? 0)) parameters.fault('bbox', 'query.bboxOrder');
  return parameters.faults.length === before;
}

function readSortBy(parameters: Ours): SearchQuery['sortBy'] {
  const text = parameters.text('_sortBy');
  if (text === undefined) return undefined;
  const descending = text.startsWith('-');
  const name = descending ? text.slice(1) : text;
  return name === '' ? parameters.fault('_sortBy', 'query.empty') : { name, descending };
}

const counts: Readonly<Record<string, SearchQuery['count']>> = {
  auto: 'auto',
  true: 'always',
  false: 'never',
};

function readCount(parameters: Ours): SearchQuery['count'] {
  const value = parameters.value('_count');
  if (value === undefined) return 'auto';
  const count = Object.hasOwn(counts, String(value)) ? counts[String(value)] : undefined;
  return count ?? parameters.fault('_count', 'query.notOneOf', { names: 'auto, true, false' }) ?? 'auto';
}

function readFlag(parameters: Ours, name: '_explain' | '_overlap'): true | undefined {
  const value = parameters.value(name);
  if (value === undefined || String(value) === 'false') return undefined;
  return String(value) === 'true' || parameters.fault(name, 'query.notOneOf', { names: 'true, false' });
}

function readFormat(parameters: Ours): Format | undefined {
  const value = parameters.text('_format');
  if (value === undefined) return undefined;
  const format = formats.find((name) => name === value);
  return format ?? parameters.fault('_format', 'query.notOneOf', { names: formats.join(', ') });
}

/** With what a feature overlaps has to be said. */
function readOverlap(parameters: Ours): true | undefined {
  const overlap = readFlag(parameters, '_overlap');
  if (overlap && !parameters.has('geom') && !parameters.has('bbox'))
    return parameters.fault('_overlap', 'query.overlapAlone');
  return overlap;
}

/** Ids name features outright: nothing may narrow or order them further. */
function checkFeatureIdAlone(parameters: Ours, attributes: readonly AttributeFilter[]): void {
  if (!parameters.has('_featureId')) return;
  for (const name of ['geom', 'bbox', '_start', '_sortBy'] as const) {
    if (parameters.has(name)) parameters.fault(name, 'query.notWithFeatureId');
  }
  for (const { parameter } of attributes) parameters.fault(parameter, 'query.notWithFeatureId');
}

/**
 * Reads parameters into one typed query.
 * @throws invalidRequest with every fault of form at once
 */
export function toSearchQuery(given: readonly RawParameter[], limits: QueryLimits): SearchQuery {
  const parameters = new Parameters(given, ourNames);
  const source = readSource(parameters);
  const geometries = readGeom(parameters, limits.geomMaxVertices);
  const bbox = readBbox(parameters);
  const featureIds = parameters.ids('_featureId');
  parameters.text('apikey');
  parameters.text('access_token');
  const { limit, startIndex } = parameters.page(limits.limitMax);
  const propertyNames = parameters.names('_propertyNames');
  const sortBy = readSortBy(parameters);
  const count = readCount(parameters);
  const overlap = readOverlap(parameters);
  const format = readFormat(parameters);
  const explain = readFlag(parameters, '_explain');
  const attributes = parameters.attributes();
  checkFeatureIdAlone(parameters, attributes);
  if (parameters.faults.length > 0) throw invalidRequest(parameters.orderedFaults());
  const optional = toPresent({
    geometries,
    bbox,
    featureIds,
    propertyNames,
    sortBy,
    overlap,
    format,
    explain,
  });
  return { source, ...optional, attributes, limit, startIndex, count };
}
