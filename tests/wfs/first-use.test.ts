import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createProjection } from '../../src/crs/index.js';
import {
  type Ability,
  createDemoServer,
  createLayer,
  type Layer,
  type RecordedRequest,
} from '../../src/demo/index.js';
import { mapPositions } from '../../src/geometry/index.js';
import type { SearchQuery } from '../../src/query/index.js';
import { filter, parcels, start, toExpected } from './embedded.js';
import { few, triangle } from './few.js';

// What a layer costs its upstream when it is first used, whichever two or three abilities are lacking: three requests at most
// besides the page, what tells how many there are, and what may stand behind a page. The answer is right all the same. Every
// pair, and every eleventh triple.

const ABILITIES: readonly Ability[] = [
  'Intersects',
  'BBOX',
  'filter',
  'sortBy',
  'sorting',
  'propertyName',
  'startIndex',
  'primaryKey',
  'hits',
  'post',
  'reprojection',
  'unlistedSrs',
  'srsList',
  'posList',
  'multiGeometry',
];

const { features: nearest } = few;
const inWgs84 = few;
const toLambert = (x: number, y: number) => createProjection(2154)?.fromLonLat(x, y) ?? ([x, y] as const);
const inLambert = createLayer(
  { ...parcels, code: 2154 } as Layer,
  nearest.map((feature) => ({
    ...feature,
    geometry: feature.geometry && mapPositions(feature.geometry, (x, y) => [...toLambert(x, y)]),
  })),
);
/** As of a table without a primary key: ids that no attribute makes. */
const withoutKey = createLayer(
  { ...parcels },
  nearest.map((feature, k) => ({ ...feature, id: `fid-${k * 7}` })),
);
const layers = { inWgs84, inLambert, withoutKey };

const idu = parcels.attributes.findIndex(({ name }) => name === 'idu');
const toIdus = (features: readonly { properties: Record<string, unknown> }[]) =>
  features.map(({ properties }) => String(properties.idu)).sort();
const found = new Set(toExpected(inWgs84, [triangle]));
const within = nearest
  .filter(({ id }) => found.has(id))
  .map(({ values }) => String(values[idu]))
  .sort();
const one = String(nearest[70]?.values[idu]);

interface Question {
  readonly query: Partial<SearchQuery>;
  /** Of every feature that may come, and how many of them do. */
  readonly may: readonly string[];
  readonly count: number;
}
const all = nearest.map(({ values }) => String(values[idu]));
const questions: Record<string, Question> = {
  'by a geometry': { query: { geometries: [triangle] }, may: within, count: within.length },
  'by a geometry, page by page': { query: { geometries: [triangle], limit: 5 }, may: within, count: 5 },
  'by an attribute': { query: { attributes: [filter('idu', one)] }, may: [one], count: 1 },
  'from the third on': { query: { startIndex: 3, limit: 5 }, may: all, count: 5 },
  'by a geometry, from the third on': {
    query: { geometries: [triangle], startIndex: 3, limit: 5 },
    may: within,
    count: 5,
  },
};

/** Requests by what they are for. `behind`: what may follow a page, or a count. */
function toKind({ method, url, body }: RecordedRequest): 'capabilities' | 'count' | 'behind' | 'cost' {
  const asked = method === 'GET' ? decodeURIComponent(url) : body;
  if (asked.includes('GetCapabilities')) return 'capabilities';
  if (/resultType="?=?"?hits/.test(asked)) return 'count';
  return /startIndex=/.test(asked) ? 'behind' : 'cost';
}

interface Upstream {
  readonly layer: Layer;
  readonly lacks: readonly Ability[];
  readonly order: Order;
}
type Start = (upstream: Upstream) => Promise<Pick<Awaited<ReturnType<typeof start>>, 'search' | 'requests'>>;

const startPlain = ({ layer, lacks, order }: Upstream, wfs: Parameters<typeof start>[1] = {}) =>
  start({ layers: [layer], lacks: new Set(lacks), axisOrder: { in: order, out: order } }, wfs);

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0)) await part.close();
});

const OTHER_CRS =
  '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="InvalidParameterValue" locator="srsName"><ows:ExceptionText>not offered</ows:ExceptionText></ows:Exception></ows:ExceptionReport>';

/** Refuses WGS84 before it looks at anything else. */
async function startStrict({ layer, lacks, order }: Upstream) {
  const axisOrder = { in: order, out: order };
  const behind = await createDemoServer({ layers: [layer], lacks: new Set([...lacks, 'gzip']), axisOrder });
  const requests: RecordedRequest[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    response.setHeader('Content-Type', 'text/xml');
    if (/<wfs:Query[^>]* srsName="[^"]*4326"/.test(body)) return response.end(OTHER_CRS);
    const query = request.url?.slice(request.url.indexOf('?')) ?? '';
    const asked = body === '' ? {} : { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body };
    const answer = await fetch(body === '' ? behind.url + query : behind.url, asked);
    return response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  opened.push(behind, { close });
  const { port } = server.address() as AddressInfo;
  const { search } = await start({ layers: [layer] }, { url: `http://127.0.0.1:${port}/wfs` });
  return { search, requests };
}

async function ask(upstream: Upstream, { query, may, count }: Question, begin: Start) {
  const { search, requests } = await begin(upstream);
  const page = () => search({ source: parcels.typeName, count: 'never', ...query });
  const toCost = () => requests.map(toKind).filter((kind) => kind === 'cost').length;
  const idus = [toIdus((await page()).features)];
  const first = toCost();
  requests.length = 0;
  idus.push(toIdus((await page()).features));
  const isRight = idus.every((some) => some.length === count && some.every((value) => may.includes(value)));
  return { lacks: upstream.lacks.join(), isRight, first, again: toCost() };
}

const ORDERS = ['standard', 'lonLat', 'latLon'] as const;
type Order = (typeof ORDERS)[number];

/** The page among them. */
const MOST = 4;

async function expectFew(upstream: Upstream, question: Question, begin: Start = startPlain) {
  const asked = await ask(upstream, question, begin);
  expect({ ...asked, first: Math.max(asked.first, MOST), again: Math.max(asked.again, 1) }).toEqual({
    lacks: upstream.lacks.join(),
    isRight: true,
    first: MOST,
    again: 1,
  });
}

/** Each set of abilities over each layer, by a geometry and by another of the questions in turn, in one order in turn. */
async function expectFewWithout(sets: readonly (readonly Ability[])[], from: number) {
  const [geometry, ...others] = Object.values(questions) as [Question, ...Question[]];
  for (const [k, lacks] of sets.entries()) {
    for (const [n, layer] of Object.values(layers).entries()) {
      const turn = from + k + n;
      for (const question of [geometry, others[turn % others.length] as Question]) {
        await expectFew({ layer, lacks, order: ORDERS[turn % 3] as Order }, question);
      }
    }
  }
}

describe('a layer first used costs three requests at most, and a known one none, by an upstream that lacks', () => {
  test('nothing, or any one ability', () => expectFewWithout([[], ...ABILITIES.map((name) => [name])], 0));

  test.each(ABILITIES.slice(0, -1).map((name, k) => [name, k] as const))('%s and any other', (name, k) =>
    expectFewWithout(
      ABILITIES.slice(k + 1).map((other) => [name, other]),
      k,
    ),
  );

  test.each<Ability[]>([
    ['filter', 'sorting', 'startIndex'],
    ['filter', 'sorting', 'primaryKey'],
    ['filter', 'startIndex', 'unlistedSrs'],
    ['BBOX', 'sorting', 'posList'],
    ['BBOX', 'unlistedSrs', 'posList'],
    ['sorting', 'primaryKey', 'hits'],
  ])('%s, %s and %s', (...lacks) => expectFewWithout([lacks], 0));

  test.each([0, 1, 2, 3])('any three of a sample (%d)', async (part) => {
    const triples = ABILITIES.flatMap((a, i) =>
      ABILITIES.slice(i + 1).flatMap((b, j) => ABILITIES.slice(i + j + 2).map((c) => [a, b, c])),
    );
    await expectFewWithout(
      triples.filter((_, k) => k % 44 === 11 * part),
      0,
    );
  });
});

describe('so does one that is offered in its own CRS alone, by an upstream that', () => {
  const everyWay = Object.values(questions).flatMap((question) =>
    ORDERS.map((order) => ({ question, order })),
  );

  // what it says of the CRS tells nothing of the sort then
  test('names the CRS that it refuses before the sort that it refuses', async () => {
    for (const { question, order } of everyWay) {
      await expectFew({ layer: inLambert, lacks: ['unlistedSrs', 'sorting'], order }, question, startStrict);
    }
  });

  test.each<Ability[]>([
    ['unlistedSrs', 'sorting'],
    ['unlistedSrs', 'posList'],
    ['unlistedSrs', 'startIndex'],
    ['srsList', 'sorting'],
    ['srsList', 'filter'],
    ['reprojection', 'sorting'],
  ])('lacks %s and %s, with WFS_AXIS_ORDER set', async (...lacks) => {
    for (const { question, order } of everyWay) {
      const axisOrder = order === 'standard' ? 'latLon' : order;
      await expectFew({ layer: inLambert, lacks, order }, question, (upstream) =>
        startPlain(upstream, { axisOrder }),
      );
    }
  });
});
