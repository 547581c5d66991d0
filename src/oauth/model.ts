import { type MessageId, ServiceError, toMessage } from '../errors.js';

/** The client this service is at an authorization server (RFC 6749 §2), and where that server is asked. */
export interface OAuthClient {
  readonly clientId: string;
  /** Of a confidential client; absent: a public one. */
  readonly clientSecret?: string | undefined;
  /** How a confidential client says who it is (RFC 6749 §2.3.1): HTTP Basic, or in the body; `none`: a public one. */
  readonly authentication: 'basic' | 'body' | 'none';
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly redirectUri: string;
  /** Absent: what the server gives by default (RFC 6749 §3.3). */
  readonly scope?: string | undefined;
}

/** What a token endpoint has given (RFC 6749 §5.1). Times are milliseconds since 1970. */
export interface Grant {
  readonly accessToken: string;
  /** Single-use at Opendatasoft: each refresh gives the next. */
  readonly refreshToken?: string | undefined;
  readonly obtainedAt: number;
  /** Absent: the server did not say. */
  readonly expiresAt?: number | undefined;
}

/** Where the grant outlives the process. A second implementation can share it between machines. */
export interface TokenStore {
  /** @returns undefined where nothing is kept yet. @throws AccountError where what is kept cannot be used */
  read(): Promise<Grant | undefined>;
  /** All or nothing, also when the machine stops in the middle. @throws AccountError */
  write(grant: Grant): Promise<void>;
  /** Runs `work` while nobody else does, in any process that shares the store. @throws AccountError */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

/** The service's own account cannot be used: no fault of the caller's (503). What the operator has to do is its text. */
export class AccountError extends ServiceError {
  constructor(id: MessageId & `oauth.${string}`, values: Record<string, string> = {}, retryAfterS = 30) {
    super('unavailable', toMessage(id, values), { headers: { 'Retry-After': String(retryAfterS) } });
  }
}

/** The code of a fault of the operating system, which says what is wrong without naming a path. */
export function toErrorCode(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : 'unknown';
}
