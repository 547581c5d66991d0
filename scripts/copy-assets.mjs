// Puts what is not TypeScript beside the compiled JavaScript.
import { cpSync, existsSync } from 'node:fs';

for (const folder of ['demo/data', 'gml/wasm']) {
  if (existsSync(`src/${folder}`)) cpSync(`src/${folder}`, `dist/${folder}`, { recursive: true });
}

// The page at / brings everything along: no request leaves for another host.
for (const name of ['index.html', 'style.css', 'icon.svg']) {
  cpSync(`src/explorer/${name}`, `dist/explorer/${name}`);
}
for (const name of ['leaflet.js', 'leaflet.css', 'images']) {
  cpSync(`node_modules/leaflet/dist/${name}`, `dist/explorer/leaflet/${name}`, { recursive: true });
}
cpSync('node_modules/leaflet/LICENSE', 'dist/explorer/leaflet/LICENSE');
