import { z } from 'zod';
import { withLockFile } from './lock-file.js';
import { AccountError, type Grant, type OAuthClient, type TokenStore } from './model.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

const token = z.string().regex(/^[\x21-\x7e]+$/);
const time = z.iso.datetime();
const form = z.object({
  token_url: z.string(),
  client_id: z.string(),
  access_token: token,
  refresh_token: token.optional(),
  obtained_at: time,
  expires_at: time.optional(),
});

// a refresh asks twice at most, 10 s each
const LOCK = { waitMs: 25_000, staleMs: 30_000 };

/** The grant in a file of mode 0600, with the client it was given to: no other may use it. */
export function createFileStore(file: string, client: OAuthClient): TokenStore {
  return {
    async read() {
      const text = await readPrivateFile(file);
      if (text === undefined) return undefined;
      const read = toForm(text);
      if (read.client_id !== client.clientId || read.token_url !== client.tokenUrl) {
        throw new AccountError('oauth.fileOfAnother');
      }
      return {
        accessToken: read.access_token,
        refreshToken: read.refresh_token,
        obtainedAt: Date.parse(read.obtained_at),
        expiresAt: read.expires_at === undefined ? undefined : Date.parse(read.expires_at),
      };
    },
    write: (grant) => writePrivateFile(file, toText(grant, client)),
    locked: (work) => withLockFile(`${file}.lock`, LOCK, work),
  };
}

/** What is wrong is told by the name of the member: a value may be a token. */
function toForm(text: string): z.output<typeof form> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AccountError('oauth.fileMalformed', { reason: 'it is not JSON' });
  }
  const { data, error } = form.safeParse(value);
  if (data !== undefined) return data;
  const [member = 'all of it'] = error?.issues[0]?.path ?? [];
  throw new AccountError('oauth.fileMalformed', { reason: `${String(member)} is missing or wrong` });
}

function toText({ accessToken, refreshToken, obtainedAt, expiresAt }: Grant, client: OAuthClient): string {
  const members: z.input<typeof form> = {
    token_url: client.tokenUrl,
    client_id: client.clientId,
    access_token: accessToken,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    obtained_at: new Date(obtainedAt).toISOString(),
    ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
  };
  return `${JSON.stringify(members, null, 2)}\n`;
}
