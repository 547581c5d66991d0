import { ServiceError, toMessage } from '../errors.js';
import type { Redirect, Target, Transport, WfsRequest } from './transport.js';

const MOST_HOPS = 3;

/** RFC 9110 §15.4: a POST keeps its method and body with these alone; the others would make it a GET without its question. */
const KEEPING = new Set([307, 308]);
const FOLLOWED = new Set([301, 302, 303, 307, 308]);

/**
 * Follows redirects as a user expects: on the upstream's own host with all that it was asked with, to another host only
 * without key and referer. Never from https to http, and never from the public Internet to a private address, where
 * only this service could reach. Each hop is a request as any other to what is below.
 * @throws upstreamUnusable for a redirect that is not followed
 */
export function createRedirecting(transport: Transport): Transport {
  return {
    async send(request) {
      let asked = request;
      for (let hops = 0; ; hops += 1) {
        const response = await transport.send(asked);
        const { redirect, status } = response;
        if (redirect === undefined || !FOLLOWED.has(status)) return response;
        await response.chunks.return();
        const isKept = asked.body === undefined || KEEPING.has(status);
        const target = isKept && hops < MOST_HOPS ? toTarget(redirect, asked) : undefined;
        if (target === undefined) throw notFollowed(status);
        asked = { ...asked, target };
      }
    },
    close: () => transport.close(),
  };
}

function notFollowed(status: number): ServiceError {
  return new ServiceError('upstreamUnusable', toMessage('wfs.redirected', { status }));
}

/** @returns undefined where the redirect must not be followed */
function toTarget({ location, from, isFromPrivate }: Redirect, asked: WfsRequest): Target | undefined {
  if (!URL.canParse(location, from.href)) return undefined;
  const url = new URL(location, from);
  const isWeb = url.protocol === 'https:' || (url.protocol === 'http:' && from.protocol === 'http:');
  if (!isWeb) return undefined;
  const isForeign = asked.target?.isForeign === true || !isSameHost(url, from);
  if (!isForeign) {
    [url.username, url.password] = [from.username, from.password];
    return { url, isForeign, mayBePrivate: asked.target?.mayBePrivate ?? true };
  }
  // a key stands in the address that is redirected, and may have been copied into the one it is redirected to
  if (asked.key.isKeyed || isFromPrivate === undefined) return undefined;
  [url.username, url.password] = ['', ''];
  return { url, isForeign, mayBePrivate: isFromPrivate && asked.target?.mayBePrivate !== false };
}

/** The same host and port; or the same host, now by TLS. */
function isSameHost(to: URL, from: URL): boolean {
  if (to.hostname !== from.hostname) return false;
  const isUpgrade =
    from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === '';
  return to.host === from.host || isUpgrade;
}
