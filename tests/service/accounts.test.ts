import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { authorize, createFolder, toSecrets } from '../oauth/account.js';
import { type Opendatasoft, startOpendatasoft } from '../support/opendatasoft.js';
import { type ServiceProcess, startProcess } from '../support/process.js';

// Two modules over two domains, each with an account of the service's own, and one over a domain that is open.

const folder = createFolder();
let domains: { north: Opendatasoft; south: Opendatasoft; open: Opendatasoft };
let service: ServiceProcess;
const fileOf = (name: string) => join(folder.path, `${name}.json`);

beforeAll(async () => {
  const ofDomain = (id: string) => ({
    id,
    secret: `s3cret of ${id}`,
    redirectUri: 'https://example.org/back',
  });
  const start = (id: string) =>
    startOpendatasoft({ isPrivate: true, undocumented: 'ignored', client: ofDomain(id) });
  domains = { north: await start('north'), south: await start('south'), open: await startOpendatasoft() };
  const lines = ['modules:', '  - name: open', `    url: ${domains.open.wfsUrl}`];
  for (const name of ['north', 'south'] as const) {
    const { client } = domains[name].oauth;
    lines.push(
      `  - name: ${name}`,
      `    url: ${domains[name].wfsUrl}`,
      '    apikeyIn: [authorization, bearer]',
      '    oauth:',
      `      file: ${fileOf(name)}`,
      `      clientId: ${client.id}`,
      `      clientSecret: \${${name.toUpperCase()}_SECRET}`,
      `      redirectUri: ${client.redirectUri}`,
    );
  }
  const path = join(folder.path, 'modules.yml');
  writeFileSync(path, lines.join('\n'));
  await authorize(domains.north, fileOf('north'), { ageS: 100, expiresInS: 90 });
  await authorize(domains.south, fileOf('south'), { ageS: 0, expiresInS: 3600 });
  service = await startProcess({
    WFS_MODULES_FILE: path,
    CACHE_TTL_S: '0', // each search is to need the account
    NORTH_SECRET: String(domains.north.oauth.client.secret),
    SOUTH_SECRET: String(domains.south.oauth.client.secret),
    WFS_OAUTH_SCOPE: 'nobody-asks-for-this',
  });
}, 60_000);

afterAll(async () => {
  await service?.stop('SIGKILL');
  for (const domain of Object.values(domains)) await domain.close();
  folder.remove();
});

const seen: string[] = [];
async function ask(name: string, headers: Record<string, string> = {}) {
  const url = `${service.url}/api/${name}/search?source=ods:zone_urba&_limit=2`;
  const response = await fetch(url, { headers });
  seen.push(JSON.stringify([...response.headers]), await response.text());
  return response.status;
}
const health = async (path: string) => {
  const response = await fetch(service.url + path);
  const text = await response.text();
  seen.push(text);
  return { status: response.status, text };
};
const authorizationsOf = ({ asked }: Opendatasoft) =>
  new Set(asked.map(({ headers }) => headers.authorization));
const tokenOf = (name: string) => JSON.parse(readFileSync(fileOf(name), 'utf8')).access_token as string;

test('each module uses its own account, refreshed at its own token endpoint', async () => {
  for (const name of ['north', 'south', 'open']) expect([name, await ask(name)]).toEqual([name, 200]);
  expect(authorizationsOf(domains.north)).toEqual(new Set([`Bearer ${tokenOf('north')}`]));
  expect(authorizationsOf(domains.south)).toEqual(new Set([`Bearer ${tokenOf('south')}`]));
  expect(authorizationsOf(domains.open)).toEqual(new Set([undefined]));
  const refreshes = Object.values(domains).map(({ oauth }) => oauth.requests.length);
  expect(refreshes).toEqual([1, 0, 0]); // the one that was over
});

test('one that is revoked is told by its own module; the others serve on, and callers may bring their own', async () => {
  domains.south.oauth.revoke();
  expect(await ask('south')).toBe(503);
  expect([await ask('north'), await ask('open')]).toEqual([200, 200]);
  const own = domains.south.oauth.grant().access_token;
  expect(await ask('south', { Authorization: `Bearer ${own}` })).toBe(200);
  expect(await health('/api/south/health')).toMatchObject({ status: 503 });
  expect((await health('/api/north/health')).status).toBe(200);
  const ready = await health('/health/ready');
  expect([ready.status, JSON.parse(ready.text).upstream.south.account]).toEqual([
    200,
    expect.stringContaining('carto-wfs-oauth'),
  ]);
  await authorize(domains.south, fileOf('south'), { ageS: 0, expiresInS: 3600 });
  expect(await ask('south')).toBe(200);
});

test('no secret of any is in an answer or the log, which says what of the environment is not used', () => {
  const text = [service.log(), ...seen].join('\n');
  for (const domain of Object.values(domains))
    expect(toSecrets(domain).filter((secret) => text.includes(secret))).toEqual([]);
  expect(service.log()).toContain('"variables":"WFS_OAUTH_SCOPE"');
});

test('a token file that is open to others stops the start, and its module is named', async () => {
  const path = join(folder.path, 'exposed.yml');
  writeFileSync(fileOf('exposed'), '{}', { mode: 0o644 });
  const oauth = { file: fileOf('exposed'), clientId: 'c', redirectUri: 'https://example.org/' };
  const modules = [{ name: 'exposed', url: domains.north.wfsUrl, oauth }];
  writeFileSync(path, JSON.stringify({ modules }));
  await expect(startProcess({ WFS_MODULES_FILE: path })).rejects.toThrow(
    'exposed: The token file is open to others (mode 0644)',
  );
});
