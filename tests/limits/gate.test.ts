import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createGate, type Gate, type Place } from '../../src/limits/index.js';

const unlimited = { maxConcurrency: 100, perSecond: Number.POSITIVE_INFINITY, maxQueued: 1000 };

/** A gate, and who was let in by it in which order. */
function watch(options: Partial<typeof unlimited>) {
  const gate = createGate({ ...unlimited, ...options });
  const order: string[] = [];
  const places = new Map<string, Place>();
  const refused: string[] = [];
  const leavings = new Map<string, AbortController>();
  const enter = (lane: string, name: string, work: object = {}) => {
    const leaving = new AbortController();
    leavings.set(name, leaving);
    const { place, withdraw } = gate.enter({ lane, work, signal: leaving.signal });
    Promise.resolve(place).then(
      (given) => {
        order.push(name);
        places.set(name, given);
      },
      (error: { kind?: string }) => refused.push(`${name} ${error.kind ?? 'gone'}`),
    );
    return withdraw;
  };
  const leave = async (name: string) => {
    places.get(name)?.leave();
    await nextTurn();
  };
  return { gate, order, refused, enter, leave, leavings };
}

async function drain({ gate, order, leave }: ReturnType<typeof watch>): Promise<void> {
  for (let k = 0; k < 10_000 && gate.inside > 0; k += 1) await leave(order[k] ?? '');
}

describe('so many at once', () => {
  test('one comes in when one leaves, and leaving twice lets in one', async () => {
    const { gate, order, enter, leave } = watch({ maxConcurrency: 2 });
    for (const name of ['a', 'b', 'c', 'd']) enter(name, name);
    await nextTurn();
    expect([order, gate.inside, gate.queued]).toEqual([['a', 'b'], 2, 2]);
    await leave('a');
    await leave('a');
    expect([order, gate.inside, gate.queued]).toEqual([['a', 'b', 'c'], 2, 1]);
  });

  test('who leaves the queue, or withdraws too late, takes no place', async () => {
    const { gate, order, refused, enter, leave, leavings } = watch({ maxConcurrency: 1 });
    const withdrawFirst = enter('a', 'first');
    enter('b', 'second');
    const withdrawThird = enter('c', 'third');
    enter('d', 'fourth');
    await nextTurn();
    leavings.get('second')?.abort();
    withdrawThird();
    withdrawFirst();
    await nextTurn();
    expect(order).toEqual(['first', 'fourth']);
    expect(refused).toHaveLength(2);
    await leave('fourth');
    expect([gate.inside, gate.queued]).toEqual([0, 0]);
  });
});

describe('callers take turns', () => {
  test('one who asks 500 times delays another by one turn, not by 500', async () => {
    const watched = watch({ maxConcurrency: 4 });
    for (let k = 0; k < 500; k += 1) watched.enter('greedy', `greedy ${k}`);
    watched.enter('modest', 'modest 1');
    watched.enter('modest', 'modest 2');
    await nextTurn();
    await drain(watched);
    const { order } = watched;
    expect(order).toHaveLength(502);
    // three of the four places at most are the first one's: the fourth is there for whoever comes
    expect(order.indexOf('modest 1')).toBe(3);
    expect(order.indexOf('modest 2')).toBeLessThan(8);
  });

  test('a full queue refuses whoever has most in it, never the one who comes with the first', async () => {
    const watched = watch({ maxConcurrency: 1, maxQueued: 10 });
    for (let k = 0; k < 15; k += 1) watched.enter('greedy', `greedy ${k}`);
    watched.enter('modest', 'modest');
    await nextTurn();
    expect(watched.refused).toHaveLength(5);
    expect(watched.refused.every((text) => text.startsWith('greedy'))).toBe(true);
    expect(watched.refused.every((text) => text.endsWith('unavailable'))).toBe(true);
    await drain(watched);
    expect(watched.order).toContain('modest');
  });
});

describe('work that needs a second place while it holds its first', () => {
  test('goes before all who have none', async () => {
    const { order, enter, leave } = watch({ maxConcurrency: 2 });
    const work = {};
    enter('a', 'outer', work);
    enter('b', 'other');
    enter('c', 'waiting');
    enter('a', 'inner', work);
    await nextTurn();
    await leave('other');
    expect(order).toEqual(['outer', 'other', 'inner']);
  });

  test('is refused at once where every place is held by such work: nobody would ever be let in', async () => {
    const { refused, order, enter, leave } = watch({ maxConcurrency: 2 });
    const [one, two] = [{}, {}];
    enter('a', 'outer 1', one);
    enter('b', 'outer 2', two);
    enter('a', 'inner 1', one);
    await nextTurn();
    expect(refused).toEqual([]);
    enter('b', 'inner 2', two);
    await nextTurn();
    expect(refused).toEqual(['inner 2 unavailable']);
    await leave('outer 2');
    expect(order).toEqual(['outer 1', 'outer 2', 'inner 1']);
  });
});

describe('so many a second', () => {
  const timesOf = async (gate: Gate, count: number, beforeSent: (k: number) => Promise<unknown>) => {
    const times: number[] = [];
    const one = async (k: number) => {
      const place = await gate.enter({ lane: `${k}`, work: {}, signal: new AbortController().signal }).place;
      await beforeSent(k);
      place.sent();
      times.push(performance.now());
      place.leave();
    };
    await Promise.all(Array.from({ length: count }, (_, k) => one(k)));
    return times.sort((a, b) => a - b);
  };

  test('over any second, whenever it begins, and as many as that', async () => {
    const gate = createGate({ ...unlimited, perSecond: 10 });
    await timesOf(gate, 3, async () => {});
    await sleep(500);
    const times = await timesOf(gate, 27, async () => {});
    times.forEach((time, k) => {
      if (k >= 10) expect(time - (times[k - 10] ?? 0)).toBeGreaterThanOrEqual(1000);
    });
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(4000);
  });

  test('counted from when they go out: those that took long to connect hold back the next', async () => {
    const gate = createGate({ ...unlimited, perSecond: 3 });
    const times = await timesOf(gate, 6, (k) => (k < 3 ? sleep(300) : sleep(0)));
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  test('what was never sent counts for nothing', async () => {
    const { gate, order, enter } = watch({ perSecond: 1 });
    const withdraw = enter('a', 'first');
    enter('b', 'second');
    await nextTurn();
    expect(order).toEqual(['first']);
    withdraw();
    await nextTurn();
    expect(order).toEqual(['first', 'second']);
    expect(gate.inside).toBe(1);
  });
});
