import type { Logger } from 'pino';
import { type Account, createAccount } from './account.js';
import { createFileStore } from './file-store.js';
import { AccountError, type OAuthClient } from './model.js';
import { createTokenEndpoint } from './token-endpoint.js';

export interface FileAccountOptions {
  readonly client: OAuthClient;
  /** Where the tokens are kept. */
  readonly file: string;
  /** The one that requests to the token URL go through. */
  readonly proxy?: string | undefined;
  readonly logger: Logger;
}

/** Of one request to the token endpoint; a refresh is two at most. */
export const TOKEN_TIMEOUT_MS = 10_000;

/**
 * The account whose tokens are in a file. There may be none yet: the account is usable once it is written.
 * @throws AccountError where the file is open to others, is none of ours, or cannot be replaced
 */
export async function createFileAccount({
  client,
  file,
  proxy,
  logger,
}: FileAccountOptions): Promise<Account> {
  const store = createFileStore(file, client);
  try {
    // under the lock, which shows that files can be made there: too late to learn that with a used refresh token
    const kept = await store.locked(() => store.read());
    if (kept === undefined) logger.warn('the token file does not exist yet; carto-wfs-oauth writes it');
  } catch (error) {
    if (!(error instanceof AccountError) || error.text.id !== 'oauth.locked') throw error;
  }
  return createAccount({
    store,
    endpoint: createTokenEndpoint({ client, proxy, timeoutMs: TOKEN_TIMEOUT_MS }),
    logger,
  });
}
