/** Longitude, latitude in degrees (WGS84) and, where given, height in metres (RFC 7946 §3.1.1). */
export type Position = [number, number] | [number, number, number];

/** The geometries a filter can hold: GeoJSON's, without GeometryCollection. */
export type Geometry =
  | { readonly type: 'Point'; readonly coordinates: Position }
  | { readonly type: 'MultiPoint'; readonly coordinates: readonly Position[] }
  | { readonly type: 'LineString'; readonly coordinates: readonly Position[] }
  | { readonly type: 'MultiLineString'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'Polygon'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly Position[])[])[] };

/** Any geometry of RFC 7946 §3.1; collections may nest. */
export type GeoJsonGeometry =
  | Geometry
  | { readonly type: 'GeometryCollection'; readonly geometries: readonly GeoJsonGeometry[] };

/** West, south, east, north in degrees. */
export type Bbox = readonly [west: number, south: number, east: number, north: number];
