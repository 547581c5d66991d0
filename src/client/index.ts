// The client of the service, for browsers and Node 20: a typed face of its OpenAPI document, without dependencies.
import { type CallOptions, type ClientOptions, createExchange, type Exchange } from './exchange.js';
import { type SearchQuery, type SearchRequest, toSearchRequest } from './request.js';
import type {
  Explanation,
  Feature,
  FeatureCollection,
  Module,
  ModuleList,
  SourcePage,
  SourceSchema,
} from './schemas.js';
import { flatten, type PageEnd, readBatches } from './stream.js';

export type { CallOptions, ClientOptions } from './exchange.js';
export { IncompleteAnswerError, ProblemError } from './problem.js';
export { type SearchQuery, type SearchRequest, toParameters, toSearchRequest } from './request.js';
export type * from './schemas.js';
export type { PageEnd } from './stream.js';

/** Every call rejects with a ProblemError when the service says no, and with the signal's reason when it is aborted. */
export interface Client {
  /** One page, whole. */
  search(query: SearchQuery | SearchRequest, options?: CallOptions): Promise<FeatureCollection>;
  /** One page as it arrives: the features that are whole by then, time and again; then what follows them. */
  batches(
    query: SearchQuery | SearchRequest,
    options?: CallOptions,
  ): AsyncGenerator<Feature[], PageEnd, undefined>;
  /** All pages, each whole. */
  pages(query: SearchQuery, options?: CallOptions): AsyncGenerator<FeatureCollection, void, undefined>;
  /** All features of all pages as they arrive. */
  features(query: SearchQuery, options?: CallOptions): AsyncGenerator<Feature, void, undefined>;
  /** How the upstream would be asked. */
  explain(query: SearchQuery, options?: CallOptions): Promise<Explanation>;
  /** What the upstream says of itself. */
  about(options?: CallOptions): Promise<Module>;
  /** Layers in which all words of `q` are found. */
  sources(
    query?: { readonly q?: string; readonly _limit?: number; readonly _start?: number },
    options?: CallOptions,
  ): Promise<SourcePage>;
  /** The attributes of a layer. */
  schema(source: string, options?: CallOptions): Promise<SourceSchema>;
  /** The modules of the service. */
  modules(options?: CallOptions): Promise<ModuleList>;
  /** The request that a search is sent as. */
  toRequest(query: SearchQuery): SearchRequest;
}

type Next = Pick<PageEnd, 'next'>;

const isRequest = (query: SearchQuery | SearchRequest): query is SearchRequest => 'method' in query;

type Asked = SearchQuery | SearchRequest;

/** The calls that search. */
function createSearches(
  { ask }: Exchange,
  toRequest: Client['toRequest'],
): Pick<Client, 'search' | 'batches' | 'pages' | 'features'> {
  async function* batches(query: Asked, options: CallOptions = {}) {
    const request = isRequest(query) ? query : toRequest(query);
    const response = await ask(request, 'application/geo+json', options);
    return yield* readBatches(response, request, options.signal);
  }
  async function readPage(query: Asked, options?: CallOptions): Promise<{ page: FeatureCollection } & Next> {
    const features: Feature[] = [];
    const reading = batches(query, options);
    let step = await reading.next();
    for (; !step.done; step = await reading.next()) features.push(...step.value);
    const { next, ...end } = step.value;
    return { page: { ...end, features }, next };
  }
  return {
    batches,
    search: async (query, options) => (await readPage(query, options)).page,
    async *pages(query, options) {
      for (let request: SearchRequest | undefined = toRequest(query); request !== undefined; ) {
        const { page, next }: { page: FeatureCollection } & Next = await readPage(request, options);
        yield page;
        request = next;
      }
    },
    async *features(query, options) {
      for (let request: SearchRequest | undefined = toRequest(query); request !== undefined; ) {
        const { next }: Next = yield* flatten(batches(request, options));
        request = next;
      }
    },
  };
}

/** The client of one module of a service. */
export function createClient(options: ClientOptions): Client {
  const { url, module = 'wfs-geoportail' } = options;
  const api = `${url.replace(/\/+$/, '')}/api`;
  const base = `${api}/${encodeURIComponent(module)}`;
  const exchange = createExchange(options);
  const { get } = exchange;
  const toRequest = (query: SearchQuery) => toSearchRequest(`${base}/search`, query);
  return {
    ...createSearches(exchange, toRequest),
    toRequest,
    async explain(query, options) {
      const asked = toRequest(query);
      const request = asked.body
        ? { ...asked, body: { ...asked.body, _explain: true } }
        : { ...asked, url: `${asked.url}&_explain=true` };
      const response = await exchange.ask(request, 'application/json', options);
      return (await response.json()) as Explanation;
    },
    about: (options) => get<Module>(base, options),
    sources(query = {}, options) {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      const parameters = given.map(([name, value]): [string, string] => [name, String(value)]);
      return get<SourcePage>(`${base}/sources?${new URLSearchParams(parameters)}`, options);
    },
    schema: (source, options) => get<SourceSchema>(`${base}/sources/${encodeURIComponent(source)}`, options),
    modules: (options) => get<ModuleList>(api, options),
  };
}
