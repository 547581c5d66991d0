export { type AxisOrder, isGeographic, readSrsName, WGS84_URN } from './srs-name.js';
