import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A client as it was registered. */
export interface RegisteredClient {
  readonly id: string;
  /** Of a confidential client; absent: a public one. */
  readonly secret?: string;
  readonly redirectUri: string;
}

export interface AuthorizationServerOptions {
  readonly client?: RegisteredClient;
  /** Seconds an access token lives. */
  readonly expiresIn?: number;
  /** How the client must say who it is; absent: either way. */
  readonly authentication?: 'basic' | 'body';
}

/** A request to the token endpoint, as it came. */
export interface TokenRequest {
  readonly parameters: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

interface Code {
  readonly scope: string;
  readonly challenge: string | undefined;
  readonly redirectUri: string;
}

export const registeredClient: RegisteredClient = {
  id: 'client-1',
  secret: 's3cret/of+the client',
  redirectUri: 'https://example.org/callback',
};

const toToken = (kind: string) => `${kind}-${randomBytes(18).toString('base64url')}`;

/**
 * The OAuth 2 endpoints of an Opendatasoft domain (RFC 6749, RFC 7636): authorization codes and refresh tokens serve
 * once; the owner of the account agrees at once, or denies.
 */
export class AuthorizationServer {
  readonly requests: TokenRequest[] = [];
  /** Every secret given out so far: none of them may ever be seen elsewhere. */
  readonly issued: string[] = [];
  /** How many of the next answers are lost on the way, and whether the request had its effect all the same. */
  losses = { count: 0, isEffective: true };
  /** Answers of the token endpoint instead of the usual one. */
  instead: ((response: ServerResponse) => void) | undefined;
  /** Runs when the token endpoint is asked. */
  before: (() => void) | undefined;
  /** The owner of the account does not agree. */
  isDenied = false;
  /** Milliseconds before the token endpoint answers. */
  delayMs = 0;
  expiresIn: number | undefined;
  private readonly codes = new Map<string, Code>();
  private readonly accessTokens = new Map<string, number>();
  private readonly refreshTokens = new Map<string, string>();
  readonly client: RegisteredClient;

  constructor(private readonly options: AuthorizationServerOptions = {}) {
    this.client = options.client ?? registeredClient;
    this.expiresIn = options.expiresIn;
  }

  isValid(accessToken: string): boolean {
    return (this.accessTokens.get(accessToken) ?? 0) > Date.now();
  }

  /** The owner of the account takes everything back. */
  revoke(): void {
    this.revokeAccess();
    this.refreshTokens.clear();
  }

  revokeAccess(): void {
    this.accessTokens.clear();
  }

  /** As if a code had been exchanged. */
  grant(): { access_token: string; refresh_token: string; expires_in?: number } {
    const accessToken = this.issue('access');
    const refreshToken = this.issue('refresh');
    const { expiresIn } = this;
    this.accessTokens.set(accessToken, Date.now() + (expiresIn ?? 1e6) * 1000);
    this.refreshTokens.set(refreshToken, 'all');
    const lifetime = expiresIn === undefined ? {} : { expires_in: expiresIn };
    return { access_token: accessToken, refresh_token: refreshToken, ...lifetime };
  }

  /** `GET /oauth2/authorize/`: what the browser of the account's owner gets. */
  authorize(query: URLSearchParams, response: ServerResponse): void {
    const redirectUri = query.get('redirect_uri') ?? this.client.redirectUri;
    const isKnown = query.get('client_id') === this.client.id && redirectUri === this.client.redirectUri;
    if (!isKnown || query.get('response_type') !== 'code') {
      response.writeHead(400, { 'Content-Type': 'text/html' }).end('<html>unknown application</html>');
      return;
    }
    const target = new URL(redirectUri);
    const state = query.get('state');
    if (state !== null) target.searchParams.set('state', state);
    if (this.isDenied) target.searchParams.set('error', 'access_denied');
    else target.searchParams.set('code', this.toCode(query, redirectUri));
    response.writeHead(302, { Location: target.href }).end();
  }

  private toCode(query: URLSearchParams, redirectUri: string): string {
    const code = this.issue('code');
    const challenge = query.get('code_challenge') ?? undefined;
    this.codes.set(code, { scope: query.get('scope') ?? 'all', challenge, redirectUri });
    return code;
  }

  /** `POST /oauth2/token/` */
  async token(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(body);
    const { authorization } = request.headers;
    this.requests.push({ parameters: Object.fromEntries(form), authorization });
    this.before?.();
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.losses.count > 0) {
      this.losses = { ...this.losses, count: this.losses.count - 1 };
      if (this.losses.isEffective) this.answer(form, authorization);
      // the headers and half of the body, then nothing
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '500' });
      response.write('{"access_token":"half-of-a-tok');
      setTimeout(() => request.socket.destroy(), 5);
      return;
    }
    if (this.instead !== undefined) {
      this.instead(response);
      return;
    }
    const { status, json } = this.answer(form, authorization);
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...(status === 401 && { 'WWW-Authenticate': 'Basic realm="oauth2"' }),
    });
    response.end(JSON.stringify(json));
  }

  private answer(form: URLSearchParams, authorization: string | undefined): { status: number; json: object } {
    const refused = (error: string, status = 400) => ({ status, json: { error } });
    if (!this.isClient(form, authorization)) return refused('invalid_client', authorization ? 401 : 400);
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return this.isCode(form) ? { status: 200, json: this.toAnswer() } : refused('invalid_grant');
      case 'refresh_token': {
        const isKnown = this.refreshTokens.delete(form.get('refresh_token') ?? '');
        return isKnown ? { status: 200, json: this.toAnswer() } : refused('invalid_grant');
      }
      default:
        return refused('unsupported_grant_type');
    }
  }

  private toAnswer(): object {
    return { ...this.grant(), token_type: 'Bearer', scope: 'all' };
  }

  /** RFC 6749 §2.3.1; a public client only names itself (§3.2.1). */
  private isClient(form: URLSearchParams, authorization: string | undefined): boolean {
    const { id, secret } = this.client;
    if (secret === undefined) return authorization === undefined && form.get('client_id') === id;
    const way = authorization === undefined ? 'body' : 'basic';
    if (this.options.authentication !== undefined && this.options.authentication !== way) return false;
    if (way === 'body') return form.get('client_id') === id && form.get('client_secret') === secret;
    const pair = Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
    const [user, password] = pair.split(':').map((part) => new URLSearchParams(`v=${part}`).get('v'));
    return user === id && password === secret && !form.has('client_secret');
  }

  private isCode(form: URLSearchParams): boolean {
    const given = form.get('code') ?? '';
    const code = this.codes.get(given);
    this.codes.delete(given);
    if (code === undefined || code.redirectUri !== form.get('redirect_uri')) return false;
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    return code.challenge === undefined || code.challenge === challenge;
  }

  private issue(kind: string): string {
    const token = toToken(kind);
    this.issued.push(token);
    return token;
  }
}
