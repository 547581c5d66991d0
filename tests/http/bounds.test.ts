import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { invalidRequest, toMessage, toText } from '../../src/errors.js';
import { readJsonMembers } from '../../src/query/json.js';
import { toLiteral } from '../../src/wfs/literal.js';
import { fakeSource, postForm, postJson, type Service, searchPath, send, startService } from './service.js';

// Bodies that cost little to send: none may cost much to answer, neither in time nor in bytes.

let service: Service;
const unknownNames = (count: number, length: number) =>
  Array.from({ length: count }, (_, i) => {
    const name = `${'n'.repeat(length)}${i}`;
    return { parameter: name, message: toMessage('wfs.attributeUnknown', { name, names: 'a, b' }) };
  });
const source = fakeSource({
  search: async (query) => {
    const [, count = '', length = ''] = /^unknown (\d+) (\d+)$/.exec(query.source) ?? [];
    throw invalidRequest(unknownNames(Number(count), Number(length)));
  },
});
beforeAll(async () => {
  service = await startService(source, { bodyLimit: 10 * 2 ** 20 });
});
afterAll(() => service.close());

/** Of the processor: other tests run at the same time. */
const toSeconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;
const many = (count: number, toItem: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => toItem(i));
const json = (members: string) => `{"source":"a",${members}}`;
const ring = `[${many(60_000, (i) => `[${i / 1000},1]`).join(',')}]`;

describe('a request that is cheap to send is cheap to refuse', () => {
  test.each<[string, () => Promise<{ status: number; text: string }>, RegExp]>([
    [
      '400,000 attributes',
      () => postJson(service, json(many(400_000, (i) => `"a${i}":1`).join(','))),
      /more than 20000 members/,
    ],
    [
      '400,000 unknown names of ours',
      () => postJson(service, json(many(400_000, (i) => `"_a${i}":1`).join(','))),
      /more than 20000 members/,
    ],
    [
      '15,000 attributes',
      () => postJson(service, json(many(15_000, (i) => `"a${i}":1`).join(','))),
      /more than 10000 values in all/,
    ],
    [
      '600 attributes',
      () => postJson(service, json(many(600, (i) => `"a${i}":1`).join(','))),
      /more than 500 attributes are named/,
    ],
    [
      'a million parameters in a form',
      () => postForm(service, `source=a${'&a=1'.repeat(1_000_000)}`),
      /more than 20000 parameters/,
    ],
    [
      '15,000 values of one attribute',
      () => postJson(service, json(`"a":[${many(15_000, String).join(',')}]`)),
      /more than 10000 values in all/,
    ],
    [
      'five million values of one attribute',
      () => postJson(service, json(`"a":[${'1,'.repeat(4_900_000)}1]`)),
      /a: holds more than 20000 items/,
    ],
    [
      '5,000 property names',
      () => postJson(service, json(`"_propertyNames":[${many(5_000, (i) => `"a${i}"`).join(',')}]`)),
      /_propertyNames: holds more than 500 items/,
    ],
    [
      'millions of ids in one text',
      () => postJson(service, json(`"_featureId":"${'a,'.repeat(4_000_000)}a"`)),
      /_featureId: holds more than 10000 items/,
    ],
    [
      'a name of 9 MB, near to one of ours',
      () => postJson(service, json(`"_limit${'t'.repeat(9_000_000)}":1`)),
      /^_limit.{90,120}…: is no parameter/,
    ],
    [
      'a number of 9 MB with zeros in the middle',
      () => postJson(service, json(`"a":{"b":1},"c":0.1${'0'.repeat(9_000_000)}1`)),
      /a: must be a text, a number/,
    ],
    [
      'a large geometry, contradicted 15,000 times',
      () =>
        postForm(
          service,
          `source=a&geom={"type":"LineString","coordinates":${ring}}${'&geom=1'.repeat(15_000)}`,
        ),
      /geom: is given twice in the form body/,
    ],
    [
      'a large geometry, and the same again and again',
      () => {
        const geom = `geom={"type":"LineString","coordinates":${ring}}`;
        return postForm(service, `source=a${`&${geom}`.repeat(9)}`);
      },
      /geom: more than 50000 positions/,
    ],
    [
      'one attribute with 9,000 values, each a parameter of its own',
      () => postForm(service, `source=a&_x=1${many(9_000, (i) => `&a=${i}`).join('')}`),
      /_x: is no parameter/,
    ],
    [
      '20,000 words looked for in the catalogue',
      () => send(service, `/api/wfs-geoportail/sources?q=${many(20_000, (i) => `a${i}`).join('+')}`),
      /q: holds more than 50 words/,
    ],
    [
      '5,000 faults against the schema',
      () => get('unknown 5000 5'),
      /^5000 faults, the first 50 of them: nnnnn0: /,
    ],
    [
      '60 faults with names of a megabyte',
      () => get('unknown 60 1000000'),
      /^60 faults, the first \d+ of them: n/,
    ],
  ])('%s', async (_, ask, detail) => {
    const begun = process.cpuUsage();
    const { status, text } = await ask();
    expect(toSeconds(process.cpuUsage(begun))).toBeLessThan(3);
    expect(status).toBe(400);
    expect(JSON.parse(text).detail).toMatch(detail);
    expect(text.length).toBeLessThan(120_000);
  });
});

const get = (name: string) => send(service, `${searchPath}?source=${encodeURIComponent(name)}`);

test('the count is true where not all faults are shown', async () => {
  const { json: problem } = await postJson(service, json(many(9_000, (i) => `"_a${i}":1`).join(',')));
  expect(problem.detail).toMatch(/^9000 faults, the first 50 of them: _a0: is no parameter/);
  expect(problem.errors).toHaveLength(50);
});

test('as many as the bounds allow are taken', async () => {
  const taken = fakeSource();
  const other = await startService(taken, { bodyLimit: 10 * 2 ** 20 });
  const members = [
    ...many(498, (i) => `"a${i}":1`),
    `"b":[${many(9_501, String).join(',')}]`,
    '"c":1',
    `"_propertyNames":[${many(500, (i) => `"a${i}"`).join(',')}]`,
  ];
  const { status } = await postJson(other, json(members.join(',')));
  expect(status).toBe(200);
  expect(taken.asked[0]?.[0].attributes).toHaveLength(500);
  await other.close();
});

test.each([
  ['number', `0.1${'0'.repeat(20_000_000)}1`, 'n has no numbers of more than 1000 digits'],
  ['integer', '1'.repeat(20_000_000), 'n has no numbers of more than 1000 digits'],
  ['date', `2026-11-28${'0'.repeat(20_000_000)}`, /^2026-11-280+… is no date, which n is$/],
  [
    'dateTime',
    `2026-11-28T00:00:00.${'0'.repeat(20_000_000)}`,
    /^2026-11-28T.*… is no dateTime, which n is$/,
  ],
  ['time', `00:00:00.${'0'.repeat(20_000_000)}`, /^00:00:00[.]0+… is no time, which n is$/],
])('a %s of 20 MB is refused unread', (type, text, message) => {
  const begun = process.cpuUsage();
  const attribute = { name: 'n', type, nullable: true, repeated: false } as never;
  const read = toLiteral(text, attribute);
  expect('fault' in read && toText(read.fault)).toEqual(expect.stringMatching(message));
  expect(toSeconds(process.cpuUsage(begun))).toBeLessThan(1);
});

test('a number of JSON with more digits than a double keeps them all', () => {
  const digits = `0.1${'0'.repeat(20_000_000)}1`;
  const [member] = readJsonMembers(`{"n":${digits}}`);
  expect(member?.value === digits).toBe(true);
});

test('a bbox of 2 MB is refused', async () => {
  const side = `1${'0'.repeat(2_000_000)}`;
  const { status, json: problem } = await postJson(service, json(`"bbox":[${side},2,3,4]`));
  expect(status).toBe(400);
  expect(problem.detail).toMatch(/^bbox/);
});
