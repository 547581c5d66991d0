// assembly/features.ts to src/gml/simd-binary.ts, by AssemblyScript. With --check it only says, by its exit code, whether
// the one was built from the other.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const root = join(import.meta.dirname, '..');
const target = join(root, 'src/gml/simd-binary.ts');

const OPTIONS = [
  ...['-O3', '--converge', '--enable', 'simd', '--runtime', 'stub', '--noAssert'],
  // 4 MB, of which what is never touched costs nothing; its own data lie behind the tables of fixed place.
  ...['--initialMemory', '64', '--memoryBase', '65000'],
];

/** Decorators of functions, which TypeScript has not and AssemblyScript has, stand in comments. */
const toAssemblyScript = (source) => source.replaceAll(/^\/\/ (?=@inline$)/gm, '');

async function compile() {
  let binary;
  const { error, stderr } = await asc.main(
    ['assembly/features.ts', '--outFile', 'features.wasm', ...OPTIONS],
    {
      readFile: (name, base) => {
        try {
          return toAssemblyScript(readFileSync(join(base === '.' ? root : base, name), 'utf8'));
        } catch {
          return null;
        }
      },
      writeFile: (_, contents) => {
        binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return binary;
}

const lines = Buffer.from(await compile())
  .toString('base64')
  .match(/.{1,100}/g)
  .map((line) => `  '${line}'`);
const text = `// Built by scripts/build-simd.mjs from assembly/features.ts; not to be edited.
export const SIMD_BINARY =
${lines.join(' +\n')};
`;
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  console.error('src/gml/simd-binary.ts is not what assembly/features.ts builds to: npm run build:simd');
  process.exitCode = 1;
}
