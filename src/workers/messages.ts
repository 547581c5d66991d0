/** What a worker asks its primary: a method of the store, or of what the primary knows of all workers. */
export interface Question {
  /** Absent: no reply is wanted. */
  readonly id?: number | undefined;
  readonly method: string;
  readonly parameters: readonly unknown[];
}

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly fault?: string;
}

/** All of one turn of the event loop: a message costs more than what is in it. */
export interface Questions {
  readonly kind: 'questions';
  readonly questions: readonly Question[];
}

export interface Replies {
  readonly kind: 'replies';
  readonly replies: readonly Reply[];
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

export type FromWorker = Questions | MetricsGiven;
export type FromPrimary = Replies | MetricsWanted;

/** Gathers what is to be sent in this turn of the event loop, in its order. */
export function createMailbox<T>(send: (all: readonly T[]) => void): (one: T) => void {
  let gathered: T[] = [];
  const flush = () => {
    const all = gathered;
    gathered = [];
    send(all);
  };
  return (one) => {
    if (gathered.length === 0) setImmediate(flush);
    gathered.push(one);
  };
}
