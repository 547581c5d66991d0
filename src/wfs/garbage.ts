/** Of answers longer than this, what has been read is garbage long before V8 looks for it. */
const LONG_BYTES = 2 * 1024 * 1024;
const COLLECTED_BYTES = 4 * 1024 * 1024;

let passed = 0;

/**
 * Has what is left behind of long answers collected as they pass. Buffers lie outside of V8's heap, and it collects young ones
 * only once its heap is full, or at 32 MB of them: the fewer objects an answer takes, the more of its bytes would wait.
 * Without `--expose-gc` (as `npm start` has it) the process grows by as much, and no further.
 */
export function collectBehind(received: number, length: number): void {
  if (globalThis.gc === undefined || received <= LONG_BYTES) return;
  passed += length;
  if (passed < COLLECTED_BYTES) return;
  passed = 0;
  globalThis.gc({ type: 'minor' });
}
