import type { HttpMetrics, UpstreamMetrics } from './model.js';

/** For whoever wants nothing counted. */
export const uncountedUpstream: UpstreamMetrics = {
  answered() {},
  admitted() {},
  refused() {},
  retried() {},
  received() {},
  watch() {},
};

export const uncountedHttp: HttpMetrics = { begun() {}, ended() {}, refused() {} };
