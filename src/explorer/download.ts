import type { Feature } from '../client/index.js';
import { create } from './dom.js';
import { toWkt } from './geometry.js';

/** Gives the reader a file that was made here. */
function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  create('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const toFileName = (source: string, extension: string) =>
  `${source.replace(/[^\p{L}\p{N}.-]+/gu, '_') || 'features'}.${extension}`;

export function saveGeojson(source: string, features: readonly Feature[]): void {
  const text = features.map((feature) => JSON.stringify(feature)).join(',\n');
  save(
    toFileName(source, 'geojson'),
    'application/geo+json',
    `{"type":"FeatureCollection","features":[\n${text}\n]}\n`,
  );
}

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe; numbers stay what they are. */
function toField(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const overlapColumns = ['area', 'length', 'shareOfFeature', 'shareOfGeom'] as const;

/** Attributes, then what is shared with the geometry, then the geometry as WKT; a byte order mark for spreadsheets. */
export function saveCsv(source: string, features: readonly Feature[], columns: readonly string[]): void {
  const hasOverlap = features.some(({ overlap }) => overlap);
  const measures = hasOverlap ? overlapColumns : [];
  const head = ['id', ...columns, ...measures.map((name) => `overlap_${name}`), 'wkt'];
  const rows = features.map(({ id, properties, overlap, geometry }) => [
    id,
    ...columns.map((name) => properties[name]),
    ...measures.map((name) => overlap?.[name]),
    geometry === null ? '' : toWkt(geometry),
  ]);
  const lines = [head, ...rows].map((row) => row.map(toField).join(','));
  save(toFileName(source, 'csv'), 'text/csv;charset=utf-8', `\ufeff${lines.join('\r\n')}\r\n`);
}
