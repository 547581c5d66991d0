import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createIntersects, type Geometry, type Position, toPositions } from '../../src/geometry/index.js';
import type { PageEnd, SearchQuery } from '../../src/query/index.js';
import { createWfsSource, type WfsOptions } from '../../src/wfs/index.js';
import { type Opendatasoft, type OpendatasoftOptions, startOpendatasoft } from '../support/opendatasoft.js';
import { box, filter } from './embedded.js';

// The source over a domain that knows the documented parameters alone: no filter, no startIndex, no sort, no srsName.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});

const SOURCE = 'ods:zone_urba';

async function start(options: OpendatasoftOptions, wfs: Partial<WfsOptions> = {}) {
  const domain = await startOpendatasoft({ count: 60, ...options });
  const source = createWfsSource(
    {
      url: domain.wfsUrl,
      keys: { places: [] },
      responseTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      deadlineMs: 20_000,
      countTimeoutMs: 2000,
      maxResponseBytes: 1e9,
      maxScanFeatures: 100,
      ...wfs,
    },
    pino({ level: 'silent' }),
  );
  open.push(domain, source);
  const search = async (query: Partial<SearchQuery>) => {
    const whole = {
      source: SOURCE,
      attributes: [],
      limit: 1000,
      startIndex: 0,
      count: 'auto',
      ...query,
    } as const;
    const { features } = await source.search(whole, {
      credentials: {},
      signal: new AbortController().signal,
    });
    const ids: string[] = [];
    for (;;) {
      const step = await features.next();
      if (step.done) return { ids, end: step.value as PageEnd };
      const text = Buffer.from(step.value.bytes).toString();
      ids.push(...(JSON.parse(`[${text}]`) as { id: string }[]).map(({ id }) => id));
    }
  };
  return { domain, source, search };
}

function toExpected({ features }: Opendatasoft, geometries: readonly Geometry[]): string[] {
  const intersects = createIntersects(geometries);
  return features.filter(({ geometry }) => intersects(geometry)).map(({ id }) => id);
}

function around({ features }: Opendatasoft): Geometry {
  const [position] = features.flatMap(({ geometry }) => (geometry ? toPositions(geometry) : []));
  const [lon, lat] = position ?? [0, 0];
  return box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01);
}

/** A geometry of each kind, through corners of the first features. */
function toEveryKind(domain: Opendatasoft): Geometry[] {
  const corners = domain.features.flatMap(({ geometry }) =>
    geometry ? toPositions(geometry).slice(0, 1) : [],
  );
  const [a, b, c] = corners as [Position, Position, Position];
  const outer = around(domain);
  const [lon, lat] = a;
  const inner = box(lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002);
  const far = box(c[0] - 0.001, c[1] - 0.001, c[0] + 0.001, c[1] + 0.001);
  const [outside, hole, other] = [outer, inner, far].map(({ coordinates }) => coordinates as Position[][]);
  return [
    outer,
    { type: 'Point', coordinates: a },
    { type: 'MultiPoint', coordinates: corners.slice(0, 10) },
    { type: 'LineString', coordinates: [a, b, c] },
    {
      type: 'MultiLineString',
      coordinates: [
        [a, b],
        [b, c],
      ],
    },
    { type: 'Polygon', coordinates: [...(outside ?? []), ...(hole ?? [])] },
    { type: 'MultiPolygon', coordinates: [hole ?? [], other ?? []] },
  ];
}

describe.each(['refused', 'ignored'] as const)(
  'what Opendatasoft does not document is %s',
  (undocumented) => {
    test.each(['geo_shape', 'geo_point_2d'] as const)(
      'a geometry finds the features whose shape it meets (%s first)',
      async (first) => {
        const { domain, search } = await start({ undocumented, first });
        const geometry = around(domain);
        const expected = toExpected(domain, [geometry]);
        expect(expected.length).toBeGreaterThan(0);
        expect(expected.length).toBeLessThan(60);
        expect((await search({ geometries: [geometry] })).ids.sort()).toEqual(expected.sort());
        for (const kind of toEveryKind(domain)) {
          const { ids, end } = await search({ geometries: [kind] });
          expect([kind.type, ids.sort()]).toEqual([kind.type, toExpected(domain, [kind]).sort()]);
          expect(ids.length).toBeGreaterThan(0);
          expect(end.numberMatched ?? ids.length).toBe(ids.length); // sixty features could be a cap
        }
        const few = await search({ geometries: [geometry], limit: 1 });
        expect(few.ids).toHaveLength(1);
        expect(few.end.next).toEqual(expected.length > 1 ? { startIndex: 1 } : undefined);
      },
    );

    test('attributes are compared here, ids are asked for, pages are cut out of the head', async () => {
      const { domain, search } = await start({ undocumented });
      const at = domain.attributes.findIndex(({ type }) => type === 'string');
      const name = domain.attributes[at]?.name ?? '';
      const value = String(domain.features.find(({ values }) => values[at] !== null)?.values[at]);
      const expected = domain.features.filter(({ values }) => values[at] === value).map(({ id }) => id);
      expect((await search({ attributes: [filter(name, value)] })).ids.sort()).toEqual(expected.sort());
      const some = domain.features.slice(3, 6).map(({ id }) => id);
      expect((await search({ featureIds: [...some, 'zone_urba.none'] })).ids.sort()).toEqual(some.sort());
      const pages = [0, 20, 40].map((startIndex) => search({ startIndex, limit: 20 }));
      const ids = (await Promise.all(pages)).flatMap((page) => page.ids);
      expect(ids.sort()).toEqual(domain.features.map(({ id }) => id).sort());
    });

    test('a layer first used costs three requests more than its features, and more than may be read is a 422', async () => {
      const { domain, search } = await start({ undocumented }, { maxScanFeatures: 10 });
      await expect(search({ geometries: [around(domain)], count: 'never' })).rejects.toMatchObject({
        kind: 'notAnswerable',
      });
      const kinds = domain.asked.map(({ query, body }) => query.request ?? body.slice(0, 20));
      expect(kinds.length).toBeLessThanOrEqual(1 + 3 + 1); // capabilities, schema, a sample and its like, the features
    });
  },
);
