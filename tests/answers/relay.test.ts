import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { askRelay, listenForRelays, type Underway } from '../../src/answers/index.js';
import { toMessage } from '../../src/errors.js';
import type { Answer, FeatureBatch, PageEnd } from '../../src/query/index.js';
import { Abort, type Signal } from '../../src/signal.js';
import { feature, generate, toBatch, until } from '../http/service.js';

const query = { source: 'parcels', attributes: [], limit: 10, startIndex: 0, count: 'auto' } as const;
const question = { name: 'wfs', query, credentials: { apikey: 'k' }, isOldToo: false };
const end: PageEnd = { numberReturned: 3, warnings: [toMessage('wfs.mayBeCut')] };
const validity = { tag: 'T', ageS: 4, freshS: 300, staleIfErrorS: 3600, isByKey: true };
const batches = [toBatch(feature(1), feature(2, { name: 'é' })), toBatch(feature(3))];

let folder: string;
let path: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-'));
  path = join(folder, 's.sock');
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

const listen = async (underway: Underway) => void servers.push(await listenForRelays(path, underway));
const ask = (signal: Signal = new Abort()) => askRelay(path, question, signal);
const toAnswer = (features: Answer['features']): Answer => ({ isPrivate: true, validity, features });

async function readAll({ features }: Answer): Promise<[FeatureBatch[], PageEnd]> {
  const all: FeatureBatch[] = [];
  for (;;) {
    const step = await features.next();
    if (step.done) return [all, step.value];
    all.push(step.value);
  }
}

test('an answer that is made elsewhere comes as it is: its question there, all of it here', async () => {
  const asked: unknown[] = [];
  await listen(async (...all) => {
    asked.push(all[0]);
    return toAnswer(generate(batches, end));
  });
  const answer = (await ask()) as Answer;
  expect(answer).toMatchObject({ isPrivate: true, validity });
  const [read, readEnd] = await readAll(answer);
  expect(read.map(({ bytes, ends }) => [Buffer.from(bytes).toString(), ends])).toEqual(
    batches.map(({ bytes, ends }) => [Buffer.from(bytes).toString(), ends]),
  );
  expect(readEnd).toEqual(end);
  expect(asked).toEqual([question]);
});

test('features come as they are made, and no faster than they are read', async () => {
  let made = 0;
  const large = toBatch(feature(1, { text: 'x'.repeat(500_000) }));
  async function* features(): Answer['features'] {
    for (; made < 40; made += 1) yield large;
    return end;
  }
  await listen(async () => toAnswer(features()));
  const answer = (await ask()) as Answer;
  await answer.features.next();
  await sleep(200);
  expect(made).toBeLessThan(20);
  const [rest] = await readAll(answer);
  expect(rest).toHaveLength(39);
});

test('one that takes long to begin, and to go on, is waited for as long as the other lives', async () => {
  async function* features(): Answer['features'] {
    yield batches[0] as FeatureBatch;
    await sleep(2500);
    yield batches[1] as FeatureBatch;
    return end;
  }
  await listen(async () => {
    await sleep(2500);
    return toAnswer(features());
  });
  expect((await readAll((await ask()) as Answer))[0]).toHaveLength(2);
}, 15_000);

describe('nothing can be had', () => {
  test('where nothing is under way, or the other fails to answer', async () => {
    await listen(async () => undefined);
    expect(await ask()).toBeUndefined();
    path = join(folder, 'other.sock');
    await listen(async () => {
      throw new Error('refused upstream');
    });
    expect(await ask()).toBeUndefined();
  });

  test('where nobody listens', async () => {
    expect(await ask()).toBeUndefined();
  });

  test('of one who says nothing: it is taken for dead after 2 s', async () => {
    const silent = createServer(() => {});
    servers.push(silent);
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    const begun = performance.now();
    expect(await ask()).toBeUndefined();
    expect(performance.now() - begun).toBeGreaterThan(1900);
  });

  test('of one who says what is not to be understood', async () => {
    const other = createServer((socket) => socket.end(Buffer.alloc(200, 0xff)));
    servers.push(other);
    await new Promise<void>((resolve) => other.listen(path, resolve));
    expect(await ask()).toBeUndefined();
  });
});

test('an answer that breaks off there breaks off here', async () => {
  async function* features(): Answer['features'] {
    yield batches[0] as FeatureBatch;
    throw new Error('late fault');
  }
  await listen(async () => toAnswer(features()));
  const answer = (await ask()) as Answer;
  await answer.features.next();
  await expect(answer.features.next()).rejects.toMatchObject({ kind: 'unavailable' });
});

describe('a reader who leaves', () => {
  const createEndless = () => {
    const seen = { isEnded: false, signal: new Abort() as Signal };
    async function* features(): Answer['features'] {
      try {
        for (;;) {
          yield batches[0] as FeatureBatch;
          await sleep(5);
        }
      } finally {
        seen.isEnded = true;
      }
    }
    const underway: Underway = async (_, signal) => {
      seen.signal = signal;
      return toAnswer(features());
    };
    return { seen, underway };
  };

  test.each(['by ending the features', 'by its signal'])('%s is gone there too', async (way) => {
    const { seen, underway } = createEndless();
    await listen(underway);
    const left = new Abort();
    const answer = (await ask(left)) as Answer;
    await answer.features.next();
    if (way === 'by its signal') left.abort();
    else await answer.features.return(undefined as never);
    await until(() => seen.isEnded && seen.signal.aborted, 'the other has ended');
  });
});

test('who connects and asks nothing of ours is let go', async () => {
  await listen(async () => toAnswer(generate(batches, end)));
  const socket = connect(path);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\n\r\n');
  socket.resume();
  socket.end();
  await closed;
});
