import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { toLab } from './lab.js';
import { type Recorded, type RecordingProxy, startRecordingProxy } from './recording-proxy.js';
import { type Parameters, type Service, startService } from './service.js';

jest.setTimeout(120_000);

// What a layer costs its server, counted between the service and the server. The capabilities are read once for all layers.

const layers = [
  ['parcelle', { bbox: '1.66,48.12,1.67,48.13' }],
  ['commune', { bbox: '1.66,48.12,1.97,48.23' }],
  ['commune_l93', { bbox: '1.66,48.12,1.97,48.23' }],
  ['commune_merc', { bbox: '1.66,48.12,1.97,48.23' }],
  ['troncon', { bbox: '1.66,48.12,1.97,48.23' }],
  ['troncon_l93', { bbox: '1.66,48.12,1.97,48.23' }],
  ['troncon_merc', { bbox: '1.66,48.12,1.97,48.23' }],
  ['adresse', { bbox: '1.66,48.12,1.97,48.23' }],
  ['adresse_merc', { bbox: '1.66,48.12,1.97,48.23' }],
  ['arbre', { bbox: '1.66,48.12,1.69,48.15' }],
  ['carreau', { bbox: '1.66,48.12,1.97,48.23' }],
  ['departement', { bbox: '0.5,47.5,3.5,49.5' }],
] as const;

const stores = [
  { store: 'MapServer over PostGIS', server: 'mapserver', suffix: '' },
  { store: 'MapServer over PostGIS, other namespace', server: 'cadastre', suffix: '' },
  { store: 'MapServer over GeoPackage', server: 'mapserver', suffix: '_gpkg' },
  { store: 'MapServer over FlatGeobuf', server: 'mapserver', suffix: '_fgb' },
  { store: 'QGIS Server over GeoPackage', server: 'qgis', suffix: '' },
] as const;

describe.each(stores)('$store', ({ server, suffix }) => {
  let proxy: RecordingProxy;
  let service: Service;
  beforeAll(async () => {
    proxy = await startRecordingProxy(toLab()[server]);
    // each request at most once: none is spared by a cache of answers
    service = await startService(proxy.url, { CACHE_TTL_S: '0', WFS_RATE_LIMIT: '1000' });
    await service.search({ source: `valeur${suffix}`, _limit: 2 }); // the upstream itself is known
    await service.search({ source: `valeur${suffix}`, _limit: 2, _start: 2 });
    expect(proxy.take().filter(({ operation }) => operation === 'GetCapabilities')).toHaveLength(1);
  });
  afterAll(async () => {
    await service?.stop();
    await proxy?.close();
  });

  /** The requests that a search costs, in short. */
  const toCost = async (parameters: Parameters): Promise<string[]> => {
    const page = await service.search(parameters);
    expect([page.status, page.detail]).toEqual([200, undefined]);
    return proxy.take().map(toShort);
  };

  test.each(layers)('%s costs three requests more when it is first asked for, and none when known', async (layer, { bbox }) => {
    const source = `${layer}${suffix}`;
    const first = await toCost({ source, bbox, _limit: 2, _count: 'false' });
    console.log(source, JSON.stringify(first));
    const few = { source, bbox, _limit: 2 };
    for (const p of [{ ...few, _count: 'false' }, few, few, { ...few, _start: 2 }, { source, bbox, _limit: 5000 }, { source, bbox, _limit: 5000 }])
      console.log(source, JSON.stringify(p), JSON.stringify(await toCost(p)));
  });
});

function toShort({ operation, isHits, body }: Recorded): string {
  if (operation !== 'GetFeature') return operation;
  const attribute = (name: string) => new RegExp(` ${name}="(\\d+)"`).exec(body)?.[1];
  const filter = body.includes('<ogc:Filter') ? ' filtered' : '';
  const start = attribute('startIndex') === undefined ? '' : ` from ${attribute('startIndex')}`;
  return isHits ? `hits${filter}` : `${attribute('maxFeatures')}${start}${filter}`;
}
