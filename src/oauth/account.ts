import type { Logger } from 'pino';
import { AccountError, type Grant, type TokenStore } from './model.js';
import { type TokenEndpoint, TokenError } from './token-endpoint.js';

/** The service's own account at an upstream: a bearer token whenever one is wanted (RFC 6750). */
export interface Account {
  /** A token that is not over. @throws AccountError */
  getToken(): Promise<string>;
  /** Another token than the one the upstream refused. @throws AccountError */
  renew(refused: string): Promise<string>;
  /** The token that `renew` gave was refused too: for a while there is no use in renewing it again. */
  renewedInVain(): void;
  /** What is known now; where that is bad news, it is looked after. */
  status(): AccountStatus;
  /** The last tokens, which must never leave: for masking. */
  readonly secrets: readonly string[];
}

export interface AccountStatus {
  readonly isReady: boolean;
  /** In words, without a secret. */
  readonly detail: string;
}

export interface AccountOptions {
  readonly store: TokenStore;
  readonly endpoint: TokenEndpoint;
  readonly logger: Logger;
}

const MAX_MARGIN_MS = 60_000;
const RETRY_MS = 5000;
const MAX_SECRETS = 8;
const CLIENT_RETRY_MS = 60_000;
const VAIN_MS = 30_000;

/** Why there is no new token. It stands until a time, and only for the refresh token that was asked with. */
interface Failure {
  readonly error: AccountError;
  readonly until: number;
  readonly refreshToken: string | undefined;
}

/**
 * Tokens are refreshed a little before they are over, while the old one serves; by one process at a time, since a
 * refresh token serves once; and kept before they are used. Whatever the store holds newer than this process knows
 * counts: another process may have refreshed, or the operator authorized anew.
 */
export function createAccount({ store, endpoint, logger }: AccountOptions): Account {
  let grant: Grant | undefined;
  /** What could not be written. */
  let unsaved: Grant | undefined;
  let failure: Failure | undefined;
  let running: Promise<Grant> | undefined;
  /** Refused by the upstream, and there was no other to be had. */
  let refusedToken: string | undefined;
  let vainUntil = 0;
  const secrets: string[] = [];

  function use(next: Grant): Grant {
    grant = next;
    for (const secret of [next.accessToken, next.refreshToken]) {
      if (secret !== undefined && !secrets.includes(secret)) secrets.unshift(secret);
    }
    secrets.splice(MAX_SECRETS);
    return next;
  }

  /** One run for all who ask meanwhile. */
  function obtain(refused?: string): Promise<Grant> {
    running ??= load(refused).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function load(refused: string | undefined): Promise<Grant> {
    const kept = await readKept();
    if (isGood(kept, refused)) return adopt(kept);
    try {
      const known = failure?.refreshToken === kept.refreshToken ? failure : undefined;
      if (known !== undefined && Date.now() < known.until) throw known.error;
      return await store.locked(() => loadAlone(refused));
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      if (error.text.id === 'oauth.locked') fail(error, Date.now() + RETRY_MS, kept.refreshToken);
      if (failure !== undefined && refused !== undefined) refusedToken = refused;
      if (kept.accessToken === refused || isOver(kept)) throw error;
      return use(kept); // what fails early costs nothing as long as the old token is taken
    }
  }

  async function loadAlone(refused: string | undefined): Promise<Grant> {
    const kept = await readKept(); // another process may have been quicker
    if (isGood(kept, refused)) return adopt(kept);
    if (kept.accessToken === refused && Date.now() < vainUntil) throw new AccountError('oauth.tokenRefused');
    return refresh(kept);
  }

  /** What is newest: in the store, or here where it could not be written. */
  async function readKept(): Promise<Grant> {
    try {
      const stored = await store.read();
      const kept = unsaved !== undefined && unsaved.obtainedAt > (stored?.obtainedAt ?? 0) ? unsaved : stored;
      if (kept === undefined) throw new AccountError('oauth.fileMissing');
      return kept;
    } catch (error) {
      if (error instanceof AccountError) fail(error, 0, undefined);
      throw error;
    }
  }

  function adopt(next: Grant): Grant {
    if (failure !== undefined) logger.info('the account can be used again');
    failure = undefined;
    refusedToken = undefined;
    return use(next);
  }

  async function refresh(kept: Grant): Promise<Grant> {
    const { refreshToken } = kept;
    if (refreshToken === undefined) {
      throw fail(new AccountError('oauth.reauthorize', { reason: 'the token is over' }), Infinity, undefined);
    }
    let next: Grant;
    try {
      next = await askTwice(refreshToken);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const other = await readKept();
      if (other.refreshToken !== refreshToken && isGood(other, kept.accessToken)) return adopt(other);
      throw failWith(error, refreshToken);
    }
    const whole = { ...next, refreshToken: next.refreshToken ?? refreshToken }; // RFC 6749 §6: the old one stays
    await save(whole);
    logger.info({ expiresAt: whole.expiresAt && new Date(whole.expiresAt) }, 'token refreshed');
    return adopt(whole);
  }

  /**
   * An answer that never came may have used the refresh token up, or not: asked once more it is either given, or
   * refused, and then only the owner of the account can help.
   */
  async function askTwice(refreshToken: string): Promise<Grant> {
    try {
      return await endpoint.refresh(refreshToken);
    } catch (error) {
      if (!(error instanceof TokenError) || error.isRefusal || error.retryAfterS !== undefined) throw error;
      logger.warn({ reason: error.code }, 'the answer to a refresh was lost; asked once more');
      return endpoint.refresh(refreshToken);
    }
  }

  /** The old refresh token is used up by now: what cannot be written is kept here, and written with the next. */
  async function save(next: Grant): Promise<void> {
    try {
      await store.write(next);
      unsaved = undefined;
    } catch (error) {
      unsaved = next;
      logger.error(
        { reason: (error as Error).message },
        'the refreshed token is lost when this process ends',
      );
    }
  }

  function failWith({ code, isRefusal, retryAfterS }: TokenError, refreshToken: string): AccountError {
    if (!isRefusal) {
      const pauseS = Math.min(retryAfterS ?? RETRY_MS / 1000, 3600);
      const error = new AccountError('oauth.unreachable', { reason: code }, pauseS);
      return fail(error, Date.now() + pauseS * 1000, refreshToken);
    }
    if (code !== 'invalid_grant') {
      const error = new AccountError('oauth.clientRefused', { reason: code }, CLIENT_RETRY_MS / 1000);
      return fail(error, Date.now() + CLIENT_RETRY_MS, refreshToken);
    }
    const reason = 'the refresh token is used up, over or revoked';
    return fail(new AccountError('oauth.reauthorize', { reason }), Infinity, refreshToken);
  }

  function fail(error: AccountError, until: number, refreshToken: string | undefined): AccountError {
    if (failure?.error.message !== error.message) logger.error({ reason: error.message }, 'account unusable');
    failure = { error, until, refreshToken };
    return error;
  }

  const isUsable = (one: Grant | undefined): one is Grant =>
    one !== undefined && one.accessToken !== refusedToken && !isOver(one);

  return {
    async getToken() {
      if (!isUsable(grant)) return (await obtain(refusedToken)).accessToken;
      if (isEnding(grant)) obtain().catch(() => {}); // `fail` has told
      return grant.accessToken;
    },
    async renew(refused) {
      const ended = await running?.catch(() => undefined);
      const known = ended ?? grant;
      if (known !== undefined && known.accessToken !== refused && !isOver(known)) return known.accessToken;
      return (await obtain(refused)).accessToken;
    },
    renewedInVain() {
      vainUntil = Date.now() + VAIN_MS;
    },
    status() {
      const isReady = failure === undefined || isUsable(grant);
      if (failure !== undefined) obtain(refusedToken).catch(() => {});
      const unused = grant === undefined ? 'not used yet' : 'authorized';
      return { isReady, detail: failure?.error.message ?? unused };
    },
    secrets,
  };
}

function isGood(grant: Grant, refused: string | undefined): boolean {
  return grant.accessToken !== refused && !isEnding(grant);
}

function isOver({ expiresAt }: Grant): boolean {
  return expiresAt !== undefined && Date.now() >= expiresAt;
}

/** In the last minute, or the last fifth of a short life. */
function isEnding({ obtainedAt, expiresAt }: Grant): boolean {
  if (expiresAt === undefined) return false;
  return Date.now() >= expiresAt - Math.min(MAX_MARGIN_MS, (expiresAt - obtainedAt) / 5);
}
