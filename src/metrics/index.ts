export { createMetrics } from './metrics.js';
export type {
  AnswerMetrics,
  AnswerResult,
  HttpMetrics,
  Metrics,
  Refusal,
  RequestCount,
  RetryReason,
  UpstreamMetrics,
} from './model.js';
export { uncountedAnswers, uncountedHttp, uncountedUpstream } from './nothing.js';
