export type { Account } from './account.js';
export { AuthorizationError, createAuthorization } from './authorization.js';
export { createFileAccount, TOKEN_TIMEOUT_MS } from './file-account.js';
export { createFileStore } from './file-store.js';
export { AccountError, type OAuthClient } from './model.js';
export { createTokenEndpoint, TokenError } from './token-endpoint.js';
