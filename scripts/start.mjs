// Starts dist/main.js with the arguments given, compiling first when a source file is newer than the last build.
// `npm start` runs it with --max-semi-space-size=4 (MB): what streams lives in buffers, and Node's default of 16 keeps 20 MB
// more of memory in use for nothing.
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
