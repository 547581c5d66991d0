import {
  type Bbox,
  createIntersects,
  createWithinDistance,
  type Geometry,
  mapPositions,
  toBbox,
} from '../geometry/index.js';
import {
  type Comparable,
  compare,
  createLike,
  toComparable,
  toComparableValue,
  toLexical,
} from './compare.js';
import { OwsException } from './exception.js';
import type { Layer, LayerFeature, XsdType } from './layers/index.js';
import {
  type GeometryReading,
  isGeometryElement,
  readGmlBox,
  readGmlGeometry,
  toRectangle,
} from './read-geometry.js';
import { type AxisOrderRule, createProjection } from './srs.js';
import { isElement, type XmlElement } from './xml.js';

/** A filter made ready for one layer. */
export interface Predicate {
  readonly isMatch: (feature: LayerFeature) => boolean;
  /** No feature outside of it, in the layer's CRS, matches. */
  readonly within?: Bbox;
  /** The predicate says nothing but that this attribute has this value. */
  readonly equality?: { readonly position: number; readonly type: XsdType; readonly literal: Comparable };
}

export interface FilterContext {
  readonly layer: Layer;
  readonly rule: AxisOrderRule;
  readonly lacks: ReadonlySet<string>;
}

const toFault = (text: string) => new OwsException('InvalidParameterValue', text, 'filter');

/** ogc:Filter (OGC 04-095 §7): one predicate, or a list of ids. @throws OwsException */
export function readFilter(filter: XmlElement, context: FilterContext): Predicate {
  if (!isElement(filter, 'ogc', 'Filter')) throw toFault(`${filter.local} is not an ogc:Filter`);
  if (filter.children.length > 0 && filter.children.every(isIdentifier))
    return toIdPredicate(filter.children);
  const [predicate, ...others] = filter.children;
  if (predicate === undefined) throw toFault('ogc:Filter is empty');
  if (others.length > 0) throw toFault('ogc:Filter holds more than one predicate');
  return toPredicate(predicate, context);
}

const isIdentifier = (element: XmlElement) =>
  isElement(element, 'ogc', 'FeatureId') || isElement(element, 'ogc', 'GmlObjectId');

function toIdPredicate(elements: readonly XmlElement[]): Predicate {
  return createIdPredicate(
    elements.map((element) => {
      const id = isElement(element, 'ogc', 'FeatureId')
        ? element.attributes.get('fid')
        : element.attributes.get('{http://www.opengis.net/gml}id');
      if (id === undefined) throw toFault(`ogc:${element.local} has no id`);
      return id;
    }),
  );
}

export function createIdPredicate(ids: readonly string[]): Predicate {
  const wanted = new Set(ids);
  return { isMatch: ({ id }) => wanted.has(id) };
}

type Reader = (element: XmlElement, context: FilterContext) => Predicate;

const READERS: ReadonlyMap<string, Reader> = new Map(
  Object.entries<Reader>({
    And: (element, context) => {
      const parts = toOperands(element, context, 2);
      const boxes = parts.flatMap(({ within }) => (within === undefined ? [] : [within]));
      const isMatch = (feature: LayerFeature) => parts.every((part) => part.isMatch(feature));
      return boxes.length === 0 ? { isMatch } : { isMatch, within: boxes.reduce(toCommonBox) };
    },
    Or: (element, context) => {
      const parts = toOperands(element, context, 2);
      const boxes = parts.flatMap(({ within }) => (within === undefined ? [] : [within]));
      const tests = toAnyOf(parts);
      const isMatch = (feature: LayerFeature) => tests.some((test) => test.isMatch(feature));
      return boxes.length < parts.length ? { isMatch } : { isMatch, within: boxes.reduce(toAroundBox) };
    },
    Not: (element, context) => {
      const [part, ...others] = toOperands(element, context, 1);
      if (part === undefined || others.length > 0) throw toFault('ogc:Not takes one operand');
      return { isMatch: (feature) => !part.isMatch(feature) };
    },
    PropertyIsEqualTo: (element, context) => ({
      ...toComparison((order) => order === 0)(element, context),
      ...toEquality(element, context),
    }),
    PropertyIsNotEqualTo: toComparison((order) => order !== 0),
    PropertyIsLessThan: toComparison((order) => order !== undefined && order < 0),
    PropertyIsGreaterThan: toComparison((order) => order !== undefined && order > 0),
    PropertyIsLessThanOrEqualTo: toComparison((order) => order !== undefined && order <= 0),
    PropertyIsGreaterThanOrEqualTo: toComparison((order) => order !== undefined && order >= 0),
    PropertyIsLike: toLike,
    PropertyIsBetween: toBetween,
    PropertyIsNull: (element, { layer }) => {
      const name = onlyName(element, layer);
      if (name.isGeometry) return { isMatch: ({ geometry }) => geometry === null };
      return { isMatch: ({ values }) => (values[name.position] ?? null) === null };
    },
    Intersects: toIntersects,
    Disjoint: (element, context) => {
      const { isMatch } = toIntersects(element, context);
      return { isMatch: (feature) => feature.geometry !== null && !isMatch(feature) };
    },
    BBOX: toBboxPredicate,
    DWithin: (element, context) => toDistance(element, context, true),
    Beyond: (element, context) => toDistance(element, context, false),
  }),
);

/** The operators a filter may use; what a server lacks is left out. */
export const OPERATORS = [...READERS.keys()];

function toPredicate(element: XmlElement, context: FilterContext): Predicate {
  const reader = READERS.get(element.local);
  if (!isElement(element, 'ogc', element.local) || reader === undefined || context.lacks.has(element.local))
    throw toFault(`${element.local} is not a supported filter operator`);
  return reader(element, context);
}

function toOperands(element: XmlElement, context: FilterContext, least: number): Predicate[] {
  if (element.children.length < least) throw toFault(`ogc:${element.local} needs at least ${least} operands`);
  return element.children.map((child) => toPredicate(child, context));
}

/** Values that `compare` calls equal have one key, whatever numbers they are. */
function toKey(value: Comparable): string | undefined {
  if (value === undefined || typeof value === 'string') return value === undefined ? undefined : `"${value}`;
  const number = typeof value === 'boolean' ? Number(value) : value;
  return String(Number.isInteger(number) ? BigInt(number) : number);
}

/** Equalities of one attribute become one look into a set: a list of values costs no more than one of them. */
function toAnyOf(parts: readonly Predicate[]): Predicate[] {
  const sets = new Map<number, { type: XsdType; keys: Set<string | undefined> }>();
  const others = parts.filter(({ equality }) => {
    if (equality === undefined) return true;
    const { position, type, literal } = equality;
    const set = sets.get(position) ?? { type, keys: new Set() };
    sets.set(position, set);
    if (literal !== undefined) set.keys.add(toKey(literal)); // what is no value of the type equals nothing
    return false;
  });
  const anyOf = [...sets].map(
    ([position, { type, keys }]): Predicate => ({
      isMatch: ({ values }) => keys.has(toKey(toComparableValue(values[position] ?? null, type))),
    }),
  );
  return [...anyOf, ...others];
}

const toCommonBox = (a: Bbox, b: Bbox): Bbox => [
  Math.max(a[0], b[0]),
  Math.max(a[1], b[1]),
  Math.min(a[2], b[2]),
  Math.min(a[3], b[3]),
];

const toAroundBox = (a: Bbox, b: Bbox): Bbox => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
];

// --- property names and literals

export interface PropertyReference {
  readonly isGeometry: boolean;
  /** Among the layer's attributes; -1 for the geometry. */
  readonly position: number;
}

/**
 * A property by its name, with or without a prefix, or as the last step of a path from the feature type.
 * @throws OwsException in GeoServer's words where the layer has none
 */
export function toProperty(path: string, layer: Layer): PropertyReference {
  const name = path.trim();
  const bare = name.slice(name.lastIndexOf('/') + 1).replace(/^[^:]*:/, '');
  if (bare === layer.geometryName) return { isGeometry: true, position: -1 };
  const position = layer.attributes.findIndex((attribute) => attribute.name === bare);
  if (position === -1)
    throw new OwsException(
      'InvalidParameterValue',
      `Illegal property name: ${name} for feature type ${layer.typeName}`,
    );
  return { isGeometry: false, position };
}

const isPropertyName = (element: XmlElement) => isElement(element, 'ogc', 'PropertyName');
const isLiteral = (element: XmlElement) => isElement(element, 'ogc', 'Literal');

function onlyName(element: XmlElement, layer: Layer): PropertyReference {
  const [name, ...others] = element.children.filter(isPropertyName);
  if (name === undefined || others.length > 0)
    throw toFault(`ogc:${element.local} needs one ogc:PropertyName`);
  return toProperty(name.text, layer);
}

/** An operand of a comparison: a property's value or a literal; `fold` applies to texts. */
function toOperand(
  element: XmlElement,
  other: XmlElement,
  { layer }: FilterContext,
  fold: (value: Comparable) => Comparable,
) {
  const typeOf = (expression: XmlElement) => {
    const attribute = isPropertyName(expression)
      ? layer.attributes[toProperty(expression.text, layer).position]
      : undefined;
    return attribute?.type ?? 'string';
  };
  if (isPropertyName(element)) {
    const { position, isGeometry } = toProperty(element.text, layer);
    if (isGeometry) throw toFault('Cannot use a spatial property in a alphanumeric binary comparison');
    const type = typeOf(element);
    return ({ values }: LayerFeature) => fold(toComparableValue(values[position] ?? null, type));
  }
  if (!isLiteral(element)) throw toFault(`ogc:${element.local} is not a supported expression`);
  const literal = fold(toComparable(element.text, typeOf(other)));
  return () => literal;
}

/** Binary comparisons (§8); what is null or of another type equals nothing and is neither less nor greater. */
function toComparison(isWanted: (order: number | undefined) => boolean): Reader {
  return (element, context) => {
    const [left, right, ...others] = element.children;
    if (left === undefined || right === undefined || others.length > 0)
      throw toFault(`ogc:${element.local} takes two expressions`);
    const fold = isMatchingCase(element) ? toSame : toLower;
    const leftOf = toOperand(left, right, context, fold);
    const rightOf = toOperand(right, left, context, fold);
    return { isMatch: (feature) => isWanted(compare(leftOf(feature), rightOf(feature))) };
  };
}

/** `ogc:PropertyIsEqualTo` of an attribute and a literal, with case: what `toAnyOf` can take together. */
function toEquality(element: XmlElement, { layer }: FilterContext): Pick<Predicate, 'equality'> {
  const [name, literal] = element.children;
  if (!name || !literal || !isPropertyName(name) || !isLiteral(literal) || !isMatchingCase(element))
    return {};
  const { position } = toProperty(name.text, layer);
  const type = layer.attributes[position]?.type ?? 'string';
  return { equality: { position, type, literal: toComparable(literal.text, type) } };
}

const isMatchingCase = ({ attributes }: XmlElement) =>
  !['false', '0'].includes(attributes.get('matchCase') ?? '');
const toSame = (value: Comparable) => value;
const toLower = (value: Comparable) => (typeof value === 'string' ? value.toLowerCase() : value);

function toLike(element: XmlElement, { layer }: FilterContext): Predicate {
  const { position, isGeometry } = onlyName(element, layer);
  const literal = element.children.find(isLiteral);
  if (literal === undefined || isGeometry)
    throw toFault('ogc:PropertyIsLike needs an attribute and an ogc:Literal');
  const [wildCard, singleChar] = [element.attributes.get('wildCard'), element.attributes.get('singleChar')];
  const escapeChar = element.attributes.get('escapeChar') ?? element.attributes.get('escape');
  if (!wildCard || !singleChar || !escapeChar)
    throw toFault('ogc:PropertyIsLike needs wildCard, singleChar and escapeChar');
  const fold = (text: string) => (isMatchingCase(element) ? text : text.toLowerCase());
  const type = layer.attributes[position]?.type ?? 'string';
  const isLike = createLike(fold(literal.text), { wildCard, singleChar, escapeChar });
  return {
    isMatch: ({ values }) => {
      const value = values[position] ?? null;
      return value !== null && isLike(fold(toLexical(value, type)));
    },
  };
}

function toBetween(element: XmlElement, context: FilterContext): Predicate {
  const bound = (local: string) =>
    element.children.find((child) => isElement(child, 'ogc', local))?.children[0];
  const [value, lower, upper] = [element.children[0], bound('LowerBoundary'), bound('UpperBoundary')];
  if (value === undefined || lower === undefined || upper === undefined)
    throw toFault('ogc:PropertyIsBetween needs an expression, ogc:LowerBoundary and ogc:UpperBoundary');
  const middleOf = toOperand(value, lower, context, toSame);
  const [lowerOf, upperOf] = [
    toOperand(lower, value, context, toSame),
    toOperand(upper, value, context, toSame),
  ];
  return {
    isMatch: (feature) => {
      const middle = middleOf(feature);
      const [low, high] = [compare(lowerOf(feature), middle), compare(middle, upperOf(feature))];
      return low !== undefined && high !== undefined && low <= 0 && high <= 0;
    },
  };
}

// --- spatial operators (§10)

const toReading = ({ layer, rule, lacks }: FilterContext): GeometryReading => ({
  code: layer.code,
  rule,
  onlyOwn: lacks.has('reprojection'),
  unread: { posList: lacks.has('posList'), multiGeometry: lacks.has('multiGeometry') },
});

/** Checks that a spatial operator looks at the layer's geometry; without a name it does. */
function checkSpatialName(element: XmlElement, { layer }: FilterContext, isOptional: boolean): void {
  const name = element.children.find(isPropertyName)?.text.trim() ?? '';
  if (name === '' && isOptional) return;
  if (toProperty(name, layer).isGeometry) return;
  throw new OwsException(
    'InvalidParameterValue',
    `Property ${name} is not geometric in feature type ${layer.typeName}`,
  );
}

function onlyGeometry(element: XmlElement, context: FilterContext): Geometry[] {
  const [geometry, ...others] = element.children.filter(isGeometryElement);
  if (geometry === undefined || others.length > 0) throw toFault(`ogc:${element.local} needs one geometry`);
  return readGmlGeometry(geometry, toReading(context));
}

function createIntersectsPredicate(geometries: readonly Geometry[]): Predicate {
  const isIntersecting = createIntersects(geometries);
  return {
    isMatch: ({ geometry }) => geometry !== null && isIntersecting(geometry),
    within: toBbox(geometries),
  };
}

/** Features that meet a box in the layer's CRS. */
export const createBoxPredicate = (box: Bbox): Predicate => createIntersectsPredicate([toRectangle(box)]);

function toIntersects(element: XmlElement, context: FilterContext): Predicate {
  checkSpatialName(element, context, false);
  return createIntersectsPredicate(onlyGeometry(element, context));
}

/** The geometry itself, not its box, must meet the box (§10, as Not Disjoint). */
function toBboxPredicate(element: XmlElement, context: FilterContext): Predicate {
  checkSpatialName(element, context, true);
  const box = element.children.find(
    (child) => isElement(child, 'gml', 'Envelope') || isElement(child, 'gml', 'Box'),
  );
  if (box === undefined) throw toFault('ogc:BBOX needs a gml:Envelope');
  return createBoxPredicate(readGmlBox(box, toReading(context)));
}

const METRES: ReadonlyMap<string, number> = new Map([
  ['m', 1],
  ['metre', 1],
  ['metres', 1],
  ['meter', 1],
  ['meters', 1],
  ['http://www.opengis.net/def/uom/UCUM/0/m', 1],
  ['urn:ogc:def:uom:EPSG::9001', 1],
  ['#metre', 1],
  ['km', 1000],
  ['kilometers', 1000],
  ['kilometres', 1000],
]);

/** Distances are true ones on the ground, in metres, whatever the layer's CRS. */
function toDistance(element: XmlElement, context: FilterContext, isInside: boolean): Predicate {
  checkSpatialName(element, context, false);
  const distance = element.children.find((child) => isElement(child, 'ogc', 'Distance'));
  const unit = distance?.attributes.get('units') ?? distance?.attributes.get('uom') ?? 'm';
  const metres = Number(distance?.text.trim() || Number.NaN) * (METRES.get(unit) ?? Number.NaN);
  if (!(metres >= 0) || metres === Number.POSITIVE_INFINITY)
    throw toFault('ogc:Distance must be a number in metres or kilometres');
  const toDegrees = createProjection(context.layer.code, 4326);
  const project = (geometry: Geometry) =>
    toDegrees === undefined ? geometry : mapPositions(geometry, toDegrees);
  const isNear = createWithinDistance(onlyGeometry(element, context).map(project), metres);
  return { isMatch: ({ geometry }) => geometry !== null && isNear(project(geometry)) === isInside };
}
