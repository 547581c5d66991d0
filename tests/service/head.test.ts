import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { startOver } from '../support/over.js';
import { COLLECTION_START, startUpstream, toMember } from '../support/upstream.js';

test('HEAD ends the upstream request once the headers are known', async () => {
  let closed: Promise<unknown> | undefined;
  const upstream = await startUpstream((_, response) => {
    closed = once(response, 'close');
    response.write(COLLECTION_START + toMember(1));
  });
  const service = await startOver(upstream.url);
  const url = `${service.url}/api/wfs-geoportail/search?source=t:point`;
  const response = await fetch(url, { method: 'HEAD' });
  expect(response.status).toBe(200);
  await closed;
  await service.close();
  await upstream.close();
});
