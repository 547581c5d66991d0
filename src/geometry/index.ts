export { signedArea } from './area.js';
export { toBbox, toBboxGeometries } from './bbox.js';
export { densify, type ToXy } from './densify.js';
export { createWithinDistance, isWithinDistance } from './distance.js';
export type { GeometryFault } from './faults.js';
export { createIntersects } from './intersects.js';
export type { Bbox, GeoJsonGeometry, Geometry, Position } from './model.js';
export { countVertices, toPositions } from './positions.js';
export { type GeometriesRead, type ReadGeometriesOptions, readGeometries } from './read.js';
