import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Opendatasoft, startOpendatasoft } from '../support/opendatasoft.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { authorize, createFolder, toClient, toSecrets } from './account.js';

// Processes of their own: the lock, the service as it is started, and what it writes to its log.
const folder = createFolder();
afterAll(() => folder.remove());

let domain: Opendatasoft;
let file: string;
let number = 0;
const children: (ChildProcess | ServiceProcess)[] = [];
beforeEach(async () => {
  domain = await startOpendatasoft({ isPrivate: true, undocumented: 'ignored' });
  number += 1;
  file = join(folder.path, `${number}.json`);
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if ('stop' in child) await child.stop('SIGKILL');
    else child.kill('SIGKILL');
  }
  await domain.close();
});

const OVER = { ageS: 100, expiresInS: 90 };
/** As compiled before any test (tests/global-setup.mjs). */
const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../../dist', path));

/** Asks for a token once it is told to; prints it. */
const script = () => `
  const { createFileAccount } = await import(${source('oauth/index.js')});
  const { pino } = await import('pino');
  const options = { client: ${JSON.stringify(toClient(domain))}, file: ${JSON.stringify(file)} };
  const account = await createFileAccount({ ...options, logger: pino({ level: 'silent' }) });
  process.stdout.write('ready\\n');
  process.stdin.once('data', async () => {
    process.stdout.write(await account.getToken().catch((error) => error.message));
    process.exit();
  });`;

/** A process with an account of its own over the same file. */
async function startAccount(): Promise<{ child: ChildProcess; getToken(): Promise<string> }> {
  const args = ['--input-type=module', '-e', script()];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return {
    child,
    async getToken() {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      child.stdin.write('\n');
      await once(child, 'close');
      return text;
    },
  };
}

describe('processes that share a file', () => {
  test('refresh once, however many want it at the same time', async () => {
    await authorize(domain, file, OVER);
    domain.oauth.expiresIn = 3600;
    domain.oauth.delayMs = 50;
    const accounts = await Promise.all([startAccount(), startAccount(), startAccount()]);
    const tokens = await Promise.all(accounts.map((account) => account.getToken()));
    expect(new Set(tokens)).toEqual(new Set([JSON.parse(readFileSync(file, 'utf8')).access_token]));
    expect(domain.oauth.isValid(tokens[0] as string)).toBe(true);
    expect(domain.oauth.requests).toHaveLength(1);
  });

  test('one that is killed while it refreshes leaves the file whole, and the next goes on at once', async () => {
    await authorize(domain, file, OVER);
    const [killed, next] = await Promise.all([startAccount(), startAccount()]);
    domain.oauth.losses = { count: 1, isEffective: false };
    domain.oauth.before = () => killed.child.kill('SIGKILL');
    const before = readFileSync(file, 'utf8');
    await killed.getToken();
    expect([readFileSync(file, 'utf8'), existsSync(`${file}.lock`)]).toEqual([before, true]);
    domain.oauth.before = undefined;
    const begun = Date.now();
    expect(domain.oauth.isValid(await next.getToken())).toBe(true);
    expect(Date.now() - begun).toBeLessThan(10_000);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });
});

describe('the service', () => {
  const env = () => ({
    WFS_URL: domain.wfsUrl,
    CACHE_TTL_S: '0', // each search is to need the account
    WFS_OAUTH_FILE: file,
    WFS_OAUTH_CLIENT_ID: domain.oauth.client.id,
    WFS_OAUTH_CLIENT_SECRET: String(domain.oauth.client.secret),
    WFS_OAUTH_REDIRECT_URI: domain.oauth.client.redirectUri,
  });

  async function start(): Promise<ServiceProcess> {
    const service = await startProcess(env());
    children.push(service);
    return service;
  }
  const search = (service: ServiceProcess) =>
    fetch(`${service.url}/api/wfs-geoportail/search?source=ods:zone_urba&_limit=3`);

  test.each<[string, string, number, RegExp]>([
    ['open to others', '{}', 0o644, /wfs-geoportail: The token file is open to others \(mode 0644\)/],
    ['malformed', '{"access_token":', 0o600, /wfs-geoportail: The token file is not usable: it is not JSON/],
  ])('does not start with a file that is %s', async (_, text, mode, reason) => {
    writeFileSync(file, text, { mode });
    await expect(start()).rejects.toThrow(reason);
  });

  test('serves with its account from the first request on, and its log holds no secret, whatever happens', async () => {
    await authorize(domain, file, OVER);
    const service = await start();
    const answers: string[] = [];
    const ask = async () => {
      const response = await search(service);
      answers.push(JSON.stringify([...response.headers]), await response.text());
      return response.status;
    };
    expect(await ask()).toBe(200);
    domain.oauth.revokeAccess();
    expect(await ask()).toBe(200);
    domain.oauth.revoke();
    expect(await ask()).toBe(503);
    const health = await fetch(`${service.url}/health/ready`);
    const text = await health.text();
    expect([health.status, text]).toEqual([503, expect.stringContaining('carto-wfs-oauth')]);
    await authorize(domain, file, { ageS: 0, expiresInS: 3600 });
    expect(await ask()).toBe(200);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const seen = [service.log(), text, ...answers].join('\n');
    expect(toSecrets(domain).filter((secret) => seen.includes(secret))).toEqual([]);
  });
});
