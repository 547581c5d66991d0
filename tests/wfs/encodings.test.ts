import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createWfsSource } from '../../src/wfs/index.js';
import { caller } from './embedded.js';

/** Capabilities whose one title holds `title`, declared to be in `encoding`. */
const toCapabilities = (encoding: string, title: string) =>
  `<?xml version="1.0" encoding="${encoding}"?>
<wfs:WFS_Capabilities version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs"><wfs:FeatureTypeList><wfs:FeatureType>
<wfs:Name>t:a</wfs:Name><wfs:Title>${title}</wfs:Title><wfs:DefaultSRS>EPSG:4326</wfs:DefaultSRS>
</wfs:FeatureType></wfs:FeatureTypeList></wfs:WFS_Capabilities>`;

test.each([
  ['UTF-8', Buffer.from(toCapabilities('UTF-8', 'L’été à 5 €'))],
  ['ISO-8859-1', Buffer.from(toCapabilities('ISO-8859-1', 'L\x92été à 5 \x80'), 'latin1')], // as most who say so mean it
  ['windows-1252', Buffer.from(toCapabilities('windows-1252', 'L\x92été à 5 \x80'), 'latin1')],
])('capabilities in %s are read as they are meant', async (_, bytes) => {
  const server = createServer((_request, response) => void response.end(bytes)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const source = createWfsSource(
    {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/wfs`,
      keys: { places: [] },
      responseTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      deadlineMs: 5000,
      countTimeoutMs: 1000,
      maxResponseBytes: 1e6,
      maxScanFeatures: 100,
    },
    pino({ level: 'silent' }),
  );
  const { sources } = await source.list(caller());
  expect(sources.map(({ title }) => title)).toEqual(['L’été à 5 €']);
  source.close();
  server.close();
});
