import { type RequestHandler, Router } from 'express';
import type { HttpMetrics, Metrics } from '../metrics/index.js';
import { allowOnly } from './methods.js';

/** Counts every request once it is over, however it ends. */
export function createRequestCount(metrics: HttpMetrics): RequestHandler {
  return (req, res, next) => {
    const begun = performance.now();
    metrics.begun();
    res.once('close', () => {
      const { module, base = req.baseUrl, bytes = 0, features = 0, outcome } = res.locals;
      metrics.ended({
        module,
        route: req.route === undefined ? undefined : `${base}${req.route.path}`,
        method: req.method,
        status: res.headersSent ? res.statusCode : 0,
        outcome: outcome ?? (res.writableFinished ? 'done' : 'left'),
        seconds: (performance.now() - begun) / 1000,
        bytes,
        features,
      });
    });
    next();
  };
}

/** `GET /metrics`, in the text format of Prometheus. */
export function createMetricsPage(metrics: Metrics): Router {
  const router = Router();
  const page = router.route('/metrics');
  page.get(async (_req, res) => {
    res.setHeader('Content-Type', metrics.contentType);
    res.end(await metrics.write());
  });
  page.all(allowOnly('GET, HEAD'));
  return router;
}
