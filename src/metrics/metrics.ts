import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpMetrics, Metrics, SharedMetrics, UpstreamGauges, UpstreamMetrics } from './model.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);
const CIRCUIT = { closed: 0, halfOpen: 0.5, open: 1 } as const;
const PREFIX = 'carto_wfs_';

export interface MetricsOptions {
  /** Also of the process and of Node: memory, event loop, garbage collection. */
  readonly ofProcess?: boolean;
}

/** Everything that is counted, by prom-client, in a registry of its own. */
export function createMetrics({ ofProcess = false }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const upstreams = createUpstreams(registry);
  return {
    http: createHttp(registry),
    upstream: upstreams,
    ...createAnswers(registry),
    shared: createShared(registry),
    write: () => registry.metrics(),
    toJson: () => registry.getMetricsAsJSON(),
    writeAll: (all) => AggregatorRegistry.aggregate([...all] as object[]).metrics(),
    contentType: registry.contentType,
  };
}

function toMakers(registry: Registry) {
  const settings = <L extends string>(name: string, help: string, labelNames: readonly L[]) => ({
    name: `${PREFIX}${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  return {
    counter: <L extends string>(name: string, help: string, ...labels: L[]) =>
      new Counter(settings(name, help, labels)),
    seconds: <L extends string>(name: string, help: string, ...labels: L[]) =>
      new Histogram({ ...settings(name, help, labels), buckets: SECONDS }),
    /** Looked at when metrics are written. @param aggregator of the values of several processes */
    gauge(name: string, help: string, aggregator: 'sum' | 'max' = 'sum') {
      const looked = new Map<string, () => number>();
      new Gauge({
        ...settings(name, help, ['module']),
        aggregator,
        collect() {
          for (const [module, look] of looked) this.set({ module }, look());
        },
      });
      return (module: string, look: () => number) => void looked.set(module, look);
    },
  };
}

function createHttp(registry: Registry): HttpMetrics {
  const { counter, seconds } = toMakers(registry);
  const requests = counter(
    'http_requests_total',
    'Requests of callers, by the template of their route.',
    'module',
    'route',
    'method',
    'status',
    'outcome',
  );
  const took = seconds('http_request_duration_seconds', 'From request to the last byte.', 'module', 'route');
  const bytes = counter('http_response_bytes_total', 'Bytes of answers before compression.', 'module');
  const features = counter('features_total', 'Features given to callers.', 'module');
  const refused = counter('http_refused_total', 'What never became a request.', 'status');
  let underway = 0;
  new Gauge({
    name: `${PREFIX}http_requests_in_flight`,
    help: 'Requests of callers under way.',
    registers: [registry],
    collect() {
      this.set(underway);
    },
  });
  return {
    begun() {
      underway += 1;
    },
    ended(request) {
      underway -= 1;
      const { module = 'none', route = 'none', status, outcome } = request;
      const method = METHODS.has(request.method) ? request.method : 'other';
      requests.inc({ module, route, method, status, outcome });
      took.observe({ module, route }, request.seconds);
      bytes.inc({ module }, request.bytes);
      features.inc({ module }, request.features);
    },
    refused: (status) => refused.inc({ status }),
  };
}

function createUpstreams(registry: Registry): (module: string) => UpstreamMetrics {
  const { counter, seconds, gauge } = toMakers(registry);
  const requests = counter(
    'upstream_requests_total',
    'Requests to the upstream, by status or why there was none.',
    'module',
    'outcome',
  );
  const took = seconds(
    'upstream_response_seconds',
    'To the headers of the upstream\u2019s answer.',
    'module',
  );
  const waited = seconds('upstream_queue_seconds', 'Waited for a turn at the upstream.', 'module');
  const refused = counter('upstream_refused_total', 'Requests not sent to the upstream.', 'module', 'reason');
  const retries = counter('upstream_retries_total', 'Requests sent again.', 'module', 'reason');
  const bytes = counter('upstream_bytes_total', 'Bytes of the upstream, after decompression.', 'module');
  const queued = gauge('upstream_queue_requests', 'Requests that wait for a turn at the upstream.');
  const active = gauge('upstream_active_requests', 'Requests at the upstream.');
  const circuit = gauge('upstream_circuit_open', '1: the upstream is left alone; 0.5: it is tried.', 'max');
  return (module) => ({
    answered(outcome, time) {
      requests.inc({ module, outcome: toOutcome(outcome) });
      took.observe({ module }, time);
    },
    admitted: (time) => waited.observe({ module }, time),
    refused: (reason) => refused.inc({ module, reason }),
    retried: (reason) => retries.inc({ module, reason }),
    received: (count) => bytes.inc({ module }, count),
    watch(gauges: UpstreamGauges) {
      queued(module, gauges.queued);
      active(module, gauges.active);
      circuit(module, () => CIRCUIT[gauges.circuit()]);
    },
  });
}

/** A status is the upstream's to choose: those that HTTP knows by its hundreds are few. */
function toOutcome(outcome: number | string): string {
  if (typeof outcome === 'string') return outcome;
  return outcome >= 100 && outcome <= 599 ? String(outcome) : 'other';
}

function createAnswers(registry: Registry): Pick<Metrics, 'answered' | 'watchCache'> {
  const { counter } = toMakers(registry);
  const results = counter('answers_total', 'Searches, by where their answer came from.', 'module', 'result');
  const watch = (name: string, help: string, look: () => number) => {
    const collect = function (this: Gauge) {
      this.set(look());
    };
    new Gauge({ name: `${PREFIX}${name}`, help, registers: [registry], collect });
  };
  return {
    answered: (module, result) => results.inc({ module, result }),
    watchCache(cache) {
      watch('cache_bytes', 'Bytes of answers kept in memory.', () => cache.bytes);
      watch('cache_entries', 'Answers kept in memory.', () => cache.entries);
    },
  };
}

/** Gauges are there once they are watched: a process by itself has none of them. */
function createShared(registry: Registry): SharedMetrics {
  const { counter, gauge } = toMakers(registry);
  const answers = counter(
    'shared_answers_total',
    'Searches not answered from memory, by where their answer came from.',
    'module',
    'result',
  );
  const faults = counter(
    'store_faults_total',
    'Commands to the shared store without a good answer.',
    'reason',
  );
  let rate: ReturnType<typeof gauge> | undefined;
  return {
    answered: (module, result) => answers.inc({ module, result }),
    fault: (reason) => faults.inc({ reason }),
    watchStore(look) {
      const collect = function (this: Gauge) {
        this.set(look());
      };
      const help = 'The shared store: 1, it answers; 0.5, it takes nothing more; 0, it is away.';
      new Gauge({ name: `${PREFIX}store_up`, help, aggregator: 'min', registers: [registry], collect });
    },
    watchRate(module, look) {
      rate ??= gauge('upstream_rate_share', 'Requests a second to the upstream that are this process’s.');
      rate(module, look);
    },
  };
}
