export { createProjection, type Projection, toUrn } from './projection.js';
export { type AxisOrder, isGeographic, readSrsName, WGS84_URN } from './srs-name.js';
