import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

// `.ci/run` as it is, with an npm and an apt-get of our own: what each step does is the data.

/** A step by the words it is called with (`ci`, `run check`, `run test:servers`): its exit code, and jest's report of it. */
type Steps = Readonly<
  Record<string, { readonly exit?: number; readonly report?: unknown; readonly kill?: true }>
>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ci-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(steps: Steps): { code: number | null; lines: string[] } {
  cpSync(join(import.meta.dirname, '../../.ci'), join(folder, '.ci'), { recursive: true });
  const npm = Object.entries(steps).map(([words, { exit = 0, report, kill }]) => {
    writeFileSync(join(folder, `${words}.json`), JSON.stringify(report) ?? '');
    const write =
      report === undefined
        ? ''
        : `for last; do :; done; cp "${folder}/${words}.json" "\${last#--outputFile=}";`;
    return `'${words}') ${kill ? 'kill -TERM $(ps -o ppid= $PPID);' : ''} ${write} exit ${exit} ;;`;
  });
  const commands = {
    npm: `case "$*" in ci) set -- ci;; esac\ncase "$1\${2:+ $2}" in ${npm.join('\n')} esac; exit 99`,
    'apt-get': 'exit 0',
  };
  mkdirSync(join(folder, 'bin'));
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const PATH = [join(folder, 'bin'), dirname(process.execPath), process.env.PATH].join(':');
  const { status, stdout } = spawnSync('bash', [join(folder, '.ci/run')], {
    env: { PATH },
    encoding: 'utf8',
  });
  return { code: status, lines: stdout.trimEnd().split('\n') };
}

const report = (passed: number, failed = 0, more: readonly object[] = []) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  testResults: [
    {
      name: 'a.test.ts',
      status: failed > 0 ? 'failed' : 'passed',
      assertionResults: [
        ...Array(passed).fill({ status: 'passed', fullName: 'holds' }),
        ...Array(failed).fill({ status: 'failed', fullName: 'does not hold' }),
      ],
    },
    ...more,
  ],
});
const good: Steps = {
  ci: {},
  'run check': {},
  'run test': { report: report(40) },
  'run test:gml': { report: report(1) },
  'run test:demo': { report: report(1) },
  'run test:processes': { report: report(1) },
  'run test:faults': { report: report(1) },
  'run test:servers': { report: report(2) },
  'run test:scale': { report: report(3) },
  'run test:browser': { report: report(1) },
};

test('passed tests are added up over all suites', () => {
  const { code, lines } = run(good);
  expect([code, lines.at(-1)]).toEqual([0, '50 passed, 0 failed']);
});

test.each<[string, Steps, string]>([
  ['a test that fails', { 'run test': { exit: 1, report: report(38, 2) } }, '48 passed, 2 failed'],
  ['a check that fails', { 'run check': { exit: 1 } }, '50 passed, 1 failed'],
  ['an installation that fails', { ci: { exit: 1 } }, '50 passed, 1 failed'],
  ['a suite without a report', { 'run test:servers': { exit: 1 } }, '48 passed, 1 failed'],
  ['a suite that says it is fine without a report', { 'run test:servers': {} }, '48 passed, 1 failed'],
  ['a suite without tests', { 'run test:browser': { report: report(0) } }, '49 passed, 1 failed'],
  [
    'a set-up that fails after the tests',
    { 'run test': { exit: 1, report: report(40) } },
    '50 passed, 1 failed',
  ],
  [
    'a file that does not load',
    {
      'run test': {
        exit: 1,
        report: report(40, 0, [{ name: 'b.test.ts', status: 'failed', assertionResults: [] }]),
      },
    },
    '50 passed, 1 failed',
  ],
  [
    'a test that is skipped',
    {
      'run test': {
        report: report(39, 0, [
          {
            name: 'b.test.ts',
            status: 'passed',
            assertionResults: [{ status: 'pending', fullName: 'later' }],
          },
        ]),
      },
    },
    '49 passed, 1 failed',
  ],
  [
    'a run ended early: what did not run',
    { 'run test': { kill: true, report: report(40) } },
    '0 passed, 9 failed',
  ],
])('%s is a failure', (_, steps, summary) => {
  const { code, lines } = run({ ...good, ...steps });
  expect([code, lines.at(-1)]).toEqual([1, summary]);
});
