import { Abort, follow, sleep, untilAborted } from '../src/signal.js';

describe('Abort', () => {
  test('tells each listener once, in order, with the reason there to be read; who comes too late is not told', () => {
    const own = new Abort();
    const told: string[] = [];
    own.addEventListener('abort', () => told.push(`first: ${String(own.reason)}`));
    const gone = () => told.push('gone');
    own.addEventListener('abort', gone);
    own.removeEventListener('abort', gone);
    own.addEventListener('abort', () => told.push('last'));
    expect([own.aborted, own.reason]).toEqual([false, undefined]);
    own.throwIfAborted();
    own.abort('left');
    own.abort('again');
    own.addEventListener('abort', () => told.push('late'));
    expect(told).toEqual(['first: left', 'last']);
    expect(own.aborted).toBe(true);
    expect(() => own.throwIfAborted()).toThrow('left');
  });

  test('has the reason of an AbortController where none is given', () => {
    const own = new Abort();
    own.abort();
    expect(own.reason).toMatchObject({ name: 'AbortError' });
  });

  test('a listener may take away another, or itself, while they are told', () => {
    const own = new Abort();
    const told: string[] = [];
    const other = () => told.push('other');
    own.addEventListener('abort', () => own.removeEventListener('abort', other));
    own.addEventListener('abort', other);
    own.abort();
    expect(told).toEqual([]);
  });
});

describe('follow', () => {
  test.each(['an AbortController', 'another of our own'])(
    'is aborted with %s, and by itself alone',
    (kind) => {
      const controller = kind === 'an AbortController' ? new AbortController() : new Abort();
      const signal = controller instanceof Abort ? controller : controller.signal;
      const alone = follow(signal);
      alone.abort('mine');
      const own = follow(signal);
      expect([signal.aborted, own.aborted]).toEqual([false, false]);
      controller.abort('left');
      expect([own.reason, alone.reason]).toEqual(['left', 'mine']);
      expect(follow(signal).reason).toBe('left');
    },
  );
});

describe('untilAborted', () => {
  test('settles like the work, while nobody leaves', async () => {
    const own = new Abort();
    await expect(untilAborted(Promise.resolve(1), own)).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(new Error('fault')), own)).rejects.toThrow('fault');
    own.abort(new Error('left'));
  });

  test('rejects when it is aborted, before or meanwhile; a work that fails later is nobody’s fault', async () => {
    const own = new Abort();
    let fail = (_: Error) => {};
    const waiting = untilAborted(new Promise((_, reject) => (fail = reject)), own);
    own.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    fail(new Error('too late'));
    await expect(untilAborted(Promise.reject(new Error('fault')), own)).rejects.toThrow('left');
  });
});

describe('sleep', () => {
  test('ends early with the reason of its signal, whenever that was aborted', async () => {
    const own = new Abort();
    const asleep = sleep(60_000, own);
    own.abort(new Error('left'));
    await expect(asleep).rejects.toThrow('left');
    await expect(sleep(60_000, own)).rejects.toThrow('left');
    await expect(sleep(1)).resolves.toBeUndefined();
  });
});
