import { startProcess } from '../support/process.js';
import { parseLossless } from './lossless.js';

export interface Feature {
  readonly type: 'Feature';
  readonly id?: string;
  readonly geometry: { readonly type: string; readonly coordinates: unknown } | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

interface Link {
  readonly rel: string;
  readonly href: string;
  readonly method?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface Page {
  readonly status: number;
  readonly features: readonly Feature[];
  readonly numberReturned?: number;
  readonly numberMatched?: number;
  readonly links: readonly Link[];
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly detail?: string;
}

/** Parameters of a search; arrays are "any of". */
export type Parameters = Readonly<Record<string, unknown>>;
/** How they are sent: query string, JSON body, form body. */
export const forms = ['get', 'json', 'form'] as const;
export type Form = (typeof forms)[number];

export interface Service {
  readonly url: string;
  search(parameters: Parameters, form?: Form): Promise<Page>;
  /** Every feature, by following `next` from `parameters` on; at most `pages` pages. */
  walk(parameters: Parameters, form?: Form, pages?: number): Promise<readonly Page[]>;
  stop(): Promise<void>;
}

/** The service over `wfsUrl`, with nothing else configured but where it listens, and `env`. */
export async function startService(
  wfsUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const { url, stop } = await startProcess({ WFS_URL: wfsUrl, WFS_RATE_LIMIT: '1000', ...env });
  return createClient(url, stop);
}

function createClient(url: string, stop: () => Promise<number | null>): Service {
  const endpoint = `${url}/api/wfs-geoportail/search`;
  const post = (parameters: Parameters, form: Form) => {
    const body =
      form === 'json' ? JSON.stringify(parameters) : new URLSearchParams(toPairs(parameters)).toString();
    const type = form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
    return readPage(fetch(endpoint, { method: 'POST', body, headers: { 'content-type': type } }));
  };
  const search = (parameters: Parameters, form: Form = 'get') =>
    form === 'get'
      ? readPage(fetch(`${endpoint}?${new URLSearchParams(toPairs(parameters))}`))
      : post(parameters, form);

  return {
    url,
    search,
    async walk(parameters, form = 'get', pages = Number.POSITIVE_INFINITY) {
      const walked = [await search(parameters, form)];
      let current = parameters;
      for (;;) {
        const next = walked.at(-1)?.links.find((link) => link.rel === 'next');
        if (next === undefined || walked.length >= pages) return walked;
        if (!next.href.startsWith(`${url}/`)) throw new Error(`next leads elsewhere: ${next.href}`);
        if (form === 'get') {
          walked.push(await readPage(fetch(next.href)));
        } else {
          current = { ...current, ...next.body };
          walked.push(await post(current, form));
        }
      }
    },
    async stop() {
      const code = await stop();
      if (code !== 0) throw new Error(`the service ended with ${code}`);
    },
  };
}

function toPairs(parameters: Parameters): [string, string][] {
  const toText = (value: unknown) =>
    value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, toText(one)]),
  );
}

async function readPage(asked: Promise<Response>): Promise<Page> {
  const response = await asked;
  const body = parseLossless(await response.text()) as Omit<Page, 'status'>;
  return { ...body, status: response.status, features: body.features ?? [], links: body.links ?? [] };
}

export const toIds = (pages: readonly Page[]): string[] =>
  pages.flatMap((page) => page.features.map((feature) => feature.id ?? 'without id')).sort();
