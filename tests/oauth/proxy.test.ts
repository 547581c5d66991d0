import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createTokenEndpoint } from '../../src/oauth/index.js';
import { registeredClient } from '../support/authorization-server.js';

test('the token endpoint is asked through the proxy of the environment', async () => {
  const seen: string[] = [];
  const proxy = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    seen.push(`${request.method} ${request.url} ${body}`);
    response.setHeader('Content-Type', 'application/json');
    response.end('{"access_token":"T","token_type":"Bearer","expires_in":60}');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const tokenUrl = 'http://localhost:1/oauth2/token/';
  const endpoint = createTokenEndpoint({
    client: {
      clientId: 'public-1',
      authentication: 'none',
      authorizeUrl: 'http://localhost:1/oauth2/authorize/',
      tokenUrl,
      redirectUri: registeredClient.redirectUri,
    },
    proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    timeoutMs: 5000,
  });
  try {
    expect(await endpoint.refresh('R')).toMatchObject({ accessToken: 'T', refreshToken: undefined });
    expect(seen).toEqual([expect.stringMatching(/^POST http:\/\/localhost:1\/oauth2\/token\/ /)]);
    expect(seen[0]).toContain('refresh_token=R');
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});
