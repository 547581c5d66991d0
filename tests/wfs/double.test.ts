import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { SearchQuery } from '../../src/query/index.js';
import { createWfsSource } from '../../src/wfs/index.js';
import { type Asked, COLLECTION_START, startUpstream, toCollection, toMember } from '../support/upstream.js';

// The source over a double that a test can make do anything; its layer `t:point` has attributes n and s.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});

async function start(
  answer: (asked: Asked, response: ServerResponse) => unknown,
  options: Parameters<typeof startUpstream>[1] = {},
) {
  const asked: Asked[] = [];
  const upstream = await startUpstream((one, response) => {
    asked.push(one);
    return answer(one, response);
  }, options);
  const source = createWfsSource(
    {
      url: upstream.url,
      keys: { places: [] },
      responseTimeoutMs: 10_000,
      idleTimeoutMs: 10_000,
      deadlineMs: 20_000,
      countTimeoutMs: 500,
      maxResponseBytes: 1e9,
      maxScanFeatures: 1000,
    },
    pino({ level: 'silent' }),
  );
  open.push(upstream, source);
  const ask = (query: Partial<SearchQuery>) =>
    source.search(
      { source: 't:point', attributes: [], limit: 1000, startIndex: 0, count: 'never', ...query },
      { credentials: {}, signal: new AbortController().signal },
    );
  const search = async (query: Partial<SearchQuery>) => {
    const { features } = await ask(query);
    const ids: string[] = [];
    for (;;) {
      const step = await features.next();
      if (step.done) return { ids, end: step.value };
      const text = Buffer.from(step.value.bytes).toString();
      ids.push(...(JSON.parse(`[${text}]`) as { id: string }[]).map(({ id }) => id));
    }
  };
  const tell = () => source.describe('t:point', { credentials: {}, signal: new AbortController().signal });
  return { asked, ask, search, describe: tell };
}

const members = (from: number, count: number) => Array.from({ length: count }, (_, k) => toMember(from + k));
const report = (text: string) =>
  `<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="X"><ows:ExceptionText>${text}</ows:ExceptionText></ows:Exception></ows:ExceptionReport>`;
const equals = (name: string, ...values: (string | number | null)[]) => [{ name, parameter: name, values }];

describe('the request to the upstream ends', () => {
  test.each([
    ['exact', { limit: 5000 }],
    ['scanned', { attributes: equals('s', '[n]'), limit: 5 }],
  ])('when the reader of a page (%s) has had enough of it', async (_, query) => {
    const closed: Promise<unknown>[] = [];
    const { ask } = await start(({ isHits }, response) => {
      if (isHits)
        return response.end(toCollection().replace('Collection ', 'Collection numberOfFeatures="9" '));
      closed.push(once(response, 'close'));
      return response.write(
        COLLECTION_START +
          members(0, 900)
            .map((one) => one.replace('<t:s></t:s>', '<t:s>[n]</t:s>'))
            .join(''),
      );
    });
    for (let k = 0; k < 5; k++) {
      const { features } = await ask(query);
      await features.return(undefined as never);
    }
    expect(closed.length).toBeGreaterThanOrEqual(5);
    await Promise.all(closed);
  });
});

describe('an exception to a filter', () => {
  test('that is the filter’s own fault: the attributes are compared here', async () => {
    const { search, asked } = await start(({ body }, response) =>
      response.end(body.includes('PropertyIs') ? report('bad filter') : toCollection(...members(0, 31))),
    );
    expect((await search({ attributes: equals('n', '7') })).ids).toEqual(['point.7']);
    expect(asked.some(({ maxFeatures }) => maxFeatures === 1001)).toBe(true);
  });

  test.each([
    'Unable to obtain connection: Cannot create PoolableConnectionFactory',
    'Read timed out',
    'Too many connections',
  ])('that passes is no reason to read the whole layer: %s', async (text) => {
    const { search, asked } = await start((_, response) => response.end(report(text)));
    await expect(search({ attributes: equals('n', '7') })).rejects.toMatchObject({
      kind: 'upstreamUnusable',
    });
    expect(asked.map(({ body }) => body)).toEqual(new Array(3).fill(asked[0]?.body)); // tried again, as it was
  });
});

describe('matches that are found here are held back until it is certain that all may be read', () => {
  const hits = (count: number) =>
    toCollection().replace('FeatureCollection ', `FeatureCollection numberOfFeatures="${count}" `);
  // beyond 2^53: no server is asked for it exactly
  const value = '9007199254740993';
  const toMatch = (k: number, text = '') =>
    toMember(k, text).replace(/<t:n>.*<\/t:n>/, `<t:n>${value}</t:n>`);
  const attributes = equals('n', value);
  const heavy = 'x'.repeat(2 * 2 ** 20);
  const matching = Array.from({ length: 9 }, (_, k) => toMatch(k, heavy)).join('');
  /** Nine features of 2 MB that match, then as many as asked for that do not. */
  const answer = (count: number | undefined, behind: number) => {
    const body = toCollection(matching, ...members(9, behind));
    return ({ isHits }: Asked, response: ServerResponse) => {
      if (!isHits) return response.end(body);
      return response.end(count === undefined ? report('no hits') : hits(count));
    };
  };

  test('more than 16 MB of them are given where the count allows it', async () => {
    const { search } = await start(answer(109, 100));
    const { ids, end } = await search({ attributes });
    expect([ids.length, end]).toEqual([9, { numberReturned: 9, numberMatched: 9 }]);
  });

  test.each([5000, undefined])('are a 422 where it does not (%p)', async (count) => {
    const { ask } = await start(answer(count, 100));
    await expect(ask({ attributes })).rejects.toMatchObject({ text: { id: 'wfs.tooManyToScan' } });
  });

  test.each(['never', 'always'] as const)(
    'are given once the page is full, however many may follow, and the count (%s) is left out',
    async (count) => {
      const { search } = await start(answer(5000, 3000));
      const { ids, end } = await search({ attributes, limit: 5, count });
      expect([ids.length, end]).toMatchObject([5, { numberReturned: 5, next: { startIndex: 5 } }]);
      expect(end).not.toHaveProperty('numberMatched');
    },
  );

  test('fewer are kept to the end, which is a 422 when it is too far', async () => {
    const { ask } = await start(({ isHits }, response) =>
      response.end(isHits ? hits(2000) : toCollection(toMatch(0), ...members(1, 1500))),
    );
    await expect(ask({ attributes })).rejects.toMatchObject({
      kind: 'notAnswerable',
      text: { id: 'wfs.tooManyToScan' },
    });
  });
});

describe('whether startIndex is known', () => {
  /** Pages, or passes over startIndex, as a test wants. */
  const startPaging = (pages: boolean, toOne = toMember, fails = (_: Asked) => false, size = 30) =>
    start((one, response) => {
      if (fails(one)) return response.end(report('out of order'));
      const from = pages ? one.startIndex : 0;
      const count = Math.max(0, Math.min(one.maxFeatures, size - from));
      return response.end(toCollection(...Array.from({ length: count }, (_, k) => toOne(from + k))));
    });
  const idsFrom = (from: number, count: number) =>
    Array.from({ length: count }, (_, k) => `point.${from + k}`);

  test.each([true, false])('is told by the end of a page, not asked for (%p)', async (pages) => {
    const { search, asked } = await startPaging(pages);
    await search({ limit: 100 });
    asked.length = 0;
    expect((await search({ limit: 5, startIndex: 7 })).ids).toEqual(idsFrom(7, 5));
    expect(asked).toHaveLength(1);
  });

  test.each([true, false])('is told by the second page of a walk, not asked for (%p)', async (pages) => {
    for (const first of [0, 7]) {
      const { search, asked } = await startPaging(pages);
      for (const startIndex of [first, first + 5, first + 10]) {
        expect((await search({ limit: 5, startIndex })).ids).toEqual(idsFrom(startIndex, 5));
      }
      // the first page from the start; where startIndex is passed over, each up to its end
      const most = asked.map(({ maxFeatures }) => maxFeatures);
      expect(most).toEqual(pages ? [first + 6, 6, 6] : [first + 6, 6, first + 11, first + 16]);
    }
  });

  test.each([true, false])('is asked for once, where a first page stands far behind (%p)', async (pages) => {
    const { search, asked } = await startPaging(pages, toMember, () => false, 2000);
    for (const startIndex of [1500, 1505]) {
      expect((await search({ limit: 5, startIndex })).ids).toEqual(idsFrom(startIndex, 5));
    }
    // the window, the first features; where it is passed over, the features up to the window
    expect(asked.map(({ maxFeatures }) => maxFeatures)).toEqual(pages ? [6, 2, 6] : [6, 2, 1506, 1511]);
  });

  test('is not taken for granted where the question fails', async () => {
    const { search } = await startPaging(false, toMember, ({ maxFeatures }) => maxFeatures === 2, 2000);
    await expect(search({ limit: 5, startIndex: 1500 })).rejects.toMatchObject({
      text: { id: 'wfs.exceptionReport' },
    });
  });

  test('is not told by features that are all alike', async () => {
    const alike = (k: number) => toMember(0).replace('point.0', `point.${k}`);
    for (const pages of [true, false]) {
      const { search, describe: tell } = await startPaging(pages, alike);
      expect((await search({ limit: 5, startIndex: 7 })).ids).toEqual(idsFrom(7, 5));
      expect((await tell()).upstream).not.toHaveProperty('startIndex');
    }
  });
});

describe('a fault that passes, while a layer is learnt,', () => {
  test.each([
    ['its features', /maxFeatures="10"/],
    ['the filter around them', /maxFeatures="40"/],
  ])('says nothing of the upstream: asked for %s', async (_, which) => {
    let isDown = true;
    const { search, describe: tell } = await start(
      (__, response) => response.end(toCollection(...members(0, 3))),
      {
        async before(___, response, body) {
          if (isDown && which.test(body)) response.end(report('Unable to obtain connection: timed out'));
          return response.writableEnded;
        },
      },
    );
    await expect(search({})).rejects.toMatchObject({ text: { id: 'wfs.exceptionReport' } });
    isDown = false;
    await setTimeout(1100); // as long as a failure is remembered
    await search({});
    const { upstream } = await tell();
    expect(upstream).toMatchObject({ srsName: true, isAskedInWgs84: true, spatialFilter: 'Intersects' });
    expect(upstream?.filterForms).toHaveLength(1);
  });

  test('is no answer in the layer’s own CRS either', async () => {
    let failures = 0;
    const { search, describe: tell } = await start(
      (__, response) => response.end(toCollection(...members(0, 3))),
      {
        async before(___, response, body) {
          if (body.includes('maxFeatures="10"') && body.includes('srsName=') && failures++ < 3)
            response.end(report('Unable to obtain connection: timed out'));
          return response.writableEnded;
        },
      },
    );
    await search({}).catch(() => setTimeout(1100));
    await search({});
    expect((await tell()).upstream).toMatchObject({ srsName: true, isAskedInWgs84: true });
  });
});

describe('a count', () => {
  const hits = (count: number, ...inside: string[]) =>
    toCollection(...inside).replace('FeatureCollection ', `FeatureCollection numberOfFeatures="${count}" `);
  /** A layer of so many features, and what it answers to hits. */
  const startCounting = (size: number, counted: string) =>
    start(({ isHits, maxFeatures, startIndex }, response) => {
      if (isHits) return response.end(counted);
      return response.end(toCollection(...members(startIndex, Math.min(maxFeatures, size - startIndex))));
    });

  test.each<[string, string, number | undefined]>([
    ['that is true', hits(30), 30],
    ['behind which features stand: it is capped', hits(20), undefined],
    ['lower than what was seen already', hits(1), undefined],
    ['that is an exception', report('no hits here'), undefined],
    ['that is no number', toCollection(), undefined],
    ['that came with features: it was ignored', hits(3, ...members(0, 3)), undefined],
  ])('%s', async (_, counted, numberMatched) => {
    const { search } = await startCounting(30, counted);
    const { end } = await search({ limit: 5, count: 'always' });
    expect(end).toMatchObject({ numberReturned: 5, next: { startIndex: 5 } });
    expect(end.numberMatched).toBe(numberMatched);
  });
});

describe('what answers have shown of a layer', () => {
  test('is told with it, and as old as what was learnt of it', async () => {
    const { describe: tell, search } = await start(({ body, isHits }, response) => {
      if (isHits) return response.end(toCollection());
      if (body.includes('SortBy')) return response.end(report('cannot sort'));
      return response.end(toCollection(...members(0, 3)));
    });
    await search({});
    expect((await tell()).upstream).toMatchObject({ canSort: false, largestPage: 3 });
  });
});

describe('ids that look as if they were made of an attribute', () => {
  // point.K has n = K among the first features that are looked at, and n = K - 1000 behind them
  const odd = (k: number) => toMember(k).replace(/<t:n>.*<\/t:n>/, `<t:n>${k - 1000}</t:n>`);

  test('are found all the same when they are not', async () => {
    const { search } = await start(({ body }, response) => {
      if (body.includes('fid="point.1234"')) return response.end(toCollection(odd(1234)));
      return response.end(toCollection());
    });
    expect((await search({ featureIds: ['point.1234', 'point.9'] })).ids).toEqual(['point.1234']);
  });

  test('are not sorted by once one was met that is not', async () => {
    const { search, asked } = await start((_, response) => response.end(toCollection(odd(1234))));
    await search({});
    const { end } = await search({ startIndex: 3 });
    expect(asked[0]?.body).toContain('SortBy');
    expect(asked.at(-1)?.body).not.toContain('SortBy');
    expect(end.warnings?.map(({ id }) => id)).toContain('wfs.unstableOrder');
  });
});

describe('values that no database holds', () => {
  test.each([
    ['n', '9'.repeat(9_000_000)],
    ['n', 'constructor'],
    ['n', '__proto__'],
  ])('%s = %.10s…', async (name, value) => {
    const { search } = await start((_, response) => response.end(toCollection()));
    const begun = performance.now();
    await expect(search({ attributes: equals(name, value) })).rejects.toMatchObject({
      kind: 'invalidRequest',
    });
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  test('many thousands of them', async () => {
    const { search, asked } = await start((_, response) => response.end(toCollection(toMember(7))));
    const values = Array.from({ length: 20_000 }, (_, k) => k);
    expect((await search({ attributes: [{ name: 'n', parameter: 'n', values }] })).ids).toEqual(['point.7']);
    expect(asked[0]?.body).toContain('<ogc:Literal>19999</ogc:Literal>');
  });
});

test('one attribute named in two ways is any of the values of both', async () => {
  const { search, asked } = await start((_, response) => response.end(toCollection(toMember(7))));
  await search({ attributes: [...equals('n', '7'), ...equals('N', '8')] });
  expect(asked[0]?.body).toMatch(/<ogc:Filter><ogc:Or>.*>7<.*>8<.*<\/ogc:Or><\/ogc:Filter>/);
});

test('a feature that lost its geometry to a coordinate that is no number is told of', async () => {
  const broken = toMember(3).replace('<gml:pos>48 ', '<gml:pos>NaN ');
  const { search } = await start((_, response) => response.end(toCollection(toMember(7), broken)));
  expect((await search({})).end.warnings).toContainEqual({
    id: 'wfs.faultyGeometries',
    values: { fault: 'nanCoordinate', count: 1 },
  });
});

test('ids beyond the page are counted when that is asked for', async () => {
  const { search } = await start(({ body }, response) => {
    const asked = [...body.matchAll(/<ogc:Literal>(\d+)</g)].map(([, k]) => Number(k));
    return response.end(toCollection(...asked.filter((k) => k < 30).map((k) => toMember(k))));
  });
  const featureIds = ['point.1', 'point.2', 'point.3', 'point.99'];
  expect((await search({ featureIds, limit: 1, count: 'always' })).end).toEqual({
    numberReturned: 1,
    numberMatched: 3,
    next: { featureIds: ['point.2', 'point.3', 'point.99'] },
  });
});
