export type { ChunkCache, Chunked, Room } from './chunks.js';
export { createMemoryCache } from './memory.js';
export { createRefreshing } from './refreshing.js';
