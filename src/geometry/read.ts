import { type Message, type MessageId, toMessage } from '../errors.js';
import { FaultList, type GeometryFault } from './faults.js';
import type { Geometry, Position } from './model.js';
import { checkPolygons, type PolygonDraft, type RingDraft } from './topology.js';

export interface ReadGeometriesOptions {
  /** Positions in the whole document, all geometries together. */
  readonly maxVertices: number;
}

/** The parts of a document, or everything that is wrong with it. */
export type GeometriesRead =
  | { readonly geometries: Geometry[]; readonly faults?: undefined }
  | { readonly faults: GeometryFault[]; readonly geometries?: undefined };

/**
 * Reads GeoJSON (RFC 7946: Geometry, GeometryCollection, Feature or FeatureCollection, parsed from JSON) into simple
 * and Multi* geometries, whose union it stands for. Checked are form (§3.1), ranges (§4), closure and length of rings
 * (§3.1.6) and, as OGC simple features have it, that polygons do not intersect themselves. Equal positions in a row
 * are left out of the result; ring direction is left as it is.
 *
 * Never throws: answers the first 20 faults, each with its JSON pointer. Linear but for the check of polygons, which
 * takes O(n log n) whatever they look like.
 */
export function readGeometries(geojson: unknown, options: ReadGeometriesOptions): GeometriesRead {
  const faults = new FaultList();
  const reader = new DocumentReader(faults, options.maxVertices);
  reader.readDocument(geojson);
  if (reader.isTooLarge) return { faults: [toSizeFault(options.maxVertices)] };
  for (const parts of reader.drafts) {
    if (!faults.isFull) checkPolygons(parts, faults);
  }
  return faults.faults.length > 0 ? { faults: faults.faults } : { geometries: reader.geometries };
}

function toSizeFault(max: number): GeometryFault {
  return { pointer: '', message: { id: 'geometry.tooManyVertices', values: { max } } };
}

/** GeometryCollections inside each other; RFC 7946 §3.1.8 advises against any. */
const MAX_DEPTH = 32;

const geometryTypes = [
  'Point',
  'MultiPoint',
  'LineString',
  'MultiLineString',
  'Polygon',
  'MultiPolygon',
  'GeometryCollection',
] as const;
const documentTypes = [...geometryTypes, 'Feature', 'FeatureCollection'] as const;

type JsonObject = Readonly<Record<string, unknown>>;
type ReadPart<T> = (value: unknown, pointer: string, index: number) => T | undefined;

/** What a list is of. */
type PartKind = 'features' | 'geometries' | 'lines' | 'polygons' | 'positions' | 'rings';

const toWhat = (kind: PartKind) => toMessage(`geometry.${kind}`);

/** One pass over a document; what cannot be read becomes a fault and `undefined`, and the pass goes on. */
class DocumentReader {
  readonly geometries: Geometry[] = [];
  /** The polygons of each Polygon or MultiPolygon without a fault of form, still to be checked for topology. */
  readonly drafts: PolygonDraft[][] = [];
  readonly #faults: FaultList;
  readonly #maxVertices: number;
  #vertices = 0;

  constructor(faults: FaultList, maxVertices: number) {
    this.#faults = faults;
    this.#maxVertices = maxVertices;
  }

  get isTooLarge(): boolean {
    return this.#vertices > this.#maxVertices;
  }

  readDocument(value: unknown): void {
    const object = this.#readObject(value, '', documentTypes);
    if (object?.type === 'FeatureCollection') {
      this.#readMembers(object, 'features', '', (feature, pointer) => {
        const member = this.#readObject(feature, pointer, ['Feature']);
        if (member) this.#readFeature(member, pointer);
      });
    } else if (object?.type === 'Feature') this.#readFeature(object, '');
    else if (object) this.#readGeometry(object, '', 0);
  }

  #readFeature(feature: JsonObject, pointer: string): void {
    const place = `${pointer}/geometry`;
    if (feature.geometry === undefined) this.#fault(pointer, 'geometry.missing', { member: 'geometry' });
    else if (feature.geometry === null) this.#fault(place, 'geometry.nullGeometry');
    else {
      const object = this.#readObject(feature.geometry, place, geometryTypes);
      if (object) this.#readGeometry(object, place, 0);
    }
  }

  #readGeometry(object: JsonObject, pointer: string, depth: number): void {
    if (object.type !== 'GeometryCollection') this.#readSimple(object, pointer);
    else if (depth >= MAX_DEPTH) this.#fault(pointer, 'geometry.tooDeep', { max: MAX_DEPTH });
    else
      this.#readMembers(object, 'geometries', pointer, (value, place) => {
        const member = this.#readObject(value, place, geometryTypes);
        if (member) this.#readGeometry(member, place, depth + 1);
      });
  }

  #readSimple(object: JsonObject, pointer: string): void {
    if (object.coordinates === undefined) this.#fault(pointer, 'geometry.missing', { member: 'coordinates' });
    else {
      const geometry = this.#readCoordinates(object.type as Geometry['type'], object.coordinates, pointer);
      if (geometry) this.geometries.push(geometry);
    }
  }

  #readCoordinates(type: Geometry['type'], value: unknown, parent: string): Geometry | undefined {
    const pointer = `${parent}/coordinates`;
    switch (type) {
      case 'Point':
        return toGeometry(type, this.#readPosition(value, parent, 'coordinates'));
      case 'MultiPoint':
        return toGeometry(type, this.#readPositions(value, pointer));
      case 'LineString':
        return toGeometry(type, this.#readLine(value, pointer));
      case 'MultiLineString':
        return toGeometry(
          type,
          this.#readList(value, pointer, 'lines', (line, place) => this.#readLine(line, place)),
        );
      case 'Polygon': {
        const draft = this.#readPolygon(value, pointer);
        if (draft) this.drafts.push([draft]);
        return toGeometry(type, draft && toCoordinates(draft));
      }
      case 'MultiPolygon': {
        const parts = this.#readList(value, pointer, 'polygons', (part, place) =>
          this.#readPolygon(part, place),
        );
        if (parts) this.drafts.push(parts);
        return toGeometry(type, parts?.map(toCoordinates));
      }
    }
  }

  #readPolygon(value: unknown, pointer: string): PolygonDraft | undefined {
    const rings = this.#readList(value, pointer, 'rings', (ring, place, index) =>
      this.#readRing(ring, place, index),
    );
    return rings && { pointer, rings };
  }

  /** RFC 7946 §3.1.6: closed, with four or more positions. */
  #readRing(value: unknown, pointer: string, ring: number): RingDraft | undefined {
    const positions = this.#readPositions(value, pointer);
    if (!positions) return undefined;
    const [first, last] = [positions[0] as Position, positions.at(-1) as Position];
    const isClosed = isSamePlace(first, last);
    if (!isClosed) return this.#fault(pointer, 'geometry.ringNotClosed', { ring });
    if (positions.length < 4)
      return this.#fault(pointer, 'geometry.ringTooShort', { ring, count: positions.length });
    const draft = withoutRepeats(positions);
    if (draft.positions.length < 4) return this.#fault(pointer, 'geometry.ringWithoutArea', { ring });
    return draft;
  }

  #readLine(value: unknown, pointer: string): readonly Position[] | undefined {
    const all = this.#readPositions(value, pointer);
    if (!all) return undefined;
    if (all.length < 2) return this.#fault(pointer, 'geometry.lineTooShort', { count: all.length });
    const { positions } = withoutRepeats(all);
    if (positions.length < 2) return this.#fault(pointer, 'geometry.lineWithoutLength');
    return positions;
  }

  #readPositions(value: unknown, pointer: string): Position[] | undefined {
    return this.#readList(value, pointer, 'positions', (position, _, index) =>
      this.#readPosition(position, pointer, index),
    );
  }

  /** RFC 7946 §3.1.1. The pointer is put together only for a fault: there are many positions. */
  #readPosition(value: unknown, parent: string, name: string | number): Position | undefined {
    this.#vertices++;
    const toPointer = () => `${parent}/${name}`;
    if (!Array.isArray(value))
      return this.#fault(toPointer(), 'geometry.notPosition', { value: toExcerpt(value) });
    const size = value.length;
    if (size < 2 || size > 3) return this.#fault(toPointer(), 'geometry.positionSize', { count: size });
    for (let i = 0; i < size; i++) {
      if (!Number.isFinite(value[i]))
        return this.#fault(`${toPointer()}/${i}`, 'geometry.notNumber', { value: toExcerpt(value[i]) });
    }
    const [lon, lat] = value as Position;
    if (Math.abs(lon) > 180 || Math.abs(lat) > 90) {
      const [id, values] = toRangeText(lon, lat);
      return this.#fault(toPointer(), id, values);
    }
    return value as Position;
  }

  /** Every member of an array read, or undefined when it is none, is empty or one of them has a fault. */
  #readList<T>(value: unknown, pointer: string, kind: PartKind, read: ReadPart<T>): T[] | undefined {
    if (!Array.isArray(value))
      return this.#fault(pointer, 'geometry.notArray', { what: toWhat(kind), value: toExcerpt(value) });
    if (value.length === 0) return this.#fault(pointer, 'geometry.empty', { what: toWhat(kind) });
    const parts: T[] = [];
    const isOfPositions = kind === 'positions';
    for (let i = 0; i < value.length; i++) {
      if (this.isTooLarge || this.#faults.isFull) return undefined;
      const part = read(value[i], isOfPositions ? '' : `${pointer}/${i}`, i);
      if (part !== undefined) parts.push(part);
    }
    return parts.length === value.length ? parts : undefined;
  }

  /** The objects in the array that a collection has as a member. */
  #readMembers(
    collection: JsonObject,
    name: 'geometries' | 'features',
    pointer: string,
    read: (value: unknown, pointer: string) => void,
  ): void {
    const members = collection[name];
    if (members === undefined) this.#fault(pointer, 'geometry.missing', { member: name });
    else this.#readList(members, `${pointer}/${name}`, name, read);
  }

  /** An object of one of the given types, in WGS84. */
  #readObject(value: unknown, pointer: string, types: readonly string[]): JsonObject | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.#fault(pointer, 'geometry.notObject', { value: toExcerpt(value) });
    const object = value as JsonObject;
    if (object.crs !== undefined && object.crs !== null && !isWgs84(object.crs))
      this.#fault(`${pointer}/crs`, 'geometry.crsNotWgs84', { crs: toExcerpt(toCrsName(object.crs)) });
    if (object.type === undefined) return this.#fault(pointer, 'geometry.missing', { member: 'type' });
    if (types.includes(object.type as string)) return object;
    return this.#fault(`${pointer}/type`, ...toTypeText(object.type, types));
  }

  #fault(pointer: string, id: MessageId, values: Message['values'] = {}): undefined {
    this.#faults.add(pointer, id, values);
  }
}

function toGeometry<T extends Geometry['type']>(
  type: T,
  coordinates: Extract<Geometry, { type: T }>['coordinates'] | undefined,
): Geometry | undefined {
  return coordinates && ({ type, coordinates } as Geometry);
}

function toCoordinates(draft: PolygonDraft): (readonly Position[])[] {
  return draft.rings.map(({ positions }) => positions);
}

/** Leaves out each position that stands where the one before it does: some servers refuse such lines and rings. */
function withoutRepeats(positions: readonly Position[]): RingDraft {
  const isKept = (position: Position, i: number) =>
    i === 0 || !isSamePlace(position, positions[i - 1] as Position);
  if (positions.every(isKept)) return { positions };
  const origins = [...positions.keys()].filter((i) => isKept(positions[i] as Position, i));
  return { positions: origins.map((i) => positions[i] as Position), origins };
}

function isSamePlace(one: Position, other: Position): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

function toRangeText(lon: number, lat: number): [MessageId, Message['values']] {
  const isLatitude = Math.abs(lat) > 90;
  const [axis, value, max] = isLatitude
    ? (['latitude', lat, 90] as const)
    : (['longitude', lon, 180] as const);
  const values = { axis: toMessage(`geometry.${axis}`), value, max };
  if (Math.abs(lon) > 360 || Math.abs(lat) > 360) return ['geometry.notDegrees', values];
  const isSwapped = isLatitude && Math.abs(lat) <= 180 && Math.abs(lon) <= 90;
  return [isSwapped ? 'geometry.axisOrder' : 'geometry.outOfRange', values];
}

function toTypeText(type: unknown, types: readonly string[]): [MessageId, Message['values']] {
  const value = toExcerpt(type);
  const word = typeof type === 'string' ? type.trim().toLowerCase() : '';
  const nearest = types.find((known) => known.toLowerCase() === word);
  if (nearest) return ['geometry.typeMisspelt', { value, nearest }];
  const isMisplaced = (documentTypes as readonly unknown[]).includes(type);
  return [
    isMisplaced ? 'geometry.typeMisplaced' : 'geometry.typeUnknown',
    { value, types: types.join(', ') },
  ];
}

/** The name in a `crs` member as GeoJSON had it before RFC 7946 (2008 specification §3). */
function toCrsName(crs: unknown): unknown {
  const { properties } = crs as { properties?: { name?: unknown; code?: unknown } | null };
  return properties?.name ?? properties?.code ?? crs;
}

/** EPSG:4326, OGC:CRS84 and CRS:84 in every spelling they have been written in. */
function isWgs84(crs: unknown): boolean {
  const name = toCrsName(crs);
  if (typeof name !== 'string' && typeof name !== 'number') return false;
  return /(?:^|[:/#])(?:4326|CRS84h?|WGS ?84)$|^(?:urn:ogc:def:crs:)?(?:OGC:)?CRS:84$/i.test(
    String(name).trim(),
  );
}

/** A foreign value as a message can hold it: JSON, cut short. */
function toExcerpt(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value);
  return text.slice(0, 64);
}
