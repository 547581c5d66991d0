import { expect, jest, test } from '@jest/globals';
import { quote, sqlList, toLab } from './lab.js';
import { startRecordingProxy } from './recording-proxy.js';
import { startService, toIds } from './service.js';

jest.setTimeout(120_000);

// QGIS Server 3.22 takes 44 s for a filter of 10,000 positions over 200,000 parcels: it must not be asked with one.

const VERTICES = 10_000;

/** A star around the middle of the parcels, whose edge runs through hundreds of them. */
const star = {
  type: 'Polygon',
  coordinates: [
    Array.from({ length: VERTICES + 1 }, (_, k) => {
      const angle = (2 * Math.PI * (k % VERTICES)) / VERTICES;
      const radius = 0.012 * (1 + 0.4 * Math.sin(40 * angle));
      return [1.678 + radius * Math.cos(angle), 48.127 + 0.7 * radius * Math.sin(angle)].map(
        (x) => Math.round(x * 1e9) / 1e9,
      );
    }),
  ],
};

test.each(['qgis', 'mapserver'] as const)(
  'a filter of 10,000 positions finds over %s what PostGIS finds, within the deadlines',
  async (server) => {
    const column = server === 'qgis' ? 'gid' : 'id';
    const expected = await sqlList(
      `select 'parcelle.' || ${column} from parcelle
        where ST_Intersects(geom, ST_SetSRID(ST_GeomFromGeoJSON(${quote(JSON.stringify(star))}), 4326))`,
    );
    expect(expected.length).toBeGreaterThan(500);
    const proxy = await startRecordingProxy(toLab()[server]);
    const service = await startService(proxy.url);
    const page = await service.search({ source: 'parcelle', geom: star, _limit: 5000 }, 'json');
    expect([page.status, page.detail]).toEqual([200, undefined]);
    expect(toIds([page])).toEqual(expected.sort());
    expect(page.numberMatched).toBe(expected.length);
    const longest = Math.max(...proxy.take().map(({ body }) => body.length));
    await service.stop();
    await proxy.close();
    // the box was asked for, not 10,000 positions
    if (server === 'qgis') expect(longest).toBeLessThan(5000);
  },
);
