import type { Open } from './conversion.js';

/** What no converter can beat: readers that make no features. */

/** Each chunk copied once. */
export async function loadCopy(): Promise<Open> {
  return (sink) => {
    let target = new Uint8Array(0);
    return {
      push(chunk) {
        if (target.length < chunk.length) target = new Uint8Array(chunk.length);
        target.set(chunk);
        sink(target.subarray(0, chunk.length));
      },
      end: () => 0,
    };
  };
}

/** Every `<` found, by Node's own search. */
export async function loadIndexOf(): Promise<Open> {
  return (sink) => {
    let found = 0;
    return {
      push(chunk) {
        const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
        for (let at = bytes.indexOf(0x3c); at >= 0; at = bytes.indexOf(0x3c, at + 1)) found++;
      },
      end() {
        sink(Buffer.from(String(found)));
        return 0;
      },
    };
  };
}
