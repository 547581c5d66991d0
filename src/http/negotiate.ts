import { ServiceError, toMessage } from '../errors.js';
import type { Format } from '../query/index.js';

/** What each format is called in `Accept`, `Content-Type` and links. */
export const mediaTypes: { readonly [F in Format]: string } = {
  geojson: 'application/geo+json',
  json: 'application/json',
  geojsonseq: 'application/geo+json-seq',
  csv: 'text/csv',
  'csv-centroid': 'text/csv',
  flatgeobuf: 'application/flatgeobuf',
};

/** What can be asked for by media type, the default first. */
const negotiable = ['geojson', 'json', 'geojsonseq', 'csv', 'flatgeobuf'] as const satisfies Format[];

interface Weighted {
  /** In small letters; parameters left out. */
  readonly range: string;
  readonly q: number;
}

/** The items of a header with weights (RFC 9110 §12.4.2). Parameters other than `q` ask for nothing we distinguish. */
export function readWeighted(header: string): Weighted[] {
  return header.split(',').flatMap((part) => {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (range === '') return [];
    const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const q = weight === undefined ? 1 : Number(weight.replace(/^q\s*=\s*/, ''));
    return [{ range, q: q >= 0 && q <= 1 ? q : 0 }];
  });
}

/** The weight of the most specific range that covers the type. */
function toWeight(type: string, ranges: readonly Weighted[]): number {
  for (const candidate of [type, type.replace(/\/.*/, '/*'), '*/*']) {
    const matching = ranges.filter(({ range }) => range === candidate);
    if (matching.length > 0) return Math.max(...matching.map(({ q }) => q));
  }
  return 0;
}

/**
 * The format a search answers in (RFC 9110 §12.5.1). Between equals the default wins, since `application/json, * / *` is
 * what libraries send unasked; another than JSON is given to who names it and does not name the default.
 * @throws notAcceptable
 */
export function toFormat(accept: string | undefined): Format {
  if (accept === undefined || accept === '*/*') return negotiable[0]; // as most ask
  const ranges = readWeighted(accept).filter(({ range }) => /^[^\s/]+\/[^\s/]+$/.test(range));
  if (ranges.length === 0) return negotiable[0];
  const weights = new Map(negotiable.map((format) => [format, toWeight(mediaTypes[format], ranges)]));
  const best = Math.max(...weights.values());
  if (best === 0) {
    const types = negotiable.map((format) => mediaTypes[format]).join(', ');
    throw new ServiceError('notAcceptable', toMessage('http.notAcceptable', { types }));
  }
  const isNamed = (format: Format) => ranges.some(({ range }) => range === mediaTypes[format]);
  const equals = negotiable.filter((format) => weights.get(format) === best);
  const named = equals.find((format) => format !== 'json' && isNamed(format));
  return named ?? equals[0] ?? negotiable[0];
}
