import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startUpstream, toCollection, toMember } from '../support/upstream.js';
import { faults, MAX_RESPONSE_BYTES, startGate } from './faulty-upstream.js';
import { type Left, startProbed } from './process.js';

// npm run soak -- --minutes 10 --callers 16 --faults 0.1: one service under mixed load (searches that differ, searches that
// were asked before, callers that leave) over an upstream that does something wrong to a share of the questions. Prints what
// the process holds, and ends with exit code 1 where it grows, or where half an answer was given for a whole one.
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    callers: { type: 'string', default: '16' },
    faults: { type: 'string', default: '0.1' },
  },
});
const [minutes, callers, share] = [values.minutes, values.callers, values.faults].map(Number) as [
  number,
  number,
  number,
];
/** Between two looks. */
const LOOK_MS = 10_000;
const HEAP_GROWTH = 10e6;

const below = (most: number) => Math.floor(Math.random() * most);
const pick = <T>(items: readonly T[]) => items[below(items.length)] as T;
const acts = faults.filter(({ act }) => act !== undefined);
const sizes = [1, 10, 100, 1000];

const upstream = await startUpstream((asked, response) => {
  if (Math.random() < share) return pick(acts).act?.(asked.request.socket, response);
  return response.end(toCollection(...Array.from({ length: pick(sizes) }, (_, k) => toMember(k))));
});
const gate = await startGate(Number(new URL(upstream.url).port));
const service = await startProbed({
  WFS_URL: `http://127.0.0.1:${gate.port}/wfs`,
  WFS_RATE_LIMIT: '10000',
  WFS_RESPONSE_TIMEOUT_MS: '1000',
  WFS_IDLE_TIMEOUT_MS: '1000',
  REQUEST_DEADLINE_MS: '5000',
  WFS_MAX_RESPONSE_BYTES: String(MAX_RESPONSE_BYTES),
  CACHE_MAX_BYTES: '8388608',
  CACHE_TTL_S: '60',
});

const outcomes: Record<string, number> = {};
const count = (outcome: string) => {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
};

/** One search; in twenty, the caller leaves somewhere on the way. */
function ask(): Promise<void> {
  const n = Math.random() < 0.3 ? below(20) : below(1e9);
  const path = `${service.url}/api/wfs-geoportail/search?source=t:point&_count=false&n=${n}`;
  return new Promise((resolve) => {
    const end = (outcome: string) => {
      count(outcome);
      resolve();
    };
    const asking = get(path, { agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => void parts.push(part));
      response.on('error', () => end('reset'));
      response.on('end', () => {
        if (!response.complete) return end('partial');
        if (response.statusCode !== 200) return end(String(response.statusCode));
        try {
          const { features, numberReturned } = JSON.parse(Buffer.concat(parts).toString());
          end(features.length === numberReturned ? '200' : 'partial');
        } catch {
          end('partial');
        }
      });
    });
    asking.on('error', () => end('reset'));
    if (Math.random() < 0.05) setTimeout(() => asking.destroy(), below(50));
  });
}

let isOver = false;
async function run(): Promise<void> {
  while (!isOver) await ask();
}

const toMegabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
function tell(left: Left, seconds: number): void {
  const { heapUsed, external, rss, resources } = left;
  const memory = `heap ${toMegabytes(heapUsed)} MB, external ${toMegabytes(external)}, rss ${toMegabytes(rss)}`;
  console.log(
    `${seconds.toFixed(0)} s: ${memory}, ${JSON.stringify(resources)}, ${JSON.stringify(outcomes)}`,
  );
}

/** With every connection gone. */
async function lookAtRest(): Promise<Left> {
  await sleep(6000);
  await gate.shut();
  await sleep(500);
  const left = await service.look();
  await gate.open();
  return left;
}

const begun = performance.now();
const seconds = () => (performance.now() - begun) / 1000;
let workers = Array.from({ length: callers }, run);
await sleep(20_000); // code and caches are warm by then
isOver = true;
await Promise.all(workers);
const before = await lookAtRest();
tell(before, seconds());
isOver = false;
workers = Array.from({ length: callers }, run);
while (seconds() < minutes * 60) {
  await sleep(LOOK_MS);
  tell(await service.look(), seconds());
}
isOver = true;
await Promise.all(workers);
const after = await lookAtRest();
tell(after, seconds());

const more = Object.entries(after.resources).filter(([name, n]) => n > (before.resources[name] ?? 0));
const growth = after.heapUsed - before.heapUsed;
const isWell = growth < HEAP_GROWTH && more.length === 0 && outcomes.partial === undefined;
console.log(
  `heap ${toMegabytes(growth)} MB more, left over: ${JSON.stringify(more)}: ${isWell ? 'well' : 'NOT well'}`,
);
await service.stop('SIGKILL');
await gate.shut();
await upstream.close();
process.exitCode = isWell ? 0 : 1;
