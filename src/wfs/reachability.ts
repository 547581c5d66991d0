import { ServiceError } from '../errors.js';
import { isGatewayStatus } from './admission.js';
import type { Transport, WfsRequest } from './transport.js';

/** Whether the upstream answers: heard from every request, and asked after where that is not enough. */
export interface Reachability {
  /** The transport, listened to. */
  readonly transport: Transport;
  /** Why the last request was not answered; undefined: it was, or there was none. */
  readonly lastFault: string | undefined;
  /**
   * Why the upstream does not answer. One request that fails does not say so, since its query may have been too much:
   * a probe must have failed too, and nothing been answered after it.
   */
  readonly fault: string | undefined;
  /** Asks after the upstream, where it was silent for a while or failed; at most every two seconds. */
  check(): void;
}

const SILENT_MS = 30_000;
const PROBE_EVERY_MS = 2000;

/** What was never sent tells nothing of the upstream. */
function isOurs(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return false;
  return error.text.id.startsWith('limits.') || error.kind === 'rateLimited';
}

/** @param toProbe a request that costs the upstream little, where one can be asked without a caller's key */
export function createReachability(
  transport: Transport,
  toProbe: () => WfsRequest | undefined,
): Reachability {
  let lastFault: string | undefined;
  let fault: string | undefined;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let probedAt = Number.NEGATIVE_INFINITY;
  let isProbing = false;

  async function send(request: WfsRequest) {
    try {
      const response = await transport.send(request);
      if (isGatewayStatus(response.status)) lastFault = `status ${response.status}`;
      else {
        lastFault = fault = undefined;
        answeredAt = performance.now();
      }
      return response;
    } catch (error) {
      if (error instanceof ServiceError && !isOurs(error)) lastFault = error.message;
      throw error;
    } finally {
      if (lastFault !== undefined) check();
    }
  }

  async function probe(request: WfsRequest): Promise<void> {
    isProbing = true;
    probedAt = performance.now();
    try {
      const { status, chunks } = await send(request);
      for await (const _ of chunks) {
        // to its end: an upstream that only begins to answer is of no use
      }
      fault = isGatewayStatus(status) ? lastFault : undefined;
    } catch (error) {
      if (!isOurs(error)) fault = lastFault = error instanceof ServiceError ? error.message : 'unknown';
    }
    isProbing = false;
  }

  function check(): void {
    const now = performance.now();
    const isSilent = now - Math.max(answeredAt, probedAt) > SILENT_MS;
    const isDue = isSilent || (lastFault !== undefined && now - probedAt > PROBE_EVERY_MS);
    const request = isProbing || !isDue ? undefined : toProbe();
    if (request !== undefined) void probe(request);
  }

  return {
    transport: {
      send,
      close: () => transport.close(),
    },
    get lastFault() {
      return lastFault;
    },
    get fault() {
      return fault;
    },
    check,
  };
}
