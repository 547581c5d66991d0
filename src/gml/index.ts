export type {
  Converted,
  CrsReading,
  FeatureType,
  GmlConverter,
  GmlConverterOptions,
  SchemaAttribute,
} from './model.js';
