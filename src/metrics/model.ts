/**
 * How a search was answered: from memory, by an upstream request that another caller had begun, or by one of its own;
 * or that it was cut off, its reader being too slow for the others.
 */
export type AnswerResult = 'hit' | 'stale' | 'joined' | 'asked' | 'cut';

/** Why a request was sent to the upstream again. */
export type RetryReason =
  | 'timeout'
  | 'unreachable'
  | 'brokenOff'
  | 'gateway'
  | 'rateLimited'
  | 'exception'
  | 'staleConnection';

/** Why a request was not sent to the upstream. `left`: its caller did. */
export type Refusal = 'busy' | 'circuitOpen' | 'rateLimited' | 'left';

/** What is looked at when metrics are written. */
export interface UpstreamGauges {
  queued(): number;
  active(): number;
  circuit(): 'closed' | 'halfOpen' | 'open';
}

/** What is counted of one upstream. */
export interface UpstreamMetrics {
  /** @param outcome the status, or why there was none @param seconds to the answer's headers */
  answered(outcome: number | 'timeout' | 'broken' | 'left', seconds: number): void;
  /** @param seconds it waited for its turn */
  admitted(seconds: number): void;
  refused(reason: Refusal): void;
  retried(reason: RetryReason): void;
  /** @param bytes after decompression */
  received(bytes: number): void;
  watch(gauges: UpstreamGauges): void;
}

/** What is looked at of the cache when metrics are written. */
export interface CacheGauges {
  readonly bytes: number;
  readonly entries: number;
}

/** What is counted of one request of a caller, when it is over. */
export interface RequestCount {
  /** Absent: a path that is no module's. */
  readonly module?: string | undefined;
  /** The template (`/api/NAME/search`), never the path itself; absent: there is no such route. */
  readonly route?: string | undefined;
  readonly method: string;
  /** 0: the caller left before there was one. */
  readonly status: number;
  readonly outcome: 'done' | 'left' | 'stalled' | 'reset';
  readonly seconds: number;
  readonly bytes: number;
  readonly features: number;
}

export interface HttpMetrics {
  begun(): void;
  ended(request: RequestCount): void;
  /** What never became a request: broken HTTP, too long, too slow. */
  refused(status: number): void;
}

/** What is counted of what processes have in common. */
export interface SharedMetrics {
  answered(module: string, result: 'hit' | 'waited' | 'asked' | 'stale' | 'alone'): void;
  /** A command to the store that was not answered, not in time, or with an error. */
  fault(reason: 'away' | 'slow' | 'refused'): void;
  /** @param look 1: it answers; 0.5: it takes nothing more; 0: it is away */
  watchStore(look: () => number): void;
  /** @param look requests a second that are this process's of the whole */
  watchRate(module: string, look: () => number): void;
}

/** Everything that is counted. Labels are of a bounded number: no key, URL, source or address is one. */
export interface Metrics {
  readonly http: HttpMetrics;
  upstream(module: string): UpstreamMetrics;
  answered(module: string, result: AnswerResult): void;
  readonly shared: SharedMetrics;
  /** One cache for the answers of all modules. */
  watchCache(cache: CacheGauges): void;
  /** The text format of Prometheus. */
  write(): Promise<string>;
  /** What is counted here, for `writeAll`; plain JSON. */
  toJson(): Promise<unknown>;
  /** What is counted in several processes, as one. @param all each as `toJson` gives it */
  writeAll(all: readonly unknown[]): Promise<string>;
  readonly contentType: string;
}
