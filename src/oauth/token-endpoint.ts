import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  calculatePKCECodeChallenge,
  customFetch,
  generateRandomCodeVerifier,
  generateRandomState,
  None,
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
  ResponseBodyError,
  refreshTokenGrantRequest,
  skipStateCheck,
  type TokenEndpointResponse,
  validateAuthResponse,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { createFetch } from './fetch.js';
import { type Grant, type OAuthClient, toErrorCode } from './model.js';

/** What is asked of the account's owner, and what the answer must be held against. */
export interface AuthorizationRequest {
  /** To be opened by whoever owns the account. */
  readonly url: string;
  readonly state: string;
  readonly codeVerifier: string;
}

/**
 * The authorization server says no, or what it says cannot be used.
 * `isRefusal`: it said no, with the `code` of RFC 6749 §5.2; else it may have done what it was asked, or not.
 */
export class TokenError extends Error {
  constructor(
    readonly code: string,
    readonly isRefusal: boolean,
    readonly retryAfterS?: number,
  ) {
    super(code);
    this.name = 'TokenError';
  }
}

export interface TokenEndpoint {
  /** @param code as the server gave it. @throws TokenError */
  exchange(code: string, codeVerifier: string): Promise<Grant>;
  /** @throws TokenError */
  refresh(refreshToken: string): Promise<Grant>;
}

export interface TokenEndpointOptions {
  readonly client: OAuthClient;
  readonly proxy?: string | undefined;
  /** Of one request. */
  readonly timeoutMs: number;
}

/** RFC 6749 §4.1.1, with PKCE (RFC 7636), which a server that does not know it ignores. */
export async function createAuthorizationRequest(client: OAuthClient): Promise<AuthorizationRequest> {
  const state = generateRandomState();
  const codeVerifier = generateRandomCodeVerifier();
  const url = new URL(client.authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    ...(client.scope !== undefined && { scope: client.scope }),
    state,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url: url.href, state, codeVerifier };
}

/** The token endpoint (RFC 6749 §3.2) as one client asks it. */
export function createTokenEndpoint({ client, proxy, timeoutMs }: TokenEndpointOptions): TokenEndpoint {
  const server: AuthorizationServer = {
    issuer: new URL(client.tokenUrl).origin,
    token_endpoint: client.tokenUrl,
  };
  const asked: Client = { client_id: client.clientId };
  const authentication = toAuthentication(client);
  const toOptions = () => ({
    [customFetch]: createFetch(proxy),
    // which of them are loopback has been checked with the configuration
    [allowInsecureRequests]: new URL(client.tokenUrl).protocol === 'http:',
    signal: AbortSignal.timeout(timeoutMs),
  });
  return {
    async exchange(code, codeVerifier) {
      const callback = validateAuthResponse(server, asked, new URLSearchParams({ code }), skipStateCheck);
      return toGrant(async () => {
        const { redirectUri } = client;
        const options = toOptions();
        const response = await authorizationCodeGrantRequest(
          server,
          asked,
          authentication,
          callback,
          redirectUri,
          codeVerifier,
          options,
        );
        return processAuthorizationCodeResponse(server, asked, response);
      });
    },
    refresh: (refreshToken) =>
      toGrant(async () => {
        const options = toOptions();
        const response = await refreshTokenGrantRequest(server, asked, authentication, refreshToken, options);
        return processRefreshTokenResponse(server, asked, response);
      }),
  };
}

function toAuthentication({ authentication, clientSecret = '' }: OAuthClient): ClientAuth {
  if (authentication === 'none') return None();
  return authentication === 'basic' ? ClientSecretBasic(clientSecret) : ClientSecretPost(clientSecret);
}

/** @throws TokenError */
async function toGrant(ask: () => Promise<TokenEndpointResponse>): Promise<Grant> {
  const obtainedAt = Date.now(); // before: a lifetime never ends later than the server thinks
  let answer: TokenEndpointResponse;
  try {
    answer = await ask();
  } catch (error) {
    throw toTokenError(error);
  }
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } = answer;
  const isToken = (text: string | undefined) => text === undefined || /^[\x21-\x7e]+$/.test(text);
  if (answer.token_type !== 'bearer' || !isToken(accessToken) || !isToken(refreshToken)) {
    throw new TokenError('no bearer token', false);
  }
  const expiresAt = expiresIn === undefined ? undefined : obtainedAt + expiresIn * 1000;
  return { accessToken, refreshToken, obtainedAt, expiresAt };
}

/** What the library throws holds the answer, and that may hold tokens: no cause is kept. */
function toTokenError(error: unknown): TokenError {
  // Basic refused: 401 with a challenge (RFC 6749 §5.2)
  if (error instanceof WWWAuthenticateChallengeError) return new TokenError('invalid_client', true);
  if (error instanceof ResponseBodyError) {
    const isRefusal = error.status >= 400 && error.status < 500 && error.status !== 429;
    const code = /^[a-z_]{1,60}$/.test(error.error) ? error.error : `status ${error.status}`;
    return new TokenError(code, isRefusal, toSeconds(error.response.headers.get('retry-after')));
  }
  const { name, cause } = error as { name?: unknown; cause?: unknown };
  if (name === 'TimeoutError' || name === 'AbortError') return new TokenError('no answer in time', false);
  if (cause instanceof Response && cause.status !== 200)
    return new TokenError(`status ${cause.status}`, false);
  const code = toErrorCode(error);
  return new TokenError(code === 'unknown' || code.startsWith('OAUTH_') ? 'an unusable answer' : code, false);
}

function toSeconds(retryAfter: string | null): number | undefined {
  return retryAfter !== null && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) : undefined;
}
