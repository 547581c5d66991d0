import { OwsException } from './exception.js';
import { createBoxPredicate, createIdPredicate, type Predicate } from './filter.js';
import type { Layer } from './layers/index.js';
import { readKvpBox } from './read-geometry.js';
import {
  checkOutputFormat,
  checkService,
  checkVersion,
  findLayer,
  type GetFeature,
  invalid,
  missing,
  type RequestContext,
  splitName,
  toDescribeFeatureType,
  toGetCapabilities,
  toGetFeature,
  toPredicateOf,
  toQuery,
  toUnknownOperation,
  type WfsRequest,
} from './request.js';
import { readXml } from './xml.js';

/** @throws OwsException */
export function readKvpRequest(parameters: URLSearchParams, context: RequestContext): WfsRequest {
  // Names are case-insensitive; the first of two counts.
  const kvp = new Map<string, string>();
  for (const [name, value] of parameters) {
    const key = name.toLowerCase();
    if (!kvp.has(key) && value !== '') kvp.set(key, value);
  }
  const operation = kvp.get('request');
  if (operation === undefined) throw missing('request');
  checkService(kvp.get('service'));
  switch (operation.toLowerCase()) {
    case 'getcapabilities':
      return toGetCapabilities(
        kvp.get('acceptversions')?.split(',') ?? [],
        kvp.get('sections')?.split(',') ?? [],
      );
    case 'describefeaturetype':
      checkVersion(kvp.get('version'));
      checkOutputFormat(kvp.get('outputformat'), /^xmlschema$/i);
      return toDescribeFeatureType(toLayers(kvp, context), context);
    case 'getfeature':
      checkVersion(kvp.get('version'));
      checkOutputFormat(kvp.get('outputformat'));
      return toGetFeatureOfKvp(kvp, context);
    default:
      throw toUnknownOperation(operation);
  }
}

/** typeName of KVP: a comma list, each name with the server's prefix, one of `namespace=xmlns(p=uri)`, or none. */
function toLayers(kvp: ReadonlyMap<string, string>, { layers }: RequestContext): Layer[] {
  const prefixes = new Map(
    [...(kvp.get('namespace') ?? '').matchAll(/xmlns\((?:([^=,)]*)[=,])?([^)]*)\)/g)].map(
      ([, prefix, uri]) => [prefix ?? '', uri ?? ''],
    ),
  );
  return splitLists(kvp.get('typename'))
    .flat()
    .map((name) => {
      const [local, prefix] = splitName(name);
      const uri = prefixes.get(prefix ?? '');
      if (uri === undefined && prefix !== undefined && !layers.some((layer) => layer.prefix === prefix))
        throw invalid(`Unknown namespace [${prefix}]`, 'namespace');
      return findLayer(layers, local, uri, prefix, name);
    });
}

/** `a,b` is one list; `(a,b)(c)` are two, one for each query (§14.2.2). */
function splitLists(text: string | undefined): string[][] {
  if (text === undefined) return [];
  const groups = text.startsWith('(') ? text.replace(/^\(|\)$/g, '').split(/\)\s*\(/) : [text];
  return groups.map((group) =>
    group
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
}

function toGetFeatureOfKvp(kvp: ReadonlyMap<string, string>, context: RequestContext): GetFeature {
  const exclusive = ['featureid', 'filter', 'bbox'].filter((name) => kvp.has(name));
  if (exclusive.length > 1)
    throw new OwsException(
      'NoApplicableCode',
      `${exclusive[0]} and ${exclusive[1]} both specified but are mutually exclusive`,
    );
  const ids = splitLists(kvp.get('featureid')).flat();
  const layers = kvp.has('typename') ? toLayers(kvp, context) : toLayersOfIds(ids, context);
  if (layers.length === 0)
    throw new OwsException(
      'MissingParameterValue',
      'The query should specify either typeName, featureId filter, or a stored query id',
      'typeName',
    );
  const filters = splitFilters(kvp.get('filter'));
  const propertyNames = splitLists(kvp.get('propertyname'));
  if (filters.length > 1 && filters.length !== layers.length)
    throw invalid(`${layers.length} feature types but ${filters.length} filters`, 'filter');
  const queries = layers.map((layer, i) =>
    toQuery(
      {
        layer,
        srsName: kvp.get('srsname'),
        propertyNames: (propertyNames.length === 1 ? propertyNames[0] : propertyNames[i]) ?? [],
        sortBy: toSortKeys(kvp.get('sortby')),
        predicate: toPredicate(
          layer,
          ids,
          kvp.get('bbox'),
          filters.length === 1 ? filters[0] : filters[i],
          context,
        ),
      },
      context,
    ),
  );
  return toGetFeature(queries, kvp.get('maxfeatures'), kvp.get('startindex'), kvp.get('resulttype'), context);
}

function toPredicate(
  layer: Layer,
  ids: readonly string[],
  box: string | undefined,
  filter: string | undefined,
  context: RequestContext,
): Predicate | undefined {
  if (ids.length > 0) return createIdPredicate(ids);
  if (filter !== undefined) return toPredicateOf(readXml(filter), layer, context);
  if (box === undefined || context.lacks.has('filter')) return undefined;
  if (context.lacks.has('BBOX')) throw invalid('bbox is not supported', 'bbox');
  return createBoxPredicate(readKvpBox(box, { code: layer.code, rule: context.axisOrder.in }));
}

/** Several filters stand in parentheses (§14.7.3.3), which XML never begins with. */
const splitFilters = (text: string | undefined): string[] =>
  text === undefined
    ? []
    : text.startsWith('(')
      ? text.replace(/^\(|\)\s*$/g, '').split(/\)\s*\((?=\s*<)/)
      : [text];

const toLayersOfIds = (ids: readonly string[], { layers }: RequestContext): Layer[] => [
  ...new Set(
    ids.map((id) => {
      const local = id.slice(0, id.lastIndexOf('.'));
      return findLayer(layers, local, undefined, undefined, local);
    }),
  ),
];

/** `a D,b A` (§14.7.3): A, also ASC, is the default. */
const toSortKeys = (text: string | undefined) =>
  splitLists(text)
    .flat()
    .map((key) => {
      const [, name = key, order] = /^(\S+)(?:\s+(A|D|ASC|DESC))?$/i.exec(key) ?? [];
      if (/\s/.test(name)) throw invalid(`sortBy: ${key}`, 'sortBy');
      return { name, descending: order?.toUpperCase().startsWith('D') ?? false };
    });
