// Starts dist/main.js with the arguments given, compiling first when a source file is newer than the last build.
// `npm start` runs it with three flags, for what streams lives in short-lived buffers:
// --max-semi-space-size=8 (MB): Node's default of 16 keeps 20 MB more in use; 2 makes a small search dearer by a quarter.
// --no-allocation-site-pretenuring: V8 would soon make new buffers in the old space, where they wait for a full collection: up
// to 64 MB more.
// --expose-gc: what is left behind of long answers is collected as they pass (src/wfs/garbage.ts): 10 MB less.
import { join } from 'node:path';
import { compileWhenStale } from './compile.mjs';

process.chdir(join(import.meta.dirname, '..'));
try {
  compileWhenStale();
} catch (error) {
  console.error(error.message); // the compiler has said why
  process.exit(1);
}
await import('../dist/main.js');
