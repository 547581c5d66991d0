import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Roster } from '../src/roster.js';

describe('a roster', () => {
  test('holds what was added and not taken away, in order, as a Set does', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ isAdded: fc.boolean(), which: fc.nat(9) })), (steps) => {
        const roster = new Roster<number>();
        const set = new Set<number>();
        const leaves: { value: number; leave(): void }[] = [];
        steps.forEach(({ isAdded, which }, value) => {
          const other = leaves[which % Math.max(1, leaves.length)];
          if (isAdded || other === undefined) {
            leaves.push({ value, leave: roster.add(value) });
            set.add(value);
          } else {
            other.leave(); // now and then a second time
            set.delete(other.value);
          }
          expect([...roster]).toEqual([...set]);
          expect(roster.isEmpty).toBe(set.size === 0);
        });
      }),
    );
  });

  test('one that is taken away while they are told is not told; one that comes then is not either', () => {
    const roster = new Roster<string>();
    const told: string[] = [];
    roster.add('first');
    const leave = roster.add('second');
    roster.add('third');
    for (const value of roster) {
      told.push(value);
      if (value === 'first') leave();
      if (value === 'first') roster.add('late');
    }
    expect(told).toEqual(['first', 'third']);
    expect([...roster]).toEqual(['first', 'third', 'late']);
  });
});
