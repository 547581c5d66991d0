import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { SharedStore } from '../../src/cache/index.js';

let count = 0;
/** A key that no other test has. */
const toKey = () => `key-${process.pid}-${count++}`;
const request = (owner: string, leaseMs = 1000) => ({ owner, leaseMs, oldMs: 0 });

/** What holds for whatever processes share: stores are told apart by nothing of it. */
export function testSharedStore(open: () => SharedStore): void {
  test('a value is to be made by one, and is there for the others once it is', async () => {
    const [store, key] = [open(), toKey()];
    expect(await store.begin(key, request('a'))).toMatchObject({ lease: 'mine' });
    expect(await store.begin(key, request('b'))).toMatchObject({ lease: 'others' });
    await store.set(key, 'é', 60_000);
    const begun = await store.begin(key, request('b'));
    expect(begun).toMatchObject({ lease: 'notNeeded', kept: { value: 'é' } });
    expect(begun.kept?.leftMs).toBeGreaterThan(59_000);
    expect(await store.get(key)).toBe('é');
    await store.delete(key);
    expect(await store.get(key)).toBeUndefined();
  });

  test('a value is kept with its last part, and its lease given back, in one step', async () => {
    const [store, key] = [open(), toKey()];
    const bytes = Buffer.from([0, 255, 10, 13]);
    await store.begin(key, request('a'));
    const part = { name: 'x:0', bytes, keepMs: 60_000 };
    await store.finish(key, { owner: 'a', value: 'v', keepMs: 300, part });
    expect(await store.begin(key, request('b'))).toMatchObject({ lease: 'notNeeded', kept: { value: 'v' } });
    expect([...((await store.getPart(key, 'x:0')) ?? [])]).toEqual([...bytes]);
    await sleep(350);
    expect(await store.begin(key, request('b'))).toMatchObject({ lease: 'mine' });
    // the lease of another is left alone
    await store.finish(key, { owner: 'a', value: 'v', keepMs: 1 });
    await sleep(20);
    expect(await store.begin(key, request('c'))).toMatchObject({ lease: 'others' });
  });

  test('an old value is told, and made anew', async () => {
    const [store, key] = [open(), toKey()];
    await store.set(key, 'old', 500);
    const begun = await store.begin(key, { owner: 'a', leaseMs: 1000, oldMs: 1000 });
    expect(begun).toMatchObject({ lease: 'mine', kept: { value: 'old' } });
  });

  test('a lease is renewed and given back by its owner alone, and ends when its owner is silent', async () => {
    const [store, key] = [open(), toKey()];
    await store.begin(key, request('a', 150));
    await sleep(100);
    expect(await store.renew(key, 'a', 150)).toBe(true);
    await sleep(100);
    await store.release(key, 'b');
    expect(await store.renew(key, 'b', 150)).toBe(false);
    expect(await store.begin(key, request('b'))).toMatchObject({ lease: 'others' });
    await sleep(100);
    expect(await store.begin(key, request('b'))).toMatchObject({ lease: 'mine' });
    expect(await store.renew(key, 'a', 150)).toBe(false);
    await store.release(key, 'b');
    expect(await store.begin(key, request('c'))).toMatchObject({ lease: 'mine' });
  });

  test('parts are bytes, and are gone when their time is over', async () => {
    const [store, key] = [open(), toKey()];
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
    await store.setPart(key, 'x:0', bytes, 100);
    expect([...((await store.getPart(key, 'x:0')) ?? [])]).toEqual([...bytes]);
    expect(await store.getPart(key, 'x:1')).toBeUndefined();
    await sleep(150);
    expect(await store.getPart(key, 'x:0')).toBeUndefined();
  });

  test('shares never add up to more than there is, whatever is wished', async () => {
    const [store, pool] = [open(), toKey()];
    const held = new Map<string, number>();
    for (let k = 0; k < 200; k += 1) {
      const member = `m${k % 5}`;
      const its = Math.floor((held.get(member) ?? 0) * ((k * 7) % 4 === 0 ? 0.5 : 1));
      const wish = (k * 13) % 31;
      const state = { member, total: 25, held: its, wanted: wish, wish, ttlMs: 5000, graceMs: 0 };
      const { granted, others } = await store.share(pool, state);
      held.set(member, granted);
      expect([...held.values()].reduce((a, b) => a + b)).toBeLessThanOrEqual(25);
      expect(others.map(({ name }) => name)).not.toContain(member);
    }
    expect([...held.values()].reduce((a, b) => a + b)).toBeGreaterThan(20);
  });

  test('a new pool confirms what is held already, and gives nothing for a while', async () => {
    const [store, pool] = [open(), toKey()];
    const state = { total: 10, wanted: 10, ttlMs: 5000, graceMs: 200 };
    expect(await store.share(pool, { ...state, member: 'new', held: 0, wish: 10 })).toMatchObject({
      granted: 0,
    });
    expect(await store.share(pool, { ...state, member: 'old', held: 7, wish: 7 })).toMatchObject({
      granted: 7,
    });
    await sleep(250);
    expect(await store.share(pool, { ...state, member: 'new', held: 0, wish: 10 })).toMatchObject({
      granted: 3,
      others: [{ name: 'old', held: 7, wanted: 10 }],
    });
  });

  test('the share of who leaves or is silent is free a little later', async () => {
    const [store, pool] = [open(), toKey()];
    const state = { total: 10, wanted: 10, wish: 10, graceMs: 0 };
    await store.share(pool, { ...state, member: 'a', held: 0, ttlMs: 5000 });
    await store.leave(pool, 'a', 150);
    expect(await store.share(pool, { ...state, member: 'b', held: 0, ttlMs: 100 })).toMatchObject({
      granted: 0,
    });
    await sleep(200);
    expect(await store.share(pool, { ...state, member: 'b', held: 0, ttlMs: 100 })).toMatchObject({
      granted: 10,
    });
    await sleep(150);
    expect(await store.share(pool, { ...state, member: 'c', held: 0, ttlMs: 100 })).toMatchObject({
      granted: 10,
    });
  });

  test('what is counted is counted anew when the window is over', async () => {
    const [store, key] = [open(), toKey()];
    expect(await store.count(key, 200)).toMatchObject({ hits: 1 });
    const second = await store.count(key, 200);
    expect(second.hits).toBe(2);
    expect(second.leftMs).toBeLessThanOrEqual(200);
    await sleep(250);
    expect(await store.count(key, 200)).toMatchObject({ hits: 1 });
  });
}
