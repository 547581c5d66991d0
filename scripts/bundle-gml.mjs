// The compiled converter as one module, with the parser its schema reader uses, in place of the thirty it is written in: of a
// process that has one document to read, to load those took a third of the time, to load this one takes a quarter of that.
// The error texts stay a module of their own, which all share.
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const folder = 'dist/gml';
await build({
  entryPoints: [`${folder}/index.js`],
  outfile: `${folder}/index.js`,
  allowOverwrite: true,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  external: ['../errors.js'],
});
for (const name of readdirSync(folder)) {
  if (/[.]js([.]map)?$/.test(name) && !name.startsWith('index.')) rmSync(`${folder}/${name}`);
}
