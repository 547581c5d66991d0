import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createShared, type Relay, type SharedParts } from '../../src/answers/index.js';
import { createSharedMemory, type SharedStore } from '../../src/cache/index.js';
import { ServiceError, toMessage } from '../../src/errors.js';
import type { Answer, PageEnd } from '../../src/query/index.js';
import { fakeSource, generate } from '../http/service.js';
import { base, readAll, toCaller, toFeature } from './source.js';

// Processes over one store, each over the same upstream.

const END: PageEnd = { numberReturned: 1 };
const away = () => new ServiceError('upstreamUnusable', toMessage('wfs.noAnswer'));

let store: SharedStore;
let now = 0;
let asked = 0;
let answer: () => Promise<Answer['features']>;
beforeEach(() => {
  now = 0;
  asked = 0;
  store = createSharedMemory({ maxBytes: 1e8, now: () => now + performance.now() });
  answer = async () => generate([toFeature(100)], END);
});

type Process = ReturnType<typeof startProcess>;

function startProcess(parts: Partial<SharedParts> = {}) {
  const events: string[] = [];
  const source = fakeSource({
    async search(_, { signal }) {
      asked += 1;
      const left = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      return { isPrivate: false, features: await Promise.race([answer(), left]) };
    },
  });
  const shared = createShared(source, {
    store,
    namespace: 'n',
    takesKeys: true,
    secret: Buffer.from('secret'),
    freshS: 60,
    maxWholeBytes: 1e6,
    onEvent: (event) => void events.push(event),
    ...parts,
  });
  const read = async (query = base, caller = toCaller()) => readAll(await shared.search(query, caller));
  return { shared, read, events };
}

describe('an answer that one process has asked for', () => {
  test('is there for the others, with its tag and age', async () => {
    const [one, two] = [startProcess(), startProcess()];
    const first = await one.shared.search(base, toCaller());
    const text = await readAll(first);
    await sleep(10);
    now = 5000;
    const second = await two.shared.search(base, toCaller());
    expect(await readAll(second)).toEqual(text);
    expect(second.validity).toMatchObject({ tag: first.validity?.tag, ageS: 5 });
    expect(first.validity?.ageS).toBeUndefined();
    expect([asked, one.events, two.events]).toEqual([1, ['asked'], ['hit']]);
  });

  test('is waited for while it is under way', async () => {
    answer = async () => {
      await sleep(200);
      return generate([toFeature(100)], END);
    };
    const [one, two] = [startProcess(), startProcess()];
    const [first, second] = await Promise.all([one.read(), two.read()]);
    expect(second).toEqual(first);
    expect(asked).toBe(1);
    expect([...one.events, ...two.events].sort()).toEqual(['asked', 'waited']);
  });

  test('is made anew when it is old, and is better than none while the upstream is away', async () => {
    const [one, two] = [startProcess(), startProcess()];
    const text = await one.read();
    await sleep(10);
    now = 70_000;
    answer = () => Promise.reject(away());
    expect(await two.read()).toEqual(text);
    expect(two.events).toEqual(['stale']);
    answer = async () => generate([toFeature(100, 'y')], END);
    expect((await one.read()).text).toContain('yyy');
    now = 3_800_000;
    answer = () => Promise.reject(away());
    await expect(two.read()).rejects.toThrow();
  });

  test('of many parts comes out as it went in', async () => {
    const batches = Array.from({ length: 300 }, (_, k) =>
      toFeature(10_000, String.fromCharCode(97 + (k % 26))),
    );
    answer = async () => generate(batches, { numberReturned: 300 });
    const parts = { maxWholeBytes: 1000 };
    const text = await startProcess(parts).read();
    await sleep(50);
    expect(await startProcess(parts).read()).toEqual(text);
    expect(asked).toBe(1);
  });

  test('is asked for anew where parts of it are gone', async () => {
    await startProcess().read();
    await sleep(10);
    store = { ...store, getPart: async () => undefined };
    const { read, events } = startProcess();
    await read();
    expect([asked, events]).toEqual([2, ['asked']]);
  });
});

describe('with a way to what others make', () => {
  const relayed = () => ({ isPrivate: false, features: generate([toFeature(7)], END) });

  test('who asks meanwhile reads it where it is made', async () => {
    let isOver = false;
    answer = async () => {
      while (!isOver) await sleep(5);
      return generate([toFeature(100)], END);
    };
    const at: string[] = [];
    const one = startProcess({ relay: { at: 'one', ask: async () => undefined } });
    const first = one.read();
    await sleep(20);
    const two = startProcess({
      relay: {
        at: 'two',
        async ask(other, query) {
          at.push(`${other} ${query.source}`);
          return relayed();
        },
      },
    });
    expect((await two.read()).text).toHaveLength(7);
    expect([at, two.events, asked]).toEqual([['one s'], ['waited'], 1]);
    isOver = true;
    await first;
  });

  test('who cannot have it there while it is made waits until it is whole there', async () => {
    let isWhole = false;
    answer = async () => {
      await sleep(200);
      isWhole = true;
      return generate([toFeature(100)], END);
    };
    const first = startProcess({ relay: { at: 'one', ask: async () => undefined } }).read();
    await sleep(20);
    const ask = async () => (isWhole ? relayed() : undefined);
    const two = startProcess({ relay: { at: 'two', ask } });
    expect((await two.read()).text).toHaveLength(7);
    await first;
    expect([two.events, asked]).toEqual([['waited'], 1]);
  });

  const startTwo = (ask: Relay['ask']) => [
    startProcess({ relay: { at: 'one', ask: async () => undefined } }),
    startProcess({ relay: { at: 'two', ask } }),
  ];

  test('it stays where it was made, and is read there', async () => {
    const asks: unknown[][] = [];
    const [one, two] = startTwo(async (at, query, _, isOldToo) => {
      asks.push([at, query.source, isOldToo]);
      return relayed();
    }) as [Process, Process];
    store = Object.assign(store, { setPart: () => Promise.reject(new Error('not asked for')) });
    await one.read();
    await sleep(10);
    expect((await two.read()).text).toHaveLength(7);
    expect([asks, two.events, asked]).toEqual([[['one', 's', false]], ['hit'], 1]);
  });

  test('it is asked for anew where it is not there any more, by whoever made it too', async () => {
    const [one, two] = startTwo(async () => undefined) as [Process, Process];
    await one.read();
    await sleep(10);
    await two.read();
    await sleep(10);
    expect([asked, two.events]).toEqual([2, ['asked']]);
    await two.read(); // it keeps none itself: what it is read through does
    expect([asked, two.events]).toEqual([3, ['asked', 'asked']]);
  });

  test('an old one is read there while the upstream is away', async () => {
    const asks: unknown[] = [];
    const [one, two] = startTwo(async (_, __, ___, isOldToo) => {
      asks.push(isOldToo);
      return isOldToo ? relayed() : undefined;
    }) as [Process, Process];
    await one.read();
    await sleep(10);
    now = 70_000;
    answer = () => Promise.reject(away());
    expect((await two.read()).text).toHaveLength(7);
    expect([asks, two.events]).toEqual([[true], ['stale']]);
  });

  test('one that is too large to be kept is asked for by each', async () => {
    answer = async () => generate([toFeature(2000)], END);
    const one = startProcess({ maxWholeBytes: 1000, relay: { at: 'one', ask: async () => undefined } });
    const two = startProcess({ relay: { at: 'two', ask: async () => relayed() } });
    await one.read();
    await sleep(10);
    expect((await two.read()).text).toHaveLength(2000);
    expect(two.events).toEqual(['asked']);
  });
});

describe('nothing is shared', () => {
  test('between keys, nor between upstreams', async () => {
    await startProcess().read(base, toCaller({ apikey: 'a' }));
    await sleep(10);
    await startProcess().read(base, toCaller({ apikey: 'a' }));
    expect(asked).toBe(1);
    await startProcess().read(base, toCaller({ apikey: 'b' }));
    await startProcess().read(base, toCaller());
    await startProcess({ namespace: 'other' }).read(base, toCaller({ apikey: 'a' }));
    expect(asked).toBe(4);
  });

  test('of an answer that may be different the next time', async () => {
    answer = async () => generate([toFeature(100)], { ...END, warnings: [toMessage('wfs.mayBeCut')] });
    await startProcess().read();
    await startProcess().read();
    expect(asked).toBe(2);
  });

  test('of an answer that breaks off, and the next who asks need not wait', async () => {
    answer = async () => {
      async function* broken(): Answer['features'] {
        yield toFeature(100);
        throw away();
      }
      return broken();
    };
    await expect(startProcess().read()).rejects.toThrow();
    answer = async () => generate([toFeature(100)], END);
    const begun = performance.now();
    await startProcess().read();
    expect(performance.now() - begun).toBeLessThan(500);
    expect(asked).toBe(2);
  });

  test('when the store is away: each asks for itself', async () => {
    const fail = () => Promise.reject(new Error('away'));
    store = { ...store, begin: fail, setPart: fail, finish: fail };
    const [one, two] = [startProcess(), startProcess()];
    await one.read();
    await two.read();
    expect([asked, one.events, two.events]).toEqual([2, ['alone'], ['alone']]);
  });
});

test('when the caller leaves, another takes over at once', async () => {
  answer = () => new Promise(() => {});
  const caller = toCaller();
  const one = startProcess();
  const left = one.shared.search(base, caller);
  left.catch(() => {});
  await sleep(100);
  answer = async () => generate([toFeature(100)], END);
  const waiting = startProcess().read();
  await sleep(100);
  expect(asked).toBe(1);
  caller.leave();
  const begun = performance.now();
  await waiting;
  expect(performance.now() - begun).toBeLessThan(1500);
  expect(asked).toBe(2);
});

test('who reads slowly keeps nobody else waiting for long', async () => {
  answer = async () => {
    async function* slow(): Answer['features'] {
      yield toFeature(100);
      await sleep(60_000, undefined, { ref: false });
      return END;
    }
    return slow();
  };
  const { features } = await startProcess().shared.search(base, toCaller());
  await features.next();
  answer = async () => generate([toFeature(100)], END);
  const begun = performance.now();
  await startProcess().read();
  expect(performance.now() - begun).toBeLessThan(4000);
}, 10_000);
