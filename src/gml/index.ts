export { createGmlConverter, GML_LIMITS } from './converter.js';
export { GmlError, type GmlException, GmlExceptionReport } from './errors.js';
export type {
  Converted,
  CrsReading,
  FeatureType,
  GmlConverter,
  GmlConverterOptions,
  GmlEngine,
  GmlLimits,
  SchemaAttribute,
} from './model.js';
export { readExceptionReport } from './read-exception-report.js';
export { readFeatureTypes } from './schema.js';
