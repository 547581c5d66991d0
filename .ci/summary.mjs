// node summary.mjs FOLDER STEP...   Adds up what .ci/run left in FOLDER: NAME.status, the exit code of each step, and
// NAME.json, jest's own report of each suite. The last line is `N passed, N failed`; exit code 1 when anything failed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...steps] = process.argv.slice(2);
const isSuite = (name) => name === 'test' || name.startsWith('test:');

/** Passed and failed tests of one step, and what to say of it. */
function toResult(name) {
  const file = join(folder, `${name}.status`);
  if (!existsSync(file)) return { passed: 0, failed: 1, notes: ['did not run'] };
  const status = Number(readFileSync(file, 'utf8'));
  const exit = `exit code ${status}`;
  if (!isSuite(name))
    return status === 0 ? { passed: 0, failed: 0, notes: [] } : { passed: 0, failed: 1, notes: [exit] };

  const report = readReport(join(folder, `${name}.json`));
  if (report === undefined) return { passed: 0, failed: 1, notes: [`no report, ${exit}`] };
  const tests = report.testResults.flatMap((testFile) => testFile.assertionResults);
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const notes = tests
    .filter(({ status }) => status !== 'passed')
    .map(({ status, fullName }) => `${status}: ${fullName}`);
  const broken = report.testResults.filter(
    (one) => one.status === 'failed' && one.assertionResults.length === 0,
  );
  notes.push(...broken.map((one) => `did not run: ${one.name}`));
  const failed = report.numFailedTests + skipped.length + broken.length;
  const passed = report.numPassedTests;
  if (failed > 0) return { passed, failed, notes };
  // Nothing failed, and yet the suite did: in its set-up or tear-down, by a crash, or because it ran no test.
  if (status !== 0 || passed === 0)
    return { passed, failed: 1, notes: [`${passed === 0 ? 'no tests, ' : ''}${exit}`] };
  return { passed, failed, notes };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // none, or cut off: the suite was ended before or while writing it
  }
}

const results = steps.map((name) => ({ name, ...toResult(name) }));
const lines = results.map(({ name, passed, failed, notes }) => {
  const share = isSuite(name) ? ` (${passed} of ${passed + failed})` : '';
  return [`${failed > 0 ? 'FAILED' : 'ok'} ${name}${share}`, ...notes].join('\n    ');
});
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
process.stdout.write(`${lines.join('\n')}\n${sum('passed')} passed, ${sum('failed')} failed\n`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
