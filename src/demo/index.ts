export { demoExamples } from './examples.js';
export {
  createDemoLayers,
  createLayer,
  type Layer,
  type LayerFeature,
  type Value,
  type XsdType,
} from './layers/index.js';
export {
  type Ability,
  createDemoServer,
  type DemoServer,
  type DemoServerOptions,
  type RecordedRequest,
} from './server.js';
