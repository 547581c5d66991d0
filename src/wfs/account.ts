import { ServiceError, toMessage } from '../errors.js';
import type { Account } from '../oauth/index.js';
import type { PlacedKey } from './keys.js';
import type { Transport, WfsRequest, WfsResponse } from './transport.js';

/**
 * Puts the token of the service's account (RFC 6750 §2.1) into the requests of callers who bring no key of their own. A
 * token that is refused is renewed once, and the question asked again: nothing of the answer has been read by then.
 * @throws unavailable where the account is at fault: what the upstream says to it is no 401 of the caller's
 */
export function createAuthorizedTransport(transport: Transport): Transport {
  async function sendFor(account: Account, request: WfsRequest): Promise<WfsResponse> {
    const wait = (token: Promise<string>) =>
      request.deadline.wait(token, Number.POSITIVE_INFINITY, 'wfs.noAnswer');
    const token = await wait(account.getToken());
    const response = await transport.send(withToken(request, token));
    if (response.status !== 401) return response;
    await end(response);
    const second = await transport.send(withToken(request, await wait(account.renew(token))));
    if (second.status !== 401) return second;
    await end(second);
    account.renewedInVain();
    throw new ServiceError('unavailable', toMessage('oauth.tokenRefused'));
  }

  return {
    send(request) {
      const { account } = request.key;
      return account === undefined ? transport.send(request) : sendFor(account, request);
    },
    close: () => transport.close(),
  };
}

function withToken(request: WfsRequest, token: string): WfsRequest {
  const headers = { ...request.key.headers, Authorization: `Bearer ${token}` };
  const key: PlacedKey = { ...request.key, headers };
  return { ...request, key };
}

/** The answer is begun, since only then can it be ended. */
async function end(response: WfsResponse): Promise<void> {
  for await (const _ of response.chunks) break;
}
