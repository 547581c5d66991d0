import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRefreshing } from '../../src/cache/index.js';
import { createSegmented } from '../../src/cache/segmented.js';

interface Value {
  readonly n: number;
}
const give = (n: number) => async () => ({ n });
const fail = (reason: string) => async (): Promise<Value> => {
  throw new Error(reason);
};
const never = (): Promise<Value> => {
  throw new Error('nothing may be loaded');
};

test('all who ask at once wait for one run, and all are told why it failed', async () => {
  const values = createRefreshing<Value>({ max: 5, freshMs: 1000 });
  let runs = 0;
  const count = async () => {
    runs += 1;
    throw new Error('no');
  };
  const asked = await Promise.allSettled([values.get('a', count), values.get('a', count)]);
  expect(asked.map((result) => result.status === 'rejected' && (result.reason as Error).message)).toEqual([
    'no',
    'no',
  ]);
  expect(runs).toBe(1);
});

test('a failure is the answer for a moment, then it is tried again; a success clears it', async () => {
  const values = createRefreshing<Value>({ max: 5, freshMs: 20, failedMs: 50 });
  await expect(values.get('a', fail('no'))).rejects.toThrow('no');
  await expect(values.get('a', never)).rejects.toThrow('no');
  expect(await values.get('b', give(2))).toEqual({ n: 2 });
  await sleep(80);
  expect(await values.get('a', give(1))).toEqual({ n: 1 });
  await sleep(40);
  expect(await values.get('a', fail('later'))).toEqual({ n: 1 });
});

test('a value that is not fresh is given at once and loaded anew behind; a failure leaves it in place', async () => {
  const values = createRefreshing<Value>({ max: 5, freshMs: 20, failedMs: 10 });
  await values.get('a', give(1));
  await sleep(40);
  expect(await values.get('a', fail('no'))).toEqual({ n: 1 });
  await sleep(40);
  expect(await values.get('a', give(2))).toEqual({ n: 1 });
  await sleep(40);
  expect(values.peek('a')).toEqual({ n: 2 });
});

test('a hundred loads at once in a cache of ten: each gets its own', async () => {
  const values = createRefreshing<Value>({ max: 10, freshMs: 1000 });
  const all = Array.from({ length: 100 }, (_, n) =>
    values.get(`k${n}`, async () => {
      await sleep(10);
      return { n };
    }),
  );
  expect(await Promise.all(all)).toEqual(Array.from({ length: 100 }, (_, n) => ({ n })));
});

test('a thousand made-up keys, failing or not, take nothing from those who come again', async () => {
  const values = createRefreshing<Value>({ max: 10, freshMs: 10_000 });
  for (const key of ['a', 'b', 'c']) await values.get(key, give(1));
  for (const key of ['a', 'b', 'c']) await values.get(key, never);
  for (let i = 0; i < 1000; i += 1) {
    await values.get(`made up ${i}`, i % 2 === 0 ? give(i) : fail('403')).catch(() => {});
  }
  for (const key of ['a', 'b', 'c']) expect(await values.get(key, never)).toEqual({ n: 1 });
});

test('loads under way are bounded: who comes later is told to come back, who is known is served', async () => {
  const values = createRefreshing<Value>({ max: 10, freshMs: 10, maxLoading: 2 });
  await values.get('known', give(1));
  await sleep(20);
  const slow = () => sleep(50, { n: 2 });
  const underWay = [values.get('a', slow), values.get('b', slow)];
  await expect(values.get('c', give(3))).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await values.get('known', never)).toEqual({ n: 1 });
  expect(await values.get('a', never)).toEqual({ n: 2 });
  await Promise.all(underWay);
  expect(await values.get('c', give(3))).toEqual({ n: 3 });
});

test('what is forgotten while it loads does not come back', async () => {
  const values = createRefreshing<Value>({ max: 5, freshMs: 1000 });
  const old = values.get('a', () => sleep(20, { n: 1 }));
  values.delete('a');
  expect(await values.get('a', give(2))).toEqual({ n: 2 });
  expect(await old).toEqual({ n: 1 });
  expect(values.peek('a')).toEqual({ n: 2 });
});

describe('the values kept', () => {
  test('are the last used, as long as none is asked for again', () => {
    const kept = createSegmented<number>(3);
    for (const [n, key] of ['a', 'b', 'c', 'd'].entries()) kept.set(key, n);
    expect(['a', 'b', 'c', 'd'].map((key) => kept.peek(key))).toEqual([undefined, 1, 2, 3]);
  });

  test('all stay while there is room, in whatever order they are asked for', () => {
    const kept = createSegmented<number>(50);
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 50; n += 1) {
        if (round === 0) kept.set(`k${n}`, n);
        else expect(kept.get(`k${n}`)).toBe(n);
      }
    }
  });

  const keys = fc.constantFrom(...'abcdefghij');
  const step = fc.record({ does: fc.constantFrom('get', 'set', 'delete', 'peek'), key: keys, n: fc.nat() });
  test('never exceed the bound, and are never another\u2019s or an old one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 200 }), (max, steps) => {
        const kept = createSegmented<string>(max);
        const last = new Map<string, string>();
        for (const { does, key, n } of steps) {
          if (does === 'set') {
            kept.set(key, `${key}${n}`);
            last.set(key, `${key}${n}`);
            expect(kept.peek(key)).toBe(`${key}${n}`);
          } else if (does === 'delete') {
            kept.delete(key);
            last.delete(key);
          } else {
            expect([undefined, last.get(key)]).toContain(does === 'get' ? kept.get(key) : kept.peek(key));
          }
          expect(kept.size).toBeLessThanOrEqual(max);
        }
      }),
    );
  });
});

test('chaos: whatever comes and goes, everyone gets a value or a reason of their own key, and no key loads twice at once', async () => {
  const ask = fc.record({
    key: fc.constantFrom(...'abcdefghijklmnop'),
    at: fc.nat(12),
    lasts: fc.nat(6),
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(ask, { minLength: 1, maxLength: 60 }), fc.nat(12), async (asks, freshMs) => {
      const values = createRefreshing<{ key: string }>({ max: 4, freshMs, failedMs: 3, maxLoading: 6 });
      const underWay = new Map<string, number>();
      const outcomes = asks.map(async ({ key, at, lasts, fails }) => {
        await sleep(at);
        const load = async () => {
          const others = underWay.get(key) ?? 0;
          underWay.set(key, others + 1);
          expect(others).toBe(0);
          await sleep(lasts);
          underWay.set(key, 0);
          if (fails) throw new Error(`reason of ${key}`);
          return { key };
        };
        return values.get(key, load).then(
          (value) => value.key === key,
          (error: Error & { kind?: string }) =>
            error.message === `reason of ${key}` || error.kind === 'unavailable',
        );
      });
      expect(await Promise.all(outcomes)).toEqual(asks.map(() => true));
    }),
    { numRuns: 40 },
  );
});
