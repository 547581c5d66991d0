import type { IncomingMessage } from 'node:http';

const MAX_HEADERS = 8192;

/** Headers of requests that no answer takes notice of, or that whoever answers a plain request looks at. */
const known = new Set(
  `accept accept-charset accept-encoding accept-language cache-control connection dnt host if-none-match origin pragma
  baggage priority referer sec-fetch-dest sec-fetch-mode sec-fetch-site sec-gpc traceparent tracestate user-agent x-request-id`.split(
    /\s+/,
  ),
);

/**
 * A GET with nothing in its headers that says who asks or how it came here: no key, no proxy's word, no body. Its URL, host,
 * media type, language, coding and validator are all that counts.
 */
export function isPlain({ method, httpVersion, rawHeaders }: IncomingMessage): boolean {
  if (method !== 'GET' || httpVersion !== '1.1') return false;
  let [hosts, length] = [0, 0];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (!known.has(name)) return false;
    if (name === 'host') hosts += 1;
    length += name.length + (rawHeaders[i + 1] as string).length;
  }
  return hosts === 1 && length <= MAX_HEADERS;
}
