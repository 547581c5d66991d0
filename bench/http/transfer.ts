import { Agent, get } from 'node:http';

/** One answer taken as fast as it comes. */
export interface Transfer {
  readonly seconds: number;
  readonly firstByteSeconds: number;
  readonly bytes: number;
  /** The last bytes, as text. */
  readonly end: string;
}

const END = 600;
const agent = new Agent({ keepAlive: true });

/** @throws Error where the answer is no 200, or is broken off */
export function transfer(url: string): Promise<Transfer> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const request = get(url, { agent }, (response) => {
      let firstByte = 0;
      let bytes = 0;
      let last: Buffer = Buffer.alloc(0);
      response.on('data', (chunk: Buffer) => {
        if (bytes === 0) firstByte = performance.now();
        bytes += chunk.length;
        last = chunk.length < END ? Buffer.concat([last, chunk]).subarray(-END) : chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`${url}: ${response.statusCode} ${last}`));
          return;
        }
        resolve({
          seconds: (performance.now() - from) / 1000,
          firstByteSeconds: (firstByte - from) / 1000,
          bytes,
          end: last.subarray(-END).toString(),
        });
      });
    });
    request.on('error', reject);
  });
}
