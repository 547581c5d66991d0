import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createAuthorization, createTokenEndpoint } from '../../src/oauth/index.js';
import { type Opendatasoft, startOpendatasoft } from '../support/opendatasoft.js';
import { createFolder, toClient } from './account.js';

const folder = createFolder();
afterAll(() => folder.remove());

let domain: Opendatasoft;
let file: string;
let number = 0;
beforeEach(async () => {
  domain = await startOpendatasoft();
  number += 1;
  mkdirSync(join(folder.path, String(number)));
  file = join(folder.path, String(number), 'tokens.json');
});
afterEach(async () => {
  jest.restoreAllMocks();
  await domain.close();
});

function create(changes: object = {}) {
  const client = { ...toClient(domain), ...changes };
  return createAuthorization(client, file, createTokenEndpoint({ client, timeoutMs: 5000 }));
}

/** What the browser of the account's owner does: it is sent on. */
async function visit(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' });
  return response.headers.get('location') ?? '';
}
const written = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;

describe('what is pasted', () => {
  test.each<[string, (url: URL) => string, boolean]>([
    ['the whole URL', ({ href }) => href, true],
    ['with white space around', ({ href }) => `  ${href}\r\n`, true],
    ['its query', ({ search }) => search, true],
    ['its query without ?', ({ search }) => search.slice(1), true],
    ['the code alone', ({ searchParams }) => searchParams.get('code') ?? '', false],
  ])('can be %s', async (_, toPasted, isStateChecked) => {
    const authorization = create();
    const redirected = new URL(await visit(await authorization.begin()));
    expect(await authorization.end(toPasted(redirected))).toEqual({ isStateChecked });
    expect(domain.oauth.isValid(written().access_token as string)).toBe(true);
    expect([statSync(file).mode & 0o777, existsSync(`${file}.pending`)]).toEqual([0o600, false]);
  });

  test.each<[string, (url: string) => string | Promise<string>, string, RegExp]>([
    ['a URL with another state', () => 'https://e.org/?code=x&state=y', 'unreadable', /the state is not/],
    ['a URL without a state', () => 'https://e.org/?code=x', 'unreadable', /the state is not/],
    [
      'a URL without a code',
      async (url) => (await visit(url)).replace('code=', 'c='),
      'unreadable',
      /holds no code/,
    ],
    ['some words', () => 'two words', 'unreadable', /neither a code nor a URL/],
    ['nothing', () => '', 'unreadable', /neither a code nor a URL/],
  ])('cannot be %s, and nothing is sent', async (_, toPasted, kind, message) => {
    const authorization = create();
    const url = await authorization.begin();
    await expect(authorization.end(await toPasted(url))).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
    expect([domain.oauth.requests, existsSync(file)]).toEqual([[], false]);
  });

  test('can be tried again after it was wrong', async () => {
    const authorization = create();
    const url = await authorization.begin();
    await expect(authorization.end('two words')).rejects.toThrow();
    expect(await authorization.end(await visit(url))).toEqual({ isStateChecked: true });
  });
});

test('an owner who does not agree', async () => {
  domain.oauth.isDenied = true;
  const authorization = create();
  const redirected = await visit(await authorization.begin());
  await expect(authorization.end(redirected)).rejects.toMatchObject({
    kind: 'denied',
    message: 'the authorization server answers access_denied',
  });
});

describe('what was begun', () => {
  test('ends within the hour', async () => {
    const authorization = create();
    const redirected = await visit(await authorization.begin());
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 61 * 60_000);
    await expect(authorization.end(redirected)).rejects.toThrow('within the last hour');
  });

  test('is ended by the same client', async () => {
    const redirected = await visit(await create().begin());
    await expect(create({ clientId: 'other' }).end(redirected)).rejects.toThrow('within the last hour');
  });

  test('must have been begun', async () => {
    await expect(create().end('code')).rejects.toThrow('run the command without a code first');
  });

  test('gives its code up to nobody without the verifier (RFC 7636)', async () => {
    const stolen = await visit(await create().begin());
    const code = new URL(stolen).searchParams.get('code') ?? '';
    const thief = create();
    await thief.begin();
    await expect(thief.end(code)).rejects.toMatchObject({ code: 'invalid_grant', isRefusal: true });
  });
});

test.each(['basic', 'body'] as const)('the secret goes by %s', async (authentication) => {
  await domain.close();
  domain = await startOpendatasoft({ authentication });
  const authorization = create({ authentication });
  await authorization.end(await visit(await authorization.begin()));
  expect(domain.oauth.isValid(written().access_token as string)).toBe(true);
});

test('an answer that comes by halves writes nothing', async () => {
  const authorization = create();
  domain.oauth.losses = { count: 1, isEffective: true };
  const redirected = await visit(await authorization.begin());
  await expect(authorization.end(redirected)).rejects.toMatchObject({ isRefusal: false });
  expect(existsSync(file)).toBe(false);
});
