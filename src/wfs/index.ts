export type { KeyPlace, KeyRule } from './keys.js';
export { type ProxySettings, toProxy } from './proxy.js';
export { createWfsSource, type WfsOptions } from './source.js';
