import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Answer, FeatureBatch } from '../query/index.js';
import { endFeatures } from './stream.js';

type Features = Answer['features'];

/** As much as is decoded in one go: some two milliseconds of work. */
const SLICE_BYTES = 64 * 1024;

/** The features of a batch in batches of about `SLICE_BYTES`, where it has more. */
function* cut({ bytes, ends }: FeatureBatch): Generator<FeatureBatch> {
  let [first, start] = [0, 0];
  for (const [i, end] of ends.entries()) {
    if (end - start < SLICE_BYTES && i < ends.length - 1) continue;
    const from = start;
    yield { bytes: bytes.subarray(from, end), ends: ends.slice(first, i + 1).map((one) => one - from) };
    [first, start] = [i + 1, end + 1];
  }
}

/** The same features in batches that take no longer to decode than others may wait; a kept page comes as one. */
export async function* inSlices(features: Features): Features {
  try {
    for (let step = await features.next(); ; step = await features.next()) {
      if (step.done) return step.value;
      let isFirst = true;
      for (const slice of cut(step.value)) {
        if (!isFirst) await nextTurn();
        isFirst = false;
        yield slice;
      }
    }
  } finally {
    endFeatures(features);
  }
}
