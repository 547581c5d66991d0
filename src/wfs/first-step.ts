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
  new FromFirst(undefined, choose);

/** As `fromFirst`: what `toFeatures` gives, or else, where their first step fails, what comes of the error. */
export const orElse = <T, R>(
  toFeatures: () => AsyncGenerator<T, R, void>,
  otherwise: (error: unknown) => Promise<Begun<T, R>>,
): AsyncGenerator<T, R, void> => new FromFirst(toFeatures, otherwise);

class FromFirst<T, R> extends Steps<T, R> {
  private features: AsyncGenerator<T, R, void> | undefined = undefined;
  private isEnded = false;

  constructor(
    private readonly toFeatures: (() => AsyncGenerator<T, R, void>) | undefined,
    private readonly choose: (error: unknown) => Promise<Begun<T, R>>,
  ) {
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
    let begun: Begun<T, R>;
    if (this.toFeatures === undefined) begun = await this.choose(undefined);
    else {
      try {
        const features = this.toFeatures();
        begun = { features, first: await features.next() };
      } catch (error) {
        begun = await this.choose(error);
      }
    }
    this.features = begun.features;
    if (this.isEnded) await this.features.return(undefined as never);
    return begun.first;
  }
}
