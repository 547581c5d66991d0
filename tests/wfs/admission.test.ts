import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ServiceError, toMessage } from '../../src/errors.js';
import { uncountedUpstream } from '../../src/metrics/index.js';
import { type AdmissionOptions, createAdmission } from '../../src/wfs/admission.js';
import { createDeadline } from '../../src/wfs/deadline.js';
import { toPlacedKey } from '../../src/wfs/keys.js';
import { createRetry } from '../../src/wfs/retry.js';
import {
  StaleConnection,
  type Transport,
  type WfsRequest,
  type WfsResponse,
} from '../../src/wfs/transport.js';

type Answer = (k: number, request: WfsRequest) => Promise<Partial<WfsResponse>>;

/** An upstream that answers as the test says, and what it was asked. */
function admit(answer: Answer, options: AdmissionOptions = {}) {
  const asked: WfsRequest[] = [];
  async function* chunks() {
    yield Buffer.from('<a/>');
  }
  const transport: Transport = {
    async send(request) {
      asked.push(request);
      request.onSent?.();
      const response = await answer(asked.length, request);
      return { status: 200, contentType: 'text/xml', retryAfter: undefined, chunks: chunks(), ...response };
    },
    close() {},
  };
  const counted: string[] = [];
  const metrics = {
    ...uncountedUpstream,
    retried: (reason: string) => counted.push(reason),
    refused: (reason: string) => counted.push(`refused ${reason}`),
  };
  return {
    asked,
    counted,
    transport: createAdmission(transport, options, metrics),
    retry: createRetry(metrics),
  };
}

const rule = { places: [{ in: 'query', name: 'k' }] } as const;
const toRequest = (more: Partial<WfsRequest> = {}, apikey?: string): WfsRequest => ({
  parameters: {},
  key: toPlacedKey(rule, apikey === undefined ? {} : { apikey }),
  signal: new AbortController().signal,
  deadline: createDeadline(5000),
  ...more,
});

async function readAll({ chunks }: WfsResponse): Promise<void> {
  for await (const _ of chunks);
}

const fault = (id: Parameters<typeof toMessage>[0], values = {}, headers = {}) =>
  new ServiceError('upstreamUnusable', toMessage(id, values), { headers });

describe('a place at the upstream', () => {
  test('is held to the last byte of the answer, and given back when its caller leaves', async () => {
    const { transport, asked } = admit(async () => ({}), { maxConcurrency: 1 });
    const first = await transport.send(toRequest());
    const leaving = new AbortController();
    const second = transport.send(toRequest({ signal: leaving.signal }));
    await sleep(20);
    expect(asked).toHaveLength(1);
    await readAll(first);
    await second;
    const third = transport.send(toRequest());
    await sleep(20);
    expect(asked).toHaveLength(2);
    leaving.abort();
    await (await third).chunks.return();
    await readAll(await transport.send(toRequest()));
    expect(asked).toHaveLength(4);
  });

  test('is not taken by who left, or whose deadline passed, while waiting: that is a 503', async () => {
    const { transport, asked, counted } = admit(async () => ({}), { maxConcurrency: 1 });
    const first = await transport.send(toRequest());
    const leaving = new AbortController();
    const left = transport.send(toRequest({ signal: leaving.signal }));
    const late = transport.send(toRequest({ deadline: createDeadline(50) }));
    leaving.abort();
    await expect(left).rejects.toBeDefined();
    await expect(late).rejects.toMatchObject({
      kind: 'unavailable',
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/) },
    });
    await readAll(first);
    await sleep(20);
    expect(asked).toHaveLength(1);
    expect(counted).toEqual(['refused left', 'refused busy']);
  });
});

test('a connection that had been closed meanwhile is no fault: it is asked again on a fresh one, through the gate', async () => {
  const { transport, asked, counted } = admit(
    async (_, { isFresh }) => {
      if (!isFresh) throw new StaleConnection();
      return {};
    },
    { maxConcurrency: 1 },
  );
  await readAll(await transport.send(toRequest()));
  expect(asked.map(({ isFresh }) => isFresh)).toEqual([undefined, true]);
  expect(counted).toEqual(['staleConnection']);
});

describe('an upstream that says 429', () => {
  test('is asked nothing until the time it said, by nobody of the same key; others are not held', async () => {
    const { transport, asked } = admit(async (k) => (k === 1 ? { status: 429, retryAfter: '1' } : {}));
    await readAll(await transport.send(toRequest()));
    const begun = performance.now();
    const waiting = transport.send(toRequest());
    await readAll(await transport.send(toRequest({}, 'of another')));
    expect(performance.now() - begun).toBeLessThan(900);
    await waiting;
    expect(performance.now() - begun).toBeGreaterThan(900);
    expect(asked).toHaveLength(3);
  });

  test('for longer than a caller can wait is told so at once, with all of the time', async () => {
    const { transport, asked } = admit(async () => ({ status: 429, retryAfter: '3600' }));
    await readAll(await transport.send(toRequest()));
    await expect(transport.send(toRequest())).rejects.toMatchObject({
      kind: 'rateLimited',
      headers: { 'Retry-After': '3600' },
    });
    expect(asked).toHaveLength(1);
  });
});

test('an upstream that is down is left alone, with 503; who waited already is told so too, and sent nothing', async () => {
  const { transport, asked, counted } = admit(
    async () => {
      await sleep(5);
      throw fault('wfs.unreachable', { code: 'ECONNREFUSED' });
    },
    { maxConcurrency: 4 },
  );
  const ended = await Promise.allSettled(Array.from({ length: 60 }, () => transport.send(toRequest())));
  const reasons = ended.map((one) => (one.status === 'rejected' ? one.reason : undefined));
  const refused = reasons.filter(({ kind }) => kind === 'unavailable');
  expect(asked.length).toBeGreaterThanOrEqual(20);
  expect(asked.length).toBeLessThan(30);
  expect(refused).toHaveLength(60 - asked.length);
  expect(refused[0].headers).toEqual({ 'Retry-After': '5' });
  await expect(transport.send(toRequest())).rejects.toMatchObject({ text: { id: 'limits.circuitOpen' } });
  expect(counted).toContain('refused circuitOpen');
});

describe('a request is tried again', () => {
  const attempts = async (error: unknown, { isHeavy = false, deadline = createDeadline(5000) } = {}) => {
    const { retry, counted } = admit(async () => ({}));
    let tries = 0;
    const asking = retry(
      toRequest({ deadline }),
      async () => {
        tries += 1;
        throw error;
      },
      { isHeavy },
    );
    await expect(asking).rejects.toBe(error);
    return { tries, counted };
  };

  test.each([
    ['unreachable', fault('wfs.unreachable', { code: 'ECONNREFUSED' })],
    ['brokenOff', fault('wfs.brokenOff', { code: 'ECONNRESET' })],
    ['timeout', fault('wfs.noAnswer', { seconds: 1 })],
    ['gateway', fault('wfs.notGml', { status: 503, what: 'HTML' })],
    ['gateway', fault('wfs.emptyAnswer', { status: 502 })],
    ['gateway', fault('wfs.exceptionReport', { status: 504, text: 'X' })],
    [
      'exception',
      fault('wfs.exceptionReport', { status: 400, text: 'Unable to obtain connection: connect timed out' }),
    ],
    ['rateLimited', fault('wfs.rateLimited', {}, { 'Retry-After': '0' })],
  ])('twice: %s', async (reason, error) => {
    expect(await attempts(error)).toEqual({ tries: 3, counted: [reason, reason] });
  });

  test.each([
    [
      'what the upstream says of the request itself',
      fault('wfs.exceptionReport', { status: 400, text: 'Illegal property name' }),
    ],
    ['TLS', fault('wfs.brokenOff', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
    ['a name that does not exist', fault('wfs.unreachable', { code: 'ENOTFOUND' })],
    ['HTML with status 200', fault('wfs.notGml', { status: 200, what: 'HTML' })],
    ['the deadline', fault('wfs.deadline', { seconds: 1 })],
    ['our own refusal', fault('limits.circuitOpen')],
    ['a defect of ours', new TypeError('x')],
  ])('not: %s', async (_, error) => {
    expect(await attempts(error)).toEqual({ tries: 1, counted: [] });
  });

  test('not where it was too heavy to be answered in time', async () => {
    expect((await attempts(fault('wfs.noAnswer', { seconds: 1 }), { isHeavy: true })).tries).toBe(1);
  });

  test('not with less than a third of the deadline left, nor where the time the upstream asks for leaves less', async () => {
    const deadline = createDeadline(300);
    await deadline.pause(150, new AbortController().signal);
    expect((await attempts(fault('wfs.brokenOff', { code: 'ECONNRESET' }), { deadline })).tries).toBe(1);
    const limited = fault('wfs.rateLimited', {}, { 'Retry-After': '4' });
    expect((await attempts(limited, { deadline: createDeadline(5000) })).tries).toBe(1);
  });

  test('not beyond the budget: an upstream that fails everything is asked a fifth more, and a reserve', async () => {
    const { retry } = admit(async () => ({}));
    let tries = 0;
    const ask = () =>
      retry(toRequest(), async () => {
        tries += 1;
        throw fault('wfs.brokenOff', { code: 'ECONNRESET' });
      }).catch(() => {});
    await Promise.all(Array.from({ length: 200 }, ask));
    expect(tries).toBeGreaterThan(200);
    expect(tries).toBeLessThanOrEqual(200 * 1.2 + 10);
  });
});
