import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { startProcess } from '../support/process.js';
import { startUpstream, toCollection, toMember } from '../support/upstream.js';

// Traces as a collector of OpenTelemetry gets them (OTLP over HTTP, JSON).

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly status: { code?: number; message?: string };
}

const [SERVER, CLIENT, ERROR] = [2, 3, 2];

async function startCollector() {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    received.push(body);
    response.setHeader('Content-Type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  open.push(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: () => received.join('\n'),
    resources: () => received.flatMap((text) => JSON.parse(text).resourceSpans),
    spans: (): Span[] =>
      received.flatMap((text) =>
        JSON.parse(text).resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: Span[] }[] }) =>
          scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
  };
}

const toAttributes = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const KEY = 'secret~key~of~a~caller';

test('a request, and what the upstream was asked for it, are one trace, which continues the caller’s', async () => {
  const collector = await startCollector();
  const upstream = await startUpstream(({ body, startIndex }, response) => {
    if (startIndex > 0) response.end(toCollection());
    else if (body.includes('<ogc:Literal>13</ogc:Literal>')) response.writeHead(500).end('<html>');
    else response.end(toCollection(toMember(1), toMember(2)));
  });
  const service = await startProcess({
    WFS_URL: `${upstream.url}?key={apikey}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'parcels',
  });
  open.push(upstream.close, () => service.stop('SIGKILL'));
  const search = `${service.url}/api/wfs-geoportail/search?source=t:point&_count=false&apikey=${KEY}`;
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
  const first = await fetch(search, { headers });
  expect(await first.json()).toMatchObject({ numberReturned: 2 });
  await (await fetch(`${search}&n=13`)).text();
  expect(await service.stop()).toBe(0); // sends what is left

  const spans = collector.spans();
  const request = spans.find(({ parentSpanId }) => parentSpanId === PARENT) as Span;
  expect(request).toMatchObject({
    name: 'GET /api/wfs-geoportail/search',
    kind: SERVER,
    traceId: TRACE,
    status: { code: 0 },
  });
  expect(toAttributes(request)).toMatchObject({
    'http.request.method': 'GET',
    'http.route': '/api/wfs-geoportail/search',
    'http.response.status_code': 200,
    'carto.features': 2,
    'carto.request_id': first.headers.get('x-request-id'),
  });
  const asked = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
  // the page, and the question whether anything stands behind it
  expect(asked.map(({ name, kind, traceId }) => [name, kind, traceId])).toEqual(
    Array(2).fill(['GetFeature', CLIENT, TRACE]),
  );
  expect(toAttributes(asked[0] as Span)).toMatchObject({ 'http.response.status_code': 200 });

  const failed = spans.filter(({ status }) => status.code === ERROR);
  expect(failed.map(({ name, kind }) => [name, kind])).toEqual(
    expect.arrayContaining([
      ['GetFeature', CLIENT],
      ['GET /api/wfs-geoportail/search', SERVER],
    ]),
  );
  expect(spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['GetCapabilities', 'DescribeFeatureType']),
  );
  expect(JSON.stringify(collector.resources()[0].resource)).toContain('"parcels"');
  expect(collector.text()).not.toContain(KEY);
});

test('a collector that is away holds up nobody', async () => {
  const upstream = await startUpstream((_, response) => response.end(toCollection(toMember(1))));
  const service = await startProcess({
    WFS_URL: upstream.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  open.push(upstream.close, () => service.stop('SIGKILL'));
  for (let i = 0; i < 5; i += 1) {
    const response = await fetch(`${service.url}/api/wfs-geoportail/search?source=t:point&_start=${i}`);
    expect(response.status).toBe(200);
    await response.text();
  }
  expect(await service.stop()).toBe(0);
});
