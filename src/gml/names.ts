import { fromUtf8, Lane, putEscaped, putText } from './bytes.js';
import { toKind } from './geometry-names.js';
import type { CrsReading } from './model.js';

/** What an attribute is for; 0 for those nobody asks about. Bits, so that a tag can say at once which it has. */
export const Role = {
  none: 0,
  gmlId: 1 << 0,
  fid: 1 << 1,
  nil: 1 << 2,
  href: 1 << 3,
  srsName: 1 << 4,
  srsDimension: 1 << 5,
  decimal: 1 << 6,
  cs: 1 << 7,
  ts: 1 << 8,
  orientation: 1 << 9,
  numberOfFeatures: 1 << 10,
  numberMatched: 1 << 11,
  code: 1 << 12,
  locator: 1 << 13,
  uom: 1 << 14,
} as const;

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const XLINK = 'http://www.w3.org/1999/xlink';

/** GML's own attributes and those of WFS and OWS stand without a prefix, or (GML 2 writers) with GML's. */
const PLAIN_ROLES: ReadonlyMap<string, number> = new Map([
  ['fid', Role.fid],
  ['srsName', Role.srsName],
  ['srsDimension', Role.srsDimension],
  // GML 3.0's name of it.
  ['dimension', Role.srsDimension],
  ['decimal', Role.decimal],
  ['cs', Role.cs],
  ['ts', Role.ts],
  ['orientation', Role.orientation],
  ['numberOfFeatures', Role.numberOfFeatures],
  ['numberMatched', Role.numberMatched],
  ['exceptionCode', Role.code],
  ['code', Role.code],
  ['locator', Role.locator],
  ['uom', Role.uom],
]);

/** GML's namespaces: 2.1.2 and 3.1.1 share one, 3.2 and its extensions have others. */
export function isGmlNamespace(namespace: string): boolean {
  return namespace.startsWith('http://www.opengis.net/gml');
}

function roleOf(namespace: string, local: string): number {
  if (local === 'id' && isGmlNamespace(namespace)) return Role.gmlId;
  if (local === 'nil' && namespace === XSI) return Role.nil;
  if (local === 'href' && namespace === XLINK) return Role.href;
  return namespace === '' || isGmlNamespace(namespace) ? (PLAIN_ROLES.get(local) ?? Role.none) : Role.none;
}

const START =
  ':A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C-\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
/** XML 1.0 §2.3 (fifth edition). */
const XML_NAME = new RegExp(`^[${START}][${START}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F-\\u2040]*$`, 'u');

/** Whether the text is a Name, and a QName: at most one colon, a Name on either side (Namespaces in XML 1.0 §4). */
export function isQualifiedName(text: string): boolean {
  const colon = text.indexOf(':');
  if (colon < 0) return XML_NAME.test(text);
  const [prefix, local] = [text.slice(0, colon), text.slice(colon + 1)];
  return XML_NAME.test(prefix) && XML_NAME.test(local) && !local.includes(':');
}

/** What stands behind the name in a tag without attributes; one for all, since each name of a document has such a tag. */
const NO_ATTRIBUTES = new Lane(0);

/** A name as it is written, in the scope of one set of namespace declarations; what was learnt about it stays with it. */
export class Name<Meaning = unknown> {
  readonly qualified: string;
  readonly prefix: string;
  readonly local: string;
  /** Undefined where the prefix is bound to nothing. Of an element; see `attributeNamespace`. */
  readonly namespace: string | undefined;
  readonly isGml: boolean;
  readonly role: number;
  /** What it is inside a geometry. */
  readonly kind: number;
  readonly isQualified: boolean;
  /** What the reader of elements made of it. */
  meaning: Meaning | undefined;
  /** The names that followed its last start and end tag: the next document part is mostly like the one before. */
  afterOpen: Name<Meaning> | undefined;
  afterClose: Name<Meaning> | undefined;
  /** Next with the same hash. */
  chain: Name<Meaning> | undefined;
  /** Its start tag without attributes, and the last one that had some. */
  readonly plain: Tag<Meaning>;
  tag: Tag<Meaning> | undefined;

  constructor(
    readonly bytes: Uint8Array,
    readonly scope: Scope<Meaning>,
  ) {
    this.qualified = fromUtf8(bytes);
    const colon = this.qualified.indexOf(':');
    this.prefix = colon < 0 ? '' : this.qualified.slice(0, colon);
    this.local = this.qualified.slice(colon + 1);
    this.namespace = scope.namespaceOf(this.prefix);
    this.isGml = this.namespace !== undefined && isGmlNamespace(this.namespace);
    this.role = this.namespace === undefined ? Role.none : roleOf(this.attributeNamespace, this.local);
    this.kind = toKind(this.local);
    this.isQualified = isQualifiedName(this.qualified);
    this.plain = new Tag(this, scope, NO_ATTRIBUTES);
  }

  /** The default namespace does not hold for attributes (Namespaces in XML 1.0 §6.2). */
  get attributeNamespace(): string {
    return this.prefix === '' ? '' : (this.namespace ?? '');
  }
}

/** Names kept in all scopes together; beyond it all are forgotten and learnt anew. A table has 1,600 columns at most (PostgreSQL). */
const NAMES_MAX = 2048;
const SCOPES_MAX = 256;

/** One set of namespace declarations in force, with the names met under it. */
export class Scope<Meaning = unknown> {
  /** Tells scopes of one document apart. */
  readonly number: number;
  private names = new Map<number, Name<Meaning>>();
  private children = new Map<string, Scope<Meaning>>();

  private constructor(
    private readonly bindings: ReadonlyMap<string, string>,
    private readonly parent: Scope<Meaning> | undefined,
    private readonly budget: { names: number; scopes: number },
  ) {
    this.number = budget.scopes++;
  }

  static create<Meaning>(): Scope<Meaning> {
    const bindings = new Map([
      ['', ''],
      ['xml', XML_NAMESPACE],
      ['xmlns', XMLNS_NAMESPACE],
    ]);
    return new Scope<Meaning>(bindings, undefined, { names: 0, scopes: 0 });
  }

  namespaceOf(prefix: string): string | undefined {
    return this.bindings.get(prefix);
  }

  /** The scope of an element with these declarations; itself where they change nothing. */
  with(declarations: readonly (readonly [prefix: string, namespace: string])[]): Scope<Meaning> {
    if (declarations.every(([prefix, namespace]) => this.bindings.get(prefix) === namespace)) return this;
    const key = JSON.stringify(declarations);
    const known = this.children.get(key);
    if (known !== undefined) return known;
    if (this.children.size >= SCOPES_MAX) this.children.clear();
    const child = new Scope<Meaning>(new Map([...this.bindings, ...declarations]), this, this.budget);
    this.children.set(key, child);
    return child;
  }

  /** The name in `bytes[from..to)`. */
  find(bytes: Uint8Array, from: number, to: number): Name<Meaning> {
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    const first = this.names.get(hash);
    for (let name = first; name !== undefined; name = name.chain) {
      if (isSame(name.bytes, bytes, from, to)) return name;
    }
    return this.learn(hash, bytes.slice(from, to));
  }

  private learn(hash: number, bytes: Uint8Array): Name<Meaning> {
    if (++this.budget.names > NAMES_MAX) {
      this.budget.names = 1;
      for (let scope: Scope<Meaning> | undefined = this; scope !== undefined; scope = scope.parent) {
        scope.names.clear();
        scope.children.clear();
      }
    }
    const name = new Name<Meaning>(bytes, this);
    name.chain = this.names.get(hash);
    this.names.set(hash, name);
    return name;
  }
}

function isSame(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

/** A start tag: its name in the scope of its own declarations, and its attributes. */
export class Tag<Meaning = unknown> {
  isEmpty = false;
  /** The roles of all its attributes. */
  roles = 0;
  /** What srsName and srsDimension came to, once somebody has asked; as long as the tag stays the same. */
  reading: CrsReading | undefined;
  dimension: number | undefined;
  count = 0;
  readonly names: Name<Meaning>[] = [];
  readonly from: number[] = [];
  readonly to: number[] = [];
  /** The value holds references or white space to be normalised. */
  readonly isCoded: boolean[] = [];

  constructor(
    /** Resolved in `scope`. */
    public name: Name<Meaning>,
    public scope: Scope<Meaning>,
    /** The bytes behind the name up to `>`: what the values are cut from, and what the next tag is compared with. */
    readonly raw = new Lane(0),
  ) {}

  clear(): void {
    this.count = 0;
    this.roles = 0;
    this.reading = undefined;
    this.dimension = undefined;
  }

  add(name: Name<Meaning>, from: number, to: number, isCoded: boolean): void {
    const at = this.count++;
    this.names[at] = name;
    this.from[at] = from;
    this.to[at] = to;
    this.isCoded[at] = isCoded;
    this.roles |= name.role;
  }

  /** The value of the attribute with this role, decoded and normalised (XML 1.0 §3.3.3). */
  value(role: number): string | undefined {
    if ((this.roles & role) === 0) return undefined;
    const at = this.indexOf(role);
    const text = fromUtf8(this.raw.bytes, this.from[at], this.to[at]);
    return this.isCoded[at] === true ? toAttributeValue(text) : text;
  }

  /** Appends the value as inside a JSON string. */
  putValue(lane: Lane, role: number): void {
    const at = this.indexOf(role);
    if (this.isCoded[at] === true) {
      putText(lane, JSON.stringify(this.value(role)).slice(1, -1));
      return;
    }
    const to = this.to[at] as number;
    for (let i = this.from[at] as number; i < to; i++) putEscaped(lane, this.raw.bytes[i] as number);
  }

  /** Appends the value as it is written. */
  putRaw(lane: Lane, role: number): void {
    const at = this.indexOf(role);
    lane.put(this.raw.bytes, this.from[at], this.to[at]);
  }

  private indexOf(role: number): number {
    for (let at = 0; at < this.count; at++) if (this.names[at]?.role === role) return at;
    return -1;
  }
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** What a reference (`amp`, `#233`, `#xE9`: without `&` and `;`) stands for; undefined where it is none. */
export function toReferenced(reference: string): string | undefined {
  if (!reference.startsWith('#')) return ENTITIES.get(reference);
  const digits = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(reference);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return isCharacter(code) ? String.fromCodePoint(code) : undefined;
}

/** XML 1.0 §2.2. */
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code < 0x110000);
}

export function toAttributeValue(raw: string): string {
  return raw
    .replace(/\r\n?|[\t\n]/g, ' ')
    .replace(/&([^;]*);/g, (_, reference: string) => toReferenced(reference) ?? '');
}
