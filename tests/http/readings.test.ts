import { describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { createReadings, type Reading } from '../../src/http/readings.js';

const request = (originalUrl: string, headers = {}) =>
  ({ method: 'GET', headers, originalUrl }) as unknown as Request;
const reading = (name = 'source'): Reading => ({
  parameters: [{ name, value: 'a', place: 'query' }],
  query: { source: 'a', attributes: [], limit: 1, startIndex: 0, count: 'auto' },
});

describe('what is remembered of requests', () => {
  test('a reading is kept from the second time on', () => {
    const readings = createReadings();
    const [first, second] = [reading(), reading()];
    readings.remember(request('/search?a'), first);
    expect(readings.recall(request('/search?a'))).toBeUndefined();
    readings.remember(request('/search?a'), second);
    expect(readings.recall(request('/search?a'))).toBe(second);
    expect(readings.recall(request('/search?b'))).toBeUndefined();
  });

  test('also where many others came in between', () => {
    const readings = createReadings();
    readings.remember(request('/search?a'), reading());
    for (let i = 0; i < 100; i += 1) readings.remember(request(`/search?${i}`), reading());
    readings.remember(request('/search?a'), reading());
    expect(readings.recall(request('/search?a'))).toBeDefined();
  });

  test.each([
    ['a key in a header', request('/search?a', { apikey: 'k' }), reading()],
    ['a token in a header', request('/search?a', { authorization: 'Bearer t' }), reading()],
    ['a key in the URL', request('/search?apikey=k'), reading('apikey')],
  ])('nothing with %s', (_, req, read) => {
    const readings = createReadings();
    readings.remember(req, read);
    readings.remember(req, read);
    expect(readings.recall(req)).toBeUndefined();
  });
});
