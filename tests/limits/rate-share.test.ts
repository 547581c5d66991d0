import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSharedMemory, type SharedStore } from '../../src/cache/index.js';
import { createGate, createRateShare, type SharedRate } from '../../src/limits/index.js';
import { toShare } from '../../src/limits/rate-share.js';

const open: SharedRate[] = [];
afterEach(async () => {
  for (const rate of open.splice(0)) await rate.close();
});

/** Processes that share a rate, and when each lets something out. */
function startProcesses(store: SharedStore, count: number, total: number) {
  const times: number[] = [];
  const gates = Array.from({ length: count }, () => {
    const rate = createRateShare({ store, pool: 'p', total, graceMs: 0 });
    open.push(rate);
    return { rate, gate: createGate({ maxConcurrency: 50, perSecond: rate, maxQueued: 1000 }) };
  });
  const send = async (k: number) => {
    const { signal } = new AbortController();
    const place = await gates[k % count]?.gate.enter({ lane: 'a', work: {}, signal }).place;
    place?.sent();
    times.push(performance.now());
    place?.leave();
  };
  const toBusiest = () =>
    Math.max(...times.map((time) => times.filter((other) => other >= time && other < time + 1000).length));
  return { shares: () => gates.map(({ rate }) => rate.perSecond), send, toBusiest, times };
}

/** Once it is so; where other work holds everything up, that takes its time. */
async function until(shares: () => readonly number[], expected: readonly number[]): Promise<void> {
  for (let k = 0; k < 1000 && String(shares()) !== String(expected); k += 1) await sleep(10);
  expect(shares()).toEqual(expected);
}

describe('a rate that processes share', () => {
  test.concurrent('goes to who needs it, and is never exceeded, not while it is handed over either', async () => {
    const { shares, send, toBusiest, times } = startProcesses(createSharedMemory({ maxBytes: 1 }), 3, 30);
    await until(shares, [10, 10, 10]);
    const sent = Promise.all(Array.from({ length: 40 }, () => send(0)));
    await until(() => shares().slice(0, 1), [20]);
    await sent;
    await Promise.all(Array.from({ length: 120 }, (_, k) => send(k)));
    expect(toBusiest()).toBeLessThanOrEqual(30);
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    expect(times.length / ((last - first) / 1000)).toBeGreaterThan(20);
  }, 20_000);

  test.concurrent('that is less than one for each goes round', async () => {
    const { send, toBusiest, times } = startProcesses(createSharedMemory({ maxBytes: 1 }), 2, 1);
    await Promise.all([send(0), send(1)]);
    expect(times).toHaveLength(2);
    expect(toBusiest()).toBe(1);
  }, 20_000);

  test.concurrent('stays shared as it is while the store is away', async () => {
    const store = createSharedMemory({ maxBytes: 1 });
    let isAway = false;
    const moody: SharedStore = {
      ...store,
      share: (...all) => (isAway ? Promise.reject(new Error('away')) : store.share(...all)),
    };
    const { shares, send, toBusiest } = startProcesses(moody, 2, 20);
    await until(shares, [10, 10]);
    isAway = true;
    await Promise.all(Array.from({ length: 60 }, (_, k) => send(k)));
    expect(shares()).toEqual([10, 10]);
    expect(toBusiest()).toBeLessThanOrEqual(20);
  }, 20_000);

  test.concurrent('is a tenth for who never reached the store', async () => {
    const store = { ...createSharedMemory({ maxBytes: 1 }), share: () => Promise.reject(new Error('away')) };
    const { shares } = startProcesses(store, 1, 50);
    expect(shares()).toEqual([0]);
    await until(shares, [5]);
  });
});

describe('shares, as every member reckons them', () => {
  const members = fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) => fc.record({ name: fc.constant(name), held: fc.nat(50), wanted: fc.nat(60) })),
      ),
    );

  test('are the whole, whoever reckons, and nobody has more than one who wants more than it gets', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 60 }), fc.nat(100_000), (all, total, now) => {
        const shares = all.map(({ name }) => toShare(name, [...all].reverse(), total, now));
        expect(shares.reduce((a, b) => a + b)).toBe(total);
        for (const [i, { wanted }] of all.entries()) {
          const share = shares[i] as number;
          if (share < wanted) expect(Math.max(...shares)).toBeLessThanOrEqual(share + 1);
        }
      }),
    );
  });
});
