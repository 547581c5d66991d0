import { afterEach, describe, expect, test } from '@jest/globals';
import {
  fakeSource,
  feature,
  generate,
  postForm,
  postJson,
  type Service,
  searchPath,
  send,
  startService,
  toBatch,
} from './service.js';

let service: Service;
afterEach(() => service.close());

describe('a search', () => {
  test('answers a FeatureCollection with its members in the documented order', async () => {
    service = await startService(fakeSource());
    const reply = await send(service, `${searchPath}?source=BDTOPO_V3:commune`);
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/geo+json');
    expect(Object.keys(reply.json)).toEqual([
      'type',
      'features',
      'numberReturned',
      'numberMatched',
      'totalFeatures',
      'timeStamp',
      'links',
    ]);
    expect(reply.json.features).toEqual([feature(1)]);
  });
});
