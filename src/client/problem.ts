import type { Problem } from './schemas.js';

/** The service said no: its problem document (RFC 9457), every fault of the request with its position. */
export class ProblemError extends Error {
  readonly status: number;
  readonly problem: Problem;
  /** Seconds to wait before asking again, where the service says so. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter?: number) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The answer broke off behind its first features: what came is right, but not all. */
export class IncompleteAnswerError extends Error {
  constructor(options?: ErrorOptions) {
    super('The answer broke off before its end', options);
    this.name = 'IncompleteAnswerError';
  }
}

function isProblem(json: unknown): json is Problem {
  const { status, detail } = (json ?? {}) as Partial<Problem>;
  return typeof status === 'number' && typeof detail === 'string';
}

/** Whoever else answers on the way, a proxy say, does not know the one shape. */
function toProblem({ status, statusText }: Response, text: string): Problem {
  try {
    const json: unknown = JSON.parse(text);
    if (isProblem(json)) return json;
  } catch {}
  const title = statusText || 'Error';
  const detail = `${status} ${title}`;
  return { type: 'about:blank', title, status, code: status, detail, message: detail, instance: '' };
}

export async function toProblemError(response: Response): Promise<ProblemError> {
  const text = await response.text().catch(() => '');
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ProblemError(toProblem(response, text), Number.isFinite(seconds) ? seconds : undefined);
}
