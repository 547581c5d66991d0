import type { Batch, FeatureWriter } from '../../src/formats/index.js';

/** Features, each as JSON text, as the converter gives them. */
export function toBatch(features: readonly string[]): Batch {
  const ends: number[] = [];
  for (const text of features) ends.push((ends.at(-1) ?? -1) + 1 + Buffer.byteLength(text));
  return { bytes: Buffer.from(features.join(',')), ends };
}

/** All that a writer gives for batches and the end. */
export function writeAll(writer: FeatureWriter, batches: readonly (readonly string[])[]): Buffer {
  const pieces = batches.flatMap((features) => writer.writeBatch(toBatch(features)));
  const page = { numberReturned: batches.flat().length, timeStamp: new Date(0), links: [] };
  return Buffer.concat([...pieces, writer.writeEnd(page)]);
}
