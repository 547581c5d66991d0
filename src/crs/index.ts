export { type AxisOrder, readSrsName, WGS84_URN } from './srs-name.js';
