import { Steps, toOver } from './steps.js';

/** Features whose first step has been taken. */
export interface Begun<T, R> {
  readonly features: AsyncGenerator<T, R, void>;
  readonly first: IteratorResult<T, R>;
}

/** @throws what the first step throws */
export async function begin<T, R>(features: AsyncGenerator<T, R, void>): Promise<Begun<T, R>> {
  return { features, first: await features.next() };
}

/**
 * Features that may be begun in one way or another: nothing has been given away before their first step. Behind it they are
 * the features that were begun, with nothing in between for each to pass through.
 */
export const fromFirst = <T, R>(choose: () => Promise<Begun<T, R>>): AsyncGenerator<T, R, void> =>
  new FromFirst(choose);

class FromFirst<T, R> extends Steps<T, R> {
  private features: AsyncGenerator<T, R, void> | undefined = undefined;
  private isEnded = false;

  constructor(private readonly choose: () => Promise<Begun<T, R>>) {
    super();
  }

  next(): Promise<IteratorResult<T, R>> {
    return this.features === undefined ? this.begin() : this.features.next();
  }

  async return(value: R | PromiseLike<R>): Promise<IteratorResult<T, R>> {
    this.isEnded = true;
    await this.features?.return(value);
    return { done: true, value: await value };
  }

  private async begin(): Promise<IteratorResult<T, R>> {
    if (this.isEnded) return toOver();
    const { features, first } = await this.choose();
    this.features = features;
    if (this.isEnded) await features.return(undefined as never);
    return first;
  }
}
