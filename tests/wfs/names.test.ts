import { describe, expect, test } from '@jest/globals';
import { toKnownName, toKnownTypeName, toNearestNames } from '../../src/wfs/names.js';

describe('the name that is meant', () => {
  test('an attribute is matched exactly, else without case when one alone fits', () => {
    expect(toKnownName('nom', ['Nom', 'nom'])).toBe('nom');
    expect(toKnownName('NOM', ['nom', 'insee'])).toBe('nom');
    expect(toKnownName('NOM', ['nom', 'Nom'])).toBeUndefined();
  });

  test('a feature type is matched with the prefix put aside on one side', () => {
    expect(toKnownTypeName('ms:parcelle', ['parcelle', 'commune'])).toBe('parcelle');
    expect(toKnownTypeName('parcelle', ['CAD:parcelle', 'ADM:commune'])).toBe('CAD:parcelle');
    expect(toKnownTypeName('parcelle', ['A:parcelle', 'B:parcelle'])).toBeUndefined();
    expect(toKnownTypeName('B:parcelle', ['A:parcelle'])).toBeUndefined();
  });

  test('the nearest names are told, nearest first', () => {
    const names = [
      'BDTOPO_V3:commune',
      'BDTOPO_V3:region',
      'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:commune',
      'X:zone_urba',
    ];
    expect(toNearestNames('BDTOPO_V3:comune', names)[0]).toBe('BDTOPO_V3:commune');
    expect(toNearestNames('zone-urba', names)[0]).toBe('X:zone_urba');
    expect(toNearestNames('qqqqqqqq', names)).toEqual([]);
  });
});
