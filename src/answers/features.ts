import type { Answer, FeatureBatch, PageEnd } from '../query/index.js';

/**
 * Features as their reader gets them, by `next`; `leave` is called when it ends them early. No generator function: one
 * that was never begun would not hear that it is ended.
 */
export function createFeatures(
  next: () => Promise<IteratorResult<FeatureBatch, PageEnd>>,
  leave: () => void,
): Answer['features'] {
  return {
    next,
    async return(value) {
      leave();
      return { done: true, value: (await value) as PageEnd };
    },
    async throw(error) {
      leave();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      leave();
    },
  } as Answer['features'];
}
