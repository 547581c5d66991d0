import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { pino } from 'pino';
import { createWfsSource, type WfsOptions } from '../../src/wfs/index.js';

// Every dialect in which a WFS says no, at an address that is not ours: what reaches the caller, and what does not.

const HOST = 'https://wfs.example.fr';
const fixture = (name: string) => readFileSync(new URL(`../fixtures/wfs/${name}`, import.meta.url), 'utf8');

beforeAll(() => {
  if (!nock.isActive()) nock.activate();
  nock.disableNetConnect();
});
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  expect(unused).toEqual([]);
});
afterAll(() => nock.restore());

function list(options: Partial<WfsOptions> = {}, apikey?: string) {
  const source = createWfsSource(
    {
      url: `${HOST}/wfs`,
      keys: { places: [] },
      responseTimeoutMs: 2000,
      idleTimeoutMs: 2000,
      deadlineMs: 5000,
      countTimeoutMs: 1000,
      maxResponseBytes: 1e6,
      maxScanFeatures: 10,
      ...options,
    },
    pino({ level: 'silent' }),
  );
  const { signal } = new AbortController();
  return source.list({ credentials: apikey === undefined ? {} : { apikey }, signal });
}

const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  nock(HOST)
    .get('/wfs')
    .query(true)
    .reply(status, body, { 'Content-Type': 'text/xml', ...headers });

describe('an exception report becomes one error, with its code and its text', () => {
  test.each([
    ['MapServer', 200, fixture('exception-mapserver.xml'), /NoApplicableCode.*FLTApplyFilterToLayer/],
    [
      'QGIS Server',
      400,
      fixture('exception-qgis.xml'),
      /RequestNotWellFormed.*TypeName 'nope' could not be found/,
    ],
    [
      'the old Géoportail',
      400,
      '<ExceptionReport><Exception exceptionCode="MissingParameter">Paramètre manquant</Exception></ExceptionReport>',
      /MissingParameter.*Paramètre manquant/,
    ],
    ['JSON', 400, '{"exceptions":[{"code":"noKey","locator":"x","text":"boom"}]}', /noKey.*x.*boom/],
  ])('%s', async (_, status, body, message) => {
    answer(status, body);
    await expect(list()).rejects.toMatchObject({
      kind: 'upstreamUnusable',
      message: expect.stringMatching(message),
    });
  });

  test('addresses, paths and keys of its text stay here', async () => {
    nock(HOST)
      .get('/wfs')
      .query(true)
      .reply(
        200,
        '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="X"><ows:ExceptionText>at https://in.side/x?apikey=SECRET in /etc/geo/server.xml for SECRET</ows:ExceptionText></ows:Exception></ows:ExceptionReport>',
      );
    const error = await list({ keys: { places: [{ in: 'query', name: 'apikey' }] } }, 'SECRET').catch(
      (reason: Error) => reason.message,
    );
    expect(error).toMatch(/\[address\] in \[path\] for \*\*\*/);
    expect(error).not.toMatch(/SECRET|in\.side|etc/);
  });
});

describe('what is no exception report', () => {
  test.each([
    ['HTML', 200, fixture('exception-mapserver.html'), 'upstreamUnusable', /HTML/],
    ['an empty body', 200, '', 'upstreamUnusable', /empty answer/],
    ['Tomcat', 500, '<html><head><title>500</title></head></html>', 'upstreamUnusable', /HTML/],
    ['something else', 200, '<nope/>', 'upstreamUnusable', /root element is nope/],
  ])('%s', async (_, status, body, kind, message) => {
    answer(status, body);
    await expect(list()).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  test('429 keeps its Retry-After', async () => {
    answer(429, '{"errorcode":10005}', { 'Retry-After': '7' });
    await expect(list()).rejects.toMatchObject({ kind: 'rateLimited', headers: { 'Retry-After': '7' } });
  });

  test('401 and 403 are about the key, where one is wanted', async () => {
    const keys = { places: [{ in: 'query', name: 'k' }] } as const;
    answer(401, '');
    await expect(list({ keys })).rejects.toMatchObject({ kind: 'keyMissing' });
    answer(403, '');
    await expect(list({ keys }, 'K')).rejects.toMatchObject({ kind: 'keyRefused' });
    answer(401, '');
    await expect(list()).rejects.toMatchObject({ kind: 'upstreamUnusable' });
  });
});
