import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { toMarkdown } from '../../bench/report/markdown.js';
import { replaceQuotation, toQuotation, toResults } from '../../bench/report/results.js';
import type { Section } from '../../bench/report/section.js';

const readme = readFileSync('README.md', 'utf8');
const results = readFileSync('bench/results.md', 'utf8');

/** Every row of every table: its first cell, and the others. */
function toRows(markdown: string): Map<string, string[]> {
  const rows = markdown
    .split('\n')
    .filter((line) => /^\|.*\|$/.test(line) && !/^\|[-:| ]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return new Map(rows.map(([name = '', ...cells]) => [name, cells]));
}

/** The tables by their captions. */
function toTables(markdown: string): Map<string, string> {
  const tables = markdown.matchAll(/^\*\*(.+)\*\*\n\n((?:\|.*\|\n)+)/gm);
  return new Map([...tables].map(([, caption = '', rows = '']) => [caption, rows]));
}

describe('README.md quotes bench/results.md', () => {
  const speed = /\n## Speed\n(.*?)\n## /s.exec(readme)?.[1] ?? '';

  test('its figures are those of the results, table by table', () => {
    const quoted = toTables(speed);
    const measured = toTables(results);
    expect(quoted.size).toBeGreaterThanOrEqual(3);
    for (const [caption, rows] of quoted) {
      expect(measured.get(caption)).toBeDefined();
      expect(toRows(rows)).toEqual(toRows(measured.get(caption) ?? ''));
    }
  });

  test('on the machine, the day and the commit the results are of', () => {
    const machine = results.split('\n').filter((line) => line.startsWith('- '));
    expect(machine.length).toBeGreaterThanOrEqual(4);
    for (const line of machine) expect(speed).toContain(line);
  });

  test('no figure of speed stands outside the quoted tables', () => {
    const prose = speed.replace(/<!-- figures: begin.*figures: end -->/s, '');
    expect(prose).not.toMatch(/\d/);
  });
});

test('the results say of every demand whether it is met', () => {
  const demands = /\n## Demands\n(.*?)\n## /s.exec(results)?.[1] ?? '';
  const rows = toRows(demands);
  rows.delete('demand');
  const verdicts = [...rows.values()].map((cells) => cells.at(-1));
  expect(verdicts.length).toBeGreaterThan(10);
  const met = verdicts.filter((verdict) => verdict === 'yes').length;
  const missed = verdicts.filter((verdict) => verdict === '**no**').length;
  expect(met + missed).toBe(verdicts.length);
  expect(demands).toContain(`${met} of ${verdicts.length} met.`);
});

const section: Section = {
  title: 'Part',
  notes: ['How.'],
  tables: [
    {
      caption: 'Table',
      columns: ['reader', 'MB/s'],
      rows: [
        ['ours', '100'],
        ['théirs', '7'],
      ],
    },
  ],
  demands: [{ what: 'fast', target: '≥ 2 ×', measured: '1.5 ×', isMet: false }],
  quoted: [{ caption: 'Table', columns: ['reader', 'MB/s'], rows: [['ours', '100']] }],
};

test('tables line up as text too', () => {
  expect(toMarkdown(section.tables[0]!)).toBe(
    [
      '**Table**',
      '',
      '| reader | MB/s |',
      '|--------|-----:|',
      '| ours   |  100 |',
      '| théirs |    7 |',
    ].join('\n'),
  );
});

test('a demand that is not met is in the results, and counted', () => {
  const text = toResults(['- machine'], [section]);
  expect(text).toContain('0 of 1 met.');
  expect(toRows(text).get('fast')).toEqual(['≥ 2 ×', '1.5 ×', '**no**']);
});

test('new figures take the place of the old ones, and of nothing else', () => {
  const before = `# A\n\n${toQuotation(['- old'], [])}\n\n## B\n`;
  const after = replaceQuotation(before, toQuotation(['- new'], [section]));
  expect(after).toContain('- new');
  expect(after).not.toContain('- old');
  expect(after.startsWith('# A\n\n<!--')).toBe(true);
  expect(after.endsWith('-->\n\n## B\n')).toBe(true);
  expect(() => replaceQuotation('# A\n', '')).toThrow('no place for the figures');
});
