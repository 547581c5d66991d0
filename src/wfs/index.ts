export type { KeyPlace, KeyRule } from './keys.js';
export { createWfsSource, type WfsOptions } from './source.js';
