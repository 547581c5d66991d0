import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { readExamples, runProgram, toComparable, toOutput } from '../support/readme.js';

// What the README and the demo say to paste, pasted: with bash and curl themselves.

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess({}, ['--demo']);
});
afterAll(() => service.stop('SIGKILL'));

const bash = (code: string) => runProgram('bash', '-c', code);

test.each(readExamples().filter(({ language }) => language === 'sh'))(
  'the README: $title',
  async ({ code, output }) => {
    expect(toComparable(await toOutput(service.url, bash, code))).toBe(toComparable(output?.text ?? ''));
  },
);

test('the three things that the demo says to try', async () => {
  const commands = service.log().match(/^curl (?:.*\\\n)*.*$/gm) ?? [];
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    const { features, numberMatched } = JSON.parse(await bash(command));
    expect(features.length).toBeGreaterThan(0);
    expect(features).toHaveLength(numberMatched);
  }
});
