import type { SchemaAttribute } from '../../../src/gml/index.js';

/** A number of XML Schema in JSON's spelling; null for NaN and the infinities, undefined for what is no number. */
export function toNumber(text: string): string | null | undefined {
  if (/^[+-]?(?:nan|inf|infinity|1\.#\w+)$/i.test(text)) return null;
  const parts = /^([+-]?)(\d*)(\.\d*)?([eE][+-]?\d+)?$/.exec(text);
  if (parts === null || !/^[+-]?\.?\d/.test(text)) return undefined;
  if (!Number.isNaN(Number(text)) && isJson(text)) return text;
  const [, sign, whole = '', fraction = '', exponent = ''] = parts;
  const digits = whole.replace(/^0+/, '');
  return [
    sign === '-' ? '-' : '',
    digits === '' ? '0' : digits,
    fraction === '.' ? '' : fraction,
    exponent.replace(/^E\+?|^e\+?/, (mark) => (mark.length > 1 ? 'e+' : 'e')),
  ].join('');
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'number' && !/\s/.test(text);
  } catch {
    return false;
  }
}

/** What stands in a property's JSON for this text. */
export function toJsonValue(text: string, type: SchemaAttribute['type']): string {
  if (type === 'string' || type === 'object') return text === '' ? 'null' : JSON.stringify(text);
  const value = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  if (value === '') return 'null';
  if (type === 'integer' || type === 'number') {
    if (value === 'true' || value === 'false') return value;
    const number = toNumber(value);
    return number === undefined ? JSON.stringify(value) : String(number);
  }
  if (type === 'boolean') {
    if (['true', '1'].includes(value)) return 'true';
    if (['false', '0'].includes(value)) return 'false';
    return isJson(value) ? value : JSON.stringify(value);
  }
  return JSON.stringify(type === 'time' ? value : toDate(value, type === 'date'));
}

function toDate(text: string, isDay: boolean): string {
  const parts = /^(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d:\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (parts === null) return text;
  const [, day = '', mark, time, fraction = '', zone = ''] = parts;
  if (time === undefined) return isDay ? day : text;
  if (isDay && time === '00:00:00' && fraction === '') return day;
  return mark === ' ' && text.length <= 35 ? `${day}T${time}${fraction}${zone}` : text;
}
