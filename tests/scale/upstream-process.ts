// An upstream in a process of its own: when requests come is written down by a clock that nothing else holds up.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Asked,
  COLLECTION_END,
  COLLECTION_START,
  startUpstream,
  toCollection,
  toMember,
} from '../support/upstream.js';
import type { Mode, Seen } from './upstream.js';

/**
 * When the loop went round, the last time last: a request takes some rounds from a new connection to the end of its body,
 * and what is read now came behind the first of these. A machine that is busy may let this process wait, and then much
 * is read at once that came one by one.
 */
const rounds: number[] = Array.from({ length: 8 }, () => performance.now());
setInterval(() => {
  rounds.shift();
  rounds.push(performance.now());
}, 2);

let mode: Mode = 'full';
let seen: { -readonly [K in keyof Seen]: Seen[K] } = { times: [], results: 0 };

/** As many as are asked for: a page that is cut, behind which nothing has to be asked. */
const answerFully = ({ maxFeatures }: Asked, response: ServerResponse) =>
  response.end(toCollection(...Array.from({ length: maxFeatures }, (_, k) => toMember(k))));

const modes: Readonly<Record<Mode, (asked: Asked, response: ServerResponse) => unknown>> = {
  full: answerFully,
  async slow(asked, response) {
    await sleep(500);
    answerFully(asked, response);
  },
  async large({ maxFeatures }, response) {
    const text = 'x'.repeat(10_000);
    response.write(COLLECTION_START);
    for (let k = 0; k < maxFeatures; k += 1)
      if (!response.write(toMember(k, text))) await once(response, 'drain');
    response.end(COLLECTION_END);
  },
  // longer than an answer that is stored whole is waited for
  async dripping({ maxFeatures }, response) {
    response.write(COLLECTION_START);
    for (let k = 0; k < maxFeatures; k += 1) {
      response.write(toMember(k));
      await sleep(1000);
    }
    response.end(COLLECTION_END);
  },
  // the first is never answered
  silentOnce: (asked, response) => (seen.results > 1 ? answerFully(asked, response) : undefined),
};

const upstream = await startUpstream(
  (asked, response) => {
    seen.results += 1;
    return modes[mode](asked, response);
  },
  {
    before: async () => {
      seen.times.push([rounds[0] as number, performance.now()]);
      return false;
    },
  },
);

process.on('message', (message: Mode | 'see') => {
  if (message === 'see') return process.send?.(seen);
  mode = message;
  seen = { times: [], results: 0 };
  return process.send?.('set');
});
process.send?.(upstream.url);
