import type { IncomingMessage, ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fakeSource, type Service, searchPath, send, startService } from './service.js';

// Requests and responses that differ from each other in hidden class make every look at them slow: at three hundred requests
// a second a third of all that the service does.

setFlagsFromString('--allow-natives-syntax');
const haveSameClass = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean;

let service: Service;

beforeAll(async () => {
  service = await startService(fakeSource());
});
afterAll(() => service.close());

describe.each([
  ['the short way', {}],
  ['the long way through Express', { apikey: 'k' }],
])('%s', (_, headers) => {
  test('gives every request and response the hidden class of the one before', async () => {
    const seen: [IncomingMessage, ServerResponse][] = [];
    const see = (req: IncomingMessage, res: ServerResponse) => void seen.push([req, res]);
    service.server.on('request', see);
    for (let k = 0; k < 12; k++) {
      const { status } = await send(service, `${searchPath}?source=parcels&_start=${k}`, { headers });
      expect(status).toBe(200);
    }
    service.server.off('request', see);
    const [one, other] = seen.slice(-2) as [(typeof seen)[0], (typeof seen)[0]];
    expect([haveSameClass(one[0], other[0]), haveSameClass(one[1], other[1])]).toEqual([true, true]);
  });
});
