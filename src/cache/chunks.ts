/** Bytes in a row, and where each item in them ends. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
}

/** A value of many bytes: its chunks in order, and what there is to say of the whole, as plain JSON. */
export interface Chunked<About> {
  readonly about: About;
  readonly chunks: readonly Chunk[];
}

/** Values of many bytes, kept for a while as far as there is room: any may be gone at any time. */
export interface ChunkCache<About> {
  get(key: string): Chunked<About> | undefined;
  /** What is too large is not kept, and what was there before goes all the same. */
  set(key: string, value: Chunked<About>, keepMs: number): void;
}

/** Memory for what is on its way, out of the same budget as what is kept. */
export interface Room {
  /** False: there is none left, and nothing was taken. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}
