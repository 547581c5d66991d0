import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { paths } from '../paths.js';
import { toDemandTable, toMarkdown, toSectionText } from './markdown.js';
import type { Section } from './section.js';

const BEGIN = '<!-- figures: begin, written by `npm run bench` -->';
const END = '<!-- figures: end -->';

export function toResults(machine: readonly string[], sections: readonly Section[]): string {
  const demands = sections.flatMap((section) => section.demands);
  const met = demands.filter(({ isMet }) => isMet).length;
  return `${[
    '# Results of `npm run bench`',
    machine.join('\n'),
    '## Demands',
    `${met} of ${demands.length} met.`,
    toMarkdown(toDemandTable(demands)),
    ...sections.map(toSectionText),
  ].join('\n\n')}\n`;
}

/** What README.md says between its marks: tables of the results, word for word. */
export function toQuotation(machine: readonly string[], sections: readonly Section[]): string {
  const quoted = sections.flatMap((section) => section.quoted);
  return [BEGIN, ...quoted.map(toMarkdown), machine.join('\n'), END].join('\n\n');
}

/** @throws Error where the marks are missing */
export function replaceQuotation(readme: string, quotation: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error('README.md has no place for the figures');
  return readme.slice(0, from) + quotation + readme.slice(to + END.length);
}

/** @returns where the results are */
export function writeResults(
  machine: readonly string[],
  sections: readonly Section[],
  isQuoted: boolean,
): string {
  const file = isQuoted ? paths.results : join(paths.cache, 'results.md');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, toResults(machine, sections));
  if (isQuoted) {
    const readme = readFileSync(paths.readme, 'utf8');
    writeFileSync(paths.readme, replaceQuotation(readme, toQuotation(machine, sections)));
  }
  return file;
}
