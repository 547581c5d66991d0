import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Account, createFileAccount, createFileStore, type OAuthClient } from '../../src/oauth/index.js';
import type { RegisteredClient } from '../support/authorization-server.js';
import type { Opendatasoft } from '../support/opendatasoft.js';

/** A folder for one test file, gone at its end. */
export function createFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'carto-wfs-oauth-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function toClient(
  domain: Opendatasoft,
  registered: RegisteredClient = domain.oauth.client,
): OAuthClient {
  return {
    clientId: registered.id,
    clientSecret: registered.secret,
    authentication: registered.secret === undefined ? 'none' : 'basic',
    authorizeUrl: `${domain.origin}/oauth2/authorize/`,
    tokenUrl: `${domain.origin}/oauth2/token/`,
    redirectUri: registered.redirectUri,
  };
}

/** A logger whose lines can be read. */
export function createLog() {
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  return { logger, text: () => lines.join('') };
}

export interface Setup {
  readonly file: string;
  readonly client: OAuthClient;
  readonly account: Account;
  readonly logText: () => string;
  /** The token file as it is now. */
  readonly readFile: () => Record<string, string>;
}

/**
 * An account that was authorized `ageS` seconds ago.
 * @param expiresInS from then on; absent: what the server does not say
 */
export async function authorize(
  domain: Opendatasoft,
  file: string,
  { ageS = 100, expiresInS }: { ageS?: number; expiresInS?: number } = {},
): Promise<void> {
  const { access_token: accessToken, refresh_token: refreshToken } = domain.oauth.grant();
  const obtainedAt = Date.now() - ageS * 1000;
  const expiresAt = expiresInS === undefined ? undefined : obtainedAt + expiresInS * 1000;
  await createFileStore(file, toClient(domain)).write({ accessToken, refreshToken, obtainedAt, expiresAt });
}

export async function setUp(
  domain: Opendatasoft,
  file: string,
  client: OAuthClient = toClient(domain),
): Promise<Setup> {
  const { logger, text } = createLog();
  const account = await createFileAccount({ client, file, logger });
  const readFile = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return { file, client, account, logText: text, readFile };
}

/** What no log, error or answer may hold. */
export function toSecrets(domain: Opendatasoft): string[] {
  const { secret } = domain.oauth.client;
  return [...domain.oauth.issued, ...(secret === undefined ? [] : [secret, encodeURIComponent(secret)])];
}
