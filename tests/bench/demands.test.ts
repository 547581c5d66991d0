import { describe, expect, test } from '@jest/globals';
import { toDemands } from '../../bench/convert/demands.js';
import type { Measured } from '../../bench/convert/rounds.js';
import { toMedian } from '../../bench/measure/median.js';
import { readOptions } from '../../bench/options.js';
import { toFigure } from '../../bench/report/figures.js';

/** One subject that took so many seconds for 1,000 features of 100 MB. */
function toMeasured(name: string, group: Measured['subject']['group'], seconds: number[]): Measured {
  const document = {
    kind: 'polygons',
    title: 'polygons',
    typeName: 'zone',
    megabytes: 100,
    gml: '',
    geojson: '',
    schema: '',
    features: 1000,
    bytes: 100e6,
  };
  return {
    subject: { name, title: name, group, reads: 'gml' },
    document,
    seconds,
    coldSeconds: [],
    peakMemory: Number.NaN,
    disturbed: 0,
    variant: undefined,
    fault: undefined,
  };
}

const ratios = (all: Measured[]) =>
  toDemands([all]).map(({ target, measured, isMet }) => [target, measured, isMet]);

describe('what the converter has to reach', () => {
  test('is measured against the fastest SAX parser, by medians', () => {
    const all = [
      toMeasured('ours', 'ours', [0.5, 0.4, 9]),
      toMeasured('slow', 'sax', [9, 9, 9]),
      toMeasured('fast', 'sax', [4, 4, 1]),
    ];
    expect(ratios(all)).toEqual([['≥ 6 ×', '8.00 ×', true]]);
    expect(toDemands([all])[0]?.what).toContain('(fast)');
  });

  test('is not met just below the target', () => {
    expect(ratios([toMeasured('ours', 'ours', [1]), toMeasured('fast', 'sax', [5.9])])).toEqual([
      ['≥ 6 ×', '5.90 ×', false],
    ]);
  });

  test('is more for the SIMD loop', () => {
    const all = [
      toMeasured('ours, SIMD', 'ours', [1]),
      toMeasured('fast', 'sax', [10]),
      toMeasured('ogr-cached', 'ogr', [41]),
      toMeasured('json', 'json', [13]),
    ];
    expect(ratios(all)).toEqual([
      ['≥ 14 ×', '10.0 ×', false],
      ['≥ 40 ×', '41.0 ×', true],
      ['≥ 13 ×', '13.0 ×', true],
    ]);
  });

  test('counts no peer that made other features', () => {
    const wrong = { ...toMeasured('wrong', 'sax', [1]), fault: 'other features' };
    const right = toMeasured('right', 'sax', [7]);
    expect(ratios([toMeasured('ours', 'ours', [1]), wrong, right])).toEqual([['≥ 6 ×', '7.00 ×', true]]);
  });

  test('is not met where the peer is missing, or the converter fails', () => {
    const missing = { ...toMeasured('ogr-cached', 'ogr', []), fault: 'not installed' };
    expect(ratios([toMeasured('ours', 'ours', [1]), missing])).toEqual([['≥ 15 ×', 'not measured', false]]);
    const failed = { ...toMeasured('ours', 'ours', []), fault: 'other features: 1' };
    expect(ratios([failed, toMeasured('fast', 'sax', [6])])).toEqual([['all', 'other features: 1', false]]);
  });
});

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[7], 7],
])('the median of %j is %d', (numbers, median) => {
  expect(toMedian(numbers)).toBe(median);
});

test.each([
  [12_800, '12,800'],
  [453_123, '453,000'],
  [807.4, '807'],
  [45.23, '45.2'],
  [5.8, '5.80'],
  [0.01234, '0.0123'],
  [0, '0'],
  [-1.5, '-1.50'],
  [Number.NaN, '–'],
])('%d is written %s', (number, text) => {
  expect(toFigure(number)).toBe(text);
});

describe('options', () => {
  test('none: every part at full size, three runs', () => {
    expect(readOptions([])).toMatchObject({
      parts: ['gml', 'crs', 'http', 'memory', 'small', 'workers'],
      megabytes: 100,
      runs: 3,
      isQuoted: true,
    });
  });

  test('one part, small, is nothing to quote', () => {
    expect(readOptions(['--only', 'gml', '--size', '10', '--runs', '5'])).toMatchObject({
      parts: ['gml'],
      megabytes: 10,
      runs: 5,
      isQuoted: false,
    });
  });

  test('both loops of the converter, or one', () => {
    expect(readOptions([])).toMatchObject({ engines: ['simd', 'typescript'] });
    expect(readOptions(['--engines', 'typescript'])).toMatchObject({ engines: ['typescript'] });
  });

  test.each([
    [['--only', 'sax'], '--only takes gml, crs, http, memory, small, workers, not sax'],
    [['--size', '0'], '--size must be an integer from 1 to 9999'],
    [['--engines', 'x'], '--engines takes simd, typescript, not x'],
    [['--fast'], '--fast'],
  ])('%j is told what is wrong', (args, message) => {
    expect(readOptions(args)).toContain(message);
  });
});
