import { expect, test } from '@jest/globals';
import { createAbilities } from '../../src/wfs/abilities.js';
import { createDeadline } from '../../src/wfs/deadline.js';
import { createDialogue } from '../../src/wfs/dialogue.js';
import { toPlacedKey } from '../../src/wfs/keys.js';
import type { Transport } from '../../src/wfs/transport.js';
import { COLLECTION_START, toMember } from '../support/upstream.js';

/** An upstream that answers everything with this document. */
function toTransport(document: string): Transport {
  async function* chunks() {
    yield Buffer.from(document);
  }
  return {
    send: async () => ({ status: 200, contentType: 'text/xml', retryAfter: undefined, chunks: chunks() }),
    close() {},
  };
}

test('an answer that says of itself that it is truncated (WFS 2.0 §11.3.5) is never taken for the whole', async () => {
  const document = `${COLLECTION_START}${toMember(1)}</gml:featureMembers><wfs:truncatedResponse/></wfs:FeatureCollection>`;
  const stream = createDialogue(toTransport(document), false, createAbilities()).getFeature(
    { typeName: 't:point', namespace: 'http://t', srsName: 'EPSG:4326' },
    { crs: () => ({ swap: true }) },
    {
      key: toPlacedKey({ places: [] }, {}),
      signal: new AbortController().signal,
      deadline: createDeadline(1000),
    },
  );
  expect((await stream.next()).value?.ends).toHaveLength(1);
  await expect(stream.next()).rejects.toMatchObject({
    kind: 'upstreamUnusable',
    text: { id: 'wfs.truncatedResponse' },
  });
});
