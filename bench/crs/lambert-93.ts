import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { paths } from '../paths.js';

export interface Projection {
  toLonLat(x: number, y: number): readonly [number, number];
  fromLonLat(lon: number, lat: number): readonly [number, number];
}

/** By the service's own means. */
export async function createLambert93(): Promise<Projection> {
  const { createProjection } = (await import(pathToFileURL(join(paths.dist, 'crs/index.js')).href)) as {
    createProjection(code: number): Projection | undefined;
  };
  const projection = createProjection(2154);
  if (projection === undefined) throw new Error('there is no EPSG:2154');
  return projection;
}

/** A document in latitude and longitude as a server writes it in Lambert-93, to the millimetre. */
export function toLambert93(
  gml: string,
  projection: Pick<Projection, 'fromLonLat'>,
): { readonly gml: string; readonly positions: number } {
  let positions = 0;
  const toMetres = (list: string) => {
    const numbers = list.trim().split(/\s+/).map(Number);
    const metres: string[] = [];
    for (let k = 0; k + 1 < numbers.length; k += 2) {
      const [lat = 0, lon = 0] = [numbers[k], numbers[k + 1]];
      positions += 1;
      metres.push(...projection.fromLonLat(lon, lat).map((one) => one.toFixed(3)));
    }
    return metres.join(' ');
  };
  const projected = gml
    .replaceAll('EPSG:4326', 'EPSG:2154')
    .replace(/(<gml:pos(?:List)?[^>]*>)([^<]+)/g, (_, tag: string, list: string) => tag + toMetres(list));
  return { gml: projected, positions };
}
