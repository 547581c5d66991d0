import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** RFC 9562 §4; nginx's `$request_id` is one without the hyphens. */
const uuid = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i;

/** What gateways number requests with. */
const token = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/;

/** The id that came with a request and is none of ours, for the log alone. */
export function toForeignId({ headers }: IncomingMessage): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && token.test(given) && !uuid.test(given) ? given : undefined;
}

/**
 * The id of a request, the same in the log, in `x-request-id` and in a problem's `instance`, which is a `urn:uuid`: a
 * gateway's is taken over where it is a UUID.
 */
export function toRequestId(req: IncomingMessage): string {
  const parts = uuid.exec(String(req.headers['x-request-id'] ?? ''));
  return parts === null ? randomUUID() : parts.slice(1).join('-').toLowerCase();
}
