import Flatbush from 'flatbush';
import { type Bbox, type Geometry, toBbox } from '../../geometry/index.js';
import { createProjection, toDensified } from '../srs.js';

/** XML Schema types of attributes, as GeoServer derives them from its stores. */
export type XsdType = 'string' | 'int' | 'long' | 'decimal' | 'double' | 'boolean' | 'date' | 'dateTime';

/** `long` is a bigint; `date` is `yyyy-mm-ddZ` and `dateTime` `yyyy-mm-ddThh:mm:ssZ`; null is no value. */
export type Value = string | number | bigint | boolean | null;

export interface LayerAttribute {
  readonly name: string;
  readonly type: XsdType;
}

export interface LayerFeature {
  /** Its gml:id. */
  readonly id: string;
  /** Easting, northing (longitude, latitude) in the layer's CRS. */
  readonly geometry: Geometry | null;
  /** One for each attribute of the layer, in its order. */
  readonly values: readonly Value[];
}

/** What a layer is, before its features are indexed. */
export interface LayerDefinition {
  readonly prefix: string;
  /** Local part of the feature type's name. */
  readonly name: string;
  readonly title: string;
  readonly abstract: string;
  readonly keywords: readonly string[];
  readonly geometryName: string;
  readonly geometryType: Geometry['type'] | 'Geometry';
  /** EPSG code its coordinates are stored in. */
  readonly code: number;
  readonly attributes: readonly LayerAttribute[];
  /** Where the layer claims to be, in degrees; absent: where it is. */
  readonly wgs84Bbox?: Bbox;
}

export interface Layer extends LayerDefinition {
  readonly namespace: string;
  /** `prefix:name`. */
  readonly typeName: string;
  readonly features: readonly LayerFeature[];
  /** Of everything, in degrees; an empty layer claims the world. */
  readonly wgs84Bbox: Bbox;
  /** Positions in `features` whose bbox, in the layer's CRS, meets this one; ascending. */
  readonly search: (bbox: Bbox) => readonly number[];
}

export function createLayer(definition: LayerDefinition, features: readonly LayerFeature[]): Layer {
  const located = features.flatMap(({ geometry }, position) =>
    geometry === null ? [] : [{ geometry, position }],
  );
  const index = located.length === 0 ? undefined : new Flatbush(located.length);
  for (const { geometry } of located) index?.add(...toBbox(geometry));
  index?.finish();
  return {
    ...definition,
    namespace: `http://${definition.prefix}`,
    typeName: `${definition.prefix}:${definition.name}`,
    features,
    wgs84Bbox: definition.wgs84Bbox ?? toWgs84Bbox(index, definition.code),
    search: (bbox) =>
      (index?.search(...bbox) ?? []).flatMap((found) => located[found]?.position ?? []).sort((a, b) => a - b),
  };
}

function toWgs84Bbox(index: Flatbush | undefined, code: number): Bbox {
  if (index === undefined) return [-180, -90, 180, 90];
  const project = createProjection(code, 4326);
  const { minX, minY, maxX, maxY } = index;
  if (project === undefined) return [minX, minY, maxX, maxY];
  return toDensified([minX, minY, maxX, maxY], project);
}
