import { createCommuneLayer, createParcelLayer } from './cadastre.js';
import { createDepartmentLayer } from './departments.js';
import { createAddressLayer, createBuildingLayer, createPlotLayer, createRoadLayer } from './ground.js';
import type { Layer } from './layer.js';
import { createEasementLayer, createZoneLayer } from './planning.js';

export {
  createLayer,
  type Layer,
  type LayerFeature,
  type Value,
  type XsdType,
} from './layer.js';

let layers: readonly Layer[] | undefined;

/** The sample layers: the same on every run, made once in a process, never changed. */
export function createDemoLayers(): readonly Layer[] {
  layers ??= [
    createDepartmentLayer(),
    createCommuneLayer(),
    createParcelLayer(),
    createPlotLayer(),
    createZoneLayer(),
    createEasementLayer(),
    createAddressLayer(),
    createRoadLayer(),
    createBuildingLayer(),
  ];
  return layers;
}
