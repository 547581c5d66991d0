import { ServiceError, toMessage } from '../errors.js';
import {
  type Circuit,
  createCircuit,
  createGate,
  createPauses,
  type Place,
  type RateShare,
  toBusyError,
} from '../limits/index.js';
import { type Refusal, type Span, type Tracing, type UpstreamMetrics, untraced } from '../metrics/index.js';
import type { Signal } from '../signal.js';
import { ToldChunks } from './chunks.js';
import type { Deadline } from './deadline.js';
import { isLater, toRetryAfter } from './exception.js';
import { StaleConnection, type Transport, type WfsRequest, type WfsResponse } from './transport.js';

export interface AdmissionOptions {
  /** Requests at once; absent: any number. */
  readonly maxConcurrency?: number | undefined;
  /** Requests over any second, or this process's share of them; absent: any number. */
  readonly rateLimit?: number | RateShare | undefined;
  /** Absent: nobody collects traces. */
  readonly tracing?: Tracing | undefined;
}

/** What can be answered within a minute at Géoplateforme's rate is less. */
const MAX_QUEUED = 2000;

/** What a gateway says in place of an upstream behind it (RFC 9110 §15.6); 500 and 4xx are the upstream's own words. */
const GATEWAY = new Set([502, 503, 504]);

export const isGatewayStatus = (status: unknown): boolean => GATEWAY.has(status as number);

/**
 * Lets requests to one upstream through, every one of them, probes, schemas and counts too: so many at once and a
 * second, in turns; none while the upstream fails or has said that it takes none; and none whose caller has left, or
 * whose deadline has passed, while it waited.
 * @throws unavailable, rateLimited
 */
export function createAdmission(
  transport: Transport,
  options: AdmissionOptions,
  metrics: UpstreamMetrics,
): Transport {
  const { maxConcurrency = Number.POSITIVE_INFINITY, rateLimit = Number.POSITIVE_INFINITY } = options;
  const { tracing = untraced } = options;
  const gate = createGate({ maxConcurrency, perSecond: rateLimit, maxQueued: MAX_QUEUED });
  const perSecond = () => (typeof rateLimit === 'number' ? rateLimit : rateLimit.perSecond);
  const circuit: Circuit = createCircuit<WfsResponse>({
    isFailure,
    isFailedResult: ({ status }) => isGatewayStatus(status),
  });
  const pauses = createPauses();
  /** What the upstream asks of everybody: it cannot answer for now. */
  const rests = createPauses();
  metrics.watch({
    queued: () => gate.queued,
    active: () => gate.inside,
    circuit: () => circuit.state,
  });

  function enter(request: WfsRequest): Place | Promise<Place> {
    circuit.check();
    const begun = performance.now();
    const isPaused = pauses.of(request.key.identity) !== undefined || rests.of(EVERYBODY) !== undefined;
    return isPaused ? pauseAndEnter(request, begun) : enterGate(request, begun);
  }

  async function pauseAndEnter(request: WfsRequest, begun: number): Promise<Place> {
    const { key, deadline, signal } = request;
    const paused = pauses.of(key.identity);
    if (paused !== undefined) {
      if (paused.waitMs > deadline.left) throw toPausedError(paused.seconds);
      await deadline.pause(paused.waitMs, signal);
    }
    const rest = rests.of(EVERYBODY);
    if (rest !== undefined) {
      if (rest.waitMs > deadline.left) throw toRestingError(rest.seconds);
      await deadline.pause(rest.waitMs, signal);
    }
    return enterGate(request, begun);
  }

  function enterGate({ key, deadline, signal }: WfsRequest, begun: number): Place | Promise<Place> {
    const { place, withdraw } = gate.enter({ lane: key.lane, work: deadline, signal });
    if (place instanceof Promise) return untilGiven(place, withdraw, deadline, begun);
    metrics.admitted((performance.now() - begun) / 1000);
    return place;
  }

  async function untilGiven(
    place: Promise<Place>,
    withdraw: () => void,
    deadline: Deadline,
    begun: number,
  ): Promise<Place> {
    try {
      const given = await deadline.wait(place, Number.POSITIVE_INFINITY, 'wfs.noAnswer');
      metrics.admitted((performance.now() - begun) / 1000);
      return given;
    } catch (error) {
      withdraw();
      const isTooLate = error instanceof ServiceError && error.kind === 'upstreamTimeout';
      throw isTooLate ? toBusyError(Math.ceil(gate.queued / perSecond())) : error;
    }
  }

  async function sendOnce(request: WfsRequest): Promise<WfsResponse> {
    let place: Place;
    try {
      const entering = enter(request);
      place = entering instanceof Promise ? await entering : entering;
    } catch (error) {
      countRefusal(error, metrics);
      throw error;
    }
    let isSent = false;
    let span: Span | undefined;
    const send = () => {
      isSent = true;
      request.signal.throwIfAborted();
      span = tracing.upstream(toOperation(request), request.trace);
      return observed(transport.send({ onSent: place.sent, ...request }), metrics);
    };
    try {
      const response = await circuit.execute(send);
      if (response.status === 429) pauses.begin(request.key.identity, toRetryAfter(response));
      if (isLater(response)) rests.begin(EVERYBODY, toRetryAfter(response));
      const { status } = response;
      const end = (bytes: number) => {
        const fault = status >= 400 ? `status ${status}` : undefined;
        span?.end({ 'http.response.status_code': status, 'http.response.body.size': bytes }, fault);
        place.leave();
      };
      return withEnd(response, request.signal, end, metrics);
    } catch (error) {
      span?.end({}, error instanceof ServiceError ? error.text.id : 'left');
      if (isSent) place.leave();
      else {
        place.forgo(); // the circuit has opened meanwhile
        countRefusal(error, metrics);
      }
      throw error;
    }
  }

  return {
    async send(request) {
      try {
        return await sendOnce(request);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        metrics.retried('staleConnection');
        return sendOnce({ ...request, isFresh: true });
      }
    },
    close: () => transport.close(),
  };
}

/** The upstream's fault, as far as can be told without its answer; not that the whole request has taken too long. */
function isFailure(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return false;
  return ['wfs.noAnswer', 'wfs.unreachable', 'wfs.brokenOff'].includes(error.text.id);
}

const EVERYBODY = '';

function toRestingError(seconds: number): ServiceError {
  return new ServiceError('unavailable', toMessage('limits.circuitOpen'), {
    headers: { 'Retry-After': String(Math.min(86_400, seconds)) },
  });
}

function toPausedError(seconds: number): ServiceError {
  return new ServiceError('rateLimited', toMessage('wfs.rateLimited'), {
    headers: { 'Retry-After': String(Math.min(86_400, seconds)) },
  });
}

function countRefusal(error: unknown, metrics: UpstreamMetrics): void {
  const reasons: Readonly<Record<string, Refusal>> = {
    'limits.busy': 'busy',
    'limits.circuitOpen': 'circuitOpen',
    'wfs.rateLimited': 'rateLimited',
  };
  const reason = error instanceof ServiceError ? reasons[error.text.id] : undefined;
  metrics.refused(reason ?? 'left');
}

/** The operation, as its span is called. */
function toOperation({ body, parameters, target }: WfsRequest): string {
  if (target !== undefined) return 'redirected';
  return body !== undefined ? 'GetFeature' : (parameters?.request ?? 'GET');
}

function observed(sending: Promise<WfsResponse>, metrics: UpstreamMetrics): Promise<WfsResponse> {
  const begun = performance.now();
  const tell = (outcome: Parameters<UpstreamMetrics['answered']>[0]) =>
    metrics.answered(outcome, (performance.now() - begun) / 1000);
  return sending.then(
    (response) => {
      tell(response.status);
      return response;
    },
    (error: unknown) => {
      const isTimeout = error instanceof ServiceError && error.kind === 'upstreamTimeout';
      tell(isTimeout ? 'timeout' : error instanceof ServiceError ? 'broken' : 'left');
      throw error;
    },
  );
}

/** @param leave called when the last byte of the answer has come, or nobody wants it any more */
function withEnd(
  response: WfsResponse,
  signal: Signal,
  leave: (bytes: number) => void,
  metrics: UpstreamMetrics,
): WfsResponse {
  let bytes = 0;
  const end = () => {
    signal.removeEventListener('abort', end);
    leave(bytes);
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  const received = (count: number) => {
    bytes += count;
    metrics.received(count);
  };
  return { ...response, chunks: new ToldChunks(response.chunks, { received, end }) };
}
