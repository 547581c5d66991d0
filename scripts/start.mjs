// Starts dist/main.js with the arguments given, compiling first when a source file is newer than the last build.
// `npm start` runs it with --max-semi-space-size=2 (MB) and --no-allocation-site-pretenuring: what streams lives in short-lived
// buffers. Node's default of 16 MB keeps 30 MB more of them in use, and V8 would soon make new ones in the old space, where
// they wait for a full collection: up to 64 MB more.
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
