import { describe, expect, test } from '@jest/globals';
import { texts as en } from '../src/errors.en.js';
import { texts as fr } from '../src/errors.fr.js';
import { invalidRequest, type MessageId, statusOf, toDetail, toMessage, toText } from '../src/errors.js';

const ids = Object.keys(en) as MessageId[];
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe('every text is there in every language', () => {
  test('and no other', () => {
    expect(Object.keys(fr).sort()).toEqual([...ids].sort());
  });

  test.each(ids)('with the same places for values: %s', (id) => {
    expect(placeholders(fr[id])).toEqual(placeholders(en[id]));
  });

  test.each(ids)('with the same names of parameters and settings: %s', (id) => {
    const names = (text: string) =>
      [...text.matchAll(/\b_[a-z]\w+|\b[A-Z]+(?:_[A-Z]+)+\b|carto-wfs-oauth|startIndex/g)]
        .map(([name]) => name)
        .sort();
    expect(names(fr[id])).toEqual(names(en[id]));
  });

  test('French is not English: but for what has no words, or the same', () => {
    const same = ids.filter((id) => fr[id] === en[id] && /[a-z]/.test(en[id].replace(/\{\w+\}/g, '')));
    expect(same).toEqual(['geometry.latitude', 'geometry.longitude', 'geometry.positions']);
  });

  test('every kind of error has a title', () => {
    for (const kind of Object.keys(statusOf)) expect(ids).toContain(`title.${kind}`);
  });
});

describe('a message in words', () => {
  test('has words of ours inside in its own language', () => {
    const where = toMessage('gml.atIn', { line: 3, column: 5, path: 'a/b' });
    const message = toMessage('gml.truncated', { where });
    expect(toText(message)).toBe('The document ends too early, at line 3, column 5 (in a/b).');
    expect(toText(message, 'fr')).toBe('Le document s’arrête trop tôt : ligne 3, colonne 5 (dans a/b).');
  });

  test('leaves what it does not know of empty, and what a caller wrote as it is', () => {
    expect(toText(toMessage('wfs.sourceUnknown', { source: '{nearest}' }), 'fr')).toBe(
      'Il n’y a pas de source {nearest}.',
    );
  });

  test('tells several faults together, in its own language', () => {
    const error = invalidRequest([
      { parameter: 'geom', message: toMessage('geometry.ringNotClosed', { ring: 0 }) },
      { parameter: '_limit', message: toMessage('query.notIntegerIn', { min: 1, max: 9 }) },
    ]);
    expect(toDetail(error, 'en')).toBe(error.message);
    expect(toDetail(error, 'fr')).toBe(
      '2 fautes : geom: l’anneau 0 n’est pas fermé; _limit: doit être un entier de 1 à 9',
    );
  });
});
