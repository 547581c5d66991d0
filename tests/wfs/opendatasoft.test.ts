import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/oauth/index.js';
import { createWfsSource, type WfsOptions } from '../../src/wfs/index.js';
import { type Service, searchPath, send, startService } from '../http/service.js';
import { authorize, createFolder, createLog, setUp, toSecrets } from '../oauth/account.js';
import {
  type Opendatasoft,
  type OpendatasoftOptions,
  startOpendatasoft,
  toQuotaAnswer,
} from '../support/opendatasoft.js';

// The service over the double of Opendatasoft that passes over what it does not know. One that refuses it is asked only
// for its capabilities and schema here.
const folder = createFolder();
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});
afterAll(() => folder.remove());

interface Started {
  readonly domain: Opendatasoft;
  readonly service: Service;
  readonly account: Account | undefined;
  readonly file: string;
  /** Everything that was logged, by whichever part. */
  readonly logText: () => string;
}

let number = 0;

/** @param age of the service's own account; absent: it has none */
async function start(
  options: OpendatasoftOptions = {},
  age?: Parameters<typeof authorize>[2],
  places: WfsOptions['keys']['places'] = [],
): Promise<Started> {
  const domain = await startOpendatasoft({ undocumented: 'ignored', count: 12, ...options });
  number += 1;
  const file = join(folder.path, `${number}.json`);
  if (age !== undefined) await authorize(domain, file, age);
  const own = age === undefined ? undefined : await setUp(domain, file);
  const { logger, text } = createLog();
  const source = createWfsSource(
    {
      url: domain.wfsUrl,
      keys: { places, account: own?.account },
      responseTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      deadlineMs: 6000, // shorter than most pauses that are asked for: nothing here waits for them
      countTimeoutMs: 2000,
      maxResponseBytes: 1e8,
      maxScanFeatures: 1000,
    },
    logger,
  );
  const service = await startService(source);
  open.push(domain, source, service);
  const logText = () => [text(), own?.logText() ?? '', service.logText()].join('');
  return { domain, service, account: own?.account, file, logText };
}

const YOUNG = { ageS: 10, expiresInS: 3600 };
const OVER = { ageS: 100, expiresInS: 90 };
const search = ({ service }: Started, parameters = '', headers: Record<string, string> = {}) =>
  send(service, `${searchPath}?source=ods:zone_urba${parameters}`, { headers });
const credentialsOf = ({ domain }: Started) =>
  domain.asked.map(({ headers, query }) => headers.authorization ?? query.apikey ?? query.access_token);

describe('what a layer holds', () => {
  test.each(['geo_point_2d', 'geo_shape'] as const)(
    'geo_shape is the geometry, also where %s is first',
    async (first) => {
      const started = await start({ first });
      const { json } = await search(started);
      const [feature] = started.domain.features;
      expect(json.features).toHaveLength(12);
      expect(json.features[0]).toMatchObject({
        id: feature?.id,
        geometry: { type: 'MultiPolygon' },
        geometry_name: 'geo_shape',
      });
      expect(json.features[0].properties.geo_shape).toBeUndefined();
      expect(json.features[0].properties.geo_point_2d).toBeDefined();
    },
  );

  test('dates are ISO, and an attribute that is left out is null', async () => {
    const started = await start();
    const { json } = await search(started);
    const { features, attributes } = started.domain;
    const at = attributes.findIndex(({ name }) => name === 'datvalid');
    const expected = features.map(({ values }) => {
      const value = values[at];
      return value === null ? null : `${String(value).replace('Z', '')}T00:00:00+00:00`;
    });
    const properties = json.features.map((feature: { properties: object }) => feature.properties);
    expect(expected).toContain(null);
    expect(properties.map(({ datvalid }: { datvalid: unknown }) => datvalid)).toEqual(expected);
    for (const { datappro } of properties) expect(datappro).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test('its capabilities and schema need nothing that is not documented', async () => {
    const { service } = await start({ undocumented: 'refused', first: 'geo_point_2d' });
    const list = await send(service, '/api/wfs-geoportail/sources');
    expect(list.json.sources.map(({ name }: { name: string }) => name)).toEqual(['ods:zone_urba']);
    const { status, text } = await send(service, '/api/wfs-geoportail/sources/ods:zone_urba');
    expect([status, text]).toEqual([200, expect.stringContaining('"geo_shape"')]);
  });
});

describe('a caller\u2019s own key', () => {
  const places: WfsOptions['keys']['places'] = [{ in: 'authorization' }, { in: 'bearer' }];

  test.each<[string, string, Record<string, string>, (token: string) => string]>([
    ['Authorization: Apikey', '', { authorization: 'Apikey K' }, () => 'Apikey K'],
    ['apikey in the query', '&apikey=K', {}, () => 'Apikey K'],
    ['Authorization: Bearer', '', { authorization: 'Bearer TOKEN' }, (token) => `Bearer ${token}`],
    ['access_token', '&access_token=TOKEN', {}, (token) => `Bearer ${token}`],
  ])(
    '%s is passed on, and wins over the service\u2019s account',
    async (_, parameters, headers, expected) => {
      const started = await start({ apikeys: ['K'] }, YOUNG, places);
      const { access_token: token } = started.domain.oauth.grant();
      const withToken = (text: string) => text.replace('TOKEN', token);
      const sent = Object.entries(headers).map(([name, value]) => [name, withToken(value)]);
      const { status } = await search(started, withToken(parameters), Object.fromEntries(sent));
      expect([status, new Set(credentialsOf(started))]).toEqual([200, new Set([expected(token)])]);
    },
  );

  test('also as ?apikey= upstream', async () => {
    const started = await start({ apikeys: ['K'] }, undefined, [{ in: 'query', name: 'apikey' }]);
    expect((await search(started, '&apikey=K')).status).toBe(200);
    expect(new Set(credentialsOf(started))).toEqual(new Set(['K']));
    expect((await search(started)).status).toBe(401);
    expect((await search(started, '&apikey=wrong')).status).toBe(403);
  });

  test('that is refused is the caller\u2019s fault: nothing is renewed', async () => {
    const started = await start({ apikeys: ['K'] }, YOUNG, places);
    expect((await search(started, '&apikey=wrong')).status).toBe(403);
    expect(started.domain.oauth.requests).toEqual([]);
  });

  test('serves while the account does not', async () => {
    const started = await start({ apikeys: ['K'] }, OVER, places);
    started.domain.oauth.revoke();
    expect((await search(started)).status).toBe(503);
    expect((await search(started, '&apikey=K')).status).toBe(200);
  });
});

describe('the service\u2019s account', () => {
  test('speaks for callers without a key; its answers are everybody\u2019s', async () => {
    const started = await start({ isPrivate: true }, YOUNG);
    const [token] = started.domain.oauth.issued;
    for (let i = 0; i < 2; i += 1) expect((await search(started)).status).toBe(200);
    expect(new Set(credentialsOf(started))).toEqual(new Set([`Bearer ${token}`]));
    expect(started.domain.oauth.requests).toEqual([]);
  });

  test('where keys are ignored a caller\u2019s is not even looked at', async () => {
    const started = await start({ isPrivate: true }, YOUNG);
    expect((await search(started, '&apikey=wrong')).status).toBe(200);
  });

  test('refreshes a token that is over before it asks', async () => {
    const started = await start({ isPrivate: true }, OVER);
    const [old] = started.domain.oauth.issued;
    expect((await search(started)).status).toBe(200);
    expect(credentialsOf(started)).not.toContain(`Bearer ${old}`);
    expect(started.domain.oauth.requests).toHaveLength(1);
  });

  test('refreshes one that is refused, once, and the caller sees nothing of it', async () => {
    const started = await start({ isPrivate: true }, YOUNG);
    expect((await search(started)).status).toBe(200);
    started.domain.oauth.revokeAccess();
    const replies = await Promise.all(Array.from({ length: 5 }, () => search(started)));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(replies[0]?.json.features).toHaveLength(12);
    expect(started.domain.oauth.requests).toHaveLength(1);
  });

  test('that is refused with a new token too: 503, and no storm of refreshes', async () => {
    const started = await start({ isPrivate: true }, YOUNG);
    expect((await search(started)).status).toBe(200);
    started.domain.instead = (response) => response.writeHead(401).end();
    for (let i = 0; i < 3; i += 1) {
      const { status, headers, json } = await search(started);
      expect([status, json.detail]).toEqual([503, expect.stringContaining('although it is new')]);
      expect(headers['retry-after']).toMatch(/^\d+$/);
    }
    expect(started.domain.oauth.requests).toHaveLength(1);
  });

  test('revoked: 503 for its callers, told by /health/ready, well again with a new file', async () => {
    const started = await start({ isPrivate: true }, YOUNG);
    expect((await search(started)).status).toBe(200);
    started.domain.oauth.revoke();
    const { status, json, headers } = await search(started);
    expect([status, json.detail]).toEqual([503, expect.stringContaining('by carto-wfs-oauth')]);
    expect([headers['www-authenticate'], headers['retry-after']]).toEqual([undefined, '30']);
    const ready = await send(started.service, '/health/ready');
    expect([ready.status, ready.json.detail]).toEqual([503, expect.stringContaining('by carto-wfs-oauth')]);
    await authorize(started.domain, started.file, YOUNG);
    expect((await search(started)).status).toBe(200);
    const again = await send(started.service, '/health/ready');
    expect([again.status, again.text]).toEqual([200, expect.stringContaining('"account":"authorized"')]);
  });

  test('is shown to the upstream alone: no redirect is followed, no address of the capabilities', async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    open.push(other);
    const started = await start({ isPrivate: true }, YOUNG);
    expect((await search(started)).status).toBe(200);
    const Location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    started.domain.instead = (response) => response.writeHead(302, { Location }).end();
    expect((await search(started)).status).toBe(502);
    expect(seen).toEqual([]);
  });

  test('leaves no secret in a log or an answer, whatever the upstream says', async () => {
    const started = await start({ isPrivate: true }, OVER);
    const { oauth } = started.domain;
    const texts = [(await search(started)).text];
    const echo = (status: number) => (response: ServerResponse) => {
      const said = started.domain.asked.at(-1)?.headers.authorization;
      response.writeHead(status, { 'Content-Type': 'text/xml' });
      response.end(
        `<ExceptionReport><Exception exceptionCode="X"><ExceptionText>no ${said}</ExceptionText></Exception></ExceptionReport>`,
      );
    };
    for (const status of [200, 400, 403, 500]) {
      started.domain.instead = echo(status);
      texts.push((await search(started)).text);
    }
    started.domain.instead = undefined;
    oauth.revokeAccess();
    oauth.losses = { count: 1, isEffective: true };
    texts.push((await search(started)).text, (await send(started.service, '/health/ready')).text);
    expect(texts.join()).toContain('no Bearer ***');
    const seen = `${started.logText()}${texts.join()}`;
    expect(toSecrets(started.domain).filter((secret) => seen.includes(secret))).toEqual([]);
  });
});

describe('the calls of the day are used up', () => {
  const inAnHour = () => new Date(Date.now() + 3600_000);
  const refuse =
    (headers: Record<string, string>, body = '') =>
    (response: ServerResponse) =>
      void response.writeHead(429, headers).end(body);

  test.each<[string, () => Opendatasoft['instead'], number]>([
    ['as Opendatasoft says it', () => toQuotaAnswer(inAnHour()), 3600],
    ['reset_time alone', () => refuse({}, `{"reset_time":"${inAnHour().toISOString()}"}`), 3600],
    ['a date', () => refuse({ 'X-RateLimit-Reset': inAnHour().toISOString() }), 3600],
    ['seconds', () => refuse({ 'X-RateLimit-Reset': '120' }), 120],
    ['since 1970', () => refuse({ 'X-RateLimit-Reset': String(inAnHour().getTime() / 1000) }), 3600],
    ['milliseconds', () => refuse({ 'X-RateLimit-Reset': String(inAnHour().getTime()) }), 3600],
    ['Retry-After first', () => refuse({ 'Retry-After': '7', 'X-RateLimit-Reset': '120' }), 7],
    ['never', () => refuse({ 'X-RateLimit-Reset': '2999-01-01 00:00:00+00:00' }), 86_400],
    ['long ago', () => toQuotaAnswer(new Date(0)), 1],
    ['nothing that can be read', () => refuse({ 'X-RateLimit-Reset': 'soon' }), 5],
  ])('%s: 429 with Retry-After', async (_, toAnswer, seconds) => {
    const started = await start();
    expect((await search(started)).status).toBe(200);
    started.domain.instead = toAnswer();
    const { status, headers, json } = await search(started);
    expect([status, json.detail]).toEqual([429, 'The upstream WFS takes no more requests for now.']);
    expect(Math.abs(Number(headers['retry-after']) - seconds)).toBeLessThanOrEqual(5);
  });
});
