export { type AxisOrder, type Crs, readSrsName, toUrn, WGS84_URN } from './srs-name.js';
