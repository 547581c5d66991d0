import { expect, test } from '@jest/globals';
import { toProxy } from '../src/config.js';

const proxies = { httpProxy: 'http://p:1', httpsProxy: 'http://s:2' };

test.each<[string, string | undefined, string | undefined]>([
  ['http://a.fr/wfs', undefined, 'http://p:1'],
  ['https://a.fr/{apikey}/wfs', undefined, 'http://s:2'],
  ['https://a.fr/', 'a.fr', undefined],
  ['https://b.a.fr/', 'x.fr, .a.fr', undefined],
  ['https://b.a.fr/', '*.a.fr', undefined],
  ['https://ba.fr/', 'a.fr', 'http://s:2'],
  ['https://a.fr/', 'a.fr:8443', 'http://s:2'],
  ['https://a.fr/', 'A.FR:443', undefined],
  ['http://127.0.0.1:8080/', '127.0.0.1', undefined],
  ['http://a.fr/', '*', undefined],
])('%s with NO_PROXY=%s goes through %s', (url, noProxy, expected) => {
  expect(toProxy(url, { ...proxies, noProxy })).toBe(expected);
});

test('without a proxy there is none', () => {
  expect(toProxy('https://a.fr/', {})).toBeUndefined();
});
