import { describe, expect, test } from '@jest/globals';
import { createProjection } from '../../src/crs/index.js';
import { type Ability, createLayer, type Layer, type RecordedRequest } from '../../src/demo/index.js';
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

/**
 * Filters that are accepted and find nothing are found out by a filter; where that one is refused for something else, by the
 * page, which is asked for once more.
 */
const isMisreading = (lacks: readonly Ability[]) =>
  lacks.includes('posList') &&
  lacks.some((name) => /^(sorting|reprojection|unlistedSrs|srsList)$/.test(name));

/**
 * Filters are passed over, the one that is tried is refused, and where an answer ends cannot be told: the page contradicts what
 * was believed, and the layer is learnt anew. Of all 455 triples those where more is asked for.
 */
const isContradicting = (lacks: readonly Ability[]) =>
  lacks.includes('filter') &&
  lacks.some((name) => name === 'sorting' || name === 'unlistedSrs') &&
  lacks.some((name) => name === 'startIndex' || name === 'primaryKey');

/** Requests by what they are for. `behind`: what may follow a page, or a count. */
function toKind({ method, url, body }: RecordedRequest): 'capabilities' | 'count' | 'behind' | 'cost' {
  const asked = method === 'GET' ? decodeURIComponent(url) : body;
  if (asked.includes('GetCapabilities')) return 'capabilities';
  if (/resultType="?=?"?hits/.test(asked)) return 'count';
  return /startIndex=/.test(asked) ? 'behind' : 'cost';
}

async function ask(layer: Layer, lacks: readonly Ability[], { query, may, count }: Question, order: Order) {
  const { search, requests } = await start({
    layers: [layer],
    lacks: new Set(lacks),
    axisOrder: { in: order, out: order },
  });
  const page = () => search({ source: parcels.typeName, count: 'never', ...query });
  const toCost = () => requests.map(toKind).filter((kind) => kind === 'cost').length;
  const idus = [toIdus((await page()).features)];
  const first = toCost();
  requests.length = 0;
  idus.push(toIdus((await page()).features));
  const isRight = idus.every((some) => some.length === count && some.every((value) => may.includes(value)));
  return { lacks: lacks.join(), isRight, first, again: toCost() };
}

const ORDERS = ['standard', 'lonLat', 'latLon'] as const;
type Order = (typeof ORDERS)[number];

/** Each set of abilities over each layer, by a geometry and by another of the questions in turn, in one order in turn. */
async function expectFew(sets: readonly (readonly Ability[])[], from: number) {
  const [geometry, ...others] = Object.values(questions) as [Question, ...Question[]];
  for (const [k, lacks] of sets.entries()) {
    for (const [n, layer] of Object.values(layers).entries()) {
      const turn = from + k + n;
      for (const question of [geometry, others[turn % others.length] as Question]) {
        const asked = await ask(layer, lacks, question, ORDERS[turn % 3] as Order);
        const most = isContradicting(lacks) ? 7 : isMisreading(lacks) ? 5 : 4; // the page among them
        expect({ ...asked, first: Math.max(asked.first, most), again: Math.max(asked.again, 1) }).toEqual({
          lacks: lacks.join(),
          isRight: true,
          first: most,
          again: 1,
        });
      }
    }
  }
}

describe('a layer first used costs three requests at most, and a known one none, by an upstream that lacks', () => {
  test('nothing, or any one ability', () => expectFew([[], ...ABILITIES.map((name) => [name])], 0));

  test.each(ABILITIES.slice(0, -1).map((name, k) => [name, k] as const))('%s and any other', (name, k) =>
    expectFew(
      ABILITIES.slice(k + 1).map((other) => [name, other]),
      k,
    ),
  );

  test.each([0, 1, 2, 3])('any three of a sample (%d)', async (part) => {
    const triples = ABILITIES.flatMap((a, i) =>
      ABILITIES.slice(i + 1).flatMap((b, j) => ABILITIES.slice(i + j + 2).map((c) => [a, b, c])),
    );
    await expectFew(
      triples.filter((_, k) => k % 44 === 11 * part),
      0,
    );
  });
});
