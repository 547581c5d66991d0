import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.js';
import type { Account } from '../../src/oauth/index.js';
import { isOpen, type KeyPlace, toPlacedKey } from '../../src/wfs/keys.js';

const rule = (serverKey: string | undefined, ...places: KeyPlace[]) => ({ places, serverKey });
const query = { in: 'query', name: 'token' } as const;

describe('a key goes where the rule says and nowhere else', () => {
  test.each<[string, KeyPlace, object]>([
    ['the path', { in: 'path' }, { path: 'k%2Fe%20y', parameters: {}, headers: {} }],
    ['a query parameter', query, { path: undefined, parameters: { token: 'k/e y' }, headers: {} }],
  ])('%s', (_, place, expected) => {
    expect(toPlacedKey(rule(undefined, place), { apikey: 'k/e y' })).toMatchObject({
      ...expected,
      isCallers: true,
    });
  });

  test('a header, Authorization: Apikey, Authorization: Bearer', () => {
    expect(toPlacedKey(rule(undefined, { in: 'header', name: 'x-key' }), { apikey: 'K' }).headers).toEqual({
      'x-key': 'K',
    });
    expect(toPlacedKey(rule(undefined, { in: 'authorization' }), { apikey: 'K' }).headers).toEqual({
      Authorization: 'Apikey K',
    });
    expect(toPlacedKey(rule(undefined, { in: 'bearer' }), { token: 'T' }).headers).toEqual({
      Authorization: 'Bearer T',
    });
  });

  test('an upstream that takes several gets each where it belongs', () => {
    const both = rule(undefined, query, { in: 'bearer' });
    expect(toPlacedKey(both, { apikey: 'K', token: 'T' })).toMatchObject({
      parameters: { token: 'K' },
      headers: { Authorization: 'Bearer T' },
    });
  });

  test('a key serves as token, and a token as key, where the upstream has no other place', () => {
    expect(toPlacedKey(rule(undefined, { in: 'bearer' }), { apikey: 'K' }).headers).toEqual({
      Authorization: 'Bearer K',
    });
    expect(toPlacedKey(rule(undefined, query), { token: 'T' }).parameters).toEqual({ token: 'T' });
  });

  test('where no key is wanted it is ignored, and no part of the identity', () => {
    const ignored = toPlacedKey(rule(undefined), { apikey: 'K', token: 'T' });
    expect(ignored).toMatchObject({ parameters: {}, headers: {}, isCallers: false, isKeyed: false });
    expect(ignored.identity).toBe(toPlacedKey(rule(undefined), {}).identity);
  });
});

describe('whose key', () => {
  test('the service\u2019s own is used when the caller sends none, and shared by all', () => {
    const own = toPlacedKey(rule('S', query), {});
    expect(own).toMatchObject({ parameters: { token: 'S' }, isCallers: false, isKeyed: true });
    expect(toPlacedKey(rule('S', query), { apikey: 'K' })).toMatchObject({
      parameters: { token: 'K' },
      isCallers: true,
    });
  });

  test('two callers\u2019 keys have two identities, and neither can be read back', () => {
    const identity = (apikey: string) => toPlacedKey(rule(undefined, query), { apikey }).identity;
    expect(identity('secret-1')).not.toBe(identity('secret-2'));
    expect(identity('secret-1')).not.toContain('secret');
  });

  test('an URL that needs a key is a 401 without one', () => {
    expect(() => toPlacedKey(rule(undefined, { in: 'path' }), {})).toThrow(
      expect.objectContaining({
        kind: 'keyMissing',
        headers: expect.objectContaining({ 'WWW-Authenticate': expect.any(String) }),
      }),
    );
  });
});

describe('the service\u2019s account', () => {
  const account: Account = {
    getToken: async () => 'T',
    renew: async () => 'U',
    renewedInVain: () => {},
    status: () => ({ isReady: true, detail: '' }),
    secrets: ['T'],
  };
  const places: KeyPlace[] = [{ in: 'authorization' }, { in: 'bearer' }];

  test('speaks for callers without a key, under the service\u2019s identity', () => {
    const key = toPlacedKey({ places, account }, {});
    expect(key).toMatchObject({ account, headers: {}, isCallers: false, isKeyed: true, secrets: ['T'] });
    expect(key.identity).toBe(toPlacedKey(rule('S', query), {}).identity);
  });

  test.each([{ apikey: 'K' }, { token: 'T' }])('has no part in what is asked with %j', (credentials) => {
    const key = toPlacedKey({ places, account }, credentials);
    expect([key.account, key.isCallers]).toEqual([undefined, true]);
  });

  test('makes the upstream one that can be asked without a caller\u2019s key', () => {
    expect(isOpen({ places })).toBe(false);
    expect([{ places, serverKey: 'S' }, { places, account }, { places: [] }].every(isOpen)).toBe(true);
  });
});

describe('a key cannot change the request', () => {
  test.each(['.', '..', '\ud800'])('%j is refused in a path', (apikey) => {
    expect(() => toPlacedKey(rule(undefined, { in: 'path' }), { apikey })).toThrow(ServiceError);
  });

  test.each(['a\r\nX-Evil: 1', 'a b', 'é', ''])('%j is refused in a header', (apikey) => {
    expect(() => toPlacedKey(rule(undefined, { in: 'authorization' }), { apikey })).toThrow(
      expect.objectContaining({ kind: 'invalidRequest' }),
    );
  });

  test('slashes, dots and line ends are encoded in a path', () => {
    expect(toPlacedKey(rule(undefined, { in: 'path' }), { apikey: '../x?y#z\r\n' }).path).toBe(
      '..%2Fx%3Fy%23z%0D%0A',
    );
  });
});
