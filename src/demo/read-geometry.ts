import type { Bbox, Geometry, Position } from '../geometry/index.js';
import { NUMBER } from './compare.js';
import { OwsException } from './exception.js';
import {
  type AxisOrderRule,
  createProjection,
  readSrsName,
  type Srs,
  toDefaultSrsName,
  toDensified,
} from './srs.js';
import { isElement, type XmlElement } from './xml.js';

/** How coordinates in a filter are read: as the layer's CRS unless they say otherwise, into the layer's CRS. */
export interface GeometryReading {
  readonly code: number;
  readonly rule: AxisOrderRule;
  /** Coordinates in another CRS are refused. */
  readonly onlyOwn?: boolean;
  /** Geometries in these forms find nothing. */
  readonly unread?: { readonly posList?: boolean; readonly multiGeometry?: boolean };
}

const toFault = (text: string) => new OwsException('InvalidParameterValue', text, 'filter');

/** The CRS of a geometry without srsName is the layer's own, named as the capabilities name it. */
const toSrs = (srsName: string | undefined, { code, rule }: GeometryReading): Srs =>
  readSrsName(srsName ?? toDefaultSrsName(code), rule);

const isGml = (element: XmlElement, ...locals: readonly string[]) =>
  locals.some((local) => isElement(element, 'gml', local));

const childrenOf = (element: XmlElement, ...locals: readonly string[]) =>
  element.children.filter((child) => isGml(child, ...locals));

function toNumbers(text: string): number[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const wrong = words.find((word) => !NUMBER.test(word));
  if (wrong !== undefined) throw toFault(`coordinate is not a number: ${wrong}`);
  return words.map(Number);
}

/** One position's numbers; a third is a height, which no predicate here looks at. */
type Tuple = readonly number[];

/** gml:posList and gml:pos (OGC 03-105r1 §10.1.4): numbers in groups of srsDimension, which outer elements may say. */
function toTuples(element: XmlElement, dimension: number): Tuple[] {
  const numbers = toNumbers(element.text);
  const own = Number(
    element.attributes.get('srsDimension') ?? element.attributes.get('dimension') ?? dimension,
  );
  const size = isGml(element, 'pos') && !element.attributes.has('srsDimension') ? numbers.length : own;
  if (!(size === 2 || size === 3) || numbers.length === 0 || numbers.length % size !== 0)
    throw toFault(`gml:${element.local} holds ${numbers.length} numbers in groups of ${size}`);
  return Array.from({ length: numbers.length / size }, (_, i) => numbers.slice(i * size, (i + 1) * size));
}

/** gml:coordinates of GML 2 with its own separators. */
function toOldTuples(element: XmlElement): Tuple[] {
  const decimal = element.attributes.get('decimal') ?? '.';
  const [cs, ts] = [element.attributes.get('cs') ?? ',', element.attributes.get('ts') ?? ' '];
  const plain = element.text.trim().split(ts === ' ' ? /\s+/ : ts);
  return plain.map((tuple) => {
    const words = tuple.trim().split(cs === ' ' ? /\s+/ : cs);
    const numbers = toNumbers(words.map((word) => word.replace(decimal, '.')).join(' '));
    if (numbers.length !== 2 && numbers.length !== 3) throw toFault(`gml:coordinates: ${tuple}`);
    return numbers;
  });
}

function toCoordTuple(element: XmlElement): Tuple {
  return ['X', 'Y', 'Z'].flatMap((axis) => childrenOf(element, axis).flatMap(({ text }) => toNumbers(text)));
}

interface Context {
  readonly reading: GeometryReading;
  readonly dimension: number;
  /** Numbers as written to easting, northing in the layer's CRS. */
  readonly toPosition: (tuple: Tuple) => Position;
}

function createContext(srs: Srs, reading: GeometryReading, dimension: number): Context {
  if (reading.onlyOwn === true && srs.code !== reading.code) throw toFault('cannot transform coordinates');
  const project = createProjection(srs.code, reading.code);
  const toPosition = ([first = Number.NaN, second = Number.NaN]: Tuple): Position => {
    const [x, y] = srs.axisOrder === 'latLon' ? [second, first] : [first, second];
    const position: Position = project === undefined ? [x, y] : project(x, y);
    if (!position.every(Number.isFinite)) throw toFault(`position ${first} ${second} is outside of its CRS`);
    return position;
  };
  return { reading, dimension, toPosition };
}

/** srsName and srsDimension hold for what is inside, until something inside says otherwise (OGC 03-105r1 §10.1.3). */
function toInner({ attributes }: XmlElement, context: Context): Context {
  const [srsName, srsDimension] = [attributes.get('srsName'), attributes.get('srsDimension')];
  const dimension = srsDimension === undefined ? context.dimension : Number(srsDimension);
  if (srsName !== undefined)
    return createContext(toSrs(srsName, context.reading), context.reading, dimension);
  return dimension === context.dimension ? context : { ...context, dimension };
}

function toPositions(element: XmlElement, outer: Context): Position[] {
  const context = toInner(element, outer);
  const tuples = element.children.flatMap((child) => {
    if (isGml(child, 'posList', 'pos')) return toTuples(child, context.dimension);
    if (isGml(child, 'coordinates')) return toOldTuples(child);
    if (isGml(child, 'coord')) return [toCoordTuple(child)];
    if (isGml(child, 'pointProperty', 'pointRep'))
      return child.children.flatMap((point) => toTuplesOfPoint(point, context));
    return [];
  });
  if (tuples.length === 0) throw toFault(`gml:${element.local} holds no coordinates`);
  return tuples.map(context.toPosition);
}

const toTuplesOfPoint = (point: XmlElement, { dimension }: Context) =>
  childrenOf(point, 'pos').flatMap((pos) => toTuples(pos, dimension));

function toLine(element: XmlElement, context: Context): Position[] {
  const line = toPositions(element, context);
  if (line.length < 2) throw toFault('Invalid number of points in LineString (found 1 - must be 0 or >= 2)');
  return line;
}

function toRing(boundary: XmlElement, context: Context): Position[] {
  const ring = childrenOf(boundary, 'LinearRing')[0];
  if (ring === undefined) throw toFault(`gml:${boundary.local} holds no gml:LinearRing`);
  const positions = toPositions(ring, context);
  const [first, last] = [positions[0], positions.at(-1)];
  if (positions.length < 4)
    throw toFault(`Invalid number of points in LinearRing (found ${positions.length} - must be 0 or >= 4)`);
  if (first?.[0] !== last?.[0] || first?.[1] !== last?.[1])
    throw toFault('Points of LinearRing do not form a closed linestring');
  return positions;
}

function toPolygon(element: XmlElement, outer: Context): Position[][] {
  const context = toInner(element, outer);
  const exteriors = childrenOf(element, 'exterior', 'outerBoundaryIs');
  if (exteriors.length !== 1) throw toFault(`gml:${element.local} has ${exteriors.length} exteriors`);
  return [...exteriors, ...childrenOf(element, 'interior', 'innerBoundaryIs')].map((ring) =>
    toRing(ring, context),
  );
}

const MEMBERS = /^(?:point|curve|lineString|surface|polygon|geometry)Members?$/;

/** A geometry's parts: the elements inside of its `...Member` and `...Members`. */
const membersOf = (element: XmlElement) =>
  element.children
    .filter((child) => isGml(child, child.local) && MEMBERS.test(child.local))
    .flatMap(({ children }) => children);

const isSegment = (element: XmlElement) => isGml(element, 'LineStringSegment');

/** The geometry an element stands for, in parts; kinds of GML 3.1.1 with straight edges, and those of GML 2. */
function toParts(element: XmlElement, outer: Context): Geometry[] {
  const context = toInner(element, outer);
  if (isGml(element, 'Point')) {
    const [coordinates, ...others] = toPositions(element, context);
    if (coordinates === undefined || others.length > 0) throw toFault('gml:Point must hold one position');
    return [{ type: 'Point', coordinates }];
  }
  if (isGml(element, 'LineString')) return [{ type: 'LineString', coordinates: toLine(element, context) }];
  if (isGml(element, 'Polygon')) return [{ type: 'Polygon', coordinates: toPolygon(element, context) }];
  if (isGml(element, 'Envelope', 'Box')) return [toRectangle(toBox(element, context))];
  if (isGml(element, 'Curve')) {
    const segments = childrenOf(element, 'segments').flatMap(({ children }) => children);
    if (segments.length === 0 || !segments.every(isSegment))
      throw toFault('gml:Curve: only gml:LineStringSegment is supported');
    const coordinates = segments.flatMap((segment, i) => toLine(segment, context).slice(i === 0 ? 0 : 1));
    return [{ type: 'LineString', coordinates }];
  }
  if (isGml(element, 'Surface')) {
    const patches = childrenOf(element, 'patches', 'polygonPatches').flatMap(({ children }) => children);
    return patches.map((patch) => ({ type: 'Polygon', coordinates: toPolygon(patch, context) }));
  }
  const isMulti = isGml(
    element,
    ...[
      'MultiPoint',
      'MultiLineString',
      'MultiCurve',
      'MultiPolygon',
      'MultiSurface',
      'MultiGeometry',
      'CompositeSurface',
    ],
  );
  if (!isMulti) throw toFault(`${element.local} is not a supported geometry`);
  const parts = membersOf(element).flatMap((member) => toParts(member, context));
  if (parts.length === 0) throw toFault(`gml:${element.local} has no members`);
  return parts;
}

function toBox(element: XmlElement, context: Context): Bbox {
  const corners = [...childrenOf(element, 'lowerCorner'), ...childrenOf(element, 'upperCorner')];
  const tuples =
    corners.length === 2
      ? corners.map(({ text }) => toNumbers(text))
      : element.children.flatMap((child) => {
          if (isGml(child, 'coordinates')) return toOldTuples(child);
          if (isGml(child, 'pos')) return toTuples(child, context.dimension);
          return isGml(child, 'coord') ? [toCoordTuple(child)] : [];
        });
  const [lower, upper] = tuples.map(context.toPosition);
  if (lower === undefined || upper === undefined || tuples.length !== 2)
    throw toFault(`gml:${element.local} must hold two corners`);
  if (lower[0] > upper[0] || lower[1] > upper[1])
    throw toFault(`gml:${element.local}: lower corner above upper corner`);
  return [lower[0], lower[1], upper[0], upper[1]];
}

/** A box as the geometry it is: an area, or only a line or a point. */
export function toRectangle([west, south, east, north]: Bbox): Geometry {
  if (west === east && south === north) return { type: 'Point', coordinates: [west, south] };
  if (west === east || south === north)
    return {
      type: 'LineString',
      coordinates: [
        [west, south],
        [east, north],
      ],
    };
  return {
    type: 'Polygon',
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  };
}

/** Whether an element is read by {@link readGmlGeometry}: anything of GML's namespace. */
export const isGeometryElement = (element: XmlElement) => isGml(element, element.local);

/** Whether a geometry, or one inside it, is written in a form that is not understood. */
function isUnread(element: XmlElement, unread: NonNullable<GeometryReading['unread']>): boolean {
  if (unread.posList === true && isGml(element, 'posList')) return true;
  if (unread.multiGeometry === true && isGml(element, element.local) && element.local.startsWith('Multi'))
    return true;
  return element.children.some((child) => isUnread(child, unread));
}

/**
 * A geometry of a filter (Filter 1.1, OGC 04-095 §11) as the parts it consists of, in the layer's CRS. Each vertex is
 * reprojected; edges are straight in the layer's CRS, as in GeoServer.
 * @throws OwsException
 */
export function readGmlGeometry(element: XmlElement, reading: GeometryReading): Geometry[] {
  if (isGml(element, 'Envelope', 'Box')) return [toRectangle(readGmlBox(element, reading))];
  if (reading.unread !== undefined && isUnread(element, reading.unread)) return [];
  return toParts(element, createContext(toSrs(undefined, reading), reading, 2));
}

/** gml:Envelope or gml:Box as the box around it in the layer's CRS. @throws OwsException */
export function readGmlBox(element: XmlElement, reading: GeometryReading): Bbox {
  const srs = toSrs(element.attributes.get('srsName'), reading);
  const own = createContext(srs, { ...reading, code: srs.code }, 2);
  return toLayerBox(toBox(element, own), srs, reading);
}

function toLayerBox(box: Bbox, srs: Srs, { code }: GeometryReading): Bbox {
  const project = createProjection(srs.code, code);
  if (project === undefined) return box;
  const projected = toDensified(box, project);
  if (!projected.every(Number.isFinite)) throw toFault(`box ${box.join(',')} is outside of its CRS`);
  return projected;
}

/** KVP bbox (WFS 1.1.0 §14.3.3): four numbers in the order of the CRS, then optionally its name. @throws OwsException */
export function readKvpBox(text: string, reading: GeometryReading): Bbox {
  const words = text.split(',');
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN, d = Number.NaN] = words
    .slice(0, 4)
    .map((word) => (word.trim() === '' ? Number.NaN : Number(word)));
  if (words.length < 4 || ![a, b, c, d].every(Number.isFinite))
    throw new OwsException(
      'InvalidParameterValue',
      `Requested bounding box contains wrong number of coordinates or a value that is not a number: ${text}`,
      'bbox',
    );
  const srs = toSrs(words.length > 4 ? words.slice(4).join(',') : undefined, reading);
  const box: Bbox = srs.axisOrder === 'latLon' ? [b, a, d, c] : [a, b, c, d];
  if (box[0] > box[2] || box[1] > box[3])
    throw new OwsException('InvalidParameterValue', `bbox not ordered: ${text}`, 'bbox');
  return toLayerBox(box, srs, reading);
}
