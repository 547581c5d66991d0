/**
 * Features that come step by step, without a generator function: there each step, and each layer it passes through, waits
 * several times for what is there already.
 */
export abstract class Steps<T, R> implements AsyncGenerator<T, R, void> {
  abstract next(): Promise<IteratorResult<T, R>>;
  abstract return(value: R | PromiseLike<R>): Promise<IteratorResult<T, R>>;

  async throw(error: unknown): Promise<IteratorResult<T, R>> {
    await this.return(undefined as never);
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return(undefined as never);
  }
}

/** What comes of features that are over, to whoever asks again. */
export const toOver = (): IteratorReturnResult<never> => ({ done: true, value: undefined as never });

/** The features as they are, with another end. */
export const withEnd = <T, R>(features: AsyncGenerator<T, R, void>, toEnd: (end: R) => R): Steps<T, R> =>
  new WithEnd(features, toEnd);

class WithEnd<T, R> extends Steps<T, R> {
  private isOver = false;

  constructor(
    private readonly features: AsyncGenerator<T, R, void>,
    private readonly toEnd: (end: R) => R,
  ) {
    super();
  }

  async next(): Promise<IteratorResult<T, R>> {
    const step = await this.features.next();
    if (step.done !== true || this.isOver) return step;
    this.isOver = true;
    return { done: true, value: this.toEnd(step.value) };
  }

  return(value: R | PromiseLike<R>): Promise<IteratorResult<T, R>> {
    this.isOver = true;
    return this.features.return(value);
  }
}

/** The features as they are, looked at as they pass. */
export interface Watch<T> {
  /** @throws what the features end with */
  look(value: T): void;
  /** Once, however they end. */
  end(): void;
}

type Stream<T> = Pick<AsyncGenerator<T, void, void>, 'next' | 'return'>;

export const watched = <T>(features: Stream<T>, watch: Watch<T>): Steps<T, void> =>
  new Watched(features, watch);

class Watched<T> extends Steps<T, void> {
  private isOver = false;

  constructor(
    private readonly features: Stream<T>,
    private readonly watch: Watch<T>,
  ) {
    super();
  }

  async next(): Promise<IteratorResult<T, void>> {
    if (this.isOver) return toOver();
    let step: IteratorResult<T, void>;
    try {
      step = await this.features.next();
    } catch (error) {
      this.end();
      throw error;
    }
    if (step.done) {
      this.end();
      return step;
    }
    try {
      this.watch.look(step.value);
      return step;
    } catch (error) {
      await this.features.return().catch(() => {}); // what they fail with is no more to the point
      this.end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<T, void>> {
    if (this.isOver) return toOver();
    try {
      await this.features.return();
    } finally {
      this.end();
    }
    return toOver();
  }

  private end(): void {
    if (!this.isOver) this.watch.end();
    this.isOver = true;
  }
}
