/** Whole GeoJSON Features as UTF-8, one `,` between two; `ends[i]` is the offset behind feature i. */
export interface Batch {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
}

/** A link to a page of the same search (RFC 8288; `method`, `merge` and `body` as OGC API and STAC use them). */
export interface Link {
  readonly rel: 'self' | 'next' | 'prev';
  readonly type: string;
  readonly href: string;
  readonly method?: 'POST';
  /** `body` holds only what differs from the body of the request. */
  readonly merge?: true;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** What is written behind the last feature. */
export interface Page {
  readonly numberReturned: number;
  readonly numberMatched?: number | undefined;
  /** What a reader should know of the page: nothing in it is wrong, but something may be missing. */
  readonly warnings?: readonly { readonly code: string; readonly message: string }[] | undefined;
  readonly timeStamp: Date;
  readonly links: readonly Link[];
}

/**
 * Writes what is around features. Each call gives the bytes to send next, in pieces of which some may be the batch's own;
 * the first brings the beginning along.
 */
export interface FeatureWriter {
  writeBatch(batch: Batch): readonly Uint8Array[];
  /** The collection is whole. Never called after a fault: what has no end is not one. */
  writeEnd(page: Page): Uint8Array;
}
