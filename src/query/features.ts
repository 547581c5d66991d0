import type { Answer, FeatureBatch, PageEnd } from './model.js';

type Features = Answer['features'];
/** Of the features of an answer. */
export type FeatureStep = IteratorResult<FeatureBatch, PageEnd>;

/**
 * Features as their reader gets them, by `next`; `leave` is called when it ends them early. No generator function: one
 * that was never begun would not hear that it is ended.
 */
export const createFeatures = (next: () => Promise<FeatureStep>, leave: () => unknown): Features =>
  new ReadFeatures(next, leave);

class ReadFeatures implements Features {
  constructor(
    readonly next: () => Promise<FeatureStep>,
    private readonly leave: () => unknown,
  ) {}

  async return(value: PageEnd | PromiseLike<PageEnd>): Promise<FeatureStep> {
    await this.leave();
    return { done: true, value: await value };
  }

  async throw(error: unknown): Promise<FeatureStep> {
    await this.leave();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}
