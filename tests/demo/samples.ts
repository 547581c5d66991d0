import { afterAll, beforeAll } from '@jest/globals';
import { createDemoLayers, createDemoServer, type DemoServer, type Layer } from '../../src/demo/index.js';

export const layers = createDemoLayers();

/** A sample layer by its feature type's name. */
export const layerOf = (typeName: string): Layer => layers.find((layer) => layer.typeName === typeName)!;

export const PARCELS = 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle';
export const COMMUNES = 'ADMINEXPRESS-COG.LATEST:commune';
export const DEPARTMENTS = 'ADMINEXPRESS-DEMO:departement';
export const ROADS = 'BDTOPO_V3:troncon_de_route';
export const BUILDINGS = 'BDTOPO_V3:batiment';
export const ADDRESSES = 'BAN.DATA.GOUV:ban';
export const EASEMENTS = 'wfs_sup:assiette_sup';
export const ZONES = 'wfs_du:zone_urba';

/** EPSG:2154 in PROJ's words. */
export const LAMBERT =
  '+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 +units=m';

/** Every position of a geometry's coordinates, in the first two dimensions. */
export const flat = (coordinates: unknown): [number, number][] =>
  Array.isArray(coordinates) && typeof coordinates[0] === 'number'
    ? [[coordinates[0], coordinates[1] as number]]
    : (coordinates as unknown[]).flatMap(flat);

/** The embedded server with the sample layers, while the tests of the calling file run. */
export function serveSamples(): { readonly url: string } {
  let server: DemoServer | undefined;
  beforeAll(async () => {
    server = await createDemoServer();
  });
  afterAll(() => server?.close());
  return {
    get url() {
      return server?.url ?? '';
    },
  };
}
