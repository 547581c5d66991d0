import { type Message, toText } from '../errors.js';
import {
  createCollectionWriter,
  createSequenceWriter,
  type FeatureWriter,
  type Link,
  type Page,
} from '../formats/index.js';
import type { PageEnd } from '../query/index.js';
import type { LinkContext } from './links.js';
import type { SearchType } from './negotiate.js';

export type SearchContext = LinkContext & { readonly type: SearchType };

export const createWriter = (type: SearchType): FeatureWriter =>
  type === 'application/geo+json-seq' ? createSequenceWriter() : createCollectionWriter();

/** What is written behind the features: the links and the time are this caller's own. */
export function toPage({ numberReturned, numberMatched, warnings }: PageEnd, links: readonly Link[]): Page {
  return {
    numberReturned,
    ...(numberMatched === undefined ? {} : { numberMatched }),
    ...(warnings === undefined ? {} : { warnings: warnings.map(toWarning) }),
    timeStamp: new Date(),
    links,
  };
}

function toWarning(message: Message): { code: string; message: string } {
  return { code: message.id, message: toText(message) };
}
