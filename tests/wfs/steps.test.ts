import { watched, withEnd } from '../../src/wfs/steps.js';

let told: string[];
beforeEach(() => {
  told = [];
});

async function* count(most: number, fault?: Error): AsyncGenerator<number, void, void> {
  try {
    for (let k = 1; k <= most; k++) yield k;
    if (fault !== undefined) throw fault;
  } finally {
    told.push('features over');
  }
}

async function readAll<T>(features: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of features) all.push(value);
  return all;
}

describe('another end', () => {
  async function* countTo(most: number): AsyncGenerator<number, string, void> {
    yield* count(most);
    return 'over';
  }

  test('behind the same features, once', async () => {
    const features = withEnd(countTo(1), (end) => `${end} and out`);
    expect(await features.next()).toEqual({ done: false, value: 1 });
    expect(await features.next()).toEqual({ done: true, value: 'over and out' });
    expect(await features.next()).toEqual({ done: true, value: undefined });
  });

  test('none where the reader ends them', async () => {
    const features = withEnd(countTo(2), (end) => {
      told.push('asked for the end');
      return end;
    });
    await features.next();
    expect(await features.return('left')).toEqual({ done: true, value: 'left' });
    expect(await features.next()).toEqual({ done: true, value: undefined });
    expect(told).toEqual(['features over']);
  });

  test('what it throws is thrown', async () => {
    const features = withEnd(countTo(0), () => {
      throw new Error('no end');
    });
    await expect(features.next()).rejects.toThrow('no end');
  });
});

describe('looked at as they pass', () => {
  const watch = {
    look: (value: number) => void told.push(`seen ${value}`),
    end: () => void told.push('over'),
  };

  test('each of them, and the end once', async () => {
    const features = watched(count(2), watch);
    expect(await readAll(features)).toEqual([1, 2]);
    expect(await features.next()).toEqual({ done: true, value: undefined });
    await features.return();
    expect(told).toEqual(['seen 1', 'seen 2', 'features over', 'over']);
  });

  test('a fault of theirs is theirs', async () => {
    const features = watched(count(1, new Error('broken off')), watch);
    await expect(readAll(features)).rejects.toThrow('broken off');
    expect(await features.next()).toEqual({ done: true, value: undefined });
    expect(told).toEqual(['seen 1', 'features over', 'over']);
  });

  test('what is thrown at their sight ends them first', async () => {
    const features = watched(count(2), {
      ...watch,
      look(value) {
        if (value === 2) throw new Error('not this one');
      },
    });
    await expect(readAll(features)).rejects.toThrow('not this one');
    expect(await features.next()).toEqual({ done: true, value: undefined });
    expect(told).toEqual(['features over', 'over']);
  });

  test('a reader who leaves ends them', async () => {
    for await (const _ of watched(count(2), watch)) break;
    expect(told).toEqual(['seen 1', 'features over', 'over']);
  });

  test('a fault of their ending is thrown to who ends them, behind the end', async () => {
    const stuck = watched(
      { next: async () => ({ done: false, value: 1 }), return: () => Promise.reject(new Error('stuck')) },
      watch,
    );
    await stuck.next();
    await expect(stuck.return()).rejects.toThrow('stuck');
    expect(told).toEqual(['seen 1', 'over']);
  });

  test('an error thrown into them ends them, and is thrown', async () => {
    const features = watched(count(2), watch);
    await features.next();
    await expect(features.throw(new Error('from outside'))).rejects.toThrow('from outside');
    expect(told).toEqual(['seen 1', 'features over', 'over']);
  });

  test('a reader who leaves while one is waited for gets it, and ends them', async () => {
    const features = watched(count(2), watch);
    const first = features.next();
    await features.return();
    expect(await first).toEqual({ done: false, value: 1 });
    expect(await features.next()).toEqual({ done: true, value: undefined });
    expect(told).toEqual(['seen 1', 'features over', 'over']);
  });

  test('a fault while the reader leaves is told to who waits, and ends them once', async () => {
    const features = watched(count(0, new Error('broken off')), watch);
    const first = features.next();
    await features.return();
    await expect(first).rejects.toThrow('broken off');
    expect(told).toEqual(['features over', 'over']);
  });
});
