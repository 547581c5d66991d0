import { BrokenCircuitError, CircuitState, CountBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { ServiceError, toMessage } from '../errors.js';

/** Lets an upstream that fails be for a while, then tries it with one request. */
export interface Circuit {
  readonly state: 'closed' | 'halfOpen' | 'open';
  /** @throws unavailable, with the seconds to wait, while it is open */
  check(): void;
  /** @throws what `run` throws; unavailable while it is open */
  execute<T>(run: () => Promise<T>): Promise<T>;
}

export interface CircuitOptions<T> {
  readonly isFailure: (error: unknown) => boolean;
  readonly isFailedResult: (result: T) => boolean;
}

const OPEN_MS = 5000;

/**
 * Of the last 50 requests, 60 % failed. An upstream where one in eight fails never comes near (1 in 10^9 windows), and
 * one caller whose questions are too much for it does not get there among the answered ones of others.
 */
export function createCircuit<R>({ isFailure, isFailedResult }: CircuitOptions<R>): Circuit {
  const breaker = circuitBreaker(
    handleWhen(isFailure).orWhenResult((result) => isFailedResult(result as R)),
    {
      halfOpenAfter: OPEN_MS,
      breaker: new CountBreaker({ threshold: 0.6, size: 50, minimumNumberOfCalls: 20 }),
    },
  );
  let openedAt = Number.NEGATIVE_INFINITY;
  breaker.onBreak(() => {
    openedAt = Date.now();
  });
  const leftMs = () => openedAt + OPEN_MS - Date.now();
  const toOpenError = () =>
    new ServiceError('unavailable', toMessage('limits.circuitOpen'), {
      headers: { 'Retry-After': String(Math.max(1, Math.ceil(leftMs() / 1000))) },
    });
  return {
    get state() {
      return toState(breaker.state);
    },
    check() {
      if (breaker.state === CircuitState.Open && leftMs() > 0) throw toOpenError();
    },
    async execute(run) {
      try {
        return await breaker.execute(run);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? toOpenError() : error;
      }
    },
  };
}

function toState(state: CircuitState): Circuit['state'] {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'halfOpen' : 'open';
}
