import type { Batch, FeatureWriter, Page } from './model.js';

const begin = Buffer.from('{"type":"FeatureCollection",\n"features":[');
const COMMA = 0x2c;
const comma = Buffer.of(COMMA);

/** One piece, where a comma stands before the bytes already (the GML converter's do): no copy makes it one. */
function behindComma(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.byteOffset === 0) return [comma, bytes];
  const longer = new Uint8Array(bytes.buffer, bytes.byteOffset - 1, bytes.length + 1);
  return longer[0] === COMMA ? [longer] : [comma, bytes];
}

/** A GeoJSON FeatureCollection (RFC 7946 §3.3); counts and links follow the features, since they are known last. */
export function createCollectionWriter(): FeatureWriter {
  let before: Uint8Array = begin;
  return {
    writeBatch({ bytes, ends }: Batch): readonly Uint8Array[] {
      if (ends.length === 0) return [];
      const written = before === comma ? behindComma(bytes) : [before, bytes];
      before = comma;
      return written;
    },
    writeEnd(page: Page): Uint8Array {
      const { numberReturned, numberMatched, timeStamp, links, warnings } = page;
      const members = JSON.stringify({
        numberReturned,
        numberMatched,
        totalFeatures: numberMatched, // which API Carto's pagers read
        warnings,
        timeStamp: timeStamp.toISOString(),
        links,
      });
      return Buffer.from(`${before === begin ? begin : ''}],\n${members.slice(1)}\n`);
    },
  };
}
