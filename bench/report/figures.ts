/** A figure with three significant digits, thousands apart: `12,800`, `807`, `45.2`, `5.81`. `–` where there is none. */
export function toFigure(number: number): string {
  if (!Number.isFinite(number)) return '–';
  if (number === 0) return '0';
  const magnitude = Math.floor(Math.log10(Math.max(Math.abs(number), 1e-3)));
  const digits = Math.max(0, 2 - magnitude);
  return Number(number.toPrecision(3)).toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** `3.2 ×` */
export const toRatio = (number: number): string => (Number.isFinite(number) ? `${toFigure(number)} ×` : '–');

/** Bytes in MB of a million. */
export const toMegabytes = (bytes: number): string => toFigure(bytes / 1e6);

/** Text that may hold anything, for a cell of a table. */
export const toCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
