import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a gateway in front may number requests with: a UUID, or a token of the same kind. Anything else is ours. */
const token = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/;

/** The id of a request, the same in the log, in `x-request-id` and in a problem's `instance`. */
export function toRequestId(req: IncomingMessage, res: ServerResponse): string {
  const given = req.headers['x-request-id'];
  const id = typeof given === 'string' && token.test(given) ? given : randomUUID();
  res.setHeader('X-Request-Id', id);
  return id;
}
