export { createMetrics } from './metrics.js';
export type { HttpMetrics, Metrics, Refusal, RetryReason, UpstreamMetrics } from './model.js';
export { uncountedHttp, uncountedUpstream } from './nothing.js';
export { type Span, type TraceContext, type Tracing, untraced } from './traces.js';
