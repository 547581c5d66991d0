import type { Demand, Section, Table } from './section.js';

/** A pipe table whose columns line up in plain text as well. */
export function toMarkdown({ caption, columns, rows }: Table): string {
  const widths = columns.map((column, i) =>
    Math.max(3, ...[column, ...rows.map((row) => row[i] ?? '')].map(toWidth)),
  );
  const toLine = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => pad(cell, widths[i] as number, i > 0)).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i > 0 ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  const lines = [toLine(columns), rule, ...rows.map(toLine)];
  return [...(caption === undefined ? [] : [`**${caption}**`, '']), ...lines].join('\n');
}

const toWidth = (text: string) => [...text].length;
const pad = (text: string, width: number, isRight: boolean) => {
  const space = ' '.repeat(Math.max(0, width - toWidth(text)));
  return isRight ? space + text : text + space;
};

export function toDemandTable(demands: readonly Demand[]): Table {
  return {
    columns: ['demand', 'target', 'measured', 'met'],
    rows: demands.map(({ what, target, measured, isMet }) => [
      what,
      target,
      measured,
      isMet ? 'yes' : '**no**',
    ]),
  };
}

export function toSectionText({ title, notes, tables }: Section): string {
  return [`## ${title}`, ...notes, ...tables.map(toMarkdown)].join('\n\n');
}
