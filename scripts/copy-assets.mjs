// Puts what is not TypeScript beside the compiled JavaScript.
import { cpSync, existsSync } from 'node:fs';

for (const folder of ['demo/data', 'gml/wasm']) {
  if (existsSync(`src/${folder}`)) cpSync(`src/${folder}`, `dist/${folder}`, { recursive: true });
}
