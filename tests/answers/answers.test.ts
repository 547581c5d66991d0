import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { ServiceError, toMessage } from '../../src/errors.js';
import { base, createShared, readAll, toCaller, toFeature } from './source.js';

const whole = { numberReturned: 1, numberMatched: 1 };
const away = new ServiceError('upstreamTimeout', toMessage('internal'));

/** Asks, and lets the upstream answer with one feature. */
async function fill(
  { answers, upstream }: Pick<ReturnType<typeof createShared>, 'answers' | 'upstream'>,
  { query = base, caller = toCaller(), feature = toFeature(10), end = whole as object } = {},
) {
  const asking = answers.search(query, caller);
  await nextTurn();
  upstream.at(-1)?.give(feature);
  upstream.at(-1)?.give({ ...whole, ...end });
  const answer = await asking;
  return { answer, read: await readAll(answer) };
}

test('what is under way, or kept, can be had without asking anybody', async () => {
  const { answers, upstream, events } = createShared();
  const { signal } = toCaller();
  const look = () => answers.underway(base, {}, signal);
  expect(await look()).toBeUndefined();
  const first = answers.search(base, toCaller());
  await nextTurn();
  const joined = look();
  await nextTurn();
  upstream[0]?.give(toFeature(10));
  upstream[0]?.give(whole);
  const read = await readAll(await first);
  expect(await readAll((await joined)!)).toEqual(read);
  await nextTurn();
  expect(await readAll((await look())!)).toEqual(read);
  expect([upstream.length, events]).toEqual([1, ['asked', 'joined', 'hit']]);
});

/** What garbage is, is collected. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 4; round += 1) {
    gc();
    await nextTurn();
  }
}

test.each(['begun', 'not begun'])('nothing is held of an answer that has broken off, %s', async (how) => {
  const { answers, upstream } = createShared();
  const breakOff = async () => {
    const fault = new Error('broken off');
    const asking = answers.search(base, toCaller());
    await nextTurn();
    if (how === 'begun') upstream[0]?.give(toFeature(10));
    upstream.pop()?.give(fault);
    const isRead = await asking.then(readAll).then(
      () => true,
      () => false,
    );
    expect(isRead).toBe(false);
    return new WeakRef(fault);
  };
  const faults = [await breakOff(), await breakOff()];
  await collect();
  expect(faults.map((fault) => fault.deref())).toEqual([undefined, undefined]);
  expect((await fill({ answers, upstream })).read.end).toEqual(whole);
});

describe('while it is under way', () => {
  test('the same question is asked once, whoever asks, in whatever order', async () => {
    const { answers, upstream, events } = createShared();
    const a = { name: 'a', values: ['1', '2'], parameter: 'a' };
    const b = { name: 'b', values: [null], parameter: 'b' };
    const asking = [
      answers.search({ ...base, attributes: [a, b] }, toCaller()),
      answers.search(
        { ...base, attributes: [b, { ...a, values: ['2', '1'] }] },
        toCaller({ apikey: 'ignored' }),
      ),
    ];
    await nextTurn();
    upstream[0]?.give(toFeature(10));
    upstream[0]?.give(whole);
    const read = await Promise.all(asking.map(async (one) => readAll(await one)));
    expect(read).toEqual([
      { text: '"xxxxxxxx"', end: whole },
      { text: '"xxxxxxxx"', end: whole },
    ]);
    expect(upstream).toHaveLength(1);
    expect(events).toEqual(['asked', 'joined']);
  });

  test('who comes in the middle gets it from its first feature on', async () => {
    const { answers, upstream } = createShared();
    const early = answers.search(base, toCaller());
    await nextTurn();
    for (const letter of 'ab') upstream[0]?.give(toFeature(3, letter));
    const first = await early;
    await first.features.next();
    await first.features.next();
    const late = readAll(await answers.search(base, toCaller()));
    upstream[0]?.give(whole);
    expect((await late).text).toBe('"a","b"');
    expect(upstream).toHaveLength(1);
  });

  test('callers with different keys share nothing where the upstream takes keys', async () => {
    const { answers, upstream } = createShared({ takesKeys: true });
    const callers = [{ apikey: 'A' }, { apikey: 'B' }, { token: 'A' }, {}, { apikey: 'A' }];
    for (const credentials of callers) void answers.search(base, toCaller(credentials));
    await nextTurn();
    expect(upstream.map(({ caller }) => caller.credentials)).toEqual(callers.slice(0, 4));
  });

  test('an error before the first feature is told to all, and the next who asks is answered anew', async () => {
    const { answers, upstream } = createShared();
    const asking = [1, 2, 3].map(() => answers.search(base, toCaller()).catch((error: unknown) => error));
    await nextTurn();
    upstream[0]?.give(away);
    expect(await Promise.all(asking)).toEqual([away, away, away]);
    void answers.search(base, toCaller());
    await nextTurn();
    expect(upstream).toHaveLength(2);
  });

  test('a late fault is a late fault for all, and nothing of it is kept', async () => {
    const { answers, upstream } = createShared();
    const asking = [1, 2].map(() => answers.search(base, toCaller()));
    await nextTurn();
    upstream[0]?.give(toFeature(10));
    upstream[0]?.give(away);
    const given = await Promise.all(asking);
    await Promise.all(given.map((one) => expect(readAll(one)).rejects.toBe(away)));
    void answers.search(base, toCaller());
    await nextTurn();
    expect(upstream).toHaveLength(2);
  });

  test('one who leaves disturbs nobody; when the last leaves, the upstream request is aborted', async () => {
    const { answers, upstream } = createShared();
    const [first, second] = [toCaller(), toCaller()];
    const leaving = answers.search(base, first);
    const staying = answers.search(base, second);
    await nextTurn();
    first.leave();
    await expect(leaving).rejects.toThrow('left');
    expect(upstream[0]?.caller.signal.aborted).toBe(false);
    upstream[0]?.give(toFeature(10));
    const { features } = await staying;
    await features.next();
    await features.return(undefined as never);
    expect(upstream[0]?.caller.signal.aborted).toBe(true);
    await nextTurn();
    expect(upstream[0]?.isEnded()).toBe(true);
  });

  test('when all leave before anything has come, the upstream request is aborted', async () => {
    const { answers, upstream } = createShared();
    const callers = [toCaller(), toCaller()];
    const asking = callers.map((caller) => answers.search(base, caller).catch(() => {}));
    await nextTurn();
    for (const caller of callers) caller.leave();
    await Promise.all(asking);
    expect(upstream[0]?.caller.signal.aborted).toBe(true);
  });
});

describe('readers at different paces', () => {
  /** Two readers of one long answer. */
  async function startTwo(parts = {}, sizes = {}) {
    const shared = createShared(parts, sizes);
    const asking = [1, 2].map(() => shared.answers.search(base, toCaller()));
    await nextTurn();
    shared.upstream[0]?.give(toFeature(100_000));
    const [quick, slow] = await Promise.all(asking);
    if (quick === undefined || slow === undefined) throw new Error('not answered');
    return { ...shared, quick: quick.features, slow: slow.features };
  }

  test('the upstream is read no faster than the fastest reads', async () => {
    const { upstream, quick } = await startTwo();
    for (let i = 0; i < 5; i += 1) upstream[0]?.give(toFeature(10));
    await quick.next();
    await quick.next();
    await nextTurn();
    expect(upstream[0]?.asked()).toBe(2);
  });

  test('who falls behind by more than the bound is cut; the other reads on, and memory stays bounded', async () => {
    const { upstream, quick, slow, events } = await startTwo({}, { maxEntryBytes: 500_000 });
    await slow.next();
    let read = 0;
    for (let i = 0; i < 100; i += 1) {
      upstream[0]?.give(toFeature(100_000));
      const step = await quick.next();
      if (!step.done) read += step.value.bytes.length;
    }
    expect(read).toBe(100 * 100_000);
    await expect(slow.next()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(events.filter((event) => event === 'cut')).toHaveLength(1);
    upstream[0]?.give(whole);
    await quick.next();
    expect((await quick.next()).done).toBe(true);
  });

  test('who is at the bound but reads on is waited for', async () => {
    const { upstream, quick, slow, events } = await startTwo({}, { maxEntryBytes: 500_000 });
    for (let i = 1; i < 50; i += 1) upstream[0]?.give(toFeature(100_000));
    upstream[0]?.give(whole);
    const hasEnded = { quick: false, slow: false };
    const read = async (name: 'quick' | 'slow', features: typeof quick, pauseMs: number) => {
      for (let step = await features.next(); !step.done; step = await features.next()) await sleep(pauseMs);
      hasEnded[name] = true;
    };
    await Promise.all([read('quick', quick, 0), read('slow', slow, 5)]);
    expect(hasEnded).toEqual({ quick: true, slow: true });
    expect(events).not.toContain('cut');
  });

  test('one who reads now and then holds up the other for a moment only', async () => {
    const { upstream, quick, slow, events } = await startTwo({}, { maxEntryBytes: 500_000 });
    for (let i = 1; i < 50; i += 1) upstream[0]?.give(toFeature(100_000));
    upstream[0]?.give(whole);
    const begun = performance.now();
    const dripping = setInterval(() => void slow.next().catch(() => {}), 100);
    await readAll({ isPrivate: false, features: quick });
    clearInterval(dripping);
    expect(performance.now() - begun).toBeLessThan(1500); // of the five seconds that the other takes
    expect(events).toContain('cut');
  });

  test('nobody joins once the first feature was let go, and such an answer is not kept', async () => {
    const { answers, upstream, quick, slow } = await startTwo({}, { maxEntryBytes: 300_000 });
    for (let i = 0; i < 5; i += 1) {
      upstream[0]?.give(toFeature(100_000));
      await Promise.all([quick.next(), slow.next()]);
    }
    void answers.search(base, toCaller());
    await nextTurn();
    expect(upstream).toHaveLength(2);
    upstream[0]?.give(whole);
    await Promise.all([
      readAll({ isPrivate: false, features: quick }),
      readAll({ isPrivate: false, features: slow }),
    ]);
    void answers.search({ ...base }, toCaller());
    await nextTurn();
    expect(upstream).toHaveLength(2); // the second is under way; the first has left nothing
  });

  test('all that is held comes out of one budget, and goes back', async () => {
    const { upstream, quick, slow, memory } = await startTwo(
      {},
      { maxBytes: 2_000_000, maxEntryBytes: 900_000 },
    );
    for (let i = 0; i < 7; i += 1) {
      upstream[0]?.give(toFeature(100_000));
      await quick.next();
    }
    await quick.next();
    expect(memory.take(600_000)).toBe(false);
    await Promise.all([quick.return(undefined as never), slow.return(undefined as never)]);
    expect(memory.take(1_000_000)).toBe(true);
  });
});

describe('for a while after', () => {
  test('the same question costs the upstream nothing, and says how old its answer is', async () => {
    let now = 1_000_000;
    const { answers, upstream, events } = createShared({ now: () => now });
    const { answer } = await fill({ answers, upstream });
    now += 59_999;
    const again = await answers.search({ ...base }, toCaller());
    expect(await readAll(again)).toEqual({ text: '"xxxxxxxx"', end: whole });
    expect(again.whole?.end).toEqual(whole);
    const { tag } = answer.validity ?? {};
    const common = { tag, freshS: 60, staleIfErrorS: 3600, isByKey: false };
    expect(answer.validity).toEqual(common);
    expect(again.validity).toEqual({ ...common, ageS: 59 });
    expect(upstream).toHaveLength(1);
    expect(events).toEqual(['asked', 'hit']);
  });

  test('batches come back as one, feature by feature the same', async () => {
    const { answers, upstream } = createShared();
    const asking = answers.search(base, toCaller());
    await nextTurn();
    upstream[0]?.give({ bytes: Buffer.from('"a","b"'), ends: [3, 7] });
    upstream[0]?.give({ bytes: Buffer.from(''), ends: [] });
    upstream[0]?.give({ bytes: Buffer.from('"c"'), ends: [3] });
    upstream[0]?.give({ numberReturned: 3 });
    await readAll(await asking);
    const { whole } = await answers.search(base, toCaller());
    expect(whole?.batches.map(({ bytes, ends }) => [Buffer.from(bytes).toString(), ends])).toEqual([
      ['"a","b","c"', [3, 7, 11]],
    ]);
  });

  test('an old answer is asked for anew, under another name', async () => {
    let now = 0;
    const { answers, upstream } = createShared({ now: () => now });
    const { answer: old } = await fill({ answers, upstream });
    now = 60_000;
    const { answer } = await fill({ answers, upstream }, { feature: toFeature(10, 'y') });
    expect(upstream).toHaveLength(2);
    expect(answer.validity?.tag).not.toBe(old.validity?.tag);
    expect((await readAll(await answers.search(base, toCaller()))).text).toBe('"yyyyyyyy"');
  });

  test.each(['upstreamTimeout', 'upstreamUnusable', 'unavailable'] as const)(
    'an old answer is better than %s for an hour, and does not hide its age',
    async (kind) => {
      let now = 0;
      const { answers, upstream, events } = createShared({ now: () => now });
      await fill({ answers, upstream });
      now = 1000 * 1000;
      const asking = answers.search(base, toCaller());
      await nextTurn();
      upstream.at(-1)?.give(new ServiceError(kind, toMessage('internal')));
      const { validity } = await asking;
      expect(validity).toMatchObject({ ageS: 1000, freshS: 60 });
      expect(events).toEqual(['asked', 'asked', 'stale']);
    },
  );

  test('it is not better than being told that the layer is gone, or that the caller may not see it', async () => {
    let now = 0;
    const { answers, upstream } = createShared({ now: () => now });
    await fill({ answers, upstream });
    now = 100_000;
    for (const kind of ['notFound', 'keyRefused', 'rateLimited', 'internal'] as const) {
      const asking = answers.search(base, toCaller());
      await nextTurn();
      upstream.at(-1)?.give(new ServiceError(kind, toMessage('internal')));
      await expect(asking).rejects.toMatchObject({ kind });
    }
  });

  test('what is kept for one key is given to no other', async () => {
    const shared = createShared({ takesKeys: true });
    const { answer } = await fill(shared, { caller: toCaller({ apikey: 'A' }) });
    expect(answer).toMatchObject({ isPrivate: true, validity: { isByKey: true } });
    for (const credentials of [{}, { apikey: 'B' }, { apikey: 'A', token: 'T' }]) {
      void shared.answers.search(base, toCaller(credentials));
    }
    await nextTurn();
    expect(shared.upstream).toHaveLength(4);
    const again = await shared.answers.search(base, toCaller({ apikey: 'A' }));
    expect(again).toMatchObject({ isPrivate: true, validity: { ageS: 0 } });
  });

  test.each<[string, object, object]>([
    ['warns of what may pass', {}, { warnings: [toMessage('wfs.mayBeCut')] }],
    ['lacks the count that was waited for', { count: 'always' }, { numberMatched: undefined }],
  ])('an answer that %s is not kept', async (_, query, end) => {
    const shared = createShared();
    await fill(shared, { query: { ...base, ...query }, end });
    void shared.answers.search({ ...base, ...query }, toCaller());
    await nextTurn();
    expect(shared.upstream).toHaveLength(2);
  });

  test('what an answer warns of is kept with it, where it is always so', async () => {
    const shared = createShared();
    const warnings = [toMessage('wfs.unstableOrder')];
    await fill(shared, { end: { warnings } });
    expect((await shared.answers.search(base, toCaller())).whole?.end.warnings).toEqual(warnings);
  });

  test('modules over one cache do not see each other\u2019s answers', async () => {
    const one = createShared();
    await fill(one);
    const other = createShared({ name: 'other', cache: one.memory });
    void other.answers.search(base, toCaller());
    await nextTurn();
    expect(other.upstream).toHaveLength(1);
  });

  test('without a cache answers are shared all the same, and have no name', async () => {
    const shared = createShared({ cache: undefined });
    const { answer } = await fill(shared);
    expect(answer.validity).toBeUndefined();
    void shared.answers.search(base, toCaller());
    await nextTurn();
    expect(shared.upstream).toHaveLength(2);
  });
});
