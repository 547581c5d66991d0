import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { type ServiceOver, startOver } from '../support/over.js';
import { startUpstream, toCollection, toMember } from '../support/upstream.js';

// /health/ready over an upstream that dies and comes back, through real sockets.

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

type Mood = 'well' | 'dead' | 'slow features' | 'gateway';

async function start(keys = {}) {
  const state: { mood: Mood } = { mood: 'well' };
  const answer = (_: unknown, response: ServerResponse) =>
    state.mood === 'slow features' ? undefined : response.end(toCollection(toMember(1)));
  const upstream = await startUpstream(answer, {
    async before(request, response) {
      if (state.mood === 'dead') request.socket.destroy();
      if (state.mood === 'gateway') response.writeHead(503).end('<html>');
      return state.mood === 'dead' || state.mood === 'gateway';
    },
  });
  const service = await startOver(upstream.url, { responseTimeoutMs: 300, ...keys });
  open.push(upstream.close, service.close);
  return { state, service };
}

const search = (service: ServiceOver, query = '') =>
  fetch(`${service.url}/api/wfs-geoportail/search?source=t:point&_count=false${query}`);
const ready = async (service: ServiceOver) => {
  const response = await fetch(`${service.url}/health/ready`);
  return { status: response.status, text: await response.text() };
};

/** Polls as an orchestrator would; the last answer, where it never comes to that. */
async function untilReady(service: ServiceOver, status: 200 | 503) {
  for (let i = 0; i < 60; i += 1) {
    const reply = await ready(service);
    if (reply.status === status) return reply;
    await sleep(100);
  }
  return ready(service);
}

test.each<Mood>(['dead', 'gateway'])(
  'an upstream that is %s makes it unready, with the reason, and it recovers by itself',
  async (mood) => {
    const { state, service } = await start();
    expect((await search(service)).status).toBe(200);
    expect((await ready(service)).text).toContain('"upstream":"answers"');
    state.mood = mood;
    expect((await search(service)).status).toBe(502);
    const down = await untilReady(service, 503);
    expect(down.status).toBe(503);
    expect(down.text).toMatch(mood === 'dead' ? /broke off|cannot be reached/ : /status 503/);
    state.mood = 'well';
    expect((await untilReady(service, 200)).status).toBe(200);
  },
);

test('one search that is too much for the upstream does not: it is told, and the service stays ready', async () => {
  const { state, service } = await start();
  expect((await search(service)).status).toBe(200);
  state.mood = 'slow features';
  expect((await search(service)).status).toBe(504);
  await sleep(200);
  expect((await ready(service)).status).toBe(200);
});

test('where a caller\u2019s key is needed the state is told, and decides nothing', async () => {
  const { state, service } = await start({ keys: { places: [{ in: 'query', name: 'k' }] } });
  expect((await search(service, '&apikey=K')).status).toBe(200);
  state.mood = 'dead';
  expect((await search(service)).status).toBe(502);
  expect((await search(service, '&apikey=K')).status).toBe(502);
  await sleep(100);
  const reply = await ready(service);
  expect(reply.status).toBe(200);
  expect(reply.text).toMatch(/"upstream":"The connection to the upstream WFS broke off/);
});

test('an upstream that was never there makes it unready, with the reason', async () => {
  const server: Server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const service = await startOver(`http://127.0.0.1:${port}/wfs`);
  open.push(() => server.close(), service.close);
  await ready(service);
  expect((await untilReady(service, 503)).text).toMatch(/broke off/);
});
