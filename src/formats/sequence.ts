import type { Batch, FeatureWriter } from './model.js';

const recordSeparator = 0x1e;
const lineFeed = 0x0a;

/** GeoJSON text sequences (RFC 8142 §2): RS, a feature, LF; nothing else, so counts and links have no place. */
export function createSequenceWriter(): FeatureWriter {
  return {
    writeBatch({ bytes, ends }: Batch): readonly Uint8Array[] {
      const written = Buffer.alloc(bytes.length + ends.length + (ends.length > 0 ? 1 : 0));
      let at = 0;
      let start = 0;
      for (const end of ends) {
        written[at] = recordSeparator;
        written.set(bytes.subarray(start, end), at + 1);
        at += end - start + 2;
        written[at - 1] = lineFeed;
        start = end + 1;
      }
      return [written];
    },
    writeEnd: () => Buffer.alloc(0),
  };
}
