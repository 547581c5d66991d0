import { toProblemError } from './problem.js';
import type { SearchRequest } from './request.js';

export interface ClientOptions {
  /** Where the service is: `https://example.org/`, or a path before `api/`. */
  readonly url: string;
  /** Which of its modules; `wfs-geoportail` by default. */
  readonly module?: string;
  /** The caller's key for the upstream, sent as a header; never part of a URL. */
  readonly apikey?: string | undefined;
  /** The caller's token for the upstream, sent as `Authorization: Bearer`. */
  readonly accessToken?: string | undefined;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  /** Ends the request, upstream as well. */
  readonly signal?: AbortSignal | undefined;
}

export interface Exchange {
  /** The answer, once it has begun. @throws ProblemError */
  ask(request: SearchRequest, accept: string, options?: CallOptions): Promise<Response>;
  /** The JSON at a URL; its type is what the OpenAPI document says. */
  get<T>(url: string, options?: CallOptions): Promise<T>;
}

/** Requests with the caller's key. */
export function createExchange({ apikey, accessToken, fetch: given }: ClientOptions): Exchange {
  const key = {
    ...(apikey ? { apikey } : {}),
    ...(accessToken ? { authorization: `Bearer ${accessToken}` } : {}),
  };
  const ask: Exchange['ask'] = async ({ method, url, body }, accept, { signal } = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await (given ?? fetch)(url, {
      method,
      headers: { accept, ...type, ...key },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw await toProblemError(response);
    return response;
  };
  const accept = 'application/json, application/schema+json';
  return {
    ask,
    get: async <T>(url: string, options?: CallOptions) =>
      (await ask({ method: 'GET', url }, accept, options)).json() as Promise<T>,
  };
}
