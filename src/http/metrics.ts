import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RequestHandler, Router } from 'express';
import type { HttpMetrics, Metrics } from '../metrics/index.js';
import { type Outcome, toEnding, toOutcome } from './log.js';
import { allowOnly } from './methods.js';

/** Counts a request once it is over, however it ends. */
export function countWhenOver(
  metrics: HttpMetrics,
  req: IncomingMessage,
  res: ServerResponse,
  tell: () => Outcome,
): void {
  const begun = performance.now();
  metrics.begun();
  res.once('close', () => {
    const told = tell();
    const { module, route, bytes = 0, features = 0 } = told;
    metrics.ended({
      module,
      route,
      method: String(req.method),
      status: res.headersSent ? res.statusCode : 0,
      outcome: toEnding(res, told),
      seconds: (performance.now() - begun) / 1000,
      bytes,
      features,
    });
  });
}

/** Counts every request. */
export function createRequestCount(metrics: HttpMetrics): RequestHandler {
  return (req, res, next) => {
    countWhenOver(metrics, req, res, () => toOutcome(req, res));
    next();
  };
}

/** `GET /metrics`, in the text format of Prometheus. */
export function createMetricsPage(metrics: Pick<Metrics, 'write' | 'contentType'>): Router {
  const router = Router();
  const page = router.route('/metrics');
  page.get(async (_req, res) => {
    res.setHeader('Content-Type', metrics.contentType);
    res.end(await metrics.write());
  });
  page.all(allowOnly('GET, HEAD'));
  return router;
}
