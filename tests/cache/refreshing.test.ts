import { expect, test } from '@jest/globals';
import { createRefreshing } from '../../src/cache/index.js';

test('all who ask at once wait for one run, and all are told why it failed', async () => {
  const values = createRefreshing<{ n: number }>({ max: 5, freshMs: 1000 });
  let runs = 0;
  const fail = async () => {
    runs += 1;
    throw new Error('no');
  };
  const asked = await Promise.allSettled([values.get('a', fail), values.get('a', fail)]);
  expect(asked.map((result) => result.status === 'rejected' && (result.reason as Error).message)).toEqual([
    'no',
    'no',
  ]);
  expect(runs).toBe(1);
  expect(await values.get('a', async () => ({ n: 1 }))).toEqual({ n: 1 });
});

test('a value that is not fresh is given at once and loaded anew behind; a failure leaves it in place', async () => {
  const values = createRefreshing<{ n: number }>({ max: 5, freshMs: 20 });
  await values.get('a', async () => ({ n: 1 }));
  const old = () => new Promise((resolve) => setTimeout(resolve, 40));
  await old();
  expect(await values.get('a', () => Promise.reject(new Error('no')))).toEqual({ n: 1 });
  await old();
  expect(await values.get('a', async () => ({ n: 2 }))).toEqual({ n: 1 });
  await old();
  expect(values.peek('a')).toEqual({ n: 2 });
});
