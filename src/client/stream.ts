import { createCollectionReader } from './collection-reader.js';
import { IncompleteAnswerError } from './problem.js';
import { type SearchRequest, toNextRequest } from './request.js';
import type { Feature, FeatureCollection } from './schemas.js';

/** What follows the features of a page: counts, links, warnings, and the request for the page after it. */
export type PageEnd = Omit<FeatureCollection, 'features'> & { readonly next?: SearchRequest | undefined };

/** Longer pieces would hold up a page: a proxy may hand over megabytes at once. */
const pieceLength = 65_536;

/** The text of a body as it arrives. Whoever stops reading ends the request. */
async function* readText(response: Response): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isDone = false;
  try {
    while (!isDone) {
      const { done, value } = await reader.read();
      isDone = done;
      const text = decoder.decode(value, { stream: !done });
      for (let at = 0; at < text.length; at += pieceLength) yield text.slice(at, at + pieceLength);
    }
  } finally {
    if (!isDone) await reader.cancel().catch(() => {});
  }
}

export async function* readBatches(
  response: Response,
  request: SearchRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<Feature[], PageEnd, undefined> {
  const reader = createCollectionReader();
  try {
    for await (const text of readText(response)) {
      const features = reader.push(text);
      if (features.length > 0) yield features;
    }
    const { features: _, ...end } = reader.end() as FeatureCollection & Record<string, unknown>;
    const next = toNextRequest(request, end.links);
    return { ...end, ...(next === undefined ? {} : { next }) };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new IncompleteAnswerError({ cause });
  }
}

/** One by one; whoever stops reading ends the request. */
export async function* flatten(
  batches: AsyncGenerator<Feature[], PageEnd, undefined>,
): AsyncGenerator<Feature, PageEnd, undefined> {
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await batches.next();
      isDone = done === true;
      if (done) return value;
      yield* value;
    }
  } finally {
    if (!isDone) await batches.return(undefined as never);
  }
}
