import { type Request, type Response, Router } from 'express';
import {
  type Attribute,
  type Caller,
  type CatalogueQuery,
  checkKeysOnly,
  type FeatureSource,
  type RawParameter,
  type SourceDescription,
  type SourceSummary,
  toCatalogueQuery,
  toCredentials,
} from '../query/index.js';
import { toCaller } from './caller.js';
import { toBaseUrl, toGetLink, toPreviousChanges } from './links.js';
import { allowOnly } from './methods.js';
import { readParameters } from './parameters.js';
import type { SearchConfig } from './search.js';
import { type RequestValidator, readChecked } from './validation.js';

const json = 'application/json';

/** Letters without case and accents, so that `ecole` finds `École`. */
const toFolded = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function toSearchText({ name, title = '', abstract = '', keywords }: SourceSummary): string {
  return toFolded([name, title, abstract, ...keywords].join('\n'));
}

/** The sources in which all words are found, in the upstream's order. */
export function toMatching(sources: readonly SourceSummary[], words: readonly string[]): SourceSummary[] {
  const folded = words.map(toFolded);
  return sources.filter((source) => {
    const text = toSearchText(source);
    return folded.every((word) => text.includes(word));
  });
}

function toPageLinks(
  url: string,
  parameters: readonly RawParameter[],
  query: CatalogueQuery,
  matched: number,
) {
  const { limit, startIndex } = query;
  const context = { url, parameters, type: json };
  return [
    toGetLink('self', {}, context),
    ...(startIndex + limit < matched ? [toGetLink('next', { _start: startIndex + limit }, context)] : []),
    ...(startIndex > 0 ? [toGetLink('prev', toPreviousChanges(query), context)] : []),
  ];
}

const jsonTypes: { readonly [K in Attribute['type']]: { readonly type: string; readonly format?: string } } =
  {
    string: { type: 'string' },
    integer: { type: 'integer' },
    number: { type: 'number' },
    boolean: { type: 'boolean' },
    date: { type: 'string', format: 'date' },
    dateTime: { type: 'string', format: 'date-time' },
    time: { type: 'string', format: 'time' },
    object: { type: 'object' },
  };

const toNullable = (type: string, nullable: boolean) => (nullable ? [type, 'null'] : type);

/** One attribute as JSON Schema; a repeated one is an array. */
function toAttributeSchema({ type, nullable, repeated }: Attribute): object {
  const single = jsonTypes[type];
  return repeated
    ? { type: toNullable('array', nullable), items: single }
    : { ...single, type: toNullable(single.type, nullable) };
}

/** A feature's `properties` as JSON Schema 2020-12; what else is known of the source stands beside. */
export function toSchema(source: SourceDescription, url: string): object {
  const { name, title, abstract, keywords, bbox, crs, geometry, attributes, upstream } = source;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: url,
    title: title ?? name,
    ...(abstract === undefined ? {} : { description: abstract }),
    type: 'object',
    properties: Object.fromEntries(attributes.map((one) => [one.name, toAttributeSchema(one)])),
    additionalProperties: false,
    name,
    keywords,
    ...(geometry === undefined ? {} : { 'x-geometry': geometry }),
    ...(bbox === undefined ? {} : { bbox }),
    ...(crs === undefined ? {} : { crs }),
    ...(upstream === undefined ? {} : { upstream }),
  };
}

/** Who asks, with keys in the query string or the headers. */
function toKeyedCaller(req: Request, res: Response, parameters: readonly RawParameter[]): Caller {
  res.locals.credentials = toCredentials(parameters);
  return toCaller(req, res);
}

/** What the links of a module are made of. */
export interface LinkedModule {
  readonly name: string;
  /** Its page of the documentation, under `/api/`. */
  readonly docPage: string;
}

/** Everything of one module, from where `/api` is. */
export function toModuleLinks(api: string, { name, docPage }: LinkedModule) {
  const url = `${api}/${name}`;
  const docs = `${api}/doc/`;
  return [
    { rel: 'self', type: json, href: url },
    { rel: 'search', type: 'application/geo+json', href: `${url}/search` },
    { rel: 'data', type: json, href: `${url}/sources` },
    { rel: 'service-doc', type: 'text/html', href: `${api}/${docPage}` },
    { rel: 'service-desc', type: 'application/yaml', href: `${docs}${name}.yml` },
    { rel: 'service-desc', type: json, href: `${docs}${name}.json` },
  ];
}

export interface CatalogueParts extends LinkedModule {
  readonly source: FeatureSource;
  readonly validate: RequestValidator;
}

/** The module's page, its sources, and each source's schema. */
export function createCatalogue(parts: CatalogueParts, config: SearchConfig): Router {
  const { name, source, validate } = parts;
  const router = Router();
  const toUrl = (req: Request) => `${toBaseUrl(req, config)}${req.baseUrl}`;

  const page = router.route('/');
  page.get(async (req, res) => {
    const parameters = readParameters(req);
    readChecked(() => checkKeysOnly(parameters), await validate(req, parameters));
    const { sources, ...about } = await source.list(toKeyedCaller(req, res, parameters));
    const links = toModuleLinks(`${toBaseUrl(req, config)}/api`, parts);
    res.json({ name, ...about, numberOfSources: sources.length, links });
  });
  page.all(allowOnly('GET, HEAD'));

  const list = router.route('/sources');
  list.get(async (req, res) => {
    const parameters = readParameters(req);
    const byDocument = await validate(req, parameters);
    const query = readChecked(() => toCatalogueQuery(parameters, config), byDocument);
    const { sources } = await source.list(toKeyedCaller(req, res, parameters));
    const matching = toMatching(sources, query.words);
    const shown = matching.slice(query.startIndex, query.startIndex + query.limit);
    res.json({
      sources: shown,
      numberMatched: matching.length,
      numberReturned: shown.length,
      links: toPageLinks(`${toUrl(req)}/sources`, parameters, query, matching.length),
    });
  });
  list.all(allowOnly('GET, HEAD'));

  // A name may hold `/`, encoded or not: the wildcard gives its segments.
  const one = router.route('/sources/*source');
  one.get(async (req, res) => {
    const parameters = readParameters(req);
    readChecked(() => checkKeysOnly(parameters), await validate(req, parameters));
    const segments: unknown = req.params.source;
    const asked = Array.isArray(segments) ? segments.join('/') : String(segments);
    const description = await source.describe(asked, toKeyedCaller(req, res, parameters));
    res.type('application/schema+json');
    res.send(
      JSON.stringify(toSchema(description, `${toUrl(req)}/sources/${encodeURIComponent(description.name)}`)),
    );
  });
  one.all(allowOnly('GET, HEAD'));
  return router;
}
