export type { Bbox, Geometry, Position } from './model.js';
