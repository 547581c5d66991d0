import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toQueryKey, toScope } from '../../src/answers/key.js';
import type { SearchQuery } from '../../src/query/index.js';

const name = fc.constantFrom('a', 'b', 'A', 'a,b', '"', '[', '');
const value = fc.oneof(name, fc.constantFrom('1', 1, '01', 'true', true, null, 'null', 0.1, 2 ** 53));
const position = fc.tuple(fc.constantFrom(1, 1.5, -2), fc.constantFrom(0, 48.4)) as fc.Arbitrary<
  [number, number]
>;
const geometry = fc.oneof(
  fc.record({ type: fc.constant('Point' as const), coordinates: position }),
  fc.record({
    type: fc.constantFrom('MultiPoint' as const, 'LineString' as const),
    coordinates: fc.array(position, { minLength: 1, maxLength: 3 }),
  }),
);
const few = { minLength: 1, maxLength: 3 } as const;
const query: fc.Arbitrary<SearchQuery> = fc
  .record({
    source: name,
    geometries: fc.option(fc.array(geometry, few), { nil: undefined }),
    bbox: fc.option(fc.constantFrom([0, 0, 1, 1] as const, [0, 0, 1, 2] as const), { nil: undefined }),
    featureIds: fc.option(fc.uniqueArray(name, few), { nil: undefined }),
    attributes: fc.uniqueArray(
      fc.record({ name, values: fc.uniqueArray(value, few), parameter: fc.constant('p') }),
      { maxLength: 3, selector: (one) => one.name },
    ),
    propertyNames: fc.option(fc.uniqueArray(name, few), { nil: undefined }),
    sortBy: fc.option(fc.record({ name, descending: fc.boolean() }), { nil: undefined }),
    limit: fc.constantFrom(1, 10),
    startIndex: fc.constantFrom(0, 1, 10),
    count: fc.constantFrom('auto' as const, 'always' as const, 'never' as const),
    overlap: fc.option(fc.constant(true as const), { nil: undefined }),
  })
  .map((given) => JSON.parse(JSON.stringify(given)) as SearchQuery);

/** What a query means, told in another way than the key does. */
function toMeaning({ attributes, propertyNames, ...rest }: SearchQuery): unknown {
  return {
    ...rest,
    attributes: new Map(attributes.map((one) => [one.name, new Set(one.values)])),
    propertyNames: propertyNames && new Set(propertyNames),
  };
}

const shuffled = <T>(items: readonly T[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

/** The same question with everything in another order whose order means nothing, members of the object too. */
const reordered = query.chain((one) =>
  fc
    .tuple(
      shuffled(one.attributes).chain((all) =>
        fc.tuple(...all.map((filter) => shuffled(filter.values).map((values) => ({ ...filter, values })))),
      ),
      shuffled(one.propertyNames ?? []),
      shuffled(Object.entries(one)),
    )
    .map(([attributes, propertyNames, entries]) => {
      const other: SearchQuery = { ...(Object.fromEntries(entries) as object as SearchQuery), attributes };
      return [one, one.propertyNames === undefined ? other : { ...other, propertyNames }] as const;
    }),
);

describe('the key of a query', () => {
  test('does not change with what has no order', () => {
    fc.assert(
      fc.property(reordered, ([one, other]) => {
        expect(toQueryKey(other)).toBe(toQueryKey(one));
      }),
    );
  });

  test('is another for every other meaning', () => {
    const seen = new Map<string, unknown>();
    fc.assert(
      fc.property(query, (one) => {
        const key = toQueryKey(one);
        if (seen.has(key)) expect(toMeaning(one)).toEqual(seen.get(key));
        seen.set(key, toMeaning(one));
      }),
      { numRuns: 2000 },
    );
    expect(seen.size).toBeGreaterThan(1000);
  });

  test('is another when any one thing is changed', () => {
    fc.assert(
      fc.property(query, query, fc.context(), (one, other, context) => {
        for (const member of Object.keys(other) as (keyof SearchQuery)[]) {
          const changed = { ...one, [member]: other[member] } as SearchQuery;
          context.log(`${member}: ${JSON.stringify(changed)}`);
          const isSame = isEqual(toMeaning(one), toMeaning(changed));
          expect(toQueryKey(changed) === toQueryKey(one)).toBe(isSame);
        }
      }),
    );
  });

  test('of a geometry of 50,000 vertices is short', () => {
    const ring = Array.from({ length: 50_000 }, (_, i): [number, number] => [i / 7919, Math.sqrt(i) / 10]);
    const base = { source: 's', attributes: [], limit: 1, startIndex: 0, count: 'auto' as const };
    const one = { ...base, geometries: [{ type: 'Polygon' as const, coordinates: [ring] }] };
    const moved: SearchQuery = {
      ...base,
      geometries: [
        { type: 'Polygon', coordinates: [ring.map(([x, y], i) => (i === 49_999 ? [x, y + 1e-12] : [x, y]))] },
      ],
    };
    expect(toQueryKey(one)).toHaveLength(43);
    expect(toQueryKey(moved)).not.toBe(toQueryKey(one));
  });
});

function isEqual(one: unknown, other: unknown): boolean {
  try {
    expect(other).toEqual(one);
    return true;
  } catch {
    return false;
  }
}

describe('the scope of a caller', () => {
  test('is everybody, where the upstream takes no key or none came', () => {
    expect(toScope({ apikey: 'K' }, false)).toBe('');
    expect(toScope({}, true)).toBe('');
  });

  test('is the key, and tells nothing of it', () => {
    const secrets = fc.record(
      { apikey: fc.string({ minLength: 1 }), token: fc.string({ minLength: 1 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(secrets, secrets, (one, other) => {
        const isSame = one.apikey === other.apikey && one.token === other.token;
        expect(toScope(one, true) === toScope(other, true)).toBe(isSame);
      }),
    );
    expect(toScope({ apikey: 'K' }, true)).not.toBe(toScope({ token: 'K' }, true));
    expect(toScope({ apikey: 'secret' }, true)).toMatch(/^(?!.*secret)[\w-]{43}$/);
  });
});
