// Compiles once, so that no test waits for the compiler and no two processes of the suite compile at the same time.
// Plain JavaScript: jest loads this file as it is.
export { compileWhenStale as default } from '../scripts/compile.mjs';
