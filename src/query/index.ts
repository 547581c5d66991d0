export { createFeatures, type FeatureStep } from './features.js';
export type { Format } from './format.js';
export { JsonFault, type JsonValue, maxParameters, readJsonMembers } from './json.js';
export { createMask } from './mask.js';
export type {
  Answer,
  Attribute,
  AttributeFilter,
  Bbox,
  Caller,
  Credentials,
  Explanation,
  FeatureBatch,
  FeatureSource,
  PageEnd,
  SearchQuery,
  SourceDescription,
  SourceList,
  SourceStatus,
  SourceSummary,
  Validity,
  WholePage,
} from './model.js';
export { type RawParameter, toCredentials } from './parameters.js';
export { type CatalogueQuery, checkKeysOnly, toCatalogueQuery } from './to-catalogue-query.js';
export { toSearchQuery } from './to-search-query.js';
