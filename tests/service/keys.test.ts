import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { startOver } from '../support/over.js';
import { COLLECTION_START, startUpstream, toCollection, toMember } from '../support/upstream.js';

// What an upstream echoes of a key, in whatever writing and place, reaches neither a caller nor the log.

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const KEY = 'SRV~SECRET!key';
const form = new URLSearchParams({ k: KEY }).toString().slice(2);
const writings = [KEY, encodeURIComponent(KEY), form, form.toLowerCase(), KEY.toUpperCase()];
const report = (text: string) =>
  `<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="X" locator="${text}"><ows:ExceptionText><![CDATA[bad key ${text} in /wfs?apikey=${text}]]></ows:ExceptionText></ows:Exception></ows:ExceptionReport>`;

const answers: Record<string, (response: ServerResponse, text: string) => void> = {
  'an exception report': (response, text) => void response.end(report(text)),
  'a late exception report': async (response, text) => {
    response.write(COLLECTION_START + toMember(1));
    await sleep(50);
    response.end(report(text));
  },
  'tags that do not match': (response, text) => void response.end(`${COLLECTION_START}<t:x></t:${text}>`),
  'a page in HTML': (response, text) => void response.writeHead(500).end(`<html>${text}</html>`),
};

test.each(Object.keys(answers))('%s that echoes a key tells it to nobody', async (name) => {
  let text = KEY;
  const upstream = await startUpstream((_, response) => answers[name]?.(response, text));
  const places = [{ in: 'query', name: 'apikey' }] as const;
  const ours = await startOver(upstream.url, { keys: { places, serverKey: KEY } });
  const theirs = await startOver(upstream.url, { keys: { places } });
  open.push(upstream.close, ours.close, theirs.close);
  const search = '/api/wfs-geoportail/search?source=t:point&_count=false';
  const told: string[] = [];
  for (text of writings) {
    for (const url of [`${ours.url}${search}`, `${theirs.url}${search}&apikey=${form}`]) {
      const reply = await fetch(url)
        .then((response) => response.text())
        .catch(String); // a late fault is a reset
      told.push(reply);
    }
  }
  expect(told).toHaveLength(10);
  const all = `${told.join('\n')}\n${ours.log()}\n${theirs.log()}`;
  expect(ours.log()).toMatch(/"kind":"upstreamUnusable"/);
  expect(all).not.toMatch(/srv(~|%7e|)secret/i);
  expect(all).not.toContain('"cause"'); // the upstream's raw words
});

test('what a caller brings to be let in reaches no upstream that does not ask for it', async () => {
  const seen: string[] = [];
  const upstream = await startUpstream((_, response) => response.end(toCollection(toMember(1))), {
    async before({ url, rawHeaders }) {
      seen.push(`${url} ${rawHeaders.join(' ')}`);
      return false;
    },
  });
  const service = await startOver(upstream.url);
  open.push(upstream.close, service.close);
  const secrets = [
    { authorization: 'Bearer s3cret' },
    { authorization: 'Basic s3cret' },
    { apikey: 's3cret' },
  ];
  for (const headers of [...secrets, { cookie: 'a=s3cret' }, { 'proxy-authorization': 's3cret' }]) {
    const search = `${service.url}/api/wfs-geoportail/search?source=t:point&_count=false`;
    expect((await fetch(search, { headers })).status).toBe(200);
  }
  expect(seen.length).toBeGreaterThan(5);
  expect(seen.join('\n')).not.toMatch(/s3cret|authorization|cookie/i);
});

test('eighty callers with keys of their own at once are all served, and made-up keys hurt none of them', async () => {
  let capabilities = 0;
  const upstream = await startUpstream((_, response) => response.end(toCollection(toMember(1))), {
    async before({ url = '' }, response) {
      if (!url.includes('GetCapabilities')) return false;
      capabilities += 1;
      await sleep(300);
      if (!url.includes('apikey=made-up')) return false;
      response.writeHead(403).end();
      return true;
    },
  });
  const service = await startOver(upstream.url, { keys: { places: [{ in: 'query', name: 'apikey' }] } });
  open.push(upstream.close, service.close);
  const ask = async (key: string) =>
    (await fetch(`${service.url}/api/wfs-geoportail/search?source=t:point&_count=false&apikey=${key}`))
      .status;
  const honest = Array.from({ length: 80 }, (_, i) => `honest-${i}`);
  expect(await Promise.all(honest.map(ask))).toEqual(honest.map(() => 200));
  const faithful = honest.slice(0, 20);
  await Promise.all(faithful.map(ask));
  await Promise.all(faithful.map(ask));
  const before = capabilities;
  const madeUp = Array.from({ length: 100 }, (_, i) => `made-up-${i % 50}`);
  expect(new Set(await Promise.all(madeUp.map(ask)))).toEqual(new Set([403]));
  // twice each, and a failure is remembered for a moment: on a slow machine it may be over by then
  expect(capabilities - before).toBeGreaterThanOrEqual(50);
  expect(capabilities - before).toBeLessThanOrEqual(100);
  const after = capabilities;
  expect(await Promise.all(faithful.map(ask))).toEqual(faithful.map(() => 200));
  expect(capabilities).toBe(after);
});
