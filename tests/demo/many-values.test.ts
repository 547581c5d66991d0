import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createDemoLayers,
  createDemoServer,
  createLayer,
  type DemoServer,
  type Layer,
} from '../../src/demo/index.js';
import { select } from '../../src/demo/select.js';
import { combine, compare, idsOf, isNull, post, toXml } from './wfs.js';

// The embedded server shares its event loop with the service in front of it: no filter may keep it for itself.

const PARCEL = 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle';
const parcels = createDemoLayers().find(({ typeName }) => typeName === PARCEL) as Layer;
const types = createLayer(
  {
    prefix: 't',
    name: 'v',
    title: '',
    abstract: '',
    keywords: [],
    geometryName: 'g',
    geometryType: 'Point',
    code: 4326,
    attributes: [
      { name: 's', type: 'string' },
      { name: 'l', type: 'long' },
      { name: 'd', type: 'double' },
      { name: 'b', type: 'boolean' },
      { name: 'j', type: 'date' },
    ],
  },
  [
    ['1', 1n, 1, true, '2024-02-29Z'],
    ['01', 2n ** 53n + 1n, 0.5, false, '2024-03-01Z'],
    ['', -1n, -0, null, null],
    ['true', null, 1e300, true, '1999-12-31Z'],
    [null, 0n, null, false, '2024-02-29Z'],
  ].map((values, k) => ({ id: `v.${k}`, geometry: null, values })) as never,
);

let server: DemoServer;
beforeAll(async () => {
  server = await createDemoServer({ layers: [parcels, types] });
});
afterAll(() => server.close());
const find = async (typeName: string, filter: string) =>
  idsOf(await post(server.url, toXml({ typeName, filter })));

test('any of several values is what each of them finds, whatever the types and the way it is written', async () => {
  const value = fc.constantFrom(
    ...[
      '1',
      '01',
      '1.0',
      '+1',
      '-1',
      '0',
      '-0',
      '0.5',
      '.5e0',
      '1e300',
      '9007199254740993',
      '9007199254740992',
    ],
    ...['true', 'TRUE', 'false', '', 'abc', '2024-02-29', '2024-02-29Z', '1999-12-31'],
  );
  const equality = fc
    .tuple(fc.constantFrom('s', 'l', 'd', 'b', 'j'), value, fc.boolean())
    .map(([name, text, isFolded]) => compare('EqualTo', name, text, isFolded ? ' matchCase="false"' : ''));
  const part = fc.oneof(
    { weight: 5, arbitrary: equality },
    { weight: 1, arbitrary: fc.constant(isNull('s')) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 2, maxLength: 8 }), async (parts) => {
      const each = await Promise.all(parts.map((one) => find('t:v', one)));
      expect((await find('t:v', combine('Or', ...parts))).sort()).toEqual([...new Set(each.flat())].sort());
    }),
    { numRuns: 30 },
  );
});

test('5,000 values cost little more than one', async () => {
  const idu = parcels.attributes.findIndex(({ name }) => name === 'idu');
  const wanted = parcels.features.slice(0, 50).map(({ values }) => String(values[idu]));
  const values = [...Array.from({ length: 5000 }, (_, i) => `none${i}`), ...wanted];
  const begun = process.cpuUsage();
  const ids = await find(PARCEL, combine('Or', ...values.map((text) => compare('EqualTo', 'idu', text))));
  const { user, system } = process.cpuUsage(begun);
  expect(ids.sort()).toEqual(
    parcels.features
      .slice(0, 50)
      .map(({ id }) => id)
      .sort(),
  );
  expect((user + system) / 1e6).toBeLessThan(3); // one by one: half a minute
});

test('a predicate that takes long leaves others their turn after 10 ms, and ends with the request', async () => {
  const abort = new AbortController();
  let tried = 0;
  const isMatch = () => {
    const end = performance.now() + 3;
    while (performance.now() < end);
    tried += 1;
    return true;
  };
  let turns = 0;
  const turn = setInterval(() => {
    turns += 1;
    if (turns === 10) abort.abort(new Error('left'));
  }, 0);
  const query = { layer: parcels, predicate: { isMatch }, sortBy: [] } as never;
  await expect(select(query, Number.POSITIVE_INFINITY, abort.signal)).rejects.toThrow('left');
  clearInterval(turn);
  expect(tried).toBeLessThan(100);
});
