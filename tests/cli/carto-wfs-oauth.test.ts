// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so a file refers to a variable
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFolder, toSecrets } from '../oauth/account.js';
import { type Opendatasoft, startOpendatasoft } from '../support/opendatasoft.js';

// as it is installed: compiled before any test (tests/global-setup.mjs)
const COMMAND = fileURLToPath(new URL('../../dist/cli/carto-wfs-oauth.js', import.meta.url));
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
afterEach(() => domain.close());

const toEnvironment = (): Record<string, string> => ({
  WFS_URL: domain.wfsUrl,
  WFS_OAUTH_FILE: file,
  WFS_OAUTH_CLIENT_ID: domain.oauth.client.id,
  WFS_OAUTH_CLIENT_SECRET: String(domain.oauth.client.secret),
  WFS_OAUTH_REDIRECT_URI: domain.oauth.client.redirectUri,
  WFS_OAUTH_SCOPE: 'all',
});

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command; `paste` gets the URL it prints and gives what is typed then. */
function run(
  args: readonly string[],
  paste: (url: string) => Promise<string> | string = () => '',
  env: object = {},
): Promise<Run> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { PATH, ...toEnvironment(), ...env },
  });
  let [out, err] = ['', ''];
  child.stdin.on('error', () => {});
  child.stdout.on('data', async (chunk: Buffer) => {
    out += chunk;
    if (out.includes('\n')) child.stdin.end(await paste(out.trim()));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

/** What the browser of the account's owner does: it is sent on. */
async function visit(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' });
  return response.headers.get('location') ?? '';
}
const written = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;

describe('the account is authorized', () => {
  test('by pasting the whole URL; state and PKCE go with it', async () => {
    const { code, out, err } = await run([], async (url) => `\n${await visit(url)}\n`);
    expect([code, err]).toEqual([0, expect.stringContaining(`${file} is written.`)]);
    const url = new URL(out.trim());
    expect(url.pathname).toBe('/oauth2/authorize/');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'https://example.org/callback',
      scope: 'all',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(domain.oauth.isValid(written().access_token as string)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}.pending`)).toBe(false);
    expect(toSecrets(domain).filter((secret) => err.includes(secret))).toEqual([]);
  });

  test('in two runs: the code as the argument of the second', async () => {
    const first = await run([]);
    expect([first.code, first.err]).toEqual([66, expect.stringContaining('no code came')]);
    expect(statSync(`${file}.pending`).mode & 0o777).toBe(0o600);
    const redirected = new URL(await visit(first.out.trim()));
    const { code, out, err } = await run([redirected.searchParams.get('code') ?? '']);
    expect([code, out, err]).toEqual([0, '', expect.stringContaining('that could not be checked')]);
    expect(domain.oauth.isValid(written().access_token as string)).toBe(true);
  });

  test('over a file that is no good any more', async () => {
    writeFileSync(file, 'nonsense');
    chmodSync(file, 0o644);
    expect((await run([], visit)).code).toBe(0);
    expect([statSync(file).mode & 0o777, written().client_id]).toEqual([0o600, 'client-1']);
  });
});

describe('accounts of several modules', () => {
  const toModules = (names: readonly string[]) => {
    const { client } = domain.oauth;
    const { redirectUri } = client;
    const modules = names.map((name) => ({
      name,
      url: domain.wfsUrl,
      oauth: { file: `${file}.${name}`, clientId: client.id, clientSecret: '${SECRET}', redirectUri },
    }));
    const path = `${file}.${names.join('')}.modules`;
    writeFileSync(path, JSON.stringify({ modules: [{ name: 'open', url: domain.wfsUrl }, ...modules] }));
    const unset = Object.fromEntries(Object.keys(toEnvironment()).map((name) => [name, '']));
    return { ...unset, WFS_MODULES_FILE: path, SECRET: String(client.secret) };
  };

  test('each by its name, into its own file', async () => {
    const env = toModules(['a', 'b']);
    const { code, err } = await run(['--module', 'b'], visit, env);
    expect([code, err]).toEqual([0, expect.stringContaining('The account of b. Open')]);
    expect([existsSync(`${file}.a`), existsSync(`${file}.b`)]).toEqual([false, true]);
    const tokens = JSON.parse(readFileSync(`${file}.b`, 'utf8')) as Record<string, string>;
    expect(domain.oauth.isValid(tokens.access_token ?? '')).toBe(true);
    expect(toSecrets(domain).filter((secret) => err.includes(secret))).toEqual([]);
  });

  test('the only one need not be named; of several one must be, and it must have an account', async () => {
    const [alone, unnamed, open] = await Promise.all([
      run([], visit, toModules(['a'])),
      run([], visit, toModules(['a', 'b'])),
      run(['-m', 'open'], visit, toModules(['a', 'b'])),
    ]);
    expect([alone.code, existsSync(`${file}.a`)]).toEqual([0, true]);
    expect([unnamed.code, unnamed.err]).toEqual([64, expect.stringContaining('--module: a, b')]);
    expect([open.code, open.err]).toEqual([64, expect.stringContaining('those that have one are a, b')]);
  });
});

test('it says no, and why, by the exit codes of sysexits.h', async () => {
  const nothing = Object.fromEntries(Object.keys(toEnvironment()).map((name) => [name, '']));
  const cases: [number, RegExp, readonly string[], ((url: string) => Promise<string>)?, object?][] = [
    [64, /usage: carto-wfs-oauth \[--module NAME\] \[CODE\|URL\]/, ['--nope']],
    [64, /one CODE or URL at most/, ['a', 'b']],
    [65, /neither a code nor a URL/, [], async () => 'two words'],
    [69, /cannot be asked: ECONNREFUSED/, [], visit, { WFS_OAUTH_TOKEN_URL: 'http://127.0.0.1:1/' }],
    [73, /cannot be written \(ENOENT\)/, [], visit, { WFS_OAUTH_FILE: '/no/such/folder/tokens.json' }],
    [77, /refuses: invalid_grant; the code is over/, [], async () => 'made-up'],
    [78, /WFS_OAUTH_CLIENT_ID: is required/, [], visit, { WFS_OAUTH_CLIENT_ID: '' }],
    [78, /no account is set up/, [], visit, nothing],
  ];
  const runs = cases.map(async ([expected, reason, args, paste, env], i) => {
    const { code, err } = await run(args, paste, { WFS_OAUTH_FILE: `${file}.${i}`, ...env });
    expect([code, err]).toEqual([expected, expect.stringMatching(/^carto-wfs-oauth: /m)]);
    expect(err).toMatch(reason);
    expect(existsSync(`${file}.${i}`)).toBe(false);
  });
  await Promise.all(runs);
});

test('--help', async () => {
  const { code, out } = await run(['--help']);
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('usage: carto-wfs-oauth [--module NAME] [CODE|URL]'),
  ]);
});
