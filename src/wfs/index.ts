export { createWfsSource, type WfsOptions } from './source.js';
