import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ServiceError, toMessage } from '../../src/errors.js';
import type { Validity } from '../../src/query/index.js';
import {
  fakeSource,
  feature,
  generate,
  type Service,
  searchPath,
  send,
  startModules,
  toBatch,
  toLasting,
  toModule,
} from './service.js';

// A search by GET whose headers say nothing unusual passes over most of Express. Nobody can tell.

const validity: Validity = { tag: 'T-1', freshS: 300, staleIfErrorS: 3600, isByKey: true };

let service: Service;

beforeAll(async () => {
  const source = fakeSource({
    async search({ source: name }, { address }) {
      if (name === 'ghost') throw new ServiceError('notFound', toMessage('internal'));
      if (name === 'broken') throw new TypeError('a defect');
      const count = name === 'large' ? 200 : 2;
      const batches = Array.from({ length: count }, (_, id) => toBatch(feature(id, { address })));
      const end = { numberReturned: count, next: { startIndex: count } };
      return {
        isPrivate: name === 'private',
        features: generate(batches, end),
        ...(name !== 'none' && { validity }),
      };
    },
    describe: async (name) => ({ name, keywords: [], attributes: [] }),
    explain: async () => ({ steps: [], requests: [], upstream: {} }) as never,
  });
  service = await startModules([toModule({ source })]);
});
afterAll(() => service.close());

const queries = [
  'source=a',
  'source=none',
  'source=private',
  'source=large',
  'source=large&_format=geojsonseq',
  'source=a&_format=csv',
  'source=a&_explain=true',
  'source=a&apikey=secret',
  'source=ghost',
  'source=broken',
  'source=a&_limit=x&_start=-1',
  '',
  'source=%',
];
const headers: Record<string, string>[] = [
  {},
  { 'accept-encoding': 'gzip' },
  { 'accept-encoding': 'identity' },
  { accept: 'text/csv', 'accept-language': 'fr' },
  { accept: 'image/png' },
  { origin: 'https://example.org', 'x-request-id': '00000000-0000-4000-8000-000000000000' },
];

describe('the direct way', () => {
  const cases = queries.flatMap((query) => headers.map((own) => [query, own] as const));
  test.each(cases)('gives just what the whole stack gives: %s %j', async (query, own) => {
    const path = `${searchPath}?${query}`;
    const whole = toLasting(await send(service, path, { headers: { ...own, 'x-unknown': '1' } }));
    expect(toLasting(await send(service, path, { headers: own }))).toEqual(whole);
  });

  test('is logged as any other', async () => {
    const before = service.log.length;
    for (const headers of [{}, { 'x-unknown': '1' }])
      await send(service, `${searchPath}?source=large`, { headers });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const [direct, whole] = service.log
      .slice(before)
      .map(({ time: _, ms: __, requestId: ___, ...line }) => line);
    expect(direct).toMatchObject({
      module: 'wfs-geoportail',
      route: '/api/wfs-geoportail/search',
      features: 200,
    });
    expect(direct).toEqual(whole);
  });
});
