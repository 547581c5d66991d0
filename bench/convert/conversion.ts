/** What a reader is told of the features: read from the layer's schema beforehand, as a service does once for a layer. */
export interface FeatureType {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly { readonly name: string; readonly type: string }[];
  readonly geometries: readonly { readonly name: string; readonly type: string }[];
}

/** Takes features as UTF-8 JSON, several at once with `,` between two. */
export type Sink = (features: Uint8Array) => void;

/** One document being read; fed in chunks of 64 kB. What it makes of them goes to the sink it was opened with. */
export interface Conversion {
  push(chunk: Uint8Array): void;
  /** @returns the number of features */
  end(): number;
  /** Which of its variants is at work, where the reader says so. */
  readonly variant?: string | undefined;
}

/** A loaded reader, ready to read any number of documents, one after the other. */
export type Open = (sink: Sink) => Conversion;

/** What a reader knows of a document before it reads it. */
export interface Source {
  readonly featureType: FeatureType;
  /** Coordinates come latitude first. */
  readonly swap: boolean;
}

/** Gathers what is made feature by feature into batches, as a server would write them. */
export function createBatches(sink: Sink): { put(feature: unknown): void; end(): number } {
  let batch: string[] = [];
  let size = 0;
  let count = 0;
  const flush = () => {
    if (batch.length > 0) sink(Buffer.from(batch.join(',')));
    batch = [];
    size = 0;
  };
  return {
    put(feature) {
      const text = JSON.stringify(feature);
      batch.push(text);
      size += text.length;
      count++;
      if (size >= CHUNK) flush();
    },
    end() {
      flush();
      return count;
    },
  };
}

/** Bytes of one push. */
export const CHUNK = 1 << 16;

/** For readers that want the document whole. */
export function createWhole(convert: (document: Buffer, sink: Sink) => number): Open {
  return (sink) => {
    const chunks: Uint8Array[] = [];
    return {
      push: (chunk) => void chunks.push(chunk),
      end: () => convert(Buffer.concat(chunks), sink),
    };
  };
}
