// TypeScript to JavaScript, as @swc/jest does it, for modules that jest runs in a vm context: there, Node 20 looks every
// global up by a call into C++, and `Math.imul` takes ten times as long as in the service. The built-in objects that a
// module names become constants of the module.
import swc from '@swc/jest';

const builtIns = [
  'Array',
  'ArrayBuffer',
  'BigInt',
  'Buffer',
  'Float64Array',
  'Infinity',
  'JSON',
  'Map',
  'Math',
  'NaN',
  'Number',
  'Object',
  'Set',
  'String',
  'Uint8Array',
];

// No module of ours declares such a name itself: Biome's noShadowRestrictedNames sees to that.
function bindBuiltIns({ code, map }) {
  const named = builtIns.filter((name) => new RegExp(`(?<![.\\w$])${name}\\b`).test(code));
  // On the first line, so that every other line keeps its number.
  return { code: `${named.map((name) => `const ${name} = globalThis.${name};`).join('')}${code}`, map };
}

export default {
  createTransformer(options) {
    const inner = swc.createTransformer(options);
    return {
      ...inner,
      process: (...args) => bindBuiltIns(inner.process(...args)),
      processAsync: async (...args) => bindBuiltIns(await inner.processAsync(...args)),
      getCacheKey: (...args) => `${inner.getCacheKey(...args)}-${builtIns.join()}`,
    };
  },
};
