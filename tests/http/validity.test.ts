import { afterEach, describe, expect, test } from '@jest/globals';
import type { Answer, Validity } from '../../src/query/index.js';
import {
  fakeSource,
  feature,
  generate,
  postJson,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

const running: Service[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.close();
});

const kept: Validity = { tag: 'T-1', ageS: 7, freshS: 300, staleIfErrorS: 3600, isByKey: false };

/** A service whose answers are as the test says; `ended` counts those that nobody read to their end. */
async function start(validity: Validity | undefined, answer: Partial<Answer> = {}) {
  let ended = 0;
  const end = { numberReturned: 1, numberMatched: 1 };
  const source = fakeSource({
    async search() {
      const features = generate([toBatch(feature(1))], end);
      const { return: leave } = features;
      features.return = (value) => {
        ended += 1;
        return leave.call(features, value);
      };
      return { isPrivate: false, features, ...(validity && { validity }), ...answer };
    },
  });
  const service = await startService(source);
  running.push(service);
  return { service, ended: () => ended };
}

const path = `${searchPath}?source=a`;
const get = (service: Service, headers: Record<string, string> = {}, method = 'GET') =>
  send(service, path, { method, headers });

describe('an answer that is kept', () => {
  test('has a name, an age, and says how long it is good', async () => {
    const { service } = await start(kept);
    const { headers, json } = await get(service);
    expect(headers).toMatchObject({
      etag: 'W/"T-1.g.en"',
      age: '7',
      'cache-control': 'public, max-age=300, stale-if-error=3600',
      vary: 'Accept, Accept-Language, Accept-Encoding',
    });
    expect(json.features).toHaveLength(1);
  });

  test('has another name in another media type', async () => {
    const { service } = await start(kept);
    const types = ['application/geo+json', 'application/json', 'application/geo+json-seq'];
    const replies = await Promise.all(types.map((accept) => get(service, { accept })));
    expect(new Set(replies.map(({ headers }) => headers.etag)).size).toBe(3);
  });

  test.each(['W/"T-1.g.en"', '"T-1.g.en"', 'W/"other", W/"T-1.g.en"', '"a, b" ,"T-1.g.en"', ' * '])(
    'is not sent to a client that has it: If-None-Match: %s',
    async (tag) => {
      const { service, ended } = await start(kept);
      for (const method of ['GET', 'HEAD']) {
        const { status, headers, text } = await get(service, { 'if-none-match': tag }, method);
        expect([status, text]).toEqual([304, '']);
        expect(headers).toMatchObject({
          etag: 'W/"T-1.g.en"',
          age: '7',
          'cache-control': 'public, max-age=300, stale-if-error=3600',
          vary: 'Accept, Accept-Language, Accept-Encoding',
          'access-control-allow-origin': '*',
        });
        expect(headers).not.toHaveProperty('content-type');
      }
      expect(ended()).toBe(2);
    },
  );

  test.each(['W/"T-1.j.en"', 'W/"T-1"', '"T-2.g.en"', 'T-1.g.en', '"*"', ''])(
    'is sent to a client that has another one: If-None-Match: %s',
    async (tag) => {
      const { service } = await start(kept);
      expect((await get(service, { 'if-none-match': tag })).status).toBe(200);
    },
  );

  test('is the caller\u2019s own where a key opened it, and no shared cache mixes it up', async () => {
    const { service } = await start({ ...kept, isByKey: true }, { isPrivate: true });
    const { headers } = await get(service, { apikey: 'K' });
    expect(headers['cache-control']).toBe('private, max-age=300, stale-if-error=3600');
    expect(headers.vary).toBe('Accept, Accept-Language, Accept-Encoding, Apikey, Authorization');
  });

  test('to a POST has its age, and no name', async () => {
    const { service } = await start(kept);
    const reply = await send(service, path, { method: 'POST', headers: { 'if-none-match': '*' } });
    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({ age: '7', 'cache-control': 'no-store' });
    expect(reply.headers).not.toHaveProperty('etag');
  });

  test('leaves with its length where it is there already, its features untouched', async () => {
    const batch = toBatch(...Array.from({ length: 2000 }, (_, id) => feature(id)));
    const whole = { batches: [batch], end: { numberReturned: 2000 } };
    const { service } = await start(kept, { whole });
    const { headers, json, text } = await get(service);
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    expect(json.features).toHaveLength(2000);
    const sequence = await get(service, { accept: 'application/geo+json-seq' });
    expect(sequence.text.split('\n')).toHaveLength(2001);
  });
});

describe('an answer that is not kept', () => {
  test('has no name, and nobody may keep it', async () => {
    const { service } = await start(undefined);
    const { headers } = await get(service, { 'if-none-match': '*' });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('age');
  });

  test('but may be soon, has a name, and no age', async () => {
    const { ageS: _, ...validity } = kept;
    const { service } = await start(validity);
    const { status, headers } = await get(service, { 'if-none-match': '*' });
    expect(status).toBe(200);
    expect(headers.etag).toBe('W/"T-1.g.en"');
    expect(headers).not.toHaveProperty('age');
  });

  test('an error is kept by nobody', async () => {
    const { service } = await start(kept);
    const { status, headers } = await send(service, searchPath);
    expect(status).toBe(400);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers).not.toHaveProperty('etag');
  });
});

describe('a URL that was read before', () => {
  test('is answered for who asks now: its host, its key, its media type', async () => {
    const { asked, ...source } = fakeSource();
    const service = await startService(source);
    running.push(service);
    const keyed = `${path}&apikey=K`;
    const keys = [{ apikey: 'A' }, {}, { apikey: 'B' }] as Record<string, string>[];
    for (const headers of keys) await get(service, headers);
    for (const url of [keyed, path, keyed]) await send(service, url);
    const { json } = await get(service, { host: 'elsewhere.example' });
    expect(json.links[0].href).toBe(`http://elsewhere.example${path}`);
    const credentials = asked.map(([, caller]) => caller.credentials);
    expect(credentials).toEqual([
      { apikey: 'A' },
      {},
      { apikey: 'B' },
      { apikey: 'K' },
      {},
      { apikey: 'K' },
      {},
    ]);
    expect((await get(service, { accept: 'text/html' })).status).toBe(406);
  });

  test('is refused again where it was refused', async () => {
    const service = await startService(fakeSource());
    running.push(service);
    const replies = [1, 2].map(() => send(service, `${path}&_limit=0`));
    for (const { status } of await Promise.all(replies)) expect(status).toBe(400);
  });

  test('says nothing of what a POST to it asks', async () => {
    const { asked, ...source } = fakeSource();
    const service = await startService(source);
    running.push(service);
    await get(service);
    await postJson(service, { nom: 'a' }, path);
    expect(asked.map(([query]) => query.attributes.length)).toEqual([0, 1]);
  });
});
