import type { CrsReading } from '../../../src/gml/index.js';
import { type Curve, doubt, draw } from './curves.js';
import { type Element, elementsOf, gmlIdOf, hrefOf, isGml, plain, textOf, trim } from './tree.js';
import { toNumber } from './values.js';

/** Each number as it is to be written. */
export type Position = string[];
interface Collection {
  type: 'MultiPoint' | 'MultiLineString' | 'MultiPolygon' | 'GeometryCollection';
  parts: Shape[];
}
export type Shape =
  | { type: 'Point'; at: Position }
  | { type: 'LineString'; path: Position[] }
  | { type: 'Polygon'; rings: Position[][]; isBox?: boolean }
  | Collection;

/** The feature is to be without this geometry. */
export class Fault extends Error {}

const POINT = 'Point';
const LINES = 'LineString Curve CompositeCurve OrientableCurve'.split(' ');
const RINGS = ['LinearRing', 'Ring'];
const POLYGONS = 'Polygon PolygonPatch Triangle Rectangle'.split(' ');
const SURFACES =
  'Surface CompositeSurface OrientableSurface PolyhedralSurface TriangulatedSurface Tin Shell Solid CompositeSolid'.split(
    ' ',
  );
const BOXES = ['Envelope', 'Box'];
const MANY = new Map<string, Collection['type']>([
  ['MultiPoint', 'MultiPoint'],
  ['MultiLineString', 'MultiLineString'],
  ['MultiCurve', 'MultiLineString'],
  ['MultiPolygon', 'MultiPolygon'],
  ['MultiSurface', 'MultiPolygon'],
  ['MultiSolid', 'MultiPolygon'],
  ['MultiGeometry', 'GeometryCollection'],
  ['GeometricComplex', 'GeometryCollection'],
]);
const SEGMENTS = new Map<string, Curve>([
  ...'LineStringSegment GeodesicString Geodesic CubicSpline BSpline Bezier'
    .split(' ')
    .map((name) => [name, 'straight'] as const),
  ['Arc', 'arcs'],
  ['ArcString', 'arcs'],
  ['Circle', 'circle'],
  ['ArcByCenterPoint', 'centre'],
  ['CircleByCenterPoint', 'centre'],
  ['ArcByBulge', 'bulges'],
  ['ArcStringByBulge', 'bulges'],
  ['Clothoid', 'none'],
  ['OffsetCurve', 'none'],
]);
const HOLDERS = new Set(
  'pointMember pointMembers lineStringMember curveMember curveMembers polygonMember surfaceMember surfaceMembers geometryMember geometryMembers solidMember solidMembers element segments patches polygonPatches trianglePatches baseCurve baseSurface pointProperty pointRep curveProperty surfaceProperty exterior outerBoundaryIs interior innerBoundaryIs'.split(
    ' ',
  ),
);
const IGNORED = new Set(
  'name description descriptionReference identifier metaDataProperty normal degree knot knots vectorAtStart vectorAtEnd stopLines breakLines maxLength controlPoint'.split(
    ' ',
  ),
);
const NUMBERS = new Set(['pos', 'lowerCorner', 'upperCorner', 'posList', 'coordinates', 'coord']);
const PARAMETERS = new Set(['radius', 'startAngle', 'endAngle', 'bulge']);
const OBJECTS = new Set([POINT, ...LINES, ...RINGS, ...POLYGONS, ...SURFACES, ...BOXES, ...MANY.keys()]);

export function isGeometry(element: Element, isExpected: boolean): boolean {
  return (isExpected || element.uri === '' || isGml(element.uri)) && OBJECTS.has(element.local);
}

/** What an element inherits. */
interface Around {
  reading: CrsReading;
  dimension: number;
  /** Local name of the element it is in. */
  parent: string;
}

/** How the numbers of one line, ring or point are read: whether some came before matters for `coordinates`. */
interface Run {
  isBegun: boolean;
  reading?: CrsReading;
}

export interface Surroundings {
  crs(srsName: string | undefined): CrsReading;
  srsName: string | undefined;
  srsDimension: number | undefined;
}

/** GML geometry, recursively. */
export class ShapeReader {
  readonly known = new Map<string, Shape>();

  constructor(private readonly surroundings: Surroundings) {}

  /** @returns undefined for an empty geometry. @throws Fault */
  read(element: Element): Shape | undefined {
    const { crs, srsName, srsDimension = 2 } = this.surroundings;
    return this.shape(element, { reading: crs(srsName), dimension: srsDimension, parent: '' });
  }

  private within(element: Element, around: Around): Around {
    const srsName = plain(element, 'srsName');
    const dimension = plain(element, 'srsDimension', 'dimension');
    return {
      reading: srsName === undefined ? around.reading : this.surroundings.crs(srsName),
      dimension: dimension === undefined ? around.dimension : Number(dimension),
      parent: element.local,
    };
  }

  private keep(element: Element, shape: Shape | undefined): Shape | undefined {
    const id = gmlIdOf(element);
    if (id !== undefined && id !== '' && shape !== undefined) this.known.set(id, shape);
    return shape;
  }

  private shape(element: Element, outer: Around): Shape | undefined {
    return this.keep(element, this.make(element, outer));
  }

  private make(element: Element, outer: Around): Shape | undefined {
    const { local } = element;
    const around = this.within(element, outer);
    const many = MANY.get(local);
    if (many !== undefined) return this.many(many, this.partsOf(element, many, around));
    if (SURFACES.includes(local)) {
      const parts = this.partsOf(element, 'MultiPolygon', around);
      return parts.length === 1 ? parts[0] : this.many('MultiPolygon', parts);
    }
    if (POLYGONS.includes(local)) return this.polygon(element, around);
    if (local === POINT) return this.point(element, around);
    if (BOXES.includes(local)) return this.box(element, around);
    const path = this.curve(element, outer, { isBegun: false });
    if (path.length === 1) throw new Fault('one position');
    return path.length === 0 ? undefined : { type: 'LineString', path };
  }

  private many(type: Collection['type'], parts: Shape[]): Shape | undefined {
    return parts.length === 0 ? undefined : { type, parts };
  }

  /** The elements inside, those inside properties too; `take` says false where it does not belong. */
  private each(
    element: Element,
    around: Around,
    take: (inner: Element | Shape, around: Around) => boolean,
  ): void {
    for (const inner of elementsOf(element)) {
      const { local } = inner;
      if (IGNORED.has(local)) continue;
      if (!HOLDERS.has(local)) {
        if (!take(inner, around)) throw new Fault(`${local} in ${element.local}`);
        continue;
      }
      const href = hrefOf(inner);
      if (href === undefined || elementsOf(inner).length > 0)
        this.each(inner, this.within(inner, around), take);
      else if (!take(this.referenced(href), this.within(inner, around))) throw new Fault('reference');
    }
  }

  referenced(href: string): Shape {
    const shape = trim(href).startsWith('#') ? this.known.get(trim(href).slice(1)) : undefined;
    if (shape === undefined) throw new Fault(`nothing at ${href}`);
    return shape;
  }

  private partsOf(element: Element, type: Collection['type'], around: Around): Shape[] {
    const parts: Shape[] = [];
    const addAll = (shape: Shape | undefined): boolean => {
      if (shape === undefined) return true;
      if (shape.type === type && 'parts' in shape) parts.push(...shape.parts);
      else if (type === 'GeometryCollection') parts.push(shape);
      else if (`Multi${shape.type}` === type && !('isBox' in shape)) parts.push(shape);
      else return false;
      return true;
    };
    this.each(element, around, (inner, within) => {
      if ('type' in inner) return addAll(inner);
      if (!OBJECTS.has(inner.local) && !SEGMENTS.has(inner.local)) return this.isParameter(inner);
      if (!this.mayHold(type, inner.local)) return false;
      return addAll(this.shape(inner, within));
    });
    return parts;
  }

  /** Also for what is empty: an element in the wrong place is a fault. */
  private mayHold(type: string, local: string): boolean {
    if (type === 'GeometryCollection') return true;
    if (type === 'MultiPoint') return local === POINT || MANY.get(local) === type;
    if (type === 'MultiPolygon')
      return POLYGONS.includes(local) || SURFACES.includes(local) || MANY.get(local) === type;
    return LINES.includes(local) || RINGS.includes(local) || SEGMENTS.has(local) || MANY.get(local) === type;
  }

  private polygon(element: Element, around: Around): Shape | undefined {
    const exteriors: Position[][] = [];
    const interiors: Position[][] = [];
    this.each(element, around, (inner, within) => {
      const isInterior = ['interior', 'innerBoundaryIs'].includes(within.parent);
      if ('type' in inner) {
        if (inner.type !== 'LineString') return false;
        (isInterior ? interiors : exteriors).push(toRing(inner.path, isInterior));
        return true;
      }
      if (!RINGS.includes(inner.local)) return this.isParameter(inner);
      const path = this.curve(inner, within, { isBegun: false });
      if (path.length === 0) return true;
      const ring = toRing(path, isInterior);
      this.keep(inner, { type: 'LineString', path: ring });
      (isInterior ? interiors : exteriors).push(ring);
      if (exteriors.length > 1) throw new Fault('two exteriors');
      return true;
    });
    if (exteriors.length > 1) throw new Fault('two exteriors');
    if (exteriors.length === 0 && interiors.length > 0) throw new Fault('no exterior');
    return exteriors.length === 0 ? undefined : { type: 'Polygon', rings: [...exteriors, ...interiors] };
  }

  private point(element: Element, around: Around): Shape | undefined {
    const positions = this.positionsOnly(element, around);
    if (positions.length > 1) throw new Fault('two positions');
    return positions[0] === undefined ? undefined : { type: 'Point', at: positions[0] };
  }

  private box(element: Element, around: Around): Shape | undefined {
    const positions = this.positionsOnly(element, around);
    if (positions.length === 0) return undefined;
    if (positions.length !== 2) throw new Fault('two corners');
    const [[x1, y1], [x2, y2]] = positions as [[string, string], [string, string]];
    const ring = [
      [x1, y1],
      [x2, y1],
      [x2, y2],
      [x1, y2],
      [x1, y1],
    ];
    return { type: 'Polygon', rings: [ring], isBox: true };
  }

  private positionsOnly(element: Element, around: Around): Position[] {
    const positions: Position[] = [];
    const run = { isBegun: false };
    this.each(element, around, (inner, within) => {
      if ('type' in inner) return false;
      if (!NUMBERS.has(inner.local)) return this.isParameter(inner);
      positions.push(...this.numbers(inner, within, run, true));
      return true;
    });
    return positions;
  }

  /** The positions of a line, ring or segment; those of the segments inside join. */
  private curve(element: Element, outer: Around, run: Run): Position[] {
    const around = this.within(element, outer);
    const kind = SEGMENTS.get(element.local);
    const path: Position[] = [];
    const parameters = new Map<string, number[]>();
    const isDrawn = kind !== undefined && kind !== 'straight';
    this.each(element, around, (inner, within) => {
      if ('type' in inner) return this.joinShape(path, inner, run, kind !== undefined);
      if (PARAMETERS.has(inner.local)) {
        const before = parameters.get(inner.local) ?? [];
        parameters.set(inner.local, [
          ...before,
          Number(toNumber(trim(this.textIn(inner))) ?? Number.NaN) * (isRadian(inner) ? 180 / Math.PI : 1),
        ]);
        return true;
      }
      if (NUMBERS.has(inner.local)) {
        path.push(...this.numbers(inner, within, run, !isDrawn));
        return true;
      }
      return this.joinElement(path, inner, within, run, kind);
    });
    const isReversed = LINES.includes(element.local) && plain(element, 'orientation') === '-';
    const drawn = isDrawn ? this.drawn(kind, path, parameters, around.reading) : path;
    return isReversed ? [...drawn].reverse() : drawn;
  }

  private joinShape(path: Position[], shape: Shape, run: Run, isSegment: boolean): boolean {
    if (shape.type === 'Point') path.push(shape.at);
    else if (shape.type === 'LineString' && !isSegment) join(path, shape.path);
    else return false;
    run.isBegun = true;
    return true;
  }

  private joinElement(
    path: Position[],
    inner: Element,
    within: Around,
    run: Run,
    kind: Curve | undefined,
  ): boolean {
    const { local } = inner;
    if (local === POINT) {
      const isDrawn = kind !== undefined && kind !== 'straight';
      const positions = this.pointIn(inner, this.within(inner, within), run, !isDrawn);
      const [at] = positions;
      if (positions.length === 1 && at !== undefined) this.keep(inner, { type: 'Point', at });
      path.push(...positions);
      return true;
    }
    const isCurve = LINES.includes(local) || RINGS.includes(local) || SEGMENTS.has(local);
    if (!isCurve || kind !== undefined) return false;
    const positions = this.curve(inner, within, run);
    if (positions.length > 1) this.keep(inner, { type: 'LineString', path: positions });
    join(path, positions);
    return true;
  }

  /** A vertex written as a Point: whatever positions it has. */
  private pointIn(element: Element, around: Around, run: Run, isTransformed: boolean): Position[] {
    const positions: Position[] = [];
    this.each(element, around, (inner, within) => {
      if ('type' in inner) {
        if (inner.type !== 'Point') return false;
        positions.push(inner.at);
        return true;
      }
      if (!NUMBERS.has(inner.local)) return this.isParameter(inner);
      positions.push(...this.numbers(inner, within, run, isTransformed));
      return true;
    });
    return positions;
  }

  private drawn(
    kind: Curve,
    path: Position[],
    parameters: Map<string, number[]>,
    { transform }: CrsReading,
  ): Position[] {
    if (kind === 'none') throw new Fault('a curve nobody draws');
    const points = path.map((position) => position.map(Number));
    const drawn = draw(kind, points, parameters);
    if (drawn === undefined) {
      if (points.length > 0) throw new Fault('a curve that cannot be');
      return [];
    }
    const positions = drawn.map(([x = 0, y = 0, ...z]) => [...(transform?.(x, y) ?? [x, y]), ...z]);
    if (!positions.flat().every(Number.isFinite)) throw new Fault('no number');
    return positions.map((position) => position.map(String));
  }

  // Numbers

  /** A parameter of a curve, in whatever it stands. */
  private isParameter(element: Element): boolean {
    if (!PARAMETERS.has(element.local)) return false;
    this.textIn(element);
    return true;
  }

  private textIn(element: Element): string {
    if (elementsOf(element).length > 0) throw new Fault('an element among numbers');
    return textOf(element);
  }

  private numbers(element: Element, outer: Around, run: Run, isTransformed: boolean): Position[] {
    const { reading, dimension } = this.within(element, outer);
    const tuples = this.tuples(element, dimension, run.isBegun);
    if (tuples.length > 0) run.isBegun = true;
    return tuples.map((tuple) => {
      if (tuple.length < 2 || tuple.length > 4) throw new Fault('dimension');
      const [first = '', second = '', ...others] = tuple.map(toOrdinate);
      const [x, y] = reading.swap ? [second, first] : [first, second];
      const z = others.slice(0, 1);
      if (reading.transform === undefined || !isTransformed) return [x, y, ...z];
      const there = reading.transform(Number(x), Number(y));
      return [...there.map((value) => String(value === 0 ? 0 : value)), ...z];
    });
  }

  private tuples(element: Element, dimension: number, isBegun: boolean): string[][] {
    if (element.local === 'coord') return [this.coord(element)].filter((tuple) => tuple.length > 0);
    if (element.local === 'coordinates') return splitTuples(this.textIn(element), element, isBegun);
    const words = this.textIn(element)
      .split(/[ \t\r\n]+/)
      .filter((word) => word !== '');
    if (element.local !== 'posList') return words.length === 0 ? [] : [words];
    if (![2, 3, 4].includes(dimension)) throw new Fault('dimension');
    if (words.length % dimension !== 0) throw new Fault('an incomplete position');
    return Array.from({ length: words.length / dimension }, (_, i) =>
      words.slice(i * dimension, (i + 1) * dimension),
    );
  }

  private coord(element: Element): string[] {
    return elementsOf(element).flatMap((inner) => {
      if (!['X', 'Y', 'Z'].includes(inner.local)) throw new Fault(`${inner.local} in coord`);
      const words = this.textIn(inner)
        .split(/[ \t\r\n]+/)
        .filter((word) => word !== '');
      if (words.length > 1) throw new Fault('an ordinate of several numbers');
      return words;
    });
  }
}

/** README.md: a longer number is a fault. */
const NUMBER_MAX = 65_536;

function toOrdinate(text: string): string {
  if (text.length > NUMBER_MAX) throw new Fault('a number too long');
  const number = toNumber(text);
  if (number === null || number === undefined || !Number.isFinite(Number(number))) throw new Fault(text);
  return number;
}

/** `gml:coordinates` (GML 2.1.2 §4.3.1), read leniently: white space ends a tuple where no separator stands about it. */
function splitTuples(text: string, element: Element, isBegun: boolean): string[][] {
  const [decimal, written, between] = [plain(element, 'decimal'), plain(element, 'cs'), plain(element, 'ts')];
  let [cs, ts] = [(written || ',')[0], (between || ' ')[0]];
  let mayTurn = decimal === undefined && written === undefined && between === undefined && !isBegun;
  const point = (decimal || '.')[0];
  const tuples: string[][] = [];
  let tuple: string[] = [];
  let word = '';
  let isJoined = false;
  const endWord = (): void => {
    if (word !== '') tuple.push(word);
    word = '';
  };
  const endTuple = (): void => {
    endWord();
    if (tuple.length > 0) tuples.push(tuple);
    tuple = [];
    isJoined = false;
  };
  for (const char of text) {
    const isWhite = ' \t\r\n'.includes(char);
    if (isWhite) endWord();
    else if (char === cs) {
      endWord();
      isJoined = true;
    } else if (char === ts) endTuple();
    else {
      if (word === '' && tuple.length > 0 && !isJoined && cs !== ' ') {
        // `1 2,3 4`: the separators the wrong way about.
        if (mayTurn && tuples.length === 0 && tuple.length === 1) [cs, ts] = [' ', ','];
        else endTuple();
      }
      if (word === '') {
        if (tuple.length > 1 || tuples.length > 0) mayTurn = false;
        isJoined = false;
      }
      word += char === point ? '.' : char;
    }
  }
  endTuple();
  return tuples;
}

function isSame(a: Position, b: Position): boolean {
  return a.length === b.length && a.every((one, i) => Number(one) === Number(b[i]));
}

const isRadian = (element: Element): boolean =>
  element.local.endsWith('Angle') && /(?:^|\W)rad(?:ian)?$|9101$/i.test(plain(element, 'uom') ?? '');

/** Where one part ends and the next begins in the same place, that place is written once. */
function join(path: Position[], next: Position[]): void {
  const [last, first] = [path.at(-1), next[0]];
  const isJoint = last !== undefined && first !== undefined && isSame(last, first);
  path.push(...(isJoint ? next.slice(1) : next));
}

/** Closed, and turned the right way round (RFC 7946 §3.1.6). */
function toRing(path: Position[], isInterior: boolean): Position[] {
  const [first, last] = [path[0] as Position, path.at(-1) as Position];
  const ring = isSame(first, last) ? path : [...path, first];
  if (ring.length < 4) throw new Fault('a ring too short');
  const area = areaOf(ring);
  return (isInterior ? area > 0 : area < 0) ? [...ring].reverse() : ring;
}

function areaOf(ring: Position[]): number {
  const points = ring.map(([x, y]) => [Number(x), Number(y)] as const);
  const [x0, y0] = points[0] as readonly [number, number];
  let [area, size] = [0, 0];
  points.slice(1).forEach(([x, y], i) => {
    const [px, py] = points[i] as readonly [number, number];
    const [a, b] = [(px - x0) * (y - y0), (x - x0) * (py - y0)];
    area += a - b;
    size += Math.abs(a) + Math.abs(b);
  });
  if (Math.abs(area) <= size * 1e-9 && size > 0) doubt.isRaised = true;
  return area;
}

// As GeoJSON

const list = (texts: string[]): string => `[${texts.join(',')}]`;
const path = (positions: Position[]): string => list(positions.map(list));

export function toJson(shape: Shape): string {
  const key = shape.type === 'GeometryCollection' ? 'geometries' : 'coordinates';
  return `{"type":"${shape.type}","${key}":${toCoordinates(shape)}}`;
}

function toCoordinates(shape: Shape): string {
  switch (shape.type) {
    case 'Point':
      return list(shape.at);
    case 'LineString':
      return path(shape.path);
    case 'Polygon':
      return list(shape.rings.map(path));
    case 'GeometryCollection':
      return list(shape.parts.map(toJson));
    default:
      return list(shape.parts.map(toCoordinates));
  }
}
