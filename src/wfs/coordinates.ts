import {
  type AxisOrder,
  createProjection,
  isGeographic,
  isNorthingFirst,
  type Projection,
  readSrsName,
  toUrn,
  WGS84_URN,
} from '../crs/index.js';
import { ServiceError, toMessage } from '../errors.js';
import { type Bbox, type Geometry, mapPositions, toBbox } from '../geometry/index.js';
import type { CrsReading } from '../gml/index.js';
import type { CoordinateForm } from './filter.js';

/** WGS84 by its EPSG code; its 3D form differs in nothing that is read here. */
export const WGS84 = 4326;
const WGS84_3D = 4979;

/** A way of writing coordinates in filters, and the CRS they are in. */
export interface FilterForm extends CoordinateForm {
  readonly code: number;
}

/** As a box lies whose positions are read in the other order. */
export function toSwapped([west, south, east, north]: Bbox): Bbox {
  return [south, west, north, east];
}

/** @returns the EPSG code an srsName stands for; undefined for none, or one of no known form */
export function toCode(srsName: string | undefined): number | undefined {
  const code = srsName === undefined ? undefined : readSrsName(srsName)?.code;
  return code === WGS84_3D ? WGS84 : code;
}

/** The order the registry gives, which URNs stand for; short names stand for it too where a URN was asked for. */
export function toOfficialOrder(code: number): AxisOrder {
  return isNorthingFirst(code) ? 'latLon' : 'lonLat';
}

/** Every way in which a filter over a layer of this CRS may have to be written, the standard's first. */
export function toFilterForms(code: number): FilterForm[] {
  const wgs84 = toForms(WGS84, WGS84_URN);
  return code === WGS84 ? wgs84 : [...toForms(code, toUrn(code)), ...wgs84];
}

function toForms(code: number, srsName: string): FilterForm[] {
  const official = toOfficialOrder(code);
  const other = official === 'latLon' ? 'lonLat' : 'latLon';
  return [
    { code, srsName, axisOrder: official },
    { code, srsName, axisOrder: other },
  ];
}

/**
 * Between the CRS and WGS84; undefined where they are the same.
 * @throws upstreamUnusable for a CRS nothing is known of
 */
export function toProjection(code: number): Projection | undefined {
  if (code === WGS84) return undefined;
  const projection = createProjection(code);
  if (projection !== undefined) return projection.isIdentity ? undefined : projection;
  throw new ServiceError('upstreamUnusable', toMessage('wfs.otherCrs', { srsName: `EPSG:${code}` }));
}

/** Whether coordinates in the CRS can be brought into WGS84 here. */
export function isTransformable(code: number): boolean {
  return code === WGS84 || createProjection(code) !== undefined;
}

/** A geometry in WGS84 lon/lat as a filter of this form holds it. */
export function toFormGeometry(geometry: Geometry, { code }: FilterForm): Geometry {
  const projection = toProjection(code);
  return projection === undefined
    ? geometry
    : mapPositions(geometry, (lon, lat) => projection.fromLonLat(lon, lat));
}

export function toFormBbox(geometries: readonly Geometry[], form: FilterForm): Bbox {
  return toBbox(geometries.map((geometry) => toFormGeometry(geometry, form)));
}

/**
 * How the coordinates of an answer are read: the order is the learnt one for the CRS that was learnt, whatever its name;
 * but CRS84 is longitude first everywhere.
 */
export function toCrsReading(
  srsName: string | undefined,
  learnt: { readonly code: number; readonly axisOrderOut: AxisOrder },
): CrsReading {
  const named = srsName === undefined ? undefined : readSrsName(srsName);
  const code = toCode(srsName) ?? learnt.code;
  const isLearnt = code === learnt.code && named?.authority !== 'OGC';
  const order = isLearnt ? learnt.axisOrderOut : (named?.axisOrder ?? toOfficialOrder(code));
  const projection = toProjection(code);
  return {
    swap: order === 'latLon',
    isGeographic: isGeographic(code),
    ...(projection !== undefined && { transform: (x: number, y: number) => projection.toLonLat(x, y) }),
  };
}
