import { invalidRequest } from '../errors.js';
import { Parameters, type RawParameter } from './parameters.js';
import type { QueryLimits } from './to-search-query.js';

/** What is asked of the catalogue. */
export interface CatalogueQuery {
  /** All of these must be found. */
  readonly words: readonly string[];
  readonly limit: number;
  readonly startIndex: number;
}

/** Words of a search in the catalogue; each is looked for in every source. */
const maxWords = 50;

const keyNames = ['apikey', 'access_token'] as const;

/**
 * Reads the parameters of the list of sources.
 * @throws invalidRequest with every fault at once
 */
export function toCatalogueQuery(
  given: readonly RawParameter[],
  limits: Pick<QueryLimits, 'limitMax'>,
): CatalogueQuery {
  const parameters = new Parameters(given, ['q', ...keyNames, '_limit', '_start']);
  const q = parameters.has('q') ? parameters.raw('q') : '';
  const page = parameters.page(limits.limitMax);
  const words = [...new Set(String(q).split(/\s+/))].filter((word) => word !== '');
  if (words.length > maxWords) parameters.fault('q', 'query.tooManyWords', { max: maxWords });
  parameters.refuseOthers();
  if (parameters.faults.length > 0) throw invalidRequest(parameters.orderedFaults());
  return { words, ...page };
}

/**
 * Where nothing but a key may be given.
 * @throws invalidRequest
 */
export function checkKeysOnly(given: readonly RawParameter[]): void {
  const parameters = new Parameters(given, keyNames);
  parameters.refuseOthers();
  if (parameters.faults.length > 0) throw invalidRequest(parameters.orderedFaults());
}
