import { z } from 'zod';
import { createFileStore } from './file-store.js';
import type { OAuthClient } from './model.js';
import { readPrivateFile, removePrivateFile, writePrivateFile } from './private-file.js';
import { createAuthorizationRequest, type TokenEndpoint } from './token-endpoint.js';

/** What came back from the authorization server cannot be used; `reason` says why, in words. */
export class AuthorizationError extends Error {
  constructor(
    readonly kind: 'unreadable' | 'denied',
    reason: string,
  ) {
    super(reason);
    this.name = 'AuthorizationError';
  }
}

/** The authorization code grant (RFC 6749 §4.1) in two steps, between which the owner of the account has a browser. */
export interface Authorization {
  /** @returns the URL to open; what its answer must match is kept beside the token file. @throws AccountError */
  begin(): Promise<string>;
  /**
   * @param pasted the code, or the whole URL the browser was sent to
   * @returns whether the `state` could be checked, which a bare code does not bring
   * @throws AuthorizationError, TokenError, AccountError
   */
  end(pasted: string): Promise<{ isStateChecked: boolean }>;
}

const LIFETIME_MS = 60 * 60_000;
const pendingForm = z.object({
  token_url: z.string(),
  client_id: z.string(),
  state: z.string(),
  code_verifier: z.string(),
  begun_at: z.iso.datetime(),
});

export function createAuthorization(
  client: OAuthClient,
  file: string,
  endpoint: TokenEndpoint,
): Authorization {
  const store = createFileStore(file, client);
  const pendingFile = `${file}.pending`;
  return {
    async begin() {
      const { url, state, codeVerifier } = await createAuthorizationRequest(client);
      const pending: z.input<typeof pendingForm> = {
        token_url: client.tokenUrl,
        client_id: client.clientId,
        state,
        code_verifier: codeVerifier,
        begun_at: new Date().toISOString(),
      };
      await writePrivateFile(pendingFile, `${JSON.stringify(pending)}\n`);
      return url;
    },
    async end(pasted) {
      const pending = toPending(await readPrivateFile(pendingFile), client);
      const { code, isStateChecked } = readCode(pasted, pending.state);
      await store.locked(async () => store.write(await endpoint.exchange(code, pending.code_verifier)));
      await removePrivateFile(pendingFile);
      return { isStateChecked };
    },
  };
}

function toPending(text: string | undefined, client: OAuthClient): z.output<typeof pendingForm> {
  const pending = pendingForm.safeParse(text === undefined ? undefined : toJson(text)).data;
  const isOurs = pending?.client_id === client.clientId && pending.token_url === client.tokenUrl;
  if (pending === undefined || !isOurs || Date.now() - Date.parse(pending.begun_at) > LIFETIME_MS) {
    throw new AuthorizationError(
      'unreadable',
      'no authorization was begun within the last hour; run the command without a code first',
    );
  }
  return pending;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** RFC 6749 §4.1.2: the parameters of the redirection, or the code alone. */
function readCode(pasted: string, state: string): { code: string; isStateChecked: boolean } {
  const text = pasted.trim();
  const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text);
  const parameters = isUrl
    ? new URL(text).searchParams
    : /(^|[?&])(code|error)=/.test(text)
      ? new URLSearchParams(text.replace(/^\?/, ''))
      : undefined;
  if (parameters === undefined) {
    if (/^[\x21-\x7e]+$/.test(text)) return { code: text, isStateChecked: false };
    throw new AuthorizationError('unreadable', 'that is neither a code nor a URL that holds one');
  }
  if (parameters.get('state') !== state) {
    throw new AuthorizationError(
      'unreadable',
      'the state is not the one that was asked with: open the URL that was printed last, or begin again',
    );
  }
  const error = parameters.get('error');
  if (error !== null) {
    const name = /^[a-z_]{1,60}$/.test(error) ? error : 'an error';
    throw new AuthorizationError('denied', `the authorization server answers ${name}`);
  }
  const code = parameters.get('code');
  if (code === null || !/^[\x20-\x7e]+$/.test(code)) {
    throw new AuthorizationError('unreadable', 'the URL holds no code');
  }
  return { code, isStateChecked: true };
}
