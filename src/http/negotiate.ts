import { ServiceError, toMessage } from '../errors.js';

/** What a search can be written as, the default first. */
export const searchTypes = ['application/geo+json', 'application/json', 'application/geo+json-seq'] as const;
export type SearchType = (typeof searchTypes)[number];

interface Range {
  readonly range: string;
  readonly q: number;
}

/** RFC 9110 §12.5.1. Parameters other than `q` ask for nothing we distinguish. */
function readAccept(accept: string): Range[] {
  return accept.split(',').flatMap((part) => {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (!/^[^\s/]+\/[^\s/]+$/.test(range)) return [];
    const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const q = weight === undefined ? 1 : Number(weight.replace(/^q\s*=\s*/, ''));
    return [{ range, q: q >= 0 && q <= 1 ? q : 0 }];
  });
}

/** The weight of the most specific range that covers the type. */
function toWeight(type: string, ranges: readonly Range[]): number {
  for (const candidate of [type, 'application/*', '*/*']) {
    const matching = ranges.filter(({ range }) => range === candidate);
    if (matching.length > 0) return Math.max(...matching.map(({ q }) => q));
  }
  return 0;
}

/**
 * The media type a search answers with. Between equals the default wins, since `application/json, * / *` is what
 * libraries send unasked; a sequence is given to who names it and does not name the default.
 * @throws notAcceptable
 */
export function toSearchType(accept: string | undefined): SearchType {
  const ranges = readAccept(accept ?? '');
  if (ranges.length === 0) return searchTypes[0];
  const weights = new Map(searchTypes.map((type) => [type, toWeight(type, ranges)]));
  const best = Math.max(...weights.values());
  if (best === 0) {
    throw new ServiceError(
      'notAcceptable',
      toMessage('http.notAcceptable', { types: searchTypes.join(', ') }),
    );
  }
  const isNamed = (type: SearchType) => ranges.some(({ range }) => range === type);
  const equals = searchTypes.filter((type) => weights.get(type) === best);
  const [first, last] = [equals[0], equals.at(-1)];
  const wantsSequence = last === 'application/geo+json-seq' && isNamed(last) && !isNamed(searchTypes[0]);
  return (wantsSequence ? last : first) ?? searchTypes[0];
}
