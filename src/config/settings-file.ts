import { basename } from 'node:path';
import { isAlias, isMap, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import { ConfigError } from '../config.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** From the root of the file: names in mappings, numbers in lists. */
export type Path = readonly (string | number)[];

export interface FileFault {
  readonly path: Path;
  readonly message: string;
}

type Document = ReturnType<typeof parseDocument>;
interface Position {
  readonly line: number;
  readonly col: number;
}

/** Where in the text a path leads to, or breaks off; lines and columns from 1. */
function toPosition(document: Document, path: Path, lines: LineCounter): Position {
  let node = document.contents as Node | ParsedNode | null;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String((key as { value?: unknown }).value) === step);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = (node.items[Number(step)] as Node | undefined) ?? null;
      offset = node?.range?.[0] ?? offset;
    }
  }
  return lines.linePos(offset);
}

/** `modules[1].limits.limitMax` */
function toPathText(path: Path): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return steps.join('').replace(/^\./, '');
}

interface Resolving {
  readonly env: Environment;
  readonly faults: Map<string, FileFault>;
  readonly referred: Set<string>;
}

/** `${NAME}` becomes what the environment holds under that name. */
function toResolvedText(text: string, path: Path, { env, faults, referred }: Resolving): string {
  const add = (message: string) => faults.set(toPathText(path), { path, message });
  return text.replace(/\$\{([^}]*)\}?/g, (reference, variable: string) => {
    if (!/^[A-Za-z_]\w*$/.test(variable) || !reference.endsWith('}')) {
      add('holds "$" and "{" without the name of a variable and "}"');
      return reference;
    }
    referred.add(variable);
    const value = env[variable]?.trim();
    if (value) return value;
    add(`refers to ${variable}, which is not set`);
    return reference;
  });
}

/** References resolved, and what is blank left out, as a blank variable is an absent one. */
function toResolved(value: unknown, path: Path, resolving: Resolving): unknown {
  if (typeof value === 'string') return toResolvedText(value, path, resolving);
  if (Array.isArray(value)) return value.map((item, i) => toResolved(item, [...path, i], resolving));
  if (typeof value !== 'object' || value === null) return value;
  const isBlank = (item: unknown) => item === null || (typeof item === 'string' && item.trim() === '');
  const entries = Object.entries(value).filter(([, item]) => !isBlank(item));
  return Object.fromEntries(entries.map(([key, item]) => [key, toResolved(item, [...path, key], resolving)]));
}

/** Every scalar is a text, but null: a key of 0123 or 1e5 is no number. */
const textsOnly: Parameters<typeof parseDocument>[1] = { schema: 'failsafe', customTags: ['null'] };

function readDocument(text: string, lines: LineCounter, toPlace: (at: Position) => string) {
  const document = parseDocument(text, { ...textsOnly, lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    // By their codes: the messages may quote the text.
    const toFault = ({ code, pos }: { code: string; pos: readonly [number, number] }) => ({
      variable: toPlace(lines.linePos(pos[0])),
      message: `is not YAML (${code})`,
    });
    throw new ConfigError(document.errors.map(toFault));
  }
  try {
    return { document, plain: document.toJS() as unknown };
  } catch {
    const message = 'holds an alias that leads nowhere, or too many of them';
    throw new ConfigError([{ variable: toPlace({ line: 1, col: 1 }), message }]);
  }
}

/**
 * Reads a file of settings, YAML 1.2 or JSON, whose texts may refer to variables of the environment as `${NAME}`.
 * @param check the value with the references resolved: what it is, or what is wrong with it
 * @throws ConfigError with every fault at once, each with line, column and path, and no value: any may hold a secret
 */
export function readSettingsFile<T>(
  file: { readonly path: string; readonly text: string },
  env: Environment,
  check: (value: unknown) => { readonly value?: T; readonly faults: readonly FileFault[] },
): { readonly value: T; readonly referred: ReadonlySet<string> } {
  const lines = new LineCounter();
  const toPlace = ({ line, col }: Position) => `${basename(file.path)}:${line}:${col}`;
  const { document, plain } = readDocument(file.text, lines, toPlace);
  const resolving: Resolving = { env, faults: new Map(), referred: new Set() };
  const { value, faults } = check(toResolved(plain, [], resolving));
  const others = faults.filter(({ path }) => !resolving.faults.has(toPathText(path)));
  const all = [...resolving.faults.values(), ...others].map((fault) => ({
    ...fault,
    at: toPosition(document, fault.path, lines),
  }));
  if (value !== undefined && all.length === 0) return { value, referred: resolving.referred };
  all.sort((a, b) => a.at.line - b.at.line || a.at.col - b.at.col);
  throw new ConfigError(
    all.map(({ at, path, message }) => ({
      variable: `${toPlace(at)} ${toPathText(path)}`.trim(),
      message,
    })),
  );
}
