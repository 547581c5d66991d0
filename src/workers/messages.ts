/** What a worker asks its primary: a method of the store, or of what the primary knows of all workers. */
export interface Question {
  readonly kind: 'question';
  readonly id: number;
  readonly method: string;
  readonly parameters: readonly unknown[];
}

export interface Reply {
  readonly kind: 'reply';
  readonly id: number;
  readonly result?: unknown;
  readonly fault?: string;
}

/** Of the primary to every worker, and what each gives back. */
export interface MetricsWanted {
  readonly kind: 'metricsWanted';
  readonly id: number;
}

export interface MetricsGiven {
  readonly kind: 'metricsGiven';
  readonly id: number;
  readonly metrics: unknown;
}

export type FromWorker = Question | MetricsGiven;
export type FromPrimary = Reply | MetricsWanted;
