/** Between a CRS and WGS84; easting or longitude first. */
export interface Projection {
  toLonLat(x: number, y: number): readonly [number, number];
  fromLonLat(lon: number, lat: number): readonly [number, number];
}
export function createProjection(_code: number): Projection | undefined {
  return undefined;
}
export const toUrn = (code: number): string => `urn:ogc:def:crs:EPSG::${code}`;
