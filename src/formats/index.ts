export { createCollectionWriter } from './collection.js';
export type { Batch, FeatureWriter, Link, Page } from './model.js';
export { createSequenceWriter } from './sequence.js';
