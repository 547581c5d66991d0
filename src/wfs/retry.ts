import { ServiceError } from '../errors.js';
import { createBudget } from '../limits/index.js';
import type { RetryReason, UpstreamMetrics } from '../metrics/index.js';
import { isGatewayStatus } from './admission.js';
import { isException, isPassing } from './exception.js';
import type { WfsRequest } from './transport.js';

export interface RetryOptions {
  /** So much work for the upstream that it is not done again after it has taken too long: it is asked for less. */
  readonly isHeavy?: boolean;
}

/** Asks again where what went wrong may pass. @throws what the last try threw */
export type Retry = <T>(
  asker: Pick<WfsRequest, 'deadline' | 'signal'>,
  attempt: () => Promise<T>,
  options?: RetryOptions,
) => Promise<T>;

const MAX_RETRIES = 2;
/** Of the deadline, which must be left for a try to be begun. */
const LEAST_LEFT = 1 / 3;
/** Of the requests, how many may be retries. */
const BUDGET = 0.2;
const PAUSE_MS = 100;

/**
 * At most two retries of a request of which no feature has been given away yet, each while a third of the deadline and
 * something of the budget is left. A loop of our own: each retry asks for leave, and waits, by what went wrong, which
 * p-retry and cockatiel know no place for; the waiting counts against the deadline.
 */
export function createRetry(metrics: UpstreamMetrics): Retry {
  const budget = createBudget(BUDGET);
  return async (asker, attempt, options = {}) => {
    budget.earn();
    for (let retries = 0; ; retries += 1) {
      try {
        return await attempt();
      } catch (error) {
        const reason = toRetryReason(error, options);
        if (reason === undefined || retries === MAX_RETRIES || asker.signal.aborted) throw error;
        const pause = toPause(error, retries);
        const { left, total } = asker.deadline;
        if (left - pause < total * LEAST_LEFT || !budget.spend()) throw error;
        metrics.retried(reason);
        await asker.deadline.pause(pause, asker.signal);
      }
    }
  };
}

/** Milliseconds: what the upstream asked for, and some more, different for each, so that not all come back at once. */
function toPause(error: unknown, retries: number): number {
  const asked = error instanceof ServiceError ? Number(error.headers['Retry-After'] ?? 0) : 0;
  return asked * 1000 + PAUSE_MS * 2 ** retries * (0.5 + Math.random());
}

/** Why it is worth to ask again; undefined: it is not. */
function toRetryReason(error: unknown, { isHeavy = false }: RetryOptions): RetryReason | undefined {
  if (!(error instanceof ServiceError)) return undefined;
  const { id, values } = error.text;
  if (id === 'wfs.rateLimited') return 'rateLimited';
  if (id === 'wfs.noAnswer') return isHeavy ? undefined : 'timeout';
  if (id === 'wfs.unreachable') return values.code === 'ENOTFOUND' ? undefined : 'unreachable';
  if (id === 'wfs.brokenOff') return PASSING_CODES.has(String(values.code)) ? 'brokenOff' : undefined;
  if (isGatewayStatus(values.status)) return 'gateway';
  return isException(error) && isPassing(error) ? 'exception' : undefined;
}

/** Not those of TLS and of broken compression: the next try would find the same. */
const PASSING_CODES = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'Z_BUF_ERROR',
]);
