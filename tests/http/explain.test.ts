import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createDemoServer, type DemoServer } from '../../src/demo/index.js';
import { toMessage } from '../../src/errors.js';
import { loadDocument } from '../../src/http/openapi.js';
import { createWfsSource } from '../../src/wfs/index.js';
import { createAnswerCheck } from '../support/openapi.js';
import {
  fakeSource,
  generate,
  postJson,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

const limits = { limitMax: 5000, geomMaxVertices: 50_000, bodyLimit: 10_485_760 };
const document = loadDocument({ name: 'wfs-geoportail', title: 'WFS' }, limits);
const checkAnswer = createAnswerCheck(document);

describe('_explain=true', () => {
  let demo: DemoServer;
  let source: ReturnType<typeof createWfsSource>;
  let service: Service;
  beforeAll(async () => {
    demo = await createDemoServer();
    source = createWfsSource(
      {
        url: `${demo.url}?token=SECRET`,
        keys: { places: [{ in: 'query', name: 'apikey' }] },
        responseTimeoutMs: 5000,
        idleTimeoutMs: 5000,
        deadlineMs: 20_000,
        countTimeoutMs: 2000,
        maxResponseBytes: 1e9,
        maxScanFeatures: 1000,
      },
      pino({ level: 'silent' }),
    );
    service = await startService(source);
  });
  afterAll(async () => {
    await service.close();
    source.close();
    await demo.close();
  });

  test('answers how the upstream would be asked, and shows no key', async () => {
    const reply = await postJson(service, {
      source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
      geom: { type: 'Point', coordinates: [1.4878, 48.4477] },
      section: 'AF',
      apikey: 'CALLERS-KEY',
      _explain: true,
    });
    expect(reply.status).toBe(200);
    checkAnswer(searchPath, 'post', reply);
    const { request, upstream, steps } = JSON.parse(reply.text);
    expect(request.method).toBe('POST');
    expect(request.url).toMatch(/[?&]token=\*\*\*&apikey=\*\*\*$/);
    expect(request.body).toMatch(/<ogc:Intersects>.*<gml:pos>48.4477 1.4878<.*<ogc:Literal>AF</);
    expect(upstream).toMatchObject({ spatialFilter: 'Intersects', axisOrderOut: 'latLon', code: 4326 });
    expect(steps).toContain('The upstream computes the intersection.');
    expect(reply.text).not.toMatch(/SECRET|CALLERS/);
  });

  test('is checked like the search itself', async () => {
    const path = `${searchPath}?source=ADMINEXPRESS-DEMO:departement&_explain=`;
    expect((await send(service, `${path}true&nope=1`)).status).toBe(400);
    expect((await send(service, `${path}yes`)).status).toBe(400);
    const features = await send(service, `${path}false&_limit=1`);
    expect(features.status).toBe(200);
    expect(JSON.parse(features.text).features).toHaveLength(1);
  });
});

test('warnings stand behind the features, as code and as text', async () => {
  const end = { numberReturned: 1, warnings: [toMessage('wfs.unstableOrder')] };
  const feature = { type: 'Feature', geometry: null, properties: {} };
  const service = await startService(
    fakeSource({ search: async () => ({ isPrivate: false, features: generate([toBatch(feature)], end) }) }),
  );
  const reply = await send(service, `${searchPath}?source=a`);
  await service.close();
  checkAnswer(searchPath, 'get', reply);
  expect(JSON.parse(reply.text).warnings).toEqual([
    {
      code: 'wfs.unstableOrder',
      message: expect.stringMatching(/^The upstream WFS offers no unique attribute/),
    },
  ]);
});
