import type { FeatureType } from '../gml/index.js';

/**
 * Opendatasoft: a feature type has a shape and the point in its middle, in whatever order the schema names them. The
 * shape is the geometry that is meant; the point stays an attribute of its own.
 */
export function withShapeFirst(type: FeatureType): FeatureType {
  const names = type.geometries.map(({ name }) => name);
  if (!names.includes('geo_shape') || !names.includes('geo_point_2d')) return type;
  const rank = (name: string) => (name === 'geo_shape' ? 0 : name === 'geo_point_2d' ? 2 : 1);
  const geometries = [...type.geometries].sort((one, other) => rank(one.name) - rank(other.name));
  return { ...type, geometries };
}
