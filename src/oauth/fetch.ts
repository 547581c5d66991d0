import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** What the OAuth library asks with: the part of `fetch` that it uses. */
export type Fetch = (
  url: string,
  options: {
    method: string;
    headers: Record<string, string>;
    body: URLSearchParams;
    signal?: AbortSignal | undefined;
  },
) => Promise<Response>;

const MAX_BYTES = 1024 * 1024;

/**
 * `fetch` that goes through the proxy of the environment, which Node's own cannot: one connection a request, no
 * redirect followed, and an answer that is cut off is none.
 */
export function createFetch(proxy: string | undefined): Fetch {
  const httpAgent = proxy === undefined ? new HttpAgent() : new HttpProxyAgent(proxy);
  const httpsAgent = proxy === undefined ? new HttpsAgent() : new HttpsProxyAgent(proxy);
  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const isTls = new URL(url).protocol === 'https:';
      const text = Buffer.from(body.toString());
      const request = (isTls ? requestHttps : requestHttp)(url, {
        method,
        headers: { ...headers, 'Content-Length': text.length },
        agent: isTls ? httpsAgent : httpAgent,
        signal,
      });
      request.on('error', reject);
      request.on('response', async (answer) => {
        try {
          const parts: Uint8Array[] = [];
          let size = 0;
          for await (const part of answer as AsyncIterable<Buffer>) {
            size += part.length;
            if (size > MAX_BYTES) throw new Error('the answer is too large');
            parts.push(part);
          }
          resolve(toResponse(answer.statusCode ?? 0, answer.headersDistinct, Buffer.concat(parts)));
        } catch (error) {
          reject(error);
        }
      });
      request.end(text);
    });
}

function toResponse(status: number, headers: NodeJS.Dict<string[]>, body: Buffer): Response {
  const entries = Object.entries(headers).flatMap(([name, values = []]) =>
    values.map((one): [string, string] => [name, one]),
  );
  const isEmpty = status === 204 || status === 205 || status === 304;
  return new Response(isEmpty ? null : body, { status, headers: entries });
}
