import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Config } from '../config.js';

/** An OpenAPI 3.1 document, as JSON. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

export type DocumentLimits = Pick<Config, 'limitMax' | 'geomMaxVertices' | 'bodyLimit'>;

const folder = new URL('../../openapi/', import.meta.url);

/** `{limitMax}` in a text, and a number written as such a text alone, become what the configuration says. */
function toFilled(value: unknown, values: Readonly<Record<string, number>>): unknown {
  if (Array.isArray(value)) return value.map((item) => toFilled(item, values));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toFilled(item, values)]));
  }
  if (typeof value !== 'string') return value;
  const alone = /^\{(\w+)\}$/.exec(value)?.[1];
  if (alone !== undefined && Object.hasOwn(values, alone)) return values[alone];
  return value.replace(/\{(\w+)\}/g, (text, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : text,
  );
}

/** Parsing YAML takes longer than all else at start: once a process is enough. */
const parsed = new Map<string, unknown>();

function readDocument(name: string): unknown {
  if (!parsed.has(name)) parsed.set(name, parse(readFileSync(new URL(`${name}.yml`, folder), 'utf8')));
  return parsed.get(name);
}

/** Reads a module's document and fills in the limits of this installation. */
export function loadDocument(name: string, limits: DocumentLimits): OpenApiDocument {
  const { limitMax, geomMaxVertices, bodyLimit } = limits;
  const values = { limitMax, geomMaxVertices, bodyLimit, defaultLimit: Math.min(1000, limitMax) };
  return toFilled(readDocument(name), values) as OpenApiDocument;
}
