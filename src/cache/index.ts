export type { ChunkCache, Chunked, Room } from './chunks.js';
export { createMemoryCache } from './memory.js';
export { createRefreshing } from './refreshing.js';
export type { Kept, MemberState, SharedStore } from './shared.js';
export { createSharedMemory } from './shared-memory.js';
export { createSharedValues, type SharedValues } from './shared-values.js';
