import { begin, fromFirst, orElse } from '../../src/wfs/first-step.js';

async function readAll<T, R>(features: AsyncGenerator<T, R, void>): Promise<[T[], R]> {
  const all: T[] = [];
  for (;;) {
    const step = await features.next();
    if (step.done) return [all, step.value];
    all.push(step.value);
  }
}

let ended: string[];
beforeEach(() => {
  ended = [];
});

async function* count(name: string, most: number, fault?: Error): AsyncGenerator<number, string, void> {
  try {
    if (fault !== undefined) throw fault;
    for (let k = 1; k <= most; k++) yield k;
    return `${name} is over`;
  } finally {
    ended.push(name);
  }
}

test('features that can be begun in another way, where the first fails', async () => {
  const features = fromFirst(async () => {
    try {
      return await begin(count('first', 2, new Error('refused')));
    } catch {
      return begin(count('other', 2));
    }
  });
  expect(ended).toEqual([]);
  expect(await readAll(features)).toEqual([[1, 2], 'other is over']);
  expect(ended).toEqual(['first', 'other']);
  expect(await features.next()).toEqual({ done: true, value: undefined });
});

test('none at all: the end is the first step', async () => {
  expect(await readAll(fromFirst(() => begin(count('empty', 0))))).toEqual([[], 'empty is over']);
});

test('what the last way throws is thrown', async () => {
  const features = fromFirst(() => begin(count('only', 1, new Error('refused'))));
  await expect(features.next()).rejects.toThrow('refused');
});

describe('features, or others', () => {
  const toOthers = async (error: unknown) => {
    if (!(error instanceof Error) || error.message !== 'refused') throw error;
    return begin(count('other', 1));
  };

  test('the first where they begin, also where there are none', async () => {
    expect(await readAll(orElse(() => count('first', 2), toOthers))).toEqual([[1, 2], 'first is over']);
    expect(await readAll(orElse(() => count('none', 0), toOthers))).toEqual([[], 'none is over']);
    expect(ended).toEqual(['first', 'none']);
  });

  test('the others where the first step fails, or they cannot be made', async () => {
    const refused = new Error('refused');
    expect(await readAll(orElse(() => count('first', 2, refused), toOthers))).toEqual([[1], 'other is over']);
    const unmade = () => {
      throw refused;
    };
    expect(await readAll(orElse(unmade, toOthers))).toEqual([[1], 'other is over']);
    expect(ended).toEqual(['first', 'other', 'other']);
  });

  test('what there are no others for is thrown', async () => {
    const features = orElse(() => count('first', 2, new Error('away')), toOthers);
    await expect(features.next()).rejects.toThrow('away');
  });

  test('none where the reader has left before; what comes while it leaves is ended', async () => {
    const never = orElse(() => count('never', 2), toOthers);
    await never.return('left');
    expect(await never.next()).toEqual({ done: true, value: undefined });
    const late = orElse(() => count('first', 2, new Error('refused')), toOthers);
    const first = late.next();
    await late.return('left');
    expect(await first).toEqual({ done: false, value: 1 });
    expect(ended).toEqual(['first', 'other']);
  });

  test('a fault behind the first step is theirs', async () => {
    async function* broken(): AsyncGenerator<number, string, void> {
      yield 1;
      throw new Error('refused');
    }
    await expect(readAll(orElse(broken, toOthers))).rejects.toThrow('refused');
    expect(ended).toEqual([]);
  });
});

describe('ended by its reader', () => {
  test('before the first step: nothing is begun any more', async () => {
    const features = fromFirst(() => begin(count('never', 2)));
    await features.return('left');
    expect(await features.next()).toEqual({ done: true, value: undefined });
    expect(ended).toEqual([]);
  });

  test('behind it: what was begun is ended', async () => {
    for await (const k of fromFirst(() => begin(count('some', 3)))) if (k === 2) break;
    expect(ended).toEqual(['some']);
  });

  test('while it waits for it: what comes is ended', async () => {
    const features = fromFirst(() => begin(count('late', 3)));
    const first = features.next();
    await features.return('left');
    await first;
    expect(ended).toEqual(['late']);
  });
});
