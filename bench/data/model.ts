/** One attribute of a layer, by its XML Schema type. */
export interface Attribute {
  readonly name: string;
  readonly xsdType: 'int' | 'double' | 'string' | 'boolean' | 'date' | 'dateTime';
}

/** A feature type of the bench, enough to write its schema and its features. */
export interface Layer {
  /** Local name. */
  readonly name: string;
  readonly prefix: string;
  readonly namespace: string;
  readonly geometryName: string;
  readonly geometryType: 'gml:MultiSurfacePropertyType' | 'gml:PointPropertyType';
  readonly attributes: readonly Attribute[];
}

/** Longitude and latitude as decimal text, so that what is written and what is expected are the same digits. */
export type Position = readonly [lon: string, lat: string];

export interface Ring {
  /** In the order they are written in. */
  readonly positions: readonly Position[];
  /** Against the right-hand rule (RFC 7946 §3.1.6): to be reversed. */
  readonly isWrong: boolean;
}

export type Geometry =
  | { readonly type: 'Point'; readonly position: Position }
  | { readonly type: 'MultiPolygon'; readonly polygons: readonly (readonly Ring[])[] };

export interface Feature {
  readonly id: string;
  readonly geometry: Geometry;
  /** In the order of the layer's attributes; unescaped text, or null. */
  readonly values: readonly (string | null)[];
}

/** How a server writes a collection. */
export interface Dialect {
  head(layer: Layer): string;
  feature(layer: Layer, feature: Feature): string;
  readonly tail: string;
}
