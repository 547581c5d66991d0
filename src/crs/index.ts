export { createProjection, LON_LAT_DECIMALS, type Projection } from './projection.js';
export { type AxisOrder, isGeographic, isNorthingFirst, readSrsName, toUrn, WGS84_URN } from './srs-name.js';
