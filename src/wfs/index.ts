export { toProxy } from './proxy.js';
export { createWfsSource, type WfsOptions } from './source.js';
