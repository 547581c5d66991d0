import type { CrsReading, FeatureType, SchemaAttribute } from '../../../src/gml/index.js';
import { Fault, isGeometry, ShapeReader, toJson as toShapeJson } from './shapes.js';
import {
  type Element,
  elementsOf,
  hrefOf,
  idOf,
  isBlank,
  isGml,
  isNil,
  isWfs,
  plain,
  Refused,
  readTree,
  textOf,
  trim,
} from './tree.js';
import { toJsonValue } from './values.js';

export interface OracleOptions {
  featureType?: FeatureType;
  propertyNames?: readonly string[];
  crs: (srsName: string | undefined) => CrsReading;
  srsNameFromEnvelope?: boolean;
}

export interface Answer {
  /** One JSON text a feature. */
  features: string[];
  /** How many geometries were lost, and other warnings. */
  warnings: number;
  declaredCount: number | undefined;
}

/**
 * What a document of GML holds, read the slow way: the whole of it into a tree, the tree into lists, the lists into
 * text. It shares nothing with the product but the question.
 * @throws Refused
 */
export function readSlowly(bytes: Uint8Array, options: OracleOptions): Answer {
  const oracle = new Oracle(options);
  oracle.root(readTree(bytes));
  const { features, warnings, declaredCount } = oracle;
  return { features, warnings, declaredCount };
}

interface Bounds {
  srsName: string | undefined;
  srsDimension: number | undefined;
}
interface Value {
  name: string;
  isGml: boolean;
  json: string;
}

const isReport = ({ local }: Element): boolean => /^(?:Service)?ExceptionReport$/.test(local);
const isCollection = ({ local, uri }: Element): boolean =>
  local.endsWith('FeatureCollection') || (local === 'Tuple' && isWfs(uri));
const isMember = ({ local }: Element): boolean => /[mM]embers?$/.test(local);
const hasId = (element: Element): boolean => idOf(element) !== undefined;

class Oracle {
  readonly features: string[] = [];
  warnings = 0;
  declaredCount: number | undefined;
  private readonly bounds: Bounds[] = [];
  private readonly shapes: ShapeReader;

  constructor(private readonly options: OracleOptions) {
    const oracle = this;
    this.shapes = new ShapeReader({
      crs: options.crs,
      get srsName() {
        return options.srsNameFromEnvelope === true ? oracle.nearest('srsName') : undefined;
      },
      get srsDimension() {
        return oracle.nearest('srsDimension');
      },
    });
  }

  private nearest<Key extends keyof Bounds>(key: Key): Bounds[Key] {
    return this.bounds.findLast((one) => one[key] !== undefined)?.[key] as Bounds[Key];
  }

  root(root: Element): void {
    if (isReport(root)) throw new Refused('a report');
    if (isCollection(root)) {
      const count = plain(root, 'numberMatched') ?? plain(root, 'numberOfFeatures') ?? '';
      if (/^\d+$/.test(trim(count))) this.declaredCount = Number(count);
      this.collection(root);
    } else if (isMember(root)) this.member(root);
    else if (hasId(root) && !isGml(root.uri)) this.feature(root, idOf(root));
    else throw new Refused('no features');
  }

  private collection(element: Element): void {
    this.bounds.push({ srsName: undefined, srsDimension: undefined });
    for (const child of elementsOf(element)) this.inCollection(child);
    this.bounds.pop();
  }

  private inCollection(child: Element): void {
    const { local, uri } = child;
    if (isReport(child)) throw new Refused('a report');
    if (isMember(child)) this.member(child);
    else if (local === 'boundedBy' && (isGml(uri) || isWfs(uri))) this.envelope(child);
    else if (local === 'truncatedResponse') {
      this.warnings++;
      this.member(child);
    } else if (isGml(uri) || isWfs(uri)) return;
    else if (hasId(child)) this.feature(child, idOf(child));
    else this.undecided(child);
  }

  private member(element: Element): void {
    for (const child of elementsOf(element)) {
      if (isReport(child)) throw new Refused('a report');
      if (isCollection(child)) this.collection(child);
      else this.feature(child, idOf(child));
    }
  }

  /** A member by any name, a feature without an id, or something about the collection: the first element decides. */
  private undecided(element: Element): void {
    for (const child of elementsOf(element)) {
      if (isReport(child)) throw new Refused('a report');
      if (isCollection(child)) {
        this.collection(child);
        continue;
      }
      if ((isGml(child.uri) && isGeometry(child, false)) || plain(child, 'srsName') !== undefined) return;
      if (!hasId(child) && !/^\p{Lu}/u.test(child.local)) {
        this.feature(
          { ...element, content: element.content.slice(element.content.indexOf(child)) },
          undefined,
        );
        return;
      }
      const rest = element.content.slice(element.content.indexOf(child));
      this.member({ ...element, content: rest });
      return;
    }
  }

  private envelope(element: Element): void {
    const bounds = this.bounds.at(-1) as Bounds;
    for (const child of elementsOf(element)) {
      if (child.local !== 'Envelope' && child.local !== 'Box') continue;
      bounds.srsName = plain(child, 'srsName');
      const dimension = Number(plain(child, 'srsDimension', 'dimension'));
      bounds.srsDimension = [2, 3, 4].includes(dimension) ? dimension : undefined;
    }
  }

  private feature(element: Element, id: string | undefined): void {
    this.bounds.push({ srsName: undefined, srsDimension: undefined });
    const feature = new FeatureReader(this.options, this.shapes, () => {
      this.warnings++;
    });
    for (const child of elementsOf(element)) {
      if (child.local === 'boundedBy' && !feature.isDeclared('boundedBy')) this.envelope(child);
      else feature.property(child);
    }
    this.bounds.pop();
    this.features.push(feature.toJson(id));
  }
}

class FeatureReader {
  private geometry: string | undefined;
  private hasGeometry = false;
  private geometryName: string | undefined;
  private nested: { name: string; json: string } | undefined;
  private readonly values: Value[] = [];
  private readonly attributes: readonly SchemaAttribute[];
  private readonly geometries: readonly string[];

  constructor(
    private readonly options: OracleOptions,
    private readonly shapes: ShapeReader,
    private readonly warn: () => void,
  ) {
    const { attributes = [], geometries = [] } = options.featureType ?? {};
    this.attributes = attributes.filter(({ name }) => this.isAsked(name));
    this.geometries = geometries.map(({ name }) => name);
    this.geometryName = this.geometries[0];
  }

  private isAsked(name: string): boolean {
    return this.options.propertyNames?.includes(name) ?? true;
  }

  isDeclared(name: string): boolean {
    const { attributes = [] } = this.options.featureType ?? {};
    return this.geometries.includes(name) || attributes.some((one) => one.name === name);
  }

  private typeOf(name: string): SchemaAttribute['type'] {
    return this.options.featureType?.attributes.find((one) => one.name === name)?.type ?? 'string';
  }

  property(element: Element): void {
    const { local } = element;
    const isInherited = isGml(element.uri) && ['metaDataProperty', 'descriptionReference'].includes(local);
    if (isInherited && !this.isDeclared(local)) return;
    const isFirst = this.geometries[0] === local;
    if (!isFirst && !this.isAsked(local) && this.geometries.length > 0) return;
    if (isNil(element)) {
      if (!isFirst || this.hasGeometry) this.measured(element, null);
      return;
    }
    const inside = elementsOf(element);
    const isPlain = isFirst && !this.hasGeometry;
    const at = inside.findIndex((one) => isGeometry(one, this.geometries.includes(local)));
    // What stands before a geometry makes it a nested one, unless the property is a geometry and nothing else.
    if (at >= 0 && (at === 0 || isPlain)) this.geometriesIn(element, inside);
    else if (isPlain) this.emptyGeometry(element);
    else this.value(element, inside);
  }

  private emptyGeometry(element: Element): void {
    const href = hrefOf(element);
    if (href !== undefined) this.reference(element, href);
  }

  /** One is the feature's, the others are values. */
  private geometriesIn(element: Element, inside: Element[]): void {
    const { local } = element;
    const isExpected = this.geometries.includes(local);
    for (const one of inside) {
      if (!isGeometry(one, isExpected)) continue;
      this.takeGeometry(element, this.read(one));
    }
  }

  private read(element: Element): string | undefined {
    try {
      const shape = this.shapes.read(element);
      return shape === undefined ? undefined : toShapeJson(shape);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.warn();
      return undefined;
    }
  }

  private takeGeometry(element: Element, json: string | undefined): void {
    const { local } = element;
    const isMain = !this.hasGeometry && (this.geometries.length === 0 || this.geometries[0] === local);
    if (isMain) {
      this.hasGeometry = true;
      this.geometry = json;
      this.geometryName = local;
    } else this.put(element, new Json(json ?? 'null'));
  }

  /** @returns whether it is taken care of */
  private reference(element: Element, href: string): boolean {
    const { local } = element;
    try {
      this.takeGeometry(element, toShapeJson(this.shapes.referenced(href)));
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
    if (this.geometries.includes(local)) {
      this.warn();
      return false;
    }
    const looksSo = isGml(element.uri)
      ? ['location', 'position'].includes(local) || /(?:Property|Of)$/.test(local)
      : /geom/i.test(local) || ['shape', 'geo_shape'].includes(local.toLowerCase());
    if (this.geometries.length === 0 && looksSo) {
      this.warn();
      this.geometryName ??= local;
      return true;
    }
    if (!this.isAsked(local)) return false;
    this.put(element, { '@href': href });
    return true;
  }

  private value(element: Element, inside: Element[]): void {
    const type = this.typeOf(element.local);
    const text = textOf(element);
    const href = hrefOf(element);
    if (href !== undefined && inside.length === 0 && isBlank(text) && this.reference(element, href)) return;
    if (inside.length > 0) {
      const value = this.complex({ ...element, content: this.withoutIndent(element) });
      this.measured(element, isTimePosition(value, type) ? value.timePosition : value);
    } else this.measured(element, new Json(toJsonValue(text, type)));
  }

  /** A value, and its unit. */
  private measured(element: Element, value: unknown): void {
    this.put(element, value);
    const uom = plain(element, 'uom');
    if (uom !== undefined && this.isAsked(element.local))
      this.values.push({ name: `${element.local}_uom`, isGml: false, json: JSON.stringify(uom) });
  }

  /** White space before the first element is no text. */
  private withoutIndent({ content }: Element): (Element | string)[] {
    const first = content.findIndex((one) => typeof one !== 'string');
    const before = content.slice(0, first).join('');
    return isBlank(before) ? content.slice(first) : content;
  }

  private complex(element: Element): unknown {
    const inside = elementsOf(element);
    const members = new Map<string, unknown[]>();
    const add = (name: string, value: unknown): void => {
      members.set(name, [...(members.get(name) ?? []), value]);
    };
    let geometry: Json | undefined;
    for (const child of inside) {
      if (isGeometry(child, false)) {
        const json = this.read(child);
        if (json !== undefined) this.nested = { name: element.local, json };
        if (geometry === undefined && members.size === 0) geometry = new Json(json ?? 'null');
        else add('geometry', new Json(json ?? 'null'));
        continue;
      }
      add(child.local, this.complex(child));
      const uom = plain(child, 'uom');
      if (uom !== undefined) add(`${child.local}_uom`, uom);
    }
    if (isNil(element)) return null;
    const text = textOf(element);
    if (members.size === 0) {
      if (geometry !== undefined) return geometry;
      if (!isBlank(text)) return text;
      const href = hrefOf(element);
      return href === undefined ? null : { '@href': href };
    }
    if (geometry !== undefined) members.set('geometry', [geometry, ...(members.get('geometry') ?? [])]);
    if (!isBlank(text)) members.set('#text', [text]);
    return Object.fromEntries(
      [...members].map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
    );
  }

  private put(element: Element, value: unknown): void {
    if (!this.isAsked(element.local)) return;
    this.values.push({ name: element.local, isGml: isGml(element.uri), json: toText(value) });
  }

  toJson(id: string | undefined): string {
    const geometry =
      this.geometryName === undefined && this.nested !== undefined
        ? { name: this.nested.name, json: this.nested.json }
        : { name: this.geometryName, json: this.geometry ?? 'null' };
    return [
      '{"type":"Feature"',
      ...(id === undefined || id === '' ? [] : [`"id":${JSON.stringify(id)}`]),
      `"geometry":${geometry.json}`,
      ...(geometry.name === undefined ? [] : [`"geometry_name":${JSON.stringify(geometry.name)}`]),
      `"properties":{${this.members().join(',')}}}`,
    ].join(',');
  }

  private members(): string[] {
    const names = new Set([
      ...this.attributes.map(({ name }) => name),
      ...this.values.map(({ name }) => name),
    ]);
    return [...names].flatMap((name) => {
      const values = this.values.filter((one) => one.name === name);
      const own = values.filter((one) => !one.isGml);
      if (own.length === 0 || own.length === values.length) return [this.member(name, name, values)];
      const inherited = values.filter((one) => one.isGml);
      const both = [this.member(name, name, own), this.member(`gml:${name}`, name, inherited)];
      return this.attributes.length > 0 ? both.slice(0, 1) : both;
    });
  }

  private member(key: string, name: string, values: Value[]): string {
    const isRepeated =
      this.options.featureType?.attributes.find((one) => one.name === name)?.repeated ?? false;
    const texts = values.map(({ json }) => json);
    const isArray = texts.length > 1 || (isRepeated && texts.length === 1 && texts[0] !== 'null');
    return `${JSON.stringify(key)}:${isArray ? `[${texts.join(',')}]` : (texts[0] ?? 'null')}`;
  }
}

/** JSON text that stands as it is. */
class Json {
  constructor(readonly text: string) {}
}

function toText(value: unknown): string {
  if (value instanceof Json) return value.text;
  if (Array.isArray(value)) return `[${value.map(toText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${toText(member)}`)
    .join(',')}}`;
}

function isTimePosition(value: unknown, type: SchemaAttribute['type']): value is { timePosition: string } {
  if (!['date', 'dateTime', 'time'].includes(type) || typeof value !== 'object' || value === null)
    return false;
  const [only, ...others] = Object.entries(value);
  return others.length === 0 && only?.[0] === 'timePosition' && typeof only[1] === 'string';
}
