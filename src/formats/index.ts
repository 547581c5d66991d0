export { createCollectionWriter } from './collection.js';
export { createCsvWriter } from './csv.js';
export { readFeatureBox } from './feature-box.js';
export { readFeatureText } from './feature-text.js';
export { createFlatgeobufWriter } from './flatgeobuf.js';
export type { Batch, FeatureWriter, Link, Page } from './model.js';
export { createSequenceWriter } from './sequence.js';
export type { Column, Layer } from './table.js';
