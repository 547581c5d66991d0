import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createFileStore } from '../../src/oauth/index.js';
import { type Opendatasoft, startOpendatasoft } from '../support/opendatasoft.js';
import { authorize, createFolder, setUp, toClient, toSecrets } from './account.js';

const folder = createFolder();
afterAll(() => folder.remove());

let domain: Opendatasoft;
let file: string;
let number = 0;
beforeEach(async () => {
  domain = await startOpendatasoft({ isPrivate: true });
  number += 1;
  mkdirSync(join(folder.path, String(number)));
  file = join(folder.path, String(number), 'tokens.json');
});
afterEach(async () => {
  jest.restoreAllMocks();
  await domain.close();
});

/** For the account and the double alike. */
function passTime(seconds: number): void {
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + seconds * 1000);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it never came to hold');
}

const refreshes = () => domain.oauth.requests.length;
/** All but over: to be refreshed, and still taken. */
const ENDING = { ageS: 100, expiresInS: 110 };
const OVER = { ageS: 100, expiresInS: 90 };

describe('a token is used as long as it lasts', () => {
  test('and the token endpoint is not asked', async () => {
    await authorize(domain, file, { ageS: 100, expiresInS: 3600 });
    const { account, readFile } = await setUp(domain, file);
    expect(account.status()).toEqual({ isReady: true, detail: 'not used yet' });
    const token = await account.getToken();
    expect([token, domain.oauth.isValid(token)]).toEqual([readFile().access_token, true]);
    expect(await account.getToken()).toBe(token);
    expect([refreshes(), account.status()]).toEqual([0, { isReady: true, detail: 'authorized' }]);
  });

  test('one without a known end is used until it is refused', async () => {
    await authorize(domain, file);
    const { account } = await setUp(domain, file);
    const token = await account.getToken();
    expect(refreshes()).toBe(0);
    expect(await account.renew(token)).not.toBe(token);
    expect(refreshes()).toBe(1);
  });
});

describe('a token is refreshed', () => {
  test('when it is over: the new one and the next refresh token are kept, mode 0600', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.expiresIn = 600;
    const { account, readFile } = await setUp(domain, file);
    const before = readFile();
    const token = await account.getToken();
    expect(domain.oauth.requests[0]?.parameters).toEqual({
      grant_type: 'refresh_token',
      refresh_token: before.refresh_token,
    });
    const after = readFile();
    expect([after.access_token, domain.oauth.isValid(token)]).toEqual([token, true]);
    expect(after.refresh_token).not.toBe(before.refresh_token);
    expect(Date.parse(String(after.expires_at)) - Date.parse(String(after.obtained_at))).toBe(600_000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(file, '..'))).toEqual(['tokens.json']);
  });

  test('a little before it is over, and nobody waits for that', async () => {
    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    const { account, readFile } = await setUp(domain, file);
    const token = await account.getToken();
    passTime(3530);
    expect([await account.getToken(), refreshes()]).toEqual([token, 0]);
    passTime(20);
    expect(await account.getToken()).toBe(token);
    await until(async () => (await account.getToken()) !== token);
    expect([await account.getToken(), refreshes()]).toEqual([readFile().access_token, 1]);
  });

  test('once for all who ask meanwhile', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.delayMs = 50;
    const { account } = await setUp(domain, file);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => account.getToken()));
    expect([new Set(tokens).size, refreshes()]).toEqual([1, 1]);
  });

  test('once for all whose token was refused', async () => {
    await authorize(domain, file);
    const { account } = await setUp(domain, file);
    const token = await account.getToken();
    domain.oauth.revokeAccess();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => account.renew(token)));
    expect([new Set(tokens).size, tokens.includes(token), refreshes()]).toEqual([1, false, 1]);
  });

  test('not again and again for an upstream that refuses every token', async () => {
    await authorize(domain, file);
    const { account } = await setUp(domain, file);
    const first = await account.renew(await account.getToken());
    account.renewedInVain();
    await expect(account.renew(first)).rejects.toMatchObject({
      kind: 'unavailable',
      text: { id: 'oauth.tokenRefused' },
    });
    expect(refreshes()).toBe(1);
    passTime(31);
    expect(await account.renew(first)).not.toBe(first);
  });

  test('a server that gives no new refresh token means the old one to stay (RFC 6749 §6)', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.instead = (response) => {
      const { access_token } = domain.oauth.grant();
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ access_token, token_type: 'bearer', expires_in: 3600 }));
    };
    const { account, readFile } = await setUp(domain, file);
    const { refresh_token: before } = readFile();
    await account.getToken();
    expect(readFile().refresh_token).toBe(before);
  });
});

describe.each([
  ['basic', true],
  ['body', false],
] as const)('a confidential client that is to say who it is by %s', (authentication, isBasic) => {
  test('does it so', async () => {
    await domain.close();
    domain = await startOpendatasoft({ authentication });
    await authorize(domain, file, OVER);
    const { account } = await setUp(domain, file, { ...toClient(domain), authentication });
    expect(domain.oauth.isValid(await account.getToken())).toBe(true);
    const { authorization, parameters } = domain.oauth.requests[0] ?? {};
    expect(authorization?.startsWith('Basic ') ?? false).toBe(isBasic);
    expect(parameters?.client_secret).toBe(isBasic ? undefined : domain.oauth.client.secret);
  });

  test('and a wrong secret is a fault of the settings, asked again only after a while', async () => {
    await authorize(domain, file, OVER);
    const { account, readFile } = await setUp(domain, file, {
      ...toClient(domain),
      authentication,
      clientSecret: 'wrong',
    });
    const before = readFile();
    for (let i = 0; i < 3; i += 1) {
      await expect(account.getToken()).rejects.toMatchObject({
        kind: 'unavailable',
        text: { id: 'oauth.clientRefused', values: { reason: 'invalid_client' } },
      });
    }
    expect([refreshes(), readFile()]).toEqual([1, before]);
  });
});

test('a public client names itself and has no secret', async () => {
  await domain.close();
  const client = { id: 'public-1', redirectUri: 'http://localhost/callback' };
  domain = await startOpendatasoft({ client });
  await createFileStore(file, toClient(domain, client)).write({
    accessToken: 'old',
    refreshToken: domain.oauth.grant().refresh_token,
    obtainedAt: 0,
    expiresAt: 1,
  });
  const { account } = await setUp(domain, file, toClient(domain, client));
  expect(domain.oauth.isValid(await account.getToken())).toBe(true);
  expect(domain.oauth.requests[0]).toMatchObject({
    authorization: undefined,
    parameters: { client_id: 'public-1' },
  });
});

describe('an answer that is lost half-way', () => {
  test('is asked for once more; where the refresh token still serves, nothing has happened', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.losses = { count: 1, isEffective: false };
    const { account } = await setUp(domain, file);
    expect(domain.oauth.isValid(await account.getToken())).toBe(true);
    expect(refreshes()).toBe(2);
  });

  test('where it is used up, only the owner can help: said plainly, asked no more, until the file is new', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.losses = { count: 1, isEffective: true };
    const { account, readFile, logText } = await setUp(domain, file);
    const before = readFile();
    const fault = {
      kind: 'unavailable',
      text: { id: 'oauth.reauthorize' },
      message: expect.stringContaining('must be authorized again, by carto-wfs-oauth'),
    };
    for (let i = 0; i < 3; i += 1) await expect(account.getToken()).rejects.toMatchObject(fault);
    expect([refreshes(), readFile()]).toEqual([2, before]);
    expect(account.status()).toMatchObject({ isReady: false, detail: fault.message });
    expect(logText().match(/carto-wfs-oauth/g)).toHaveLength(1);

    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    expect(await account.getToken()).toBe(readFile().access_token);
    expect(account.status()).toEqual({ isReady: true, detail: 'authorized' });
    expect(refreshes()).toBe(2);
  });

  test('costs nothing as long as the old token is taken', async () => {
    await authorize(domain, file, ENDING);
    domain.oauth.losses = { count: 1, isEffective: true };
    const { account, readFile } = await setUp(domain, file);
    const { access_token: token, refresh_token: refreshToken } = readFile();
    expect(await account.getToken()).toBe(token);
    expect(account.secrets).toEqual(expect.arrayContaining([token, refreshToken]));
    expect(account.status()).toMatchObject({
      isReady: true,
      detail: expect.stringContaining('must be authorized again'),
    });
  });

  test('a new file is found by asking for the state alone', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.losses = { count: 1, isEffective: true };
    const { account } = await setUp(domain, file);
    await account.getToken().catch(() => {});
    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    await until(() => account.status().isReady);
    expect(account.status()).toEqual({ isReady: true, detail: 'authorized' });
  });
});

describe('a token endpoint that is not well', () => {
  test.each<[string, (response: ServerResponse) => void, string]>([
    ['500', (response) => response.writeHead(500).end('oops'), 'status 500'],
    ['HTML', (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>'), 'unusable'],
    ['a redirect', (response) => response.writeHead(302, { Location: '/' }).end(), 'status 302'],
    [
      'no bearer token',
      (response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end('{"access_token":"a b","token_type":"bearer"}');
      },
      'no bearer token',
    ],
  ])('%s: 503 with Retry-After, the state is kept, and asked again later', async (_, instead, reason) => {
    await authorize(domain, file, OVER);
    domain.oauth.instead = instead;
    const { account, readFile } = await setUp(domain, file);
    const before = readFile();
    for (let i = 0; i < 3; i += 1) {
      await expect(account.getToken()).rejects.toMatchObject({
        kind: 'unavailable',
        headers: { 'Retry-After': '5' },
        text: { id: 'oauth.unreachable', values: { reason: expect.stringContaining(reason) } },
      });
    }
    expect([refreshes(), readFile(), account.status().isReady]).toEqual([2, before, false]);
  });

  test('429: asked again when it says so', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.instead = (response) => {
      response.writeHead(429, { 'Retry-After': '90', 'Content-Type': 'application/json' });
      response.end('{"error":"slow_down"}');
    };
    const { account } = await setUp(domain, file);
    await expect(account.getToken()).rejects.toMatchObject({ headers: { 'Retry-After': '90' } });
    expect(refreshes()).toBe(1);
    domain.oauth.instead = undefined;
    await expect(account.getToken()).rejects.toMatchObject({ kind: 'unavailable' });
    passTime(91);
    expect(domain.oauth.isValid(await account.getToken())).toBe(true);
  });

  test('nobody there', async () => {
    await authorize(domain, file, OVER);
    const { account } = await setUp(domain, file);
    await domain.close();
    await expect(account.getToken()).rejects.toMatchObject({
      text: { id: 'oauth.unreachable', values: { reason: 'ECONNREFUSED' } },
    });
    domain = await startOpendatasoft();
  });
});

test('revoked by its owner: the same words, after one question, until the file is new', async () => {
  await authorize(domain, file);
  const { account } = await setUp(domain, file);
  const token = await account.getToken();
  domain.oauth.revoke();
  const fault = { text: { id: 'oauth.reauthorize' } };
  await expect(account.renew(token)).rejects.toMatchObject(fault);
  await expect(account.renew(token)).rejects.toMatchObject(fault);
  await expect(account.getToken()).rejects.toMatchObject(fault);
  expect([refreshes(), account.status().isReady]).toEqual([1, false]);
  await authorize(domain, file);
  expect(domain.oauth.isValid(await account.getToken())).toBe(true);
});

test('a token that is over without a refresh token must be authorized again', async () => {
  const { client } = await setUp(domain, file);
  await createFileStore(file, client).write({ accessToken: 'T', obtainedAt: 0, expiresAt: 1 });
  const { account } = await setUp(domain, file);
  await expect(account.getToken()).rejects.toMatchObject({
    text: { id: 'oauth.reauthorize', values: { reason: 'the token is over' } },
  });
  expect(refreshes()).toBe(0);
});

describe('the file', () => {
  const good = () => ({
    token_url: `${domain.origin}/oauth2/token/`,
    client_id: domain.oauth.client.id,
    access_token: 'T',
    obtained_at: '2026-01-01T00:00:00Z',
  });
  const write = (text: string, mode = 0o600) => writeFileSync(file, text, { mode });

  test('may come later', async () => {
    const { account, logText } = await setUp(domain, file);
    expect(logText()).toContain('does not exist yet');
    await expect(account.getToken()).rejects.toMatchObject({ text: { id: 'oauth.fileMissing' } });
    expect(account.status().isReady).toBe(false);
    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    expect(domain.oauth.isValid(await account.getToken())).toBe(true);
  });

  test.each([0o644, 0o640, 0o604, 0o620, 0o606])('mode %o: refused', async (mode) => {
    write(JSON.stringify(good()));
    chmodSync(file, mode);
    await expect(setUp(domain, file)).rejects.toThrow(
      `The token file is open to others (mode 0${mode.toString(8)}); it must have mode 0600.`,
    );
  });

  test.each<[string, () => string, string]>([
    ['empty', () => '', 'it is not JSON'],
    ['cut', () => JSON.stringify(good()).slice(0, -5), 'it is not JSON'],
    ['no object', () => '[]', 'all of it is missing or wrong'],
    ['no token', () => JSON.stringify({ ...good(), access_token: undefined }), 'access_token is missing'],
    ['a token of two lines', () => JSON.stringify({ ...good(), access_token: 'a\nb' }), 'access_token is'],
    ['no time', () => JSON.stringify({ ...good(), obtained_at: 'yesterday' }), 'obtained_at is missing'],
    ['endless', () => ' '.repeat(70_000), 'it is too large'],
  ])('%s: refused, without a word of what is in it', async (_, text, reason) => {
    write(text());
    await expect(setUp(domain, file)).rejects.toThrow(`The token file is not usable: ${reason}`);
  });

  test.each(['client_id', 'token_url'])('of another %s: refused, never sent there', async (member) => {
    write(JSON.stringify({ ...good(), [member]: 'other' }));
    await expect(setUp(domain, file)).rejects.toMatchObject({ text: { id: 'oauth.fileOfAnother' } });
    expect(refreshes()).toBe(0);
  });

  test('a folder where nothing can be written is found at the start, not with a used refresh token', async () => {
    await expect(setUp(domain, join(folder.path, 'no-such-folder', 'tokens.json'))).rejects.toMatchObject({
      text: { id: 'oauth.fileUnwritable', values: { code: 'ENOENT' } },
    });
    mkdirSync(file);
    await expect(setUp(domain, file)).rejects.toMatchObject({ text: { id: 'oauth.fileUnreadable' } });
  });

  test('broken while the service runs: 503 until it is whole, and what is in memory serves on', async () => {
    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    const { account } = await setUp(domain, file);
    const token = await account.getToken();
    write('{"');
    expect(await account.getToken()).toBe(token);
    passTime(3600);
    await expect(account.getToken()).rejects.toMatchObject({ text: { id: 'oauth.fileMalformed' } });
    unlinkSync(file);
    await expect(account.getToken()).rejects.toMatchObject({ text: { id: 'oauth.fileMissing' } });
    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    expect(domain.oauth.isValid(await account.getToken())).toBe(true);
  });

  test('that cannot be replaced any more: the new token serves from memory, and is written with the next', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.expiresIn = 3600;
    const { account, readFile, logText } = await setUp(domain, file);
    const before = readFile();
    const away = `${file}.away`;
    domain.oauth.before = () => {
      renameSync(file, away);
      mkdirSync(file); // no file can take the place of a folder
    };
    const token = await account.getToken();
    expect(domain.oauth.isValid(token)).toBe(true);
    expect(logText()).toContain('is lost when this process ends');
    rmdirSync(file);
    renameSync(away, file);
    expect(readFile()).toEqual(before);
    domain.oauth.before = undefined;
    passTime(3600);
    const next = await account.getToken();
    expect([next === token, readFile().access_token]).toEqual([false, next]);
  });
});

describe('another process', () => {
  test('that has refreshed already: its token is taken', async () => {
    await authorize(domain, file, OVER);
    const one = await setUp(domain, file);
    const other = await setUp(domain, file);
    const token = await one.account.getToken();
    expect([await other.account.getToken(), refreshes()]).toEqual([token, 1]);
    expect([await other.account.renew('an older one'), refreshes()]).toEqual([token, 1]);
  });

  test('that died under the lock holds nobody up', async () => {
    await authorize(domain, file, OVER);
    const { account } = await setUp(domain, file);
    let lock = '';
    domain.oauth.before = () => {
      lock = readFileSync(`${file}.lock`, 'utf8');
    };
    await account.getToken();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(`${file}.lock`, JSON.stringify({ ...JSON.parse(lock), pid }));
    await authorize(domain, file, OVER);
    const { account: later } = await setUp(domain, file);
    expect(domain.oauth.isValid(await later.getToken())).toBe(true);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test.each([
    ['in another place, long ago', '{"pid":1,"place":"elsewhere"}'],
    ['before it wrote who it was, long ago', ''],
  ])('that died %s, too', async (_, lock) => {
    await authorize(domain, file, OVER);
    writeFileSync(`${file}.lock`, lock);
    const longAgo = Date.now() / 1000 - 31;
    utimesSync(`${file}.lock`, longAgo, longAgo);
    const { account } = await setUp(domain, file);
    expect(domain.oauth.isValid(await account.getToken())).toBe(true);
    expect(readdirSync(join(file, '..'))).toEqual(['tokens.json']);
  });

  test('that lives is waited for', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.delayMs = 200;
    const [one, other] = [await setUp(domain, file), await setUp(domain, file)];
    const tokens = await Promise.all([one.account.getToken(), other.account.getToken()]);
    expect([new Set(tokens).size, refreshes()]).toEqual([1, 1]);
  });
});

test('nothing that is thrown or logged holds a secret', async () => {
  await authorize(domain, file, OVER);
  domain.oauth.losses = { count: 1, isEffective: true };
  const lost = await setUp(domain, file);
  const errors = [await lost.account.getToken().catch((error: unknown) => error)];
  domain.oauth.instead = (response) => {
    response.writeHead(400, { 'Content-Type': 'application/json' });
    const { refresh_token: token = '' } = domain.oauth.requests.at(-1)?.parameters ?? {};
    response.end(JSON.stringify({ error: `no ${token}`, error_description: token, error_uri: token }));
  };
  await authorize(domain, file, OVER);
  errors.push(await lost.account.getToken().catch((error: unknown) => error));
  const seen = [lost.logText(), ...errors.map((error) => inspect(error, { depth: 10 }))].join('\n');
  expect(errors.every((error) => error instanceof Error)).toBe(true);
  expect(toSecrets(domain).length).toBeGreaterThan(3);
  expect(toSecrets(domain).filter((secret) => seen.includes(secret))).toEqual([]);
});
