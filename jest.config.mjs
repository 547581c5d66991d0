// `unit`, `gml` (the converter, a library of its own), `demo` (the embedded server), `processes` (the service and the commands
// as they are started) and `faults` need only Node; the other suites need what .ci/run installs.
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '<rootDir>/tests/transform.mjs',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
};
const suite = (displayName, testMatch, extra = {}) => ({ ...common, displayName, testMatch, ...extra });

export default {
  maxWorkers: '100%', // jest's own choice leaves one core idle, half of a small machine
  projects: [
    suite('unit', ['<rootDir>/tests/**/*.test.ts'], {
      testPathIgnorePatterns: [
        '/node_modules/',
        '/tests/(gml|demo|service|cli|servers|browser|scale|faults)/',
        '/tests/(readme|client/client|.*/processes)[.]test[.]ts$',
      ],
      globalSetup: '<rootDir>/tests/global-setup.mjs',
      setupFilesAfterEnv: ['<rootDir>/tests/setup.ts'],
    }),
    ...['gml', 'demo'].map((name) =>
      suite(name, [`<rootDir>/tests/${name}/**/*.test.ts`], {
        globalSetup: '<rootDir>/tests/global-setup.mjs',
        setupFilesAfterEnv: ['<rootDir>/tests/setup.ts'],
      }),
    ),
    suite(
      'processes',
      [
        '<rootDir>/tests/{service,cli}/**/*.test.ts',
        '<rootDir>/tests/**/processes.test.ts',
        '<rootDir>/tests/{readme,client/client}.test.ts',
      ],
      { globalSetup: '<rootDir>/tests/global-setup.mjs', setupFilesAfterEnv: ['<rootDir>/tests/setup.ts'] },
    ),
    suite('faults', ['<rootDir>/tests/faults/**/*.test.ts'], {
      globalSetup: '<rootDir>/tests/global-setup.mjs',
    }),
    suite('servers', ['<rootDir>/tests/servers/**/*.test.ts'], {
      globalSetup: '<rootDir>/tests/servers/global-setup.mjs',
      globalTeardown: '<rootDir>/tests/servers/global-teardown.mjs',
    }),
    suite('scale', ['<rootDir>/tests/scale/**/*.test.ts'], {
      globalSetup: '<rootDir>/tests/global-setup.mjs',
    }),
    suite('browser', ['<rootDir>/tests/browser/**/*.test.ts']),
  ],
};
