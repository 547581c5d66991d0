import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { isPrivateAddress, isPrivateHost, lookupPublic } from '../../src/wfs/addresses.js';
import { createDeadline } from '../../src/wfs/deadline.js';
import { toPlacedKey } from '../../src/wfs/keys.js';
import { createRedirecting } from '../../src/wfs/redirect.js';
import { createTransport, type Redirect, type Transport, type WfsRequest } from '../../src/wfs/transport.js';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server, what it was asked, and its origin. */
async function serve(answer: RequestListener) {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    seen.push({ request, body });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function over(url: string): Transport {
  const options = {
    responseTimeoutMs: 500,
    idleTimeoutMs: 300,
    maxResponseBytes: 1e6,
    referer: 'https://r.fr',
  };
  const transport = createTransport({ ...options, url });
  open.push(() => transport.close());
  return createRedirecting(transport);
}

const header = { places: [{ in: 'header', name: 'x-key' }] } as const;
function ask(transport: Transport, request: Partial<WfsRequest> = {}, apikey?: string) {
  return transport.send({
    parameters: { request: 'GetCapabilities' },
    key: toPlacedKey(header, apikey === undefined ? {} : { apikey }),
    signal: new AbortController().signal,
    deadline: createDeadline(5000),
    ...request,
  });
}

async function read({ chunks }: { chunks: AsyncIterable<Uint8Array> }): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

const redirecting =
  (status: number, location: (path: string) => string): RequestListener =>
  ({ url = '' }, response) => {
    if (url.startsWith('/wfs')) response.writeHead(status, { Location: location(url) }).end('moved');
    else response.end('<there/>');
  };
const notFollowed = { kind: 'upstreamUnusable', text: { id: 'wfs.redirected' } };

describe('on the host of the upstream', () => {
  test.each([301, 302, 303, 307, 308])('a GET follows a %i, with its key', async (status) => {
    const { origin, seen } = await serve(redirecting(status, () => '/there?a=1'));
    await expect(ask(over(`${origin}/wfs`), {}, 'K').then(read)).resolves.toBe('<there/>');
    expect(seen.map(({ request }) => [request.method, request.url, request.headers['x-key']])).toEqual([
      ['GET', '/wfs?request=GetCapabilities', 'K'],
      ['GET', '/there?a=1', 'K'],
    ]);
  });

  test.each([307, 308])('a POST follows a %i, with its body', async (status) => {
    const { origin, seen } = await serve(redirecting(status, () => '/there'));
    const request = { body: '<GetFeature/>', parameters: {} };
    await expect(ask(over(`${origin}/wfs`), request).then(read)).resolves.toBe('<there/>');
    expect(seen.map(({ request: { method, url }, body }) => [method, url, body])).toEqual([
      ['POST', '/wfs', '<GetFeature/>'],
      ['POST', '/there', '<GetFeature/>'],
    ]);
  });

  test.each([301, 302, 303])(
    'a POST does not follow a %i, which would make it another question',
    async (status) => {
      const { origin, seen } = await serve(redirecting(status, () => '/there'));
      await expect(ask(over(`${origin}/wfs`), { body: '<GetFeature/>' })).rejects.toMatchObject(notFollowed);
      expect(seen).toHaveLength(1);
    },
  );

  test('in circles it ends after three', async () => {
    const { origin, seen } = await serve(redirecting(302, (path) => path));
    await expect(ask(over(`${origin}/wfs`))).rejects.toMatchObject(notFollowed);
    expect(seen).toHaveLength(4);
  });

  test.each(['http://', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'javascript:1'])(
    'to what is no address of the web, %s, it is not followed',
    async (location) => {
      const { origin } = await serve(redirecting(302, () => location));
      await expect(ask(over(`${origin}/wfs`))).rejects.toMatchObject(notFollowed);
    },
  );
});

describe('to another host', () => {
  test('no key goes along: the redirect is not followed, in whatever place the key was', async () => {
    const other = await serve((_, response) => void response.end('<there/>'));
    const { origin } = await serve(redirecting(302, (path) => `${other.origin}/there${path}`));
    await expect(ask(over(`${origin}/wfs`), {}, 'K')).rejects.toMatchObject(notFollowed);
    expect(other.seen).toHaveLength(0);
  });

  test('without a key it is followed, and the referer stays here', async () => {
    const other = await serve((_, response) => void response.end('<there/>'));
    const { origin, seen } = await serve(redirecting(307, () => `${other.origin}/there`));
    await expect(ask(over(`${origin}/wfs`)).then(read)).resolves.toBe('<there/>');
    expect(seen[0]?.request.headers.referer).toBe('https://r.fr');
    expect(other.seen[0]?.request.headers.referer).toBeUndefined();
  });
});

describe('from the public Internet', () => {
  /** An upstream at a public address, which no test has. */
  function fromPublic(location: string, from = 'https://public.example/wfs') {
    const targets: WfsRequest['target'][] = [];
    const redirect: Redirect = { location, from: new URL(from), isFromPrivate: false };
    async function* chunks() {}
    const transport: Transport = {
      async send({ target }) {
        targets.push(target);
        const first = { status: 302, redirect };
        const then = { status: 200 };
        const answer = { contentType: 'text/xml', retryAfter: undefined, chunks: chunks() };
        return { ...answer, ...(target === undefined ? first : then) };
      },
      close() {},
    };
    return { asking: ask(createRedirecting(transport)), targets };
  }

  test('another host may not be at a private address; the same one is asked as it was', async () => {
    const other = fromPublic('https://other.example/wfs');
    await other.asking;
    expect(other.targets[1]).toMatchObject({ isForeign: true, mayBePrivate: false });
    const same = fromPublic('/there');
    await same.asking;
    expect(same.targets[1]).toMatchObject({ isForeign: false, mayBePrivate: true });
  });

  test('behind a proxy, where nobody here sees the address, another host is not asked', async () => {
    const asking = ask(
      createRedirecting({
        async send({ target }) {
          async function* chunks() {}
          const redirect = {
            location: 'https://other.example/',
            from: new URL('https://public.example/'),
            isFromPrivate: undefined,
          };
          const status = target === undefined ? 302 : 200;
          return { status, contentType: '', retryAfter: undefined, redirect, chunks: chunks() };
        },
        close() {},
      }),
    );
    await expect(asking).rejects.toMatchObject(notFollowed);
  });

  test('never from https to http; from http to https of the same host as if it were the same', async () => {
    await expect(fromPublic('http://public.example/wfs').asking).rejects.toMatchObject(notFollowed);
    const upgrade = fromPublic('https://public.example/wfs', 'http://public.example/wfs');
    await upgrade.asking;
    expect(upgrade.targets[1]).toMatchObject({ isForeign: false });
  });

  test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', 'localhost'])(
    'nothing is sent to %s, however it is written',
    async (host) => {
      const { origin, seen } = await serve((_, response) => void response.end('<there/>'));
      const url = new URL(`http://${host}:${new URL(origin).port}/`);
      const transport = over('http://192.0.2.1/wfs');
      const target = { url, isForeign: true, mayBePrivate: false };
      await expect(ask(transport, { target })).rejects.toMatchObject({ kind: 'upstreamUnusable' });
      expect(seen).toHaveLength(0);
    },
  );
});

test('addresses that are no place on the public Internet', async () => {
  const others = [
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '127.9.9.9',
  ];
  const six = [
    '::1',
    '::',
    'fe80::1%eth0',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '224.0.0.1',
    'nonsense',
  ];
  for (const address of [...others, ...six])
    expect([address, isPrivateAddress(address)]).toEqual([address, true]);
  for (const address of ['8.8.8.8', '2001:4860:4860::8888', '::ffff:8.8.8.8'])
    expect([address, isPrivateAddress(address)]).toEqual([address, false]);
  expect([isPrivateHost('[::1]'), isPrivateHost('10.0.0.1'), isPrivateHost('example.org')]).toEqual([
    true,
    true,
    false,
  ]);
  const error = await new Promise((resolve) => lookupPublic('localhost', {}, (fault) => resolve(fault)));
  expect(error).toMatchObject({ code: 'EPRIVATE' });
});
