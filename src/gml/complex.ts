import { fromUtf8, Lane, trimWhite } from './bytes.js';
import { type Name, Role, type Tag } from './names.js';
import { copyText } from './values.js';

/** JSON text that stands as it is: a geometry. */
class Raw {
  constructor(readonly json: string) {}
}
type Value = string | null | Raw | Value[] | Map<string, Value>;

interface Node {
  readonly name: string;
  readonly isNil: boolean;
  readonly href: string | undefined;
  /** Where its own text begins. */
  readonly from: number;
  uom?: string;
  children: Map<string, Value> | undefined;
  raw: Raw | undefined;
}

/**
 * Nested elements to JSON: an element with elements inside is an object, one with text a string, an empty or nil one
 * null; what repeats is an array; text beside elements is `#text`. Of the attributes two are kept: xlink:href, as
 * `@href` of an element that is empty but for it, since it stands in for the content (GML 3.1.1 §7.2.3), and the unit
 * of a measure, beside it as `..._uom`.
 */
export class ComplexReader {
  /** Roughly what is held in memory. */
  size = 0;
  private readonly nodes: Node[] = [];
  private readonly content = new Lane(0);

  get room(): number {
    return this.content.bytes.length;
  }

  /** The element whose content turns out to be elements. */
  begin(name: string): void {
    this.size = 0;
    this.nodes.length = 0;
    this.content.length = 0;
    this.push(name, false, undefined);
  }

  open(name: Name, tag: Tag): void {
    const isNil = (tag.roles & Role.nil) !== 0 && isTrue(tag.value(Role.nil));
    this.push(name.local, isNil, tag.value(Role.href));
    const uom = tag.value(Role.uom);
    if (uom !== undefined) (this.nodes.at(-1) as Node).uom = uom;
  }

  close(): void {
    const node = this.nodes.pop() as Node;
    this.add(node.name, this.toValue(node));
    if (node.uom !== undefined) this.add(`${node.name}_uom`, node.uom);
    this.content.length = node.from;
  }

  /** The name of the innermost open element. */
  get name(): string {
    return this.nodes.at(-1)?.name ?? '';
  }

  text(bytes: Uint8Array, at: number): number {
    const end = copyText(this.content, bytes, at);
    this.size += end - at;
    return end;
  }

  characters(bytes: Uint8Array, from: number, to: number): void {
    this.content.put(bytes, from, to);
    this.size += to - from;
  }

  /** A geometry inside the innermost open element. */
  geometry(json: string): void {
    const node = this.nodes.at(-1) as Node;
    this.size += json.length;
    if (node.raw === undefined && node.children === undefined) node.raw = new Raw(json);
    else this.add('geometry', new Raw(json));
  }

  /** The outermost element is over; `isTime`: it is declared a date or time. */
  end(isTime: boolean): string {
    const value = this.toValue(this.nodes.pop() as Node);
    // MapServer 8.0 writes what it declares xsd:date or xsd:dateTime as gml:timePosition in GML 3.2.
    const position =
      isTime && value instanceof Map && value.size === 1 ? value.get('timePosition') : undefined;
    return toJson(typeof position === 'string' ? position : value);
  }

  private push(name: string, isNil: boolean, href: string | undefined): void {
    this.size += 64 + name.length;
    const from = this.content.length;
    this.nodes.push({ name, isNil, href, from, children: undefined, raw: undefined });
  }

  private add(name: string, value: Value): void {
    const parent = this.nodes.at(-1) as Node;
    parent.children ??= new Map();
    const before = parent.children.get(name);
    if (before === undefined) parent.children.set(name, value);
    else if (Array.isArray(before)) before.push(value);
    else parent.children.set(name, [before, value]);
  }

  private toValue(node: Node): Value {
    if (node.isNil) return null;
    const text = fromUtf8(this.content.bytes, node.from, this.content.length);
    if (node.children !== undefined) {
      if (node.raw !== undefined) putFirst(node.children, 'geometry', node.raw);
      if (trimWhite(text) !== '') node.children.set('#text', text);
      return node.children;
    }
    if (node.raw !== undefined) return node.raw;
    // Nothing but white space is the indentation of an element without content.
    if (trimWhite(text) !== '') return text;
    return node.href === undefined ? null : new Map([['@href', node.href]]);
  }
}

function putFirst(members: Map<string, Value>, name: string, value: Value): void {
  const others = members.get(name);
  if (others === undefined) members.set(name, value);
  else members.set(name, Array.isArray(others) ? [value, ...others] : [value, others]);
}

export function isTrue(value: string | undefined): boolean {
  const text = value === undefined ? '' : trimWhite(value);
  return text === 'true' || text === '1';
}

function toJson(value: Value): string {
  if (value instanceof Raw) return value.json;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members = [...value].map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`);
  return `{${members.join(',')}}`;
}
