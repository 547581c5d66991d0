// Makes src/client/schemas.ts from the schemas of the OpenAPI document:  node scripts/make-client-types.mjs
// A script of our own: openapi-typescript needs the compiler API of TypeScript 5, which TypeScript 7 has not.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
export const typesFile = join(root, 'src/client/schemas.ts');

const plain = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };
const isName = /^[A-Za-z_$][\w$]*$/;
const unite = (types) => [...new Set(types)].join(' | ');
const indent = (text) => text.replace(/^(?=.)/gm, '  ');

function toComment({ description }) {
  if (description === undefined) return '';
  const lines = description.trim().split('\n');
  return lines.length === 1
    ? `/** ${lines[0]} */\n`
    : `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

/** A tuple where the number of items is bounded on both sides, else an array. */
function toArray({ items = {}, minItems, maxItems }) {
  const item = toType(items);
  if (minItems === undefined || maxItems === undefined) {
    return /^[\w']+$/.test(item) ? `${item}[]` : `(${item})[]`;
  }
  const each = Array.from({ length: maxItems }, (_, i) => (i < minItems ? item : `(${item})?`));
  return `[${each.join(', ').replace(/\((\w+)\)\?/g, '$1?')}]`;
}

/** Beside named members no others: an index signature would have to be as wide as all of them together. */
function toObject({ properties, required = [], additionalProperties }) {
  if (properties === undefined) {
    const values = typeof additionalProperties === 'object' ? toType(additionalProperties) : 'unknown';
    return `{ [name: string]: ${values} }`;
  }
  const members = Object.entries(properties).map(([name, schema]) => {
    const key = isName.test(name) ? name : `'${name}'`;
    return `${toComment(schema)}${key}${required.includes(name) ? '' : '?'}: ${toType(schema)};\n`;
  });
  return `{\n${indent(members.join(''))}}`;
}

function toType(schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1);
  if ('const' in schema) return toLiteral(schema.const);
  if (schema.enum !== undefined) return unite(schema.enum.map(toLiteral));
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return unite(choices.map(toType));
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return 'unknown';
  return unite(types.map((type) => toTypeOf(type, schema)));
}

const toLiteral = (value) => (typeof value === 'string' ? `'${value}'` : String(value));

function toTypeOf(type, schema) {
  if (type === 'array') return toArray(schema);
  return type === 'object' ? toObject(schema) : plain[type];
}

/** The text of the TypeScript file. */
export function toTypes(document) {
  const types = Object.entries(document.components.schemas).map(
    ([name, schema]) => `${toComment(schema)}export type ${name} = ${toType(schema)};\n`,
  );
  const head = `// Made from openapi/wfs-geoportail.yml by scripts/make-client-types.mjs: change these, not this.\n`;
  return [head, ...types].join('\n');
}

export const loadTypes = () => toTypes(parse(readFileSync(join(root, 'openapi/wfs-geoportail.yml'), 'utf8')));

if (process.argv[1] === import.meta.filename) writeFileSync(typesFile, loadTypes());
