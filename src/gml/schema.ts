import { SaxesParser, type SaxesTagNS } from 'saxes';
import { trimWhite } from './bytes.js';
import { GmlExceptionReport, type Place, toGmlError } from './errors.js';
import type { FeatureType, SchemaAttribute } from './model.js';
import { isGmlNamespace } from './names.js';
import { readExceptionReport, toUtf8Declared } from './read-exception-report.js';

const XSD = 'http://www.w3.org/2001/XMLSchema';

/** An element of the schema document. */
interface Node {
  readonly name: string;
  readonly local: string;
  readonly isXsd: boolean;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Node[];
  /** Namespace of a prefix at this element. */
  readonly resolve: (prefix: string) => string | undefined;
  /** Only faults ask for it. */
  readonly place: () => Place;
}

/** A QName in an attribute value. */
interface TypeName {
  readonly namespace: string;
  readonly local: string;
}

const XSD_TYPES: ReadonlyMap<string, SchemaAttribute['type']> = new Map(
  (
    [
      [
        'integer',
        'byte short int long integer unsignedByte unsignedShort unsignedInt unsignedLong positiveInteger negativeInteger nonNegativeInteger nonPositiveInteger',
      ],
      ['number', 'decimal double float'],
      ['boolean', 'boolean'],
      ['date', 'date'],
      ['dateTime', 'dateTime dateTimeStamp'],
      ['time', 'time'],
    ] as const
  ).flatMap(([type, names]) => names.split(' ').map((name) => [name, type] as const)),
);

/** GeoJSON's type for a `gml:...PropertyType` or `gml:...Property` (GML 3.1.1 §10, 2.1.2 §4.3). */
const GEOMETRY_TYPES: ReadonlyMap<string, string> = new Map([
  ['Point', 'Point'],
  ['Curve', 'LineString'],
  ['LineString', 'LineString'],
  ['Surface', 'Polygon'],
  ['Polygon', 'Polygon'],
  ['MultiPoint', 'MultiPoint'],
  ['MultiCurve', 'MultiLineString'],
  ['MultiLineString', 'MultiLineString'],
  ['MultiSurface', 'MultiPolygon'],
  ['MultiPolygon', 'MultiPolygon'],
  ['Solid', 'MultiPolygon'],
  ['MultiSolid', 'MultiPolygon'],
]);
/** `gml:...PropertyType`s that hold no geometry. */
const NOT_GEOMETRY =
  /^(?:Feature|FeatureArray|Time|Temporal|Observation|MetaData|Definition|Dictionary|Value|Track|History|Topo|Directed|Coverage|Target|Quantity|Category|Count|Boolean|Scalar|Procedure|Result|InlineProperty|String)/;
/** gml:name and its like are no attributes where a feature type inherits them. */
const INHERITED = new Set([
  'boundedBy',
  'name',
  'description',
  'metaDataProperty',
  'location',
  'identifier',
  'descriptionReference',
]);

/**
 * The feature types an XML Schema declares: the answer of DescribeFeatureType (WFS 1.1.0 §8), whatever prefixes it
 * uses and however it names its types.
 * @throws GmlError where the text is no schema; GmlExceptionReport where it is a report
 */
export function readFeatureTypes(xsd: string): FeatureType[] {
  const text = toUtf8Declared(xsd);
  const exceptions = /ExceptionReport/.test(text) ? readExceptionReport(text) : undefined;
  if (exceptions !== undefined) throw new GmlExceptionReport(exceptions, { line: 1, column: 1, path: '' });
  const root = readNodes(text);
  if (!root.isXsd || root.local !== 'schema') {
    throw toGmlError('gml.notSchema', root.place(), { name: root.name });
  }
  return new Schema(root).featureTypes();
}

/** @throws GmlError */
function readNodes(text: string): Node {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: Node[] = [];
  let root: Node | undefined;
  let start = 0;
  const path = (): string => open.map(({ name }) => name).join('/');
  parser.on('error', (error) => {
    const place = { line: parser.line, column: parser.column + 1, path: path() };
    const reason = error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, '');
    throw toGmlError('gml.schemaMalformed', place, { reason }, error);
  });
  parser.on('doctype', (doctype) => {
    if (doctype.includes('['))
      throw toGmlError('gml.doctypeRefused', toPlace(text, text.indexOf('<!DOCTYPE'), ''));
  });
  parser.on('opentagstart', () => {
    start = text.lastIndexOf('<', parser.position - 1);
  });
  parser.on('opentag', (tag: SaxesTagNS) => {
    const [at, parents] = [start, path()];
    const node = toNode(tag, () => toPlace(text, at, parents), open.at(-1));
    open.at(-1)?.children.push(node);
    root ??= node;
    open.push(node);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(text).close();
  return root as Node;
}

function toPlace(text: string, at: number, path: string): Place {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1, path };
}

function toNode(tag: SaxesTagNS, place: () => Place, parent: Node | undefined): Node {
  const attributes = new Map<string, string>();
  for (const { prefix, local, value } of Object.values(tag.attributes)) {
    if (prefix === '') attributes.set(local, trimWhite(value));
  }
  const { ns } = tag;
  return {
    name: tag.name,
    local: tag.local,
    isXsd: tag.uri === XSD,
    attributes,
    children: [],
    resolve: (prefix) => ns[prefix] ?? parent?.resolve(prefix),
    place,
  };
}

/** An element as a type's content declares it. */
interface Particle {
  readonly element: Node;
  readonly isOptional: boolean;
  readonly isRepeated: boolean;
}

class Schema {
  private readonly namespace: string;
  private readonly elements: ReadonlyMap<string, Node>;
  private readonly types: ReadonlyMap<string, Node>;
  private readonly groups: ReadonlyMap<string, Node>;

  constructor(private readonly root: Node) {
    this.namespace = root.attributes.get('targetNamespace') ?? '';
    this.elements = byName(root, ['element']);
    this.types = byName(root, ['complexType', 'simpleType']);
    this.groups = byName(root, ['group']);
  }

  featureTypes(): FeatureType[] {
    const complex = [...this.elements.values()].filter((element) => this.isComplex(element));
    const features = complex.filter((element) => this.isFeature(element));
    // A schema that does not say what its features are (no substitution group, no base type) means all of them.
    return (features.length > 0 ? features : complex).map((element) => this.toFeatureType(element));
  }

  private isComplex(element: Node): boolean {
    return this.typeOf(element)?.local === 'complexType' && element.attributes.get('abstract') !== 'true';
  }

  private isFeature(element: Node, depth = 0): boolean {
    const group = element.attributes.get('substitutionGroup');
    const head = group === undefined ? undefined : this.toTypeName(element, group);
    if (head !== undefined && depth < 32) {
      if (/^(?:_|Abstract)?Feature$/.test(head.local)) return true;
      const declared = this.elements.get(head.local);
      if (declared !== undefined && this.isFeature(declared, depth + 1)) return true;
    }
    const type = this.typeOf(element);
    return (
      type !== undefined && this.basesOf(type).some(({ local }) => /^AbstractFeature(?:Type)?$/.test(local))
    );
  }

  private toFeatureType(element: Node): FeatureType {
    const type = this.typeOf(element) as Node;
    const attributes: SchemaAttribute[] = [];
    const geometries: { name: string; type: string }[] = [];
    const seen = new Set<string>();
    for (const particle of this.particlesOf(type)) {
      const property = this.toProperty(particle);
      if (property === undefined || seen.has(property.name)) continue;
      seen.add(property.name);
      if ('xsdType' in property) attributes.push(property);
      else geometries.push(property);
    }
    const name = element.attributes.get('name') ?? '';
    return { name, namespace: this.namespace, attributes, geometries };
  }

  // Properties

  private toProperty(particle: Particle): SchemaAttribute | { name: string; type: string } | undefined {
    const { element } = particle;
    const reference = element.attributes.get('ref');
    if (reference !== undefined) return this.toReferenced(particle, this.toTypeName(element, reference));
    const name = element.attributes.get('name');
    if (name === undefined)
      throw toGmlError('gml.schemaReference', element.place(), { what: 'name for', name: element.name });
    const geometry = this.geometryOf(element);
    if (geometry !== undefined) return { name, type: geometry };
    const { type, xsdType } = this.valueTypeOf(element);
    return { name, type, xsdType, ...occurrence(particle) };
  }

  /** `ref`: to an element of this schema, or to one of GML's. */
  private toReferenced(
    particle: Particle,
    { namespace, local }: TypeName,
  ): SchemaAttribute | { name: string; type: string } | undefined {
    const declared = namespace === this.namespace ? this.elements.get(local) : undefined;
    if (declared !== undefined) return this.toProperty({ ...particle, element: declared });
    const isGml = isGmlNamespace(namespace);
    const geometry = isGml
      ? toGeometryType(`${local.charAt(0).toUpperCase()}${local.slice(1)}Type`)
      : undefined;
    if (geometry !== undefined) return { name: local, type: geometry };
    if (isGml && local === 'location') return { name: local, type: 'Geometry' };
    // Asked for by name, gml:name is an attribute like any other; boundedBy never is.
    if (isGml && (local === 'boundedBy' || local === 'metaDataProperty')) return undefined;
    const isText = isGml && INHERITED.has(local);
    return { name: local, type: isText ? 'string' : 'object', xsdType: local, ...occurrence(particle) };
  }

  /** GeoJSON's type of a geometry property; undefined where it is none. */
  private geometryOf(element: Node): string | undefined {
    const name = element.attributes.get('type');
    if (name !== undefined) {
      const type = this.toTypeName(element, name);
      if (isGmlNamespace(type.namespace)) return toGeometryType(type.local);
    }
    const type = this.typeOf(element);
    if (type === undefined || type.local !== 'complexType') return undefined;
    // A property type of the schema's own that extends or restricts GML's, or holds a geometry element.
    const base = this.basesOf(type).find(
      ({ namespace, local }) => isGmlNamespace(namespace) && toGeometryType(local) !== undefined,
    );
    if (base !== undefined) return toGeometryType(base.local);
    return this.geometryInside(type);
  }

  private geometryInside(type: Node): string | undefined {
    const [only, ...others] = this.particlesOf(type);
    const reference = only?.element.attributes.get('ref');
    if (only === undefined || others.length > 0 || reference === undefined) return undefined;
    const { namespace, local } = this.toTypeName(only.element, reference);
    if (!isGmlNamespace(namespace)) return undefined;
    const known = GEOMETRY_TYPES.get(local.replace(/^_|^Abstract/, ''));
    return (
      known ??
      (/^(?:_|Abstract)?(?:Geometr|Multi|Curve|Surface|Ring|Solid)/.test(local) ? 'Geometry' : undefined)
    );
  }

  private valueTypeOf(element: Node): { type: SchemaAttribute['type']; xsdType: string } {
    const name = element.attributes.get('type');
    const inline = element.children.find(isType);
    if (name === undefined && inline === undefined) return { type: 'string', xsdType: 'anyType' };
    return inline === undefined
      ? this.toValueType(this.toTypeName(element, name ?? ''))
      : this.valueTypeOfType(inline, inline.attributes.get('name') ?? '');
  }

  private toValueType(name: TypeName, depth = 0): { type: SchemaAttribute['type']; xsdType: string } {
    const { namespace, local } = name;
    if (namespace === XSD) return { type: XSD_TYPES.get(local) ?? 'string', xsdType: local };
    if (isGmlNamespace(namespace)) return { type: toGmlValueType(local), xsdType: local };
    const declared = namespace === this.namespace ? this.types.get(local) : undefined;
    // A type of a schema that is only imported: what it holds is not known here.
    if (declared === undefined || depth > 32) return { type: 'string', xsdType: local };
    return this.valueTypeOfType(declared, local, depth);
  }

  private valueTypeOfType(
    type: Node,
    name: string,
    depth = 0,
  ): { type: SchemaAttribute['type']; xsdType: string } {
    const derivation =
      type.local === 'simpleType' ? child(type, 'restriction') : derivationOf(child(type, 'simpleContent'));
    const base = derivation?.attributes.get('base');
    if (derivation !== undefined && base !== undefined) {
      return this.toValueType(this.toTypeName(derivation, base), depth + 1);
    }
    const inline = derivation === undefined ? undefined : child(derivation, 'simpleType');
    if (inline !== undefined) return this.valueTypeOfType(inline, name, depth + 1);
    // A list or a union of simple types is text.
    return type.local === 'simpleType'
      ? { type: 'string', xsdType: name || 'string' }
      : { type: 'object', xsdType: name };
  }

  // Types

  /** The type an element names or holds; undefined for one that is not declared here. */
  private typeOf(element: Node): Node | undefined {
    const inline = element.children.find(isType);
    const name = element.attributes.get('type');
    if (inline !== undefined || name === undefined) return inline;
    const { namespace, local } = this.toTypeName(element, name);
    const type = namespace === this.namespace ? this.types.get(local) : undefined;
    if (type === undefined && namespace === this.namespace && this.root.children.includes(element)) {
      throw toGmlError('gml.schemaReference', element.place(), { what: 'type', name });
    }
    return type;
  }

  /** The names of the types a type is derived from, nearest first. */
  private basesOf(type: Node): TypeName[] {
    const bases: TypeName[] = [];
    for (let at: Node | undefined = type; at !== undefined && bases.length < 32; ) {
      const derivation: Node | undefined = derivationOf(child(at, 'complexContent'));
      const base = derivation?.attributes.get('base');
      if (derivation === undefined || base === undefined) break;
      const name = this.toTypeName(derivation, base);
      bases.push(name);
      at = name.namespace === this.namespace ? this.types.get(name.local) : undefined;
    }
    return bases;
  }

  /** What a complex type holds, base types first (XML Schema 1 §3.4.2). */
  private particlesOf(type: Node, depth = 0): Particle[] {
    if (depth > 32) return [];
    const derivation = derivationOf(child(type, 'complexContent'));
    if (derivation === undefined) return this.particlesIn(type, false, false, depth);
    const base = derivation.attributes.get('base');
    const { namespace, local } = this.toTypeName(derivation, base ?? '');
    const inherits = derivation.local === 'extension' && namespace === this.namespace;
    const declared = inherits ? this.types.get(local) : undefined;
    return [
      ...(declared === undefined ? [] : this.particlesOf(declared, depth + 1)),
      ...this.particlesIn(derivation, false, false, depth),
    ];
  }

  private particlesIn(node: Node, isOptional: boolean, isRepeated: boolean, depth: number): Particle[] {
    return node.children.flatMap((part): Particle[] => {
      const optional = isOptional || part.attributes.get('minOccurs') === '0';
      const repeated = isRepeated || isMany(part.attributes.get('maxOccurs'));
      if (!part.isXsd || depth > 32) return [];
      if (part.local === 'element') return [{ element: part, isOptional: optional, isRepeated: repeated }];
      if (part.local === 'sequence' || part.local === 'all')
        return this.particlesIn(part, optional, repeated, depth + 1);
      if (part.local === 'choice') return this.particlesIn(part, true, repeated, depth + 1);
      const reference = part.local === 'group' ? part.attributes.get('ref') : undefined;
      const group =
        reference === undefined ? undefined : this.groups.get(this.toTypeName(part, reference).local);
      return group === undefined ? [] : this.particlesIn(group, optional, repeated, depth + 1);
    });
  }

  private toTypeName(node: Node, text: string): TypeName {
    const colon = text.indexOf(':');
    const prefix = colon < 0 ? '' : text.slice(0, colon);
    const local = text.slice(colon + 1);
    const namespace = node.resolve(prefix);
    if (namespace !== undefined) return { namespace, local };
    // Without a default namespace a name stands for the schema's own types, or for XML Schema's where it has none such.
    if (prefix === '') return { namespace: this.types.has(local) ? this.namespace : XSD, local };
    throw toGmlError('gml.unboundPrefix', node.place(), { prefix });
  }
}

function byName(root: Node, kinds: readonly string[]): Map<string, Node> {
  const named = root.children.filter((node) => node.isXsd && kinds.includes(node.local));
  return new Map(named.map((node) => [node.attributes.get('name') ?? '', node]));
}

function isType(node: Node): boolean {
  return node.isXsd && (node.local === 'complexType' || node.local === 'simpleType');
}

function child(node: Node | undefined, local: string): Node | undefined {
  return node?.children.find((one) => one.isXsd && one.local === local);
}

function derivationOf(content: Node | undefined): Node | undefined {
  return child(content, 'extension') ?? child(content, 'restriction');
}

function isMany(maxOccurs: string | undefined): boolean {
  return maxOccurs === 'unbounded' || Number(maxOccurs ?? '1') > 1;
}

function occurrence({ element, isOptional, isRepeated }: Particle): { nullable: boolean; repeated: boolean } {
  const isNillable = ['true', '1'].includes(element.attributes.get('nillable') ?? '');
  return { nullable: isOptional || isNillable, repeated: isRepeated };
}

function toGeometryType(local: string): string | undefined {
  if (local === 'GeometryAssociationType') return 'Geometry';
  const name = /^(.+?)(?:Array)?PropertyType$/.exec(local)?.[1];
  if (name === undefined || NOT_GEOMETRY.test(name)) return undefined;
  return GEOMETRY_TYPES.get(name) ?? 'Geometry';
}

/** GML's own types for values (GML 3.1.1 §7, §16): numbers with a unit, codes, texts, references. */
function toGmlValueType(local: string): SchemaAttribute['type'] {
  if (/^(?:Measure|Length|Area|Volume|Angle|Scale|Time|Speed|Grid)(?:Length)?Type$/.test(local))
    return 'number';
  return /^(?:Code|CodeWithAuthority|StringOrRef|CodeOrNilReason|CodeList)|List$|Enumeration$/.test(local)
    ? 'string'
    : 'object';
}
