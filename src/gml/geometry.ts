import { fromUtf8, Lane, putText, TEXT_STOP, toUtf8, trimWhite, WHITE } from './bytes.js';
import { Coordinates, type Notation, toSeparators } from './coordinates.js';
import { type Point, toArcByCentre, toArcString, toArcStringByBulge, toCircle } from './curves.js';
import { isCurvePart, isObject, Kind } from './geometry-names.js';
import { KnownGeometries, type KnownGeometry } from './known-geometries.js';
import type { Learner } from './learner.js';
import { type Keeper, NumbersEnd } from './memo.js';
import type { CrsReading } from './model.js';
import { type Name, Role, type Tag } from './names.js';
import { putNumber, toJsonNumber } from './numbers.js';
import {
  areaOf,
  countParts,
  findEnd,
  findLast,
  finishRing,
  isSamePosition,
  readPositions,
  reversePositions,
  toTexts,
} from './positions.js';

/** Faults that cost a feature its geometry. */
export type GeometryFault =
  | 'nanCoordinate'
  | 'badCoordinate'
  | 'incompletePosition'
  | 'badDimension'
  | 'tooFewPositions'
  | 'exteriorMissing'
  | 'unsupportedCurve'
  | 'unexpectedElement'
  | 'unresolvedReference';

/** What a geometry stands in: where coordinates without srsName or srsDimension take theirs from. */
export interface Surroundings {
  readingOf(srsName: string | undefined): CrsReading;
  /** Tells readings apart. */
  numberOf(reading: CrsReading): number;
  /** Of the nearest enclosing Envelope, where that counts. */
  readonly srsName: string | undefined;
  readonly srsDimension: number | undefined;
}

const TYPES: Readonly<Record<number, string>> = {
  [Kind.point]: 'Point',
  [Kind.line]: 'LineString',
  [Kind.ring]: 'LineString',
  [Kind.polygon]: 'Polygon',
  [Kind.envelope]: 'Polygon',
  [Kind.surface]: 'MultiPolygon',
  [Kind.multiPoint]: 'MultiPoint',
  [Kind.multiLine]: 'MultiLineString',
  [Kind.multiSurface]: 'MultiPolygon',
};
const HEADERS = new Map(
  Object.values(TYPES).map((type) => [type, toUtf8(`{"type":"${type}","coordinates":`)] as const),
);
const COLLECTION_HEADER = toUtf8('{"type":"GeometryCollection","geometries":');
const headerOf = (kind: number): Uint8Array =>
  kind === Kind.multiGeometry ? COLLECTION_HEADER : (HEADERS.get(TYPES[kind] as string) as Uint8Array);
/** The unit of a radius in degrees, as the coordinates are, or none (EPSG 9102, 9122). */
const DEGREE = /^$|deg|[:/]91(?:02|22)$/i;
/** The unit of an angle that is not in degrees (EPSG 9101). */
const RADIAN = /^rad$|\brad$|radian|[:/]9101$/i;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BRACE = 0x7d;

/** An open element of a geometry. Kept and used again. */
class Frame {
  kind = 0;
  /** Of an object: it writes nothing of its own, its content belongs to an object around it. */
  isTransparent = false;
  /** Something stood inside. */
  isTouched = false;
  /** Where it begins on the lane, with the comma before it; and its coordinates, without. */
  from = 0;
  start = 0;
  /** Parts written. */
  count = 0;
  hasExterior = false;
  /** Positions are to be turned round when it ends. */
  isReversed = false;
  reading: CrsReading | undefined;
  dimension: number | undefined;
  href: string | undefined;
  id = new Lane(0);
  /** The container that was open around it, and the run of positions. */
  container: Frame | undefined;
  run: Frame | undefined;
}

/**
 * GML geometry (2.1.2 §4.3, 3.1.1 §10, 3.2 §10) to GeoJSON (RFC 7946 §3.1), appended to a lane while it is read:
 * rings closed and turned the right way (§3.1.6), curves made of positions, M dropped.
 */
export class GeometryReader {
  /** The geometry is whole, on the lane from `from` to its end; nothing there is a null geometry. */
  from = 0;
  readonly lane = new Lane(1 << 12);
  private readonly coordinates = new Coordinates(this.lane);
  private readonly spare = new Lane(0);
  private readonly known: KnownGeometries;
  private readonly frames: Frame[] = [];
  private depth = 0;
  /** The object that takes parts, and the line or ring that takes positions. */
  private container: Frame | undefined;
  private run: Frame | undefined;
  private fault: GeometryFault | undefined;
  /** Elements inside one that is skipped. */
  private skipped = 0;
  /** The run's area has to be read from what was written. */
  private isReworked = false;
  private reversals = 0;
  private parameterName = '';
  private isInRadians = false;
  private readonly singleText = new Lane(32);
  private parameters: {
    radius?: number;
    isLength?: boolean;
    startAngle?: number;
    endAngle?: number;
    bulges: number[];
  } = {
    bulges: [],
  };
  /** Set where character data is of interest. */
  takesText = false;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly warn: (fault: GeometryFault) => void,
    private readonly learner: () => Learner | undefined,
    referenceBytes: number,
  ) {
    this.known = new KnownGeometries(referenceBytes);
  }

  /** Forgets what another document could be referred to. */
  reuse(): void {
    this.lane.length = 0;
    this.known.clear();
  }

  /** What is held of the feature. */
  get size(): number {
    return this.lane.length + this.singleText.length;
  }

  get room(): number {
    return this.lane.bytes.length + this.spare.bytes.length + this.singleText.bytes.length + this.known.room;
  }

  /** Set while what is done here is written down. */
  private get watcher(): Learner | undefined {
    return this.learner();
  }

  /** Keeps a whole geometry for references to it. */
  readonly keep: Keeper = (kind, id, idFrom, idTo, lane, from, to) => {
    this.known.keep(id, idFrom, idTo, kind, lane, from, to);
  };

  /**
   * All that decides what comes of the elements and numbers that follow, but for what is on the lane and counted in
   * `coordinates`; undefined where that is not learnt.
   */
  describe(): string | undefined {
    if (this.fault !== undefined || this.coordinates.fault !== undefined) return undefined;
    const frames = this.frames.slice(0, this.depth);
    if (frames.some(({ kind, href }) => href !== undefined || !isLearnt(kind))) return undefined;
    const { skipped, isReworked, reversals } = this;
    const hasPositions = this.coordinates.count > 0;
    return JSON.stringify([
      skipped,
      isReworked,
      reversals,
      hasPositions,
      this.indexOf(this.container),
      this.indexOf(this.run),
      frames.map((frame) => this.describeFrame(frame)),
    ]);
  }

  private describeFrame(frame: Frame): unknown[] {
    const { kind, isTransparent, isTouched, count, hasExterior, isReversed, reading, dimension, id } = frame;
    // Whether positions stood before it decides whether it is joined to them.
    const isJoined = frame.run !== undefined && frame.from > frame.run.start + 1;
    return [
      kind,
      isTransparent,
      isTouched,
      Math.min(count, 2),
      hasExterior,
      isReversed,
      reading === undefined ? -1 : this.surroundings.numberOf(reading),
      dimension ?? -1,
      id.length > 0,
      isJoined,
      this.indexOf(frame.container),
      this.indexOf(frame.run),
    ];
  }

  private indexOf(frame: Frame | undefined): number {
    return frame === undefined ? -1 : this.frames.indexOf(frame);
  }

  /** Whether the element begins a geometry: GML's, or one in no namespace at all; `isExpected`: in whatever. */
  static isGeometry(name: Name, isExpected: boolean): boolean {
    if (!name.isGml && name.namespace !== '' && !isExpected) return false;
    const { kind } = name;
    return isObject(kind) && !isCurvePart(kind);
  }

  /** The outermost element of a geometry. */
  begin(name: Name, tag: Tag): void {
    this.from = this.lane.length;
    this.depth = 0;
    this.container = undefined;
    this.run = undefined;
    this.fault = undefined;
    this.skipped = 0;
    this.reversals = 0;
    this.open(name, tag);
  }

  open(name: Name, tag: Tag): void {
    this.takesText = false;
    if (this.skipped > 0) {
      this.skipped++;
      return;
    }
    const parent = this.depth > 0 ? this.frames[this.depth - 1] : undefined;
    const { kind } = name;
    if (parent !== undefined) parent.isTouched = true;
    const isMisplaced = kind === Kind.unknown || (parent !== undefined && !mayHold(parent.kind, kind));
    if (isMisplaced || kind === Kind.ignored) {
      if (isMisplaced) this.refuse('unexpectedElement');
      this.skipped = 1;
      return;
    }
    const frame = this.push(kind, parent, tag);
    if (kind === Kind.parameter) {
      this.parameterName = name.local;
      if (name.local === 'radius') this.parameters.isLength = !DEGREE.test(tag.value(Role.uom) ?? '');
      this.isInRadians = /Angle$/.test(name.local) && RADIAN.test(tag.value(Role.uom) ?? '');
    }
    if (isObject(kind)) this.openObject(frame, tag);
    else this.openProperty(frame, tag);
  }

  /** @returns whether the geometry is whole */
  close(): boolean {
    this.takesText = false;
    if (this.skipped > 0) {
      this.skipped--;
      return false;
    }
    const frame = this.frames[this.depth - 1] as Frame;
    if (isObject(frame.kind)) this.closeObject(frame);
    else this.closeProperty(frame);
    this.container = frame.container;
    this.run = frame.run;
    this.depth--;
    if (this.depth > 0) return false;
    this.finish(frame);
    return true;
  }

  /** What is read is one number: a parameter, or an ordinate of a coord. */
  private get isSingle(): boolean {
    const kind = this.frames[this.depth - 1]?.kind;
    return kind === Kind.parameter || kind === Kind.ordinate;
  }

  text(bytes: Uint8Array, at: number): number {
    if (!this.isSingle) return this.coordinates.text(bytes, at);
    let end = at;
    while (TEXT_STOP[bytes[end] as number] === 0) end++;
    this.singleText.put(bytes, at, end);
    return end;
  }

  characters(bytes: Uint8Array, from: number, to: number): void {
    if (this.isSingle) this.singleText.put(bytes, from, to);
    else this.coordinates.characters(bytes, from, to);
  }

  /**
   * The geometry an xlink:href leads to, whole on the lane from `from`.
   * @returns whether there is one
   */
  putReferenced(href: string): boolean {
    this.watcher?.spoil();
    this.from = this.lane.length;
    const found = this.find(href);
    if (found === undefined) return false;
    this.lane.put(headerOf(found.type));
    this.lane.put(found.bytes, found.from, found.to);
    this.lane.putByte(BRACE);
    return true;
  }

  /** A geometry before; what stands elsewhere is not looked for. */
  private find(href: string): KnownGeometry | undefined {
    const uri = trimWhite(href);
    return uri.startsWith('#') ? this.known.find(uri.slice(1)) : undefined;
  }

  private push(kind: number, parent: Frame | undefined, tag: Tag): Frame {
    let frame = this.frames[this.depth];
    if (frame === undefined) {
      frame = new Frame();
      this.frames[this.depth] = frame;
    }
    this.depth++;
    frame.kind = kind;
    frame.isTransparent = false;
    frame.isTouched = false;
    frame.from = this.lane.length;
    frame.start = this.lane.length;
    frame.count = 0;
    frame.hasExterior = false;
    frame.isReversed = false;
    frame.reading = parent?.reading;
    frame.dimension = parent?.dimension;
    frame.href = undefined;
    frame.id.length = 0;
    frame.container = this.container;
    frame.run = this.run;
    if (tag.roles !== 0) this.readRoles(frame, tag);
    return frame;
  }

  private readRoles(frame: Frame, tag: Tag): void {
    if ((tag.roles & Role.srsName) !== 0) {
      tag.reading ??= this.surroundings.readingOf(tag.value(Role.srsName));
      frame.reading = tag.reading;
    }
    if ((tag.roles & Role.srsDimension) !== 0) {
      tag.dimension ??= toDimension(tag.value(Role.srsDimension));
      frame.dimension = tag.dimension;
    }
    if ((tag.roles & Role.href) !== 0) {
      frame.href = tag.value(Role.href);
      this.watcher?.spoil();
    }
    if ((tag.roles & Role.gmlId) === 0) return;
    tag.putRaw(frame.id, Role.gmlId);
    this.watcher?.frameHasId(this.depth - 1);
  }

  private refuse(fault: GeometryFault): void {
    this.watcher?.spoil();
    this.fault ??= fault;
  }

  // Objects

  private openObject(frame: Frame, tag: Tag): void {
    const { kind } = frame;
    if (kind === Kind.line && tag.value(Role.orientation) === '-') {
      frame.isReversed = true;
      this.reversals++;
    }
    if (this.run !== undefined) this.openInRun(frame);
    else if (kind === Kind.point || kind === Kind.envelope) this.openPart(frame, false);
    else if (kind === Kind.ring && this.container?.kind === Kind.polygon) this.openRing(frame);
    else if (kind === Kind.line || kind === Kind.ring || isCurvePart(kind)) this.openLine(frame);
    else if (isSameKindOfMany(kind, this.container?.kind)) {
      frame.isTransparent = true;
      frame.count = (this.container as Frame).count;
    } else this.openPart(frame, true);
    if (isCurvePart(kind)) this.parameters = { bulges: [] };
  }

  /** Part of a line or ring: its positions go on where the ones before ended. */
  private openInRun(frame: Frame): void {
    const { kind } = frame;
    const isCurve = kind === Kind.line || kind === Kind.ring || isCurvePart(kind);
    const around = this.objectAround(this.depth - 1).kind;
    const isAllowed = kind === Kind.point ? around !== Kind.point : isCurve && !isLeaf(around);
    if (!isAllowed) this.refuse('unexpectedElement');
    frame.isTransparent = true;
  }

  /** The object that what stands at this depth is part of. */
  private objectAround(depth: number): Frame {
    let at = depth - 1;
    while (at > 0 && !isObject((this.frames[at] as Frame).kind)) at--;
    return this.frames[at] as Frame;
  }

  private openPart(frame: Frame, isContainer: boolean): void {
    const { container, lane } = this;
    if (container !== undefined) {
      if (!takes(container.kind, frame.kind)) this.refuse('unexpectedElement');
      if (container.count > 0) lane.putByte(COMMA);
    } else this.putHeader(frame.kind);
    frame.start = lane.length;
    // Of what is read in one go with a geometry that has an id, only that one's own.
    if (frame.id.length > 0) this.watcher?.frameStarts(frame.start);
    if (isContainer) {
      lane.putByte(OPEN);
      this.container = frame;
      return;
    }
    this.coordinates.begin();
    this.watcher?.runBegins();
    this.container = frame;
  }

  /** The outermost object says its type, where that is known beforehand. */
  private putHeader(kind: number): void {
    const type = TYPES[isCurvePart(kind) ? Kind.line : kind];
    if (kind === Kind.multiGeometry) this.lane.put(COLLECTION_HEADER);
    else if (kind !== Kind.surface && type !== undefined) this.lane.put(HEADERS.get(type) as Uint8Array);
  }

  private openLine(frame: Frame): void {
    const { kind } = frame;
    if (!isCurvePart(kind)) frame.kind = Kind.line;
    this.openPart(frame, false);
    this.beginRun(frame);
  }

  private openRing(frame: Frame): void {
    const polygon = this.container as Frame;
    if (polygon.count > 0) this.lane.putByte(COMMA);
    frame.start = this.lane.length;
    this.beginRun(frame);
  }

  private beginRun(frame: Frame): void {
    this.lane.putByte(OPEN);
    this.run = frame;
    this.isReworked = false;
    this.coordinates.begin();
    this.watcher?.runBegins();
  }

  private closeObject(frame: Frame): void {
    if (isCurvePart(frame.kind)) this.linearise(frame);
    if (frame.isTransparent) this.closeTransparent(frame);
    else if (frame.kind === Kind.ring) this.closeRing(frame);
    else if (this.closeShape(frame)) this.closePart(frame);
    else this.drop(frame);
    if (frame.isReversed) this.reversals--;
  }

  /** Nothing came of it. */
  private drop(frame: Frame): void {
    this.watcher?.spoil();
    this.lane.length = frame.from;
  }

  /** @returns whether there is something */
  private closeShape(frame: Frame): boolean {
    const { kind } = frame;
    if (kind === Kind.point) return this.closePoint();
    if (kind === Kind.envelope) return this.closeEnvelope(frame);
    if (kind === Kind.line || isCurvePart(kind)) return this.closeLine(frame);
    if (kind === Kind.polygon && !frame.hasExterior && frame.count > 0) this.refuse('exteriorMissing');
    this.lane.putByte(CLOSE);
    return frame.count > 0;
  }

  /** A part is whole: the container has one more, and it can be referred to. */
  private closePart(frame: Frame): void {
    const { lane } = this;
    let { kind } = frame;
    if (isCurvePart(kind)) kind = Kind.line;
    const container = frame.container;
    if (kind === Kind.surface && frame.count === 1) {
      // One patch is a Polygon: the brackets around the list go.
      this.watcher?.spoil();
      lane.remove(frame.start, frame.start + 1);
      lane.length--;
      kind = Kind.polygon;
    }
    if (frame.id.length > 0 && this.fault === undefined) {
      this.known.keep(frame.id.bytes, 0, frame.id.length, kind, lane, frame.start, lane.length);
      this.watcher?.keeps(kind, this.depth - 1);
    }
    if (container === undefined) {
      if (frame.kind === Kind.surface) {
        this.watcher?.spoil();
        lane.insert(frame.start, headerOf(kind));
      }
      lane.putByte(BRACE);
      return;
    }
    if (container.kind === Kind.multiGeometry) {
      this.watcher?.spoil();
      lane.insert(frame.start, headerOf(kind));
      lane.putByte(BRACE);
    }
    container.count++;
  }

  private closePoint(): boolean {
    this.watcher?.runEnds(NumbersEnd.point);
    this.takeFault();
    if (this.coordinates.count > 1) this.refuse('unexpectedElement');
    return this.coordinates.count > 0;
  }

  private closeLine(frame: Frame): boolean {
    this.watcher?.runEnds(NumbersEnd.line);
    this.takeFault();
    if (frame.isReversed) this.reverse(frame.start + 1);
    this.lane.putByte(CLOSE);
    if (this.coordinates.count === 1) this.refuse('tooFewPositions');
    return this.coordinates.count > 0;
  }

  /** Two corners make a Polygon (RFC 7946 §5 speaks of boxes by their corners; a geometry needs the ring). */
  private closeEnvelope(frame: Frame): boolean {
    const { lane } = this;
    this.watcher?.spoil();
    this.takeFault();
    if (this.coordinates.count === 0) return false;
    if (this.coordinates.count !== 2) {
      this.refuse('incompletePosition');
      return false;
    }
    const [x1 = '', y1 = ''] = toTexts(lane, frame.start);
    const [x2 = '', y2 = ''] = toTexts(lane, findEnd(lane, frame.start) + 1);
    lane.length = frame.start;
    const corners = [x1, y1, x2, y1, x2, y2, x1, y2, x1, y1];
    const ring = corners.map((text, i) => (i % 2 === 0 ? `[${text}` : `${text}]`)).join(',');
    putText(lane, `[[${ring}]]`);
    return true;
  }

  private takeFault(): void {
    if (this.coordinates.fault !== undefined) this.refuse(this.coordinates.fault);
  }

  // Rings (RFC 7946 §3.1.6)

  private closeRing(frame: Frame): void {
    const { lane, coordinates } = this;
    const polygon = frame.container as Frame;
    const isInterior = this.frames[this.depth - 2]?.kind === Kind.interior;
    this.takeFault();
    if (coordinates.count === 0) {
      this.drop(frame);
      return;
    }
    const start = frame.start + 1;
    const area = this.isReworked ? areaOf(readPositions(lane, start, lane.length)) : coordinates.area;
    this.watcher?.runEnds(isInterior ? NumbersEnd.interior : NumbersEnd.exterior);
    finishRing(lane, start, coordinates, area, isInterior, this.spare);
    this.watcher?.runEnded();
    if (coordinates.count < 4) this.refuse('tooFewPositions');
    lane.putByte(CLOSE);
    if (frame.id.length > 0) this.keepPart(frame, Kind.line, lane, frame.start);
    this.addRing(polygon, frame.from, frame.start, isInterior);
  }

  private addRing(polygon: Frame, from: number, start: number, isInterior: boolean): void {
    polygon.count++;
    if (isInterior) return;
    if (polygon.hasExterior) this.refuse('unexpectedElement');
    polygon.hasExterior = true;
    if (polygon.count > 1) this.moveToFront(polygon, from, start);
  }

  /** The exterior ring came behind an interior one; `from`: the comma before it. */
  private moveToFront(polygon: Frame, from: number, start: number): void {
    const { lane, spare } = this;
    this.watcher?.spoil();
    const first = polygon.start + 1;
    spare.length = 0;
    spare.put(lane.bytes, start, lane.length);
    spare.putByte(COMMA);
    spare.put(lane.bytes, first, from);
    lane.bytes.set(spare.bytes.subarray(0, spare.length), first);
  }

  /** The ring of an exterior or interior by reference. */
  private putRing(property: Frame, found: KnownGeometry): void {
    const { lane, coordinates } = this;
    const polygon = this.container as Frame;
    if (polygon.count > 0) lane.putByte(COMMA);
    const start = lane.length;
    lane.put(found.bytes, found.from, found.to - 1);
    const points = readPositions(lane, start + 1, lane.length);
    const isInterior = property.kind === Kind.interior;
    coordinates.begin();
    coordinates.count = points.length;
    finishRing(lane, start + 1, coordinates, areaOf(points), isInterior, this.spare);
    if (coordinates.count < 4) this.refuse('tooFewPositions');
    lane.putByte(CLOSE);
    this.addRing(polygon, property.from, start, isInterior);
  }

  // Curves

  private closeTransparent(frame: Frame): void {
    const from = this.beginOf(frame);
    if (this.lane.length <= from) return;
    if (this.run === undefined) {
      if (frame.id.length > 0) this.keepParts(frame, from);
      return;
    }
    if (frame.isReversed) this.reverse(from);
    if (frame.id.length > 0) this.keepPositions(frame, from);
    // The first part of a part is joined when that one ends: it may run the other way.
    if (frame.kind !== Kind.point && from > this.beginOf(this.objectAround(this.depth - 1)))
      this.dropRepeated(from);
  }

  /** Where the first position, or part, of an object stands. */
  private beginOf(frame: Frame): number {
    if (!frame.isTransparent) return frame.start + 1;
    return this.lane.bytes[frame.from] === COMMA ? frame.from + 1 : frame.from;
  }

  // Parts that others refer to

  private keepPart(frame: Frame, kind: number, lane: Lane, from: number): void {
    this.watcher?.spoil();
    if (this.fault !== undefined || this.coordinates.fault !== undefined) return;
    this.known.keep(frame.id.bytes, 0, frame.id.length, kind, lane, from, lane.length);
  }

  /** A curve that is part of a line or ring (a boundary two polygons share), or a point of it. */
  private keepPositions(frame: Frame, from: number): void {
    const { lane } = this;
    const isSingle = findEnd(lane, from) === lane.length;
    if (isSingle !== (frame.kind === Kind.point)) return;
    if (isSingle) this.keepPart(frame, Kind.point, lane, from);
    else this.keepPart(frame, Kind.line, this.toList(from), 0);
  }

  /** A collection whose parts are parts of the one around it. */
  private keepParts(frame: Frame, from: number): void {
    const count = (this.container as Frame).count - frame.count;
    if (count === 1 && frame.kind === Kind.surface) this.keepPart(frame, Kind.polygon, this.lane, from);
    else this.keepPart(frame, frame.kind, this.toList(from), 0);
  }

  private toList(from: number): Lane {
    const { lane, spare } = this;
    spare.length = 0;
    spare.putByte(OPEN);
    spare.put(lane.bytes, from, lane.length);
    spare.putByte(CLOSE);
    return spare;
  }

  private reverse(from: number): void {
    this.watcher?.spoil();
    if (this.lane.length > from) reversePositions(this.lane, from, this.lane.length, this.spare);
    this.isReworked = true;
  }

  /** A segment begins where the one before it ended: that position stands once (GML 3.1.1 §10.2.1.2). */
  private dropRepeated(from: number): void {
    const { lane } = this;
    this.watcher?.spoil();
    if (!isSamePosition(lane, findLast(lane, from - 1), from)) return;
    lane.remove(from - 1, findEnd(lane, from));
    this.coordinates.count--;
  }

  /** An arc's control points become its positions. */
  private linearise(frame: Frame): void {
    if (frame.kind === Kind.segment) return;
    this.watcher?.spoil();
    if (frame.kind === Kind.otherCurve) {
      this.refuse('unsupportedCurve');
      return;
    }
    const { lane, coordinates } = this;
    const begin = frame.isTransparent ? frame.from : frame.start + 1;
    const from = lane.bytes[begin] === COMMA ? begin + 1 : begin;
    const points = lane.length > from ? readPositions(lane, from, lane.length) : [];
    const reading = frame.reading ?? this.defaultReading();
    const isDegrees = reading.isGeographic === true && this.parameters.isLength === true;
    const curve = isDegrees ? undefined : this.toCurve(frame.kind, points);
    if (curve === undefined) {
      if (points.length > 0) this.refuse('unsupportedCurve');
      return;
    }
    lane.length = begin;
    coordinates.count += curve.length - points.length;
    this.isReworked = true;
    curve.forEach((point, i) => {
      if (i > 0 || from > begin) lane.putByte(COMMA);
      this.putPoint(point, reading.transform);
    });
  }

  private toCurve(kind: number, points: readonly Point[]): Point[] | undefined {
    const { radius, startAngle, endAngle, bulges } = this.parameters;
    if (kind === Kind.arcString) return toArcString(points);
    if (kind === Kind.circle) return toCircle(points);
    if (kind === Kind.bulge) return toArcStringByBulge(points, bulges);
    const [centre] = points;
    if (centre === undefined || points.length !== 1 || radius === undefined) return undefined;
    return toArcByCentre(centre, radius, startAngle, endAngle);
  }

  private putPoint(point: Point, transform: CrsReading['transform']): void {
    const [x = 0, y = 0, z] = point;
    const [tx, ty] = transform === undefined ? [x, y] : transform(x, y);
    if (![tx, ty, z ?? 0].every(Number.isFinite)) this.refuse('nanCoordinate');
    this.lane.putByte(OPEN);
    putNumber(this.lane, tx);
    this.lane.putByte(COMMA);
    putNumber(this.lane, ty);
    if (z !== undefined) {
      this.lane.putByte(COMMA);
      putNumber(this.lane, z);
    }
    this.lane.putByte(CLOSE);
  }

  // Properties

  private openProperty(frame: Frame, tag: Tag): void {
    const { kind } = frame;
    if (kind === Kind.pos) this.openNumbers(frame, 'pos');
    else if (kind === Kind.posList) this.openNumbers(frame, 'posList');
    else if (kind === Kind.coordinates) {
      const [decimal, cs, ts] = [tag.value(Role.decimal), tag.value(Role.cs), tag.value(Role.ts)];
      this.openNumbers(frame, 'coordinates', toSeparators(decimal, cs, ts));
    } else if (kind === Kind.coord) {
      this.openNumbers(frame, 'pos');
      this.takesText = false;
    } else if (kind === Kind.ordinate || kind === Kind.parameter) {
      this.singleText.length = 0;
      this.takesText = kind === Kind.parameter || this.frames[this.depth - 2]?.kind === Kind.coord;
      if (!this.takesText) this.refuse('unexpectedElement');
    }
  }

  private openNumbers(frame: Frame, notation: Notation, separators?: ReturnType<typeof toSeparators>): void {
    const owner = this.run ?? this.container;
    const takesPositions =
      this.run !== undefined || owner?.kind === Kind.point || owner?.kind === Kind.envelope;
    if (!takesPositions) {
      this.refuse('unexpectedElement');
      this.skipped = 1;
      this.depth--;
      return;
    }
    const reading = frame.reading ?? this.defaultReading();
    const dimension = frame.dimension ?? this.surroundings.srsDimension ?? 2;
    const isDrawn = reading.transform !== undefined && this.isInArc();
    const opened = isDrawn ? { swap: reading.swap } : reading;
    this.coordinates.open(notation, opened, dimension, separators);
    this.watcher?.numbersBegin({ notation, reading: opened, dimension, separators });
    this.takesText = true;
  }

  /** Arcs are drawn in the CRS they are given in, and their positions reprojected then. */
  private isInArc(): boolean {
    for (let i = this.depth - 1; i >= 0; i--) {
      const kind = (this.frames[i] as Frame).kind;
      if (isObject(kind) && kind !== Kind.point) return kind >= Kind.arcString && kind <= Kind.bulge;
    }
    return false;
  }

  private defaultReading(): CrsReading {
    return this.surroundings.readingOf(this.surroundings.srsName);
  }

  private closeProperty(frame: Frame): void {
    const { kind } = frame;
    if (kind === Kind.pos || kind === Kind.posList || kind === Kind.coordinates || kind === Kind.coord) {
      this.coordinates.close();
      this.watcher?.numbersEnd(this.coordinates.count);
    } else if (kind === Kind.ordinate) this.readOrdinate();
    else if (kind === Kind.parameter) this.readParameter();
    else if (frame.href !== undefined && !frame.isTouched) this.putMember(frame, frame.href);
  }

  private takeSingle(): string {
    const text = trimWhite(fromUtf8(this.singleText.bytes, 0, this.singleText.length));
    this.singleText.length = 0;
    return text;
  }

  private readOrdinate(): void {
    const text = toUtf8(`${this.takeSingle()} `);
    if (text.subarray(0, -1).some((byte) => WHITE[byte] === 1)) this.refuse('badCoordinate');
    else this.coordinates.characters(text, 0, text.length);
  }

  private readParameter(): void {
    const given = Number(toJsonNumber(this.takeSingle()) ?? Number.NaN);
    const value = this.isInRadians ? (given * 180) / Math.PI : given;
    if (this.parameterName === 'bulge') this.parameters.bulges.push(value);
    else this.parameters[this.parameterName as 'radius'] = value;
  }

  /** A part by reference: `<gml:surfaceMember xlink:href="#p1"/>`. */
  private putMember(property: Frame, href: string): void {
    this.watcher?.spoil();
    const found = this.find(href);
    const { container, run } = this;
    if (found === undefined) this.refuse('unresolvedReference');
    else if (run !== undefined) this.putPositions(found);
    else if (container?.kind === Kind.polygon && found.type === Kind.line) this.putRing(property, found);
    else if (container === undefined) this.refuse('unexpectedElement');
    else if (isSameKindOfMany(found.type, container.kind)) this.putParts(container, found);
    else if (takes(container.kind, found.type)) this.putPart(container, found);
    else this.refuse('unexpectedElement');
  }

  private putPart(container: Frame, found: KnownGeometry): void {
    const { lane } = this;
    const isTyped = container.kind === Kind.multiGeometry;
    if (container.count > 0) lane.putByte(COMMA);
    if (isTyped) lane.put(headerOf(found.type));
    lane.put(found.bytes, found.from, found.to);
    if (isTyped) lane.putByte(BRACE);
    container.count++;
  }

  private putParts(container: Frame, found: KnownGeometry): void {
    const { lane } = this;
    if (container.count > 0) lane.putByte(COMMA);
    lane.put(found.bytes, found.from + 1, found.to - 1);
    container.count += countParts(found);
  }

  private putPositions(found: KnownGeometry): void {
    const isLine = found.type === Kind.line;
    const around = this.objectAround(this.depth);
    if (isLine ? isLeaf(around.kind) : found.type !== Kind.point) {
      this.refuse('unexpectedElement');
      return;
    }
    const { lane, coordinates } = this;
    if (coordinates.count > 0) lane.putByte(COMMA);
    const from = lane.length;
    lane.put(found.bytes, isLine ? found.from + 1 : found.from, isLine ? found.to - 1 : found.to);
    coordinates.count += readPositions(lane, from, lane.length).length;
    this.isReworked = true;
    if (isLine && from > this.beginOf(around)) this.dropRepeated(from);
  }

  private finish(frame: Frame): void {
    if (this.fault === undefined) return;
    this.watcher?.spoil();
    this.lane.length = this.from;
    frame.count = 0;
    this.warn(this.fault);
  }
}

/** Kinds whose numbers are appended as they come, and stay. */
function isLearnt(kind: number): boolean {
  if (kind === Kind.coord || kind === Kind.ordinate || kind === Kind.parameter) return false;
  return !isCurvePart(kind) || kind === Kind.segment;
}

/** A collection of the same kind inside another adds its parts to the outer one. */
function isSameKindOfMany(inner: number, outer: number | undefined): boolean {
  if (inner === Kind.surface || inner === Kind.multiSurface)
    return outer === Kind.surface || outer === Kind.multiSurface;
  return inner === outer && inner >= Kind.multiPoint && inner <= Kind.multiGeometry;
}

/** Of numbers nothing is part; of a coord, its ordinates. */
function mayHold(outer: number, inner: number): boolean {
  if (outer === Kind.coord) return inner === Kind.ordinate;
  return outer < Kind.pos || outer > Kind.parameter;
}

/** A point or a segment: it has positions of its own, and no curves. */
function isLeaf(kind: number): boolean {
  return kind === Kind.point || isCurvePart(kind);
}

/** Anything but a whole number is none. */
function toDimension(text: string | undefined): number {
  const dimension = Number(text);
  return Number.isInteger(dimension) ? dimension : Number.NaN;
}

/** What a container holds. */
function takes(container: number, part: number): boolean {
  switch (container) {
    case Kind.multiGeometry:
      return true;
    case Kind.multiPoint:
      return part === Kind.point;
    case Kind.multiLine:
      return part === Kind.line || isCurvePart(part);
    case Kind.surface:
    case Kind.multiSurface:
      return part === Kind.polygon;
    default:
      return false;
  }
}
