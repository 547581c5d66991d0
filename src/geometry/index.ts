export { signedArea } from './area.js';
export { toBbox, toBboxGeometries } from './bbox.js';
export { clipToBox } from './clip.js';
export { densify } from './densify.js';
export { createWithinDistance, isWithinDistance } from './distance.js';
export { createIntersects } from './intersects.js';
export type { Bbox, GeoJsonGeometry, Geometry, Position } from './model.js';
export { countVertices, mapPositions, toPositions } from './positions.js';
export { readGeometries } from './read.js';
