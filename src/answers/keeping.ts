import { type MessageId, ServiceError } from '../errors.js';
import type { PageEnd, SearchQuery } from '../query/index.js';

/** An hour: longer than most upstreams are away, and shorter than anybody would call the answer old. */
export const STALE_IF_ERROR_S = 3600;

/** What these warn of is so whenever it is asked; others may tell of a moment. */
const lastingWarnings: ReadonlySet<MessageId> = new Set([
  'wfs.unstableOrder',
  'wfs.faultyGeometries',
] as const);

/** Nothing of the page may be different when it is asked for again. */
export function isKeepable(query: SearchQuery, end: PageEnd): boolean {
  const isCountMissing = query.count === 'always' && end.numberMatched === undefined;
  const isLasting = (end.warnings ?? []).every(({ id }) => lastingWarnings.has(id));
  return isLasting && !isCountMissing;
}

/** RFC 5861 §4: what makes an old answer better than none. */
export function isUpstreamAway(error: unknown): boolean {
  return (
    error instanceof ServiceError &&
    (error.kind === 'upstreamUnusable' || error.kind === 'upstreamTimeout' || error.kind === 'unavailable')
  );
}
