import { fromUtf8, Lane, putEscapedBytes, putText, toUtf8, trimWhite } from './bytes.js';
import { ComplexReader, isTrue } from './complex.js';
import { type GmlError, GmlExceptionReport } from './errors.js';
import { ExceptionReader, isExceptionReport } from './exception-report.js';
import { FeatureWriter, type Slot, Slots } from './feature.js';
import { GeometryReader, type Surroundings } from './geometry.js';
import { Joints } from './joints.js';
import { Learner, type Subject } from './learner.js';
import { Markup, type Sink } from './markup.js';
import { Gap, Memo } from './memo.js';
import type {
  Converted,
  CrsReading,
  GmlConverter,
  GmlConverterOptions,
  GmlEngine,
  GmlLimits,
} from './model.js';
import { type Name, Role, type Tag } from './names.js';
import { Shortcut, TYPES } from './shortcut.js';
import { copyString, copyText, endString, NULL, toTyped } from './values.js';

/** The bounds where none are given. */
export const GML_LIMITS: GmlLimits = {
  depth: 256,
  featureBytes: 1 << 26,
  tagBytes: 1 << 16,
  attributes: 256,
  referenceBytes: 1 << 21,
  memoTransitions: 4096,
  memoBytes: 1 << 20,
};
/** What a converter that waits for its next document may hold. */
const ROOM_KEPT = 1 << 20;
const READINGS_KEPT = 16;
/** What a document's srsNames came to, kept at a time. */
const READINGS_MAX = 1024;
const NOTHING: Converted = { bytes: new Uint8Array(0), ends: [] };
const QUOTE = 0x22;

/** What an open element is. */
const Context = {
  collection: 1,
  /** Holds features, whatever it is called. */
  member: 2,
  /** A child of a collection that may be a member, a feature, or a plain property: its first child decides. */
  undecided: 3,
  feature: 4,
  property: 5,
  geometry: 6,
  complex: 7,
  bounds: 8,
  ignored: 9,
  report: 10,
} as const;

/** Where character data goes. */
const Text = { ignored: 0, string: 1, raw: 2, geometry: 3, complex: 4, report: 5 } as const;

interface Bounds {
  srsName: string | undefined;
  srsDimension: number | undefined;
}

export function createGmlConverter(options: GmlConverterOptions): GmlConverter {
  return new Converter(options);
}

/** The document's elements to features: what is a collection, a member, a feature, a property (GML 3.1.1 §9, §7.2). */
class Converter implements GmlConverter, Sink<Slot>, Surroundings, Subject {
  ignoresText = true;
  declaredCount: number | undefined;
  private readonly limits: GmlLimits;
  private readonly markup: Markup<Slot>;
  private readonly slots: Slots;
  private readonly writer: FeatureWriter;
  private readonly geometry: GeometryReader;
  private readonly complex = new ComplexReader();
  private readonly contexts: number[] = [];
  private depth = 0;
  private mode: number = Text.ignored;
  private readonly readings = new Map<string | undefined, CrsReading>();
  private counts: Record<string, number> = {};
  private report: ExceptionReader | undefined;
  private restarted: GmlError | undefined;
  private failed: unknown;
  // The Envelopes around the geometry being read: of each open collection, and of the feature.
  private readonly collectionBounds: Bounds[] = [];
  private readonly featureBounds: Bounds = { srsName: undefined, srsDimension: undefined };
  // The feature being read: its geometry on the geometry lane, or the first nested one.
  private hasGeometry = false;
  private geometryFrom = 0;
  private geometryTo = 0;
  private geometryName: string | undefined;
  private readonly nested = new Lane(0);
  private nestedName: string | undefined;
  // The property being read.
  private slot: Slot | undefined;
  private isOpen = false;
  /** The element is GML's own. */
  private isGml = false;
  private isNil = false;
  private isComplex = false;
  /** What nested elements took in this feature so far. */
  private complexSize = 0;
  private isDone = false;
  /** The document is over, and was whole. */
  private isOver = false;
  private readonly memo: Memo;
  private readonly learner: Learner;
  private readonly shortcut: Shortcut;
  /** Tells readings apart, also those that are no longer kept. */
  private readonly readingNumbers = new Map<CrsReading, number>();
  private nextReadingNumber = 0;
  private href: string | undefined;
  private uom: string | undefined;
  private valueFrom = 0;

  constructor(private readonly options: GmlConverterOptions) {
    this.limits = { ...GML_LIMITS, ...options.limits };
    this.slots = new Slots(options.featureType, options.propertyNames);
    this.writer = new FeatureWriter(this.slots);
    this.geometry = new GeometryReader(
      this,
      (fault) => {
        this.counts[fault] = (this.counts[fault] ?? 0) + 1;
      },
      () => this.watcher,
      this.limits.referenceBytes,
    );
    this.memo = new Memo(this.limits);
    const keys = this.slots.declared.map(({ key }) => key);
    const joints = new Joints(this.memo, keys);
    this.learner = new Learner(this.memo, joints, this, this.limits.tagBytes);
    const { keep } = this.geometry;
    this.shortcut = new Shortcut(
      this.memo,
      joints,
      this.learner,
      this.writer,
      keep,
      this.limits,
      options.engine,
    );
    this.markup = new Markup<Slot>(this, this.limits, this.learner, this.shortcut);
  }

  get engine(): GmlEngine {
    return this.shortcut.engine;
  }

  get numberOfFeatures(): number {
    return this.writer.count;
  }

  get warnings(): Readonly<Record<string, number>> {
    return this.counts;
  }

  push(bytes: Uint8Array, isMore = false): Converted {
    return this.run(() => this.markup.push(bytes), isMore);
  }

  end(): Converted {
    const rest = this.run(() => this.markup.end());
    this.isOver = true;
    return rest;
  }

  reuse(): boolean {
    const hasFaults = this.report !== undefined || Object.keys(this.counts).length > 0;
    const isRoomy = this.readings.size > READINGS_KEPT || this.memo.isFull || this.room > ROOM_KEPT;
    if (!this.isOver || hasFaults || isRoomy) return false;
    this.isOver = false;
    this.declaredCount = undefined;
    this.depth = 0;
    this.setMode(Text.ignored);
    this.collectionBounds.length = 0;
    this.href = undefined;
    this.uom = undefined;
    this.writer.reuse();
    this.geometry.reuse();
    this.learner.stop();
    this.shortcut.reuse();
    this.markup.reuse();
    return true;
  }

  /** Bytes of the buffers that grow with a document. */
  private get room(): number {
    const { writer, geometry, complex, nested, markup, shortcut } = this;
    return writer.room + geometry.room + complex.room + nested.bytes.length + markup.room + shortcut.room;
  }

  private run(step: () => void, isMore = false): Converted {
    if (this.failed !== undefined) throw this.failed;
    this.writer.isHeld = isMore;
    try {
      step();
      this.checkSize();
    } catch (error) {
      // A report that is cut, or quotes what XML does not allow (MapServer 8.0 with a backspace), is a report.
      const { report } = this;
      this.failed =
        report === undefined || error instanceof GmlExceptionReport ? error : this.toReport(report);
      throw this.failed;
    }
    return isMore || this.writer.ends.length === 0 ? NOTHING : this.writer.take();
  }

  /** Before anything shrinks and after each push, so that where the document is cut does not decide. */
  private checkSize(): void {
    const size = this.writer.properties.length + this.geometry.size + this.complex.size + this.complexSize;
    if (size > this.limits.featureBytes) throw this.markup.limitFault('featureBytes');
  }

  // What is learnt

  private get watcher(): Learner | undefined {
    return this.learner.isOn ? this.learner : undefined;
  }

  get geometryLane(): Lane {
    return this.geometry.lane;
  }

  get propertiesLane(): Lane {
    return this.writer.properties;
  }

  get gap(): { readonly gap: number; readonly parameter: number } | undefined {
    switch (this.mode) {
      case Text.ignored:
        return NO_GAP;
      case Text.string:
        return { gap: Gap.string, parameter: 0 };
      case Text.geometry:
        return { gap: Gap.coordinates, parameter: 0 };
      case Text.raw:
        return toTypedGap((this.slot as Slot).type);
      default:
        return undefined;
    }
  }

  get next(): number {
    return this.writer.nextOrder;
  }

  get order(): number | undefined {
    if (this.depth === 0 || this.contexts[this.depth - 1] !== Context.property) return undefined;
    const { order } = this.slot as Slot;
    return this.isOpen && order >= 0 && !this.mayCancel() ? order : undefined;
  }

  describeBetween(): string | undefined {
    const isBetween = this.depth > 0 && this.contexts[this.depth - 1] === Context.feature;
    return isBetween ? this.describeBut('') : undefined;
  }

  describe(): string | undefined {
    return this.describeBut(undefined);
  }

  /** @param place said of where in the schema it is, in place of what is known of that */
  private describeBut(place: string | undefined): string | undefined {
    const markup = this.markup.describe();
    if (markup === undefined || this.report !== undefined) return undefined;
    const contexts = this.contexts.slice(0, this.depth);
    const parts: unknown[] = [markup, contexts, this.mode, this.collectionBounds];
    if (contexts.includes(Context.feature)) {
      if (!this.writer.isLearnt || this.nestedName !== undefined || this.complexSize > 0) return undefined;
      const { hasGeometry, geometryFrom, geometryTo, geometryName, featureBounds } = this;
      const isNull = geometryFrom === geometryTo;
      const isInProperty = contexts.includes(Context.property);
      const writing = place ?? this.writer.describe(isInProperty && this.mayCancel());
      parts.push(writing, hasGeometry, geometryFrom, isNull, geometryName ?? 0, featureBounds);
    }
    if (contexts.includes(Context.property)) {
      if (this.isComplex || this.href !== undefined) return undefined;
      const { kind, name } = this.slot as Slot;
      parts.push(kind, name, this.isOpen, this.isNil, this.isDone, this.uom ?? 0);
    }
    if (contexts.includes(Context.geometry)) {
      const geometry = this.geometry.describe();
      if (geometry === undefined) return undefined;
      parts.push(geometry);
    }
    return JSON.stringify(parts);
  }

  numberOf(reading: CrsReading): number {
    const known = this.readingNumbers.get(reading);
    if (known !== undefined) return known;
    if (this.readingNumbers.size >= READINGS_MAX) this.readingNumbers.clear();
    this.readingNumbers.set(reading, this.nextReadingNumber);
    return this.nextReadingNumber++;
  }

  // Surroundings

  readingOf(srsName: string | undefined): CrsReading {
    let reading = this.readings.get(srsName);
    if (reading === undefined) {
      if (this.readings.size >= READINGS_MAX) this.readings.clear();
      reading = this.options.crs(srsName);
      this.readings.set(srsName, reading);
    }
    return reading;
  }

  get srsName(): string | undefined {
    if (this.options.srsNameFromEnvelope !== true) return undefined;
    return (
      this.featureBounds.srsName ??
      this.collectionBounds.findLast((one) => one.srsName !== undefined)?.srsName
    );
  }

  get srsDimension(): number | undefined {
    const { srsDimension } = this.featureBounds;
    return (
      srsDimension ?? this.collectionBounds.findLast((one) => one.srsDimension !== undefined)?.srsDimension
    );
  }

  // Sink

  open(name: Name<Slot>, tag: Tag<Slot>): void {
    const context = this.depth === 0 ? 0 : (this.contexts[this.depth - 1] as number);
    this.depth++;
    if (this.restarted !== undefined && this.report === undefined) {
      if (!isExceptionReport(name)) throw this.restarted;
      this.beginReport(name, tag);
      return;
    }
    if (context === Context.geometry) {
      this.contexts[this.depth - 1] = context;
      this.geometry.open(name, tag);
      this.setMode(this.geometry.takesText ? Text.geometry : Text.ignored);
      return;
    }
    this.contexts[this.depth - 1] = Context.ignored;
    if (context < Context.feature) this.openOutside(context, name, tag);
    else if (context === Context.feature) this.openProperty(name, tag);
    else this.openInside(context, name, tag);
  }

  close(name: Name<Slot>): void {
    const context = this.contexts[--this.depth] as number;
    const outer = this.depth === 0 ? 0 : (this.contexts[this.depth - 1] as number);
    if (context === Context.geometry) this.closeGeometry(outer);
    else if (context === Context.property) this.closeProperty();
    else if (context === Context.feature) this.closeFeature();
    else if (context === Context.complex) this.closeComplex();
    else if (context === Context.collection) this.collectionBounds.pop();
    else if (context === Context.report) this.closeReport(name, outer);
  }

  text(bytes: Uint8Array, at: number): number {
    switch (this.mode) {
      case Text.geometry:
        return this.geometry.text(bytes, at);
      case Text.string:
        return copyString(this.writer.properties, bytes, at);
      case Text.complex:
        return this.complex.text(bytes, at);
      case Text.report:
        return (this.report as ExceptionReader).text(bytes, at);
      default:
        return copyText(this.writer.properties, bytes, at);
    }
  }

  characters(bytes: Uint8Array, from: number, to: number): void {
    switch (this.mode) {
      case Text.geometry:
        this.geometry.characters(bytes, from, to);
        break;
      case Text.string:
        putEscapedBytes(this.writer.properties, bytes, from, to);
        break;
      case Text.complex:
        this.complex.characters(bytes, from, to);
        break;
      case Text.report:
        (this.report as ExceptionReader).characters(bytes, from, to);
        break;
      default:
        this.writer.properties.put(bytes, from, to);
    }
  }

  restart(fault: GmlError): void {
    this.restarted = fault;
  }

  private setMode(mode: number): void {
    this.mode = mode;
    this.ignoresText = mode === Text.ignored;
  }

  private setContext(context: number): void {
    this.contexts[this.depth - 1] = context;
  }

  // Outside features

  private openOutside(context: number, name: Name<Slot>, tag: Tag<Slot>): void {
    if (isExceptionReport(name)) this.beginReport(name, tag);
    else if (context === 0) this.openRoot(name, tag);
    else if (context === Context.collection) this.openInCollection(name, tag);
    else if (isCollection(name)) this.beginCollection();
    else if (context === Context.member) this.beginFeature(tag);
    else this.decide(name, tag);
  }

  private openRoot(name: Name<Slot>, tag: Tag<Slot>): void {
    if (isCollection(name)) {
      this.declaredCount = toCount(tag.value(Role.numberMatched) ?? tag.value(Role.numberOfFeatures));
      this.beginCollection();
    } else if (isMember(name)) this.setContext(Context.member);
    else if ((tag.roles & (Role.gmlId | Role.fid)) !== 0 && !name.isGml) this.beginFeature(tag);
    else throw this.markup.fault('gml.notFeatureCollection', this.markup.position, { name: name.qualified });
  }

  private beginCollection(): void {
    this.setContext(Context.collection);
    this.collectionBounds.push({ srsName: undefined, srsDimension: undefined });
  }

  private openInCollection(name: Name<Slot>, tag: Tag<Slot>): void {
    if (isMember(name)) this.setContext(Context.member);
    else if (name.local === 'boundedBy' && (name.isGml || isWfs(name))) this.setContext(Context.bounds);
    else if (name.local === 'truncatedResponse') {
      // WFS 2.0 §11.3.5: the report inside says why.
      this.watcher?.spoil();
      this.counts.truncatedResponse = (this.counts.truncatedResponse ?? 0) + 1;
      this.setContext(Context.member);
    } else if (name.isGml || isWfs(name)) return;
    else if ((tag.roles & (Role.gmlId | Role.fid)) !== 0) this.beginFeature(tag);
    else this.setContext(Context.undecided);
  }

  /** GML's rule of alternating properties (lower case) and objects (upper case), or an id, tells members by any name. */
  private decide(name: Name<Slot>, tag: Tag<Slot>): void {
    // A shape the collection was asked with, or its extent (osgb:queryExtent).
    const isShape = name.isGml && GeometryReader.isGeometry(name, false);
    if (isShape || (tag.roles & Role.srsName) !== 0) {
      this.contexts[this.depth - 2] = Context.ignored;
      return;
    }
    if ((tag.roles & (Role.gmlId | Role.fid)) !== 0 || /^\p{Lu}/u.test(name.local)) {
      this.contexts[this.depth - 2] = Context.member;
      this.beginFeature(tag);
      return;
    }
    this.depth--;
    this.beginFeature(undefined);
    this.depth++;
    this.openProperty(name, tag);
  }

  // Features

  private beginFeature(tag: Tag<Slot> | undefined): void {
    this.setContext(Context.feature);
    this.writer.begin(tag);
    this.geometry.lane.length = 0;
    this.complex.size = 0;
    this.complexSize = 0;
    this.hasGeometry = false;
    this.geometryFrom = 0;
    this.geometryTo = 0;
    this.geometryName = this.slots.geometryName;
    this.nested.length = 0;
    this.nestedName = undefined;
    this.featureBounds.srsName = undefined;
    this.featureBounds.srsDimension = undefined;
    this.setMode(Text.ignored);
    this.watcher?.featureBegins(tag !== undefined && (tag.roles & (Role.gmlId | Role.fid)) !== 0);
  }

  private closeFeature(): void {
    this.checkSize();
    const { writer, geometry } = this;
    if (this.geometryName === undefined && this.nestedName !== undefined) {
      this.watcher?.spoil();
      writer.end(this.nested, 0, this.nested.length, this.nestedName);
    } else {
      writer.end(geometry.lane, this.geometryFrom, this.geometryTo, this.geometryName);
    }
    this.setMode(Text.ignored);
    this.shortcut.featureEnded();
    const isWhole = this.geometryFrom === 0 && this.geometryTo === geometry.lane.length;
    if (!writer.isLearnt || !isWhole) this.watcher?.spoil();
    this.watcher?.featureEnds(writer.geometryMemberOf(this.geometryName), this.geometryTo > 0);
  }

  // Properties

  private openProperty(name: Name<Slot>, tag: Tag<Slot>): void {
    const slot = this.slots.of(name);
    if (slot.kind === 'bounds') this.setContext(Context.bounds);
    if (slot.kind === 'bounds' || slot.kind === 'ignored') return;
    this.setContext(Context.property);
    this.slot = slot;
    this.isGml = name.isGml;
    this.isOpen = false;
    this.isComplex = false;
    this.isDone = false;
    this.isNil = (tag.roles & Role.nil) !== 0 && isTrue(tag.value(Role.nil));
    this.href = (tag.roles & Role.href) === 0 || this.isNil ? undefined : tag.value(Role.href);
    this.uom = (tag.roles & Role.uom) === 0 ? undefined : tag.value(Role.uom);
    this.watcher?.propertyBegins();
    if (this.href !== undefined) this.watcher?.spoil();
    if (slot.kind === 'geometry' && !this.hasGeometry) this.setMode(Text.ignored);
    else this.beginValue(slot, name);
  }

  private beginValue(slot: Slot, name: Name<Slot>): void {
    const { properties } = this.writer;
    this.valueFrom = this.writer.beginValue(slot, name.isGml);
    this.isOpen = true;
    const isString = slot.type === 'string' || slot.type === 'object';
    if (isString) properties.putByte(QUOTE);
    this.noteValue(slot);
    this.setMode(this.isNil ? Text.ignored : isString ? Text.string : Text.raw);
  }

  private noteValue(slot: Slot): void {
    const guarded = slot.order < 0 ? slot.name : undefined;
    this.watcher?.valueBegins(this.writer.undoLength, this.valueFrom, guarded);
  }

  private closeProperty(): void {
    this.checkSize();
    this.setMode(Text.ignored);
    this.watcher?.propertyEnds();
    if (this.isDone) return;
    const slot = this.slot as Slot;
    if (this.href !== undefined && this.isEmptyValue(slot) && this.takeReferenced(slot, this.href)) return;
    if (!this.isOpen) return;
    if (!this.slots.isAsked(slot.name)) {
      this.cancelValue();
      return;
    }
    this.finishValue(slot);
    this.writer.endValue();
    this.watcher?.valueEnds(slot.type === 'string' || slot.type === 'object', this.isNil);
    if (this.uom !== undefined) this.putUnit(slot, this.uom);
  }

  /** The unit of a measure (GML 3.1.1 §16.3) stands beside it, as GDAL names it: `length`, `length_uom`. */
  private putUnit(slot: Slot, uom: string): void {
    const unit = this.slots.named(`${slot.name}_uom`);
    this.valueFrom = this.writer.beginValue(unit, false);
    this.noteValue(unit);
    putText(this.writer.properties, JSON.stringify(uom));
    this.writer.endValue();
    this.watcher?.valueEnds(false, false);
  }

  private cancelValue(): void {
    this.writer.cancelValue();
    this.watcher?.valueIsCancelled();
  }

  /**
   * Whether the open value may be undone. Where it cannot, what stood before it does not matter: with a schema of 30
   * attributes, any of which may be missing, 143 transitions are to be learnt instead of 540.
   */
  private mayCancel(): boolean {
    const slot = this.slot as Slot;
    return this.isOpen && (!this.slots.isAsked(slot.name) || this.isMain(slot));
  }

  /** Nothing but white space, as between indented tags, is in the property. */
  private isEmptyValue(slot: Slot): boolean {
    if (this.isComplex) return false;
    return !this.isOpen || trimWhite(this.textOfValue(slot)) === '';
  }

  /** What stands in the property so far. */
  private textOfValue({ type }: Slot): string {
    const { properties } = this.writer;
    const written = fromUtf8(properties.bytes, this.valueFrom, properties.length);
    return type === 'string' || type === 'object' ? String(JSON.parse(`${written}"`)) : written;
  }

  private finishValue(slot: Slot): void {
    const { properties } = this.writer;
    if (this.isComplex || this.isNil) {
      properties.length = this.valueFrom;
      if (this.isNil) properties.put(NULL);
      else
        putText(
          properties,
          this.complex.end(slot.type === 'date' || slot.type === 'dateTime' || slot.type === 'time'),
        );
      this.complexSize += this.complex.size;
      this.complex.size = 0;
      return;
    }
    if (slot.type === 'string' || slot.type === 'object') endString(properties, this.valueFrom);
    else toTyped(properties, this.valueFrom, slot.type);
  }

  /** A geometry by reference, or (not for a declared geometry) whatever else the reference leads to, as `@href`. */
  private takeReferenced(slot: Slot, href: string): boolean {
    this.watcher?.spoil();
    const isFound = this.geometry.putReferenced(href);
    if (isFound) {
      this.takeGeometry();
      return true;
    }
    if (slot.isGeometry || slot.kind === 'geometry') {
      this.countUnresolved();
      return false;
    }
    if (this.slots.geometryName === undefined && isGeometryName(slot.name, this.isGml)) {
      this.countUnresolved();
      if (this.isOpen) this.cancelValue();
      this.isDone = true;
      this.geometryName ??= slot.name;
      return true;
    }
    if (!this.slots.isAsked(slot.name)) return false;
    const { properties } = this.writer;
    properties.length = this.valueFrom;
    putText(properties, JSON.stringify({ '@href': href }));
    this.writer.endValue();
    return true;
  }

  private countUnresolved(): void {
    this.counts.unresolvedReference = (this.counts.unresolvedReference ?? 0) + 1;
  }

  // Inside properties

  private openInside(context: number, name: Name<Slot>, tag: Tag<Slot>): void {
    if (context === Context.property) this.openInProperty(name, tag);
    else if (context === Context.complex) this.openInComplex(name, tag);
    else if (context === Context.bounds) this.readBounds(name, tag);
    else if (context === Context.report) this.openReport(name, tag);
  }

  private openInProperty(name: Name<Slot>, tag: Tag<Slot>): void {
    const slot = this.slot as Slot;
    if (this.isNil) return;
    if (!this.isComplex && GeometryReader.isGeometry(name, slot.isGeometry)) {
      this.beginGeometry(name, tag);
      return;
    }
    if (this.isDone || !this.isOpen) return;
    if (!this.isComplex) this.beginComplex(slot);
    this.openInComplex(name, tag);
  }

  /** Elements where text was expected; what stood before them is kept. */
  private beginComplex(slot: Slot): void {
    this.checkSize();
    this.watcher?.spoil();
    const text = this.textOfValue(slot);
    this.isComplex = true;
    this.complex.begin(slot.name);
    if (trimWhite(text) === '') return;
    const bytes = toUtf8(text);
    this.complex.characters(bytes, 0, bytes.length);
  }

  private openInComplex(name: Name<Slot>, tag: Tag<Slot>): void {
    if (GeometryReader.isGeometry(name, false)) {
      this.beginGeometry(name, tag);
      return;
    }
    this.setContext(Context.complex);
    this.complex.open(name, tag);
    this.setMode(Text.complex);
  }

  private closeComplex(): void {
    this.complex.close();
    this.setMode(Text.complex);
  }

  private beginGeometry(name: Name<Slot>, tag: Tag<Slot>): void {
    this.setContext(Context.geometry);
    this.geometry.begin(name, tag);
    this.setMode(this.geometry.takesText ? Text.geometry : Text.ignored);
  }

  private closeGeometry(outer: number): void {
    this.checkSize();
    const isWhole = this.geometry.close();
    this.setMode(this.geometry.takesText ? Text.geometry : Text.ignored);
    if (!isWhole) return;
    if (outer === Context.property && !this.isComplex) this.takeGeometry();
    else this.takeNestedGeometry();
  }

  /** The feature's geometry, or another one: that is a property. */
  private takeGeometry(): void {
    const { lane, from } = this.geometry;
    const slot = this.slot as Slot;
    if (lane.length === from || !this.isMain(slot)) this.watcher?.spoil();
    if (this.isMain(slot)) {
      if (this.isOpen) this.cancelValue();
      this.isOpen = false;
      this.hasGeometry = true;
      this.geometryFrom = from;
      this.geometryTo = lane.length;
      this.geometryName = slot.name;
    } else if (this.slots.isAsked(slot.name)) {
      if (this.isDone) this.writer.beginValue(slot, this.isGml);
      const { properties } = this.writer;
      if (!this.isDone) properties.length = this.valueFrom;
      if (lane.length > from) properties.put(lane.bytes, from, lane.length);
      else properties.put(NULL);
      this.writer.endValue();
      lane.length = from;
    } else {
      if (this.isOpen) this.cancelValue();
      lane.length = from;
    }
    this.isDone = true;
  }

  private isMain(slot: Slot): boolean {
    if (this.hasGeometry) return false;
    return slot.kind === 'geometry' || this.slots.geometryName === undefined;
  }

  private takeNestedGeometry(): void {
    this.watcher?.spoil();
    const { lane, from } = this.geometry;
    const isNull = lane.length === from;
    this.complex.geometry(isNull ? 'null' : fromUtf8(lane.bytes, from, lane.length));
    // Of several nested ones the last is the feature's, as GDAL has it; GML does not say.
    if (!isNull) {
      this.nestedName = this.complex.name;
      this.nested.length = 0;
      this.nested.put(lane.bytes, from, lane.length);
    }
    lane.length = from;
    this.setMode(Text.complex);
  }

  private readBounds(name: Name<Slot>, tag: Tag<Slot>): void {
    if (name.local !== 'Envelope' && name.local !== 'Box') return;
    const isOfFeature = this.contexts[this.depth - 3] === Context.feature;
    const bounds = isOfFeature ? this.featureBounds : this.collectionBounds.at(-1);
    if (bounds === undefined) return;
    bounds.srsName = tag.value(Role.srsName);
    const dimension = Number(tag.value(Role.srsDimension));
    bounds.srsDimension = dimension >= 2 && dimension <= 4 ? dimension : undefined;
  }

  // Exception reports

  private beginReport(name: Name<Slot>, tag: Tag<Slot>): void {
    this.report = new ExceptionReader();
    this.openReport(name, tag);
  }

  private openReport(name: Name<Slot>, tag: Tag<Slot>): void {
    this.setContext(Context.report);
    this.report?.open(name, tag);
    this.setMode(Text.report);
  }

  private closeReport(name: Name<Slot>, outer: number): void {
    this.report?.close(name);
    if (outer !== Context.report && this.report !== undefined) throw this.toReport(this.report);
  }

  private toReport(report: ExceptionReader): GmlExceptionReport {
    report.flush();
    return new GmlExceptionReport(report.exceptions, this.markup.place);
  }
}

const NO_GAP = { gap: Gap.none, parameter: 0 };

function toTypedGap(type: Slot['type']): { gap: number; parameter: number } | undefined {
  const parameter = TYPES.indexOf(type);
  if (type === 'integer' || type === 'number') return { gap: Gap.number, parameter };
  return parameter < 0 ? undefined : { gap: type === 'boolean' ? Gap.boolean : Gap.text, parameter };
}

/** Without a schema: what servers and GML (3.1.1 §9.5, Annex) call a geometry, where nothing but its name can tell. */
function isGeometryName(name: string, isGml: boolean): boolean {
  return isGml ? /Property$|Of$|^location$|^position$/.test(name) : /geom|^(?:geo_)?shape$/i.test(name);
}

function isCollection(name: Name<Slot>): boolean {
  return name.local.endsWith('FeatureCollection') || (name.local === 'Tuple' && isWfs(name));
}

function isMember(name: Name<Slot>): boolean {
  return /[mM]embers?$/.test(name.local);
}

function isWfs(name: Name<Slot>): boolean {
  return name.namespace?.startsWith('http://www.opengis.net/wfs') ?? false;
}

/** `unknown` is undefined (WFS 2.0 §7.7.4.3). */
function toCount(text: string | undefined): number | undefined {
  return text !== undefined && /^[ \t\r\n]*\d+[ \t\r\n]*$/.test(text) ? Number(text) : undefined;
}
