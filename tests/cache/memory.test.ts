import { expect, test } from '@jest/globals';
import { createMemoryCache } from '../../src/cache/index.js';

const toValue = (bytes: number) => ({
  about: { n: bytes },
  chunks: [{ bytes: new Uint8Array(bytes), ends: [bytes] }],
});

function create(options: Partial<Parameters<typeof createMemoryCache>[0]> = {}) {
  return createMemoryCache<{ n: number }>({ maxBytes: 100_000, maxEntryBytes: 50_000, ...options });
}

function keysOf(cache: ReturnType<typeof create>, ...keys: string[]): string[] {
  return keys.filter((key) => cache.get(key) !== undefined);
}

test('what was used last stays, by weight and not by number', () => {
  const cache = create();
  cache.set('a', toValue(30_000), 1000);
  cache.set('b', toValue(30_000), 1000);
  cache.set('c', toValue(30_000), 1000);
  cache.get('a');
  cache.set('d', toValue(30_000), 1000);
  expect(keysOf(cache, 'a', 'b', 'c', 'd')).toEqual(['a', 'c', 'd']);
  for (let i = 0; i < 20; i += 1) cache.set(`small ${i}`, toValue(100), 1000);
  expect(keysOf(cache, 'small 0', 'small 19')).toEqual(['small 0', 'small 19']);
});

test('what is too large is not kept, and does not leave the old value behind', () => {
  const cache = create();
  cache.set('a', toValue(10), 1000);
  cache.set('a', toValue(50_000), 1000);
  expect(cache.get('a')).toBeUndefined();
});

test('a value is gone when its time is over', () => {
  let now = 0;
  const cache = create({ now: () => now });
  cache.set('a', toValue(10), 1000);
  now = 999;
  expect(cache.get('a')).toEqual(toValue(10));
  now = 1000;
  expect(cache.get('a')).toBeUndefined();
});

test('what is on its way takes up to half of the room, from what was not used for longest', () => {
  const cache = create();
  cache.set('a', toValue(45_000), 1000);
  cache.set('b', toValue(45_000), 1000);
  expect(cache.take(30_000)).toBe(true);
  expect(keysOf(cache, 'a', 'b')).toEqual(['b']);
  expect(cache.take(30_000)).toBe(false);
  cache.set('c', toValue(45_000), 1000);
  expect(keysOf(cache, 'b', 'c')).toEqual(['c']);
  cache.give(30_000);
  cache.set('d', toValue(45_000), 1000);
  expect(keysOf(cache, 'c', 'd')).toEqual(['c', 'd']);
});

test('no room at all keeps nothing', () => {
  const cache = create({ maxBytes: 0 });
  cache.set('a', toValue(1), 1000);
  expect(cache.get('a')).toBeUndefined();
  expect(cache.take(1)).toBe(false);
});
