import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFragment, type State, toFragment, toQuery } from '../../src/explorer/state.js';

const initial: State = { module: 'm', source: '', geom: undefined, filters: [], overlap: true, limit: 1000 };
const word = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/[\ud800-\udfff]/.test(text));
const states: fc.Arbitrary<State> = fc.record({
  module: word,
  source: word,
  geom: fc.option(fc.constant({ type: 'Point' as const, coordinates: [1.5, 48] as [number, number] }), {
    nil: undefined,
  }),
  filters: fc.array(
    fc.record({ name: word.map((name) => name.replaceAll('=', '')).filter(Boolean), value: fc.option(word) }),
    { maxLength: 4 },
  ),
  overlap: fc.boolean(),
  limit: fc.integer({ min: 1, max: 5000 }),
});

test('the address of the page says all of what is asked', () => {
  fc.assert(
    fc.property(states, (state) => {
      expect(readFragment(`#${toFragment(state)}`, initial)).toEqual(state);
    }),
  );
});

test('an address that somebody has written, or cut, is read as far as it goes', () => {
  expect(readFragment('', initial)).toEqual(initial);
  expect(readFragment('#source=a&geom={"type":"Poi&limit=-3&where=nom', initial)).toEqual({
    ...initial,
    source: 'a',
    filters: [{ name: 'nom', value: null }],
  });
});

test('filters on one attribute are any of its values', () => {
  const filters = [
    { name: 'section', value: 'AE' },
    { name: 'nom', value: null },
    { name: 'section', value: 'AF' },
  ];
  const { attributes, _overlap } = toQuery({ ...initial, source: 'a', filters });
  expect(attributes).toEqual({ section: ['AE', 'AF'], nom: [null] });
  expect(_overlap).toBeUndefined(); // without a geometry there is nothing to share
});
