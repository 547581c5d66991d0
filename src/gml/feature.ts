import { copyOf, Lane, putText, toUtf8 } from './bytes.js';
import type { FeatureType, SchemaAttribute } from './model.js';
import { type Name, Role, type Tag } from './names.js';
import { NULL } from './values.js';

/** What an element directly inside a feature is. */
export interface Slot {
  /** `bounds`: gml:boundedBy; `geometry`: the schema's first geometry; `ignored`: not asked for. */
  readonly kind: 'value' | 'geometry' | 'bounds' | 'ignored';
  readonly name: string;
  /** `,"name":` */
  readonly key: Uint8Array;
  readonly type: SchemaAttribute['type'];
  /** Place in the schema; -1 for what the schema does not know. */
  readonly order: number;
  readonly isRepeated: boolean;
  /** Declared to hold a geometry. */
  readonly isGeometry: boolean;
  /** The last feature it stood in. */
  seenIn: number;
  readonly generation: number;
}

/** What a feature inherits from gml:AbstractFeatureType and no client wants as an attribute. */
const INHERITED = new Set(['metaDataProperty', 'descriptionReference']);
const SLOTS_MAX = 2048;

/** What each element of a feature is: by local name, since servers differ in prefixes and namespaces. */
export class Slots {
  private slots = new Map<string, Slot>();
  private generation = 1;
  /** In schema order, those that are asked for. */
  readonly declared: readonly Slot[];
  private readonly orders = new Map<string, number>();
  private readonly asked: ReadonlySet<string> | undefined;

  constructor(
    private readonly featureType: FeatureType | undefined,
    propertyNames: readonly string[] | undefined,
  ) {
    this.asked = propertyNames === undefined ? undefined : new Set(propertyNames);
    const attributes = (featureType?.attributes ?? []).filter(({ name }) => this.isAsked(name));
    for (const { name } of attributes) this.orders.set(name, this.orders.size);
    this.declared = attributes.map(({ name }) => this.find(name, false));
  }

  /** The first geometry of the schema. */
  get geometryName(): string | undefined {
    return this.featureType?.geometries[0]?.name;
  }

  /** Forgets names when too many have been met. Not inside a feature. */
  trim(): void {
    if (this.slots.size <= SLOTS_MAX) return;
    this.slots.clear();
    this.generation++;
    for (const slot of this.declared) this.slots.set(slot.name, { ...slot, generation: this.generation });
  }

  of(name: Name<Slot>): Slot {
    const known = name.meaning;
    if (known !== undefined && known.generation === this.generation) return known;
    const slot = this.find(name.local, name.isGml);
    name.meaning = slot;
    return slot;
  }

  named(name: string): Slot {
    return this.find(name, false);
  }

  private find(local: string, isGml: boolean): Slot {
    // GML 2 schemas put elements of their own in the place of gml:boundedBy (osgb:boundedBy).
    const isInherited = (local === 'boundedBy' || (isGml && INHERITED.has(local))) && !this.isDeclared(local);
    const key = isInherited ? `gml:${local}` : local;
    let slot = this.slots.get(key);
    if (slot === undefined) {
      slot = this.create(local, isInherited);
      this.slots.set(key, slot);
    }
    return slot;
  }

  private isDeclared(name: string): boolean {
    const { attributes = [], geometries = [] } = this.featureType ?? {};
    return attributes.some((one) => one.name === name) || geometries.some((one) => one.name === name);
  }

  private create(name: string, isInherited: boolean): Slot {
    const attribute = this.featureType?.attributes.find((one) => one.name === name);
    const isGeometry = this.featureType?.geometries.some((one) => one.name === name) ?? false;
    return {
      kind: isInherited ? (name === 'boundedBy' ? 'bounds' : 'ignored') : this.toSlotKind(name),
      name,
      key: toUtf8(`,${JSON.stringify(name)}:`),
      type: attribute?.type ?? 'string',
      order: this.orders.get(name) ?? -1,
      isRepeated: attribute?.repeated ?? false,
      isGeometry,
      seenIn: 0,
      generation: this.generation,
    };
  }

  private toSlotKind(name: string): Slot['kind'] {
    if (name === this.geometryName) return 'geometry';
    // Without a schema any element may turn out to be the geometry, which always comes.
    return this.isAsked(name) || this.geometryName === undefined ? 'value' : 'ignored';
  }

  isAsked(name: string): boolean {
    return this.asked === undefined || this.asked.has(name);
  }
}

const FEATURE = toUtf8('{"type":"Feature"');
const ID = toUtf8(',"id":"');
const GEOMETRY = toUtf8(',"geometry":');
const PROPERTIES = toUtf8(',"properties":{');
const NOTHING = new Uint8Array(0);
const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACE = 0x7d;

/**
 * One feature after the other. Properties are appended as they come, with nulls for what the schema has between; as
 * long as they come in schema order, once each, that is what is written. Only else are they put in order at the end.
 */
export class FeatureWriter {
  /** Whole features, and where each ends. */
  readonly out = new Lane(1 << 16);
  ends: number[] = [];
  /** Nothing is taken before more has been written. */
  isHeld = false;
  /** All that was written, where it came at once, in place of `out`. */
  private only: Uint8Array | undefined;
  count = 0;
  readonly properties = new Lane(1 << 12);
  private readonly id = new Lane(64);
  private hasId = false;
  /** Features begun. */
  private number = 0;
  /** The next attribute of the schema. */
  private next = 0;
  private isOrdered = true;
  private readonly occurrences: Slot[] = [];
  private readonly isGml: boolean[] = [];
  private readonly from: number[] = [];
  private readonly to: number[] = [];
  private occurrenceCount = 0;
  /** The last geometry_name, and the member it makes. */
  private geometryName: string | undefined;
  private geometryMember = NULL;
  /** What the value being read is undone to. */
  undoLength = 0;
  private undoNext = 0;
  private undoOrdered = true;

  constructor(private readonly slots: Slots) {}

  begin(tag: Tag<Slot> | undefined): void {
    this.slots.trim();
    this.number++;
    this.next = 0;
    this.isOrdered = true;
    this.occurrenceCount = 0;
    this.properties.length = 0;
    this.id.length = 0;
    this.hasId = false;
    if (tag === undefined || (tag.roles & (Role.gmlId | Role.fid)) === 0) return;
    tag.putValue(this.id, (tag.roles & Role.gmlId) !== 0 ? Role.gmlId : Role.fid);
    this.hasId = this.id.length > 0;
  }

  /**
   * The value of the slot is what is put on `properties` from now on; `isGml`: the element is GML's own (gml:name).
   * @returns where it begins
   */
  beginValue(slot: Slot, isGml: boolean): number {
    const { properties } = this;
    this.undoLength = properties.length;
    this.undoNext = this.next;
    this.undoOrdered = this.isOrdered;
    if (slot.seenIn === this.number || slot.isRepeated) this.isOrdered = false;
    // What the schema does not know comes behind what it knows.
    else if (slot.order < 0) this.isOrdered &&= this.next === this.slots.declared.length;
    else if (slot.order < this.next) this.isOrdered = false;
    else {
      this.putNulls(slot.order);
      this.next = slot.order + 1;
    }
    properties.put(slot.key);
    this.occurrences[this.occurrenceCount] = slot;
    this.isGml[this.occurrenceCount] = isGml;
    this.from[this.occurrenceCount] = properties.length;
    return properties.length;
  }

  endValue(): void {
    const slot = this.occurrences[this.occurrenceCount] as Slot;
    slot.seenIn = this.number;
    this.to[this.occurrenceCount++] = this.properties.length;
  }

  /** There is no value after all. */
  cancelValue(): void {
    this.properties.length = this.undoLength;
    this.next = this.undoNext;
    this.isOrdered = this.undoOrdered;
  }

  /** The feature is over. */
  end(geometry: Lane, from: number, to: number, geometryName: string | undefined): void {
    this.settle();
    const { out } = this;
    if (this.ends.length > 0) out.putByte(COMMA);
    out.put(FEATURE);
    if (this.hasId) {
      out.put(ID);
      out.put(this.id.bytes, 0, this.id.length);
      out.putByte(QUOTE);
    }
    out.put(GEOMETRY);
    if (to > from) out.put(geometry.bytes, from, to);
    else out.put(NULL);
    out.put(this.geometryMemberOf(geometryName));
    this.putProperties();
    out.putByte(BRACE);
    this.ends.push(out.length);
    this.count++;
  }

  geometryMemberOf(name: string | undefined): Uint8Array {
    if (name === undefined) return NOTHING;
    if (name !== this.geometryName) {
      this.geometryName = name;
      this.geometryMember = toUtf8(`,"geometry_name":${JSON.stringify(name)}`);
    }
    return this.geometryMember;
  }

  /** What is written stays as it is. */
  get isLearnt(): boolean {
    return this.isOrdered;
  }

  /** The next attribute of the schema. */
  get nextOrder(): number {
    return this.next;
  }

  /** What decides how the next values are written; `mayCancel`: the value being read may turn out to be none. */
  describe(mayCancel: boolean): string {
    return mayCancel ? `${this.next} ${this.undoNext}` : `${this.next}`;
  }

  private putProperties(): void {
    const { out, properties } = this;
    out.put(PROPERTIES);
    if (this.isOrdered) {
      this.putNulls(this.slots.declared.length);
      // The first comma is one too many.
      if (properties.length > 0) out.put(properties.bytes, 1, properties.length);
    } else this.putInOrder();
    out.putByte(BRACE);
  }

  private putNulls(order: number): void {
    const { declared } = this.slots;
    for (; this.next < order; this.next++) {
      this.properties.put((declared[this.next] as Slot).key);
      this.properties.put(NULL);
    }
  }

  private putInOrder(): void {
    const values = new Map<string, number[]>(this.slots.declared.map(({ name }) => [name, []]));
    for (let i = 0; i < this.occurrenceCount; i++) {
      const { name } = this.occurrences[i] as Slot;
      const indices = values.get(name);
      if (indices === undefined) values.set(name, [i]);
      else indices.push(i);
    }
    for (const [name, indices] of values) this.putMember(name, indices);
  }

  /** The type's own `name` stands before gml:name; that is `gml:name` then, or left out where a schema says what counts. */
  private putMember(name: string, indices: readonly number[]): void {
    const own = indices.filter((i) => this.isGml[i] === false);
    const isHidden = own.length > 0 && own.length < indices.length;
    this.putKey(name);
    this.putValues(isHidden ? own : indices);
    if (!isHidden || this.slots.declared.length > 0) return;
    this.putKey(`gml:${name}`);
    this.putValues(indices.filter((i) => this.isGml[i] === true));
  }

  private putKey(name: string): void {
    const isFirst = this.out.bytes[this.out.length - 1] === 0x7b;
    putText(this.out, `${isFirst ? '' : ','}${JSON.stringify(name)}:`);
  }

  private putValues(indices: readonly number[]): void {
    const { out, properties } = this;
    const [first] = indices;
    if (first === undefined) {
      out.put(NULL);
      return;
    }
    const isNull = (i: number): boolean => properties.bytes[this.from[i] as number] === 0x6e;
    const isArray = indices.length > 1 || ((this.occurrences[first] as Slot).isRepeated && !isNull(first));
    if (isArray) out.putByte(0x5b);
    indices.forEach((index, i) => {
      if (i > 0) out.putByte(COMMA);
      out.put(properties.bytes, this.from[index], this.to[index]);
    });
    if (isArray) out.putByte(0x5d);
  }

  /** A whole feature: all before its first property, and its properties, each with a comma before it. */
  add(head: Lane, properties: Lane): void {
    this.settle();
    const { out } = this;
    if (this.ends.length > 0) out.putByte(COMMA);
    out.put(head.bytes, 0, head.length);
    if (properties.length > 0) out.put(properties.bytes, 1, properties.length);
    out.putByte(BRACE);
    out.putByte(BRACE);
    this.ends.push(out.length);
    this.count++;
  }

  /** Whole features as they stand in `bytes[from..to)`, the comma before the first with them; `ends` from `from` on. */
  addAll(bytes: Uint8Array, from: number, to: number, ends: ArrayLike<number>): void {
    this.settle();
    const { out } = this;
    const start = out.length;
    // All of what is taken, as a rule: then it is copied once.
    if (this.ends.length === 0 && !this.isHeld) this.only = copyOf(bytes, from, to);
    else out.put(bytes, from, to);
    for (let i = 0; i < ends.length; i++) this.ends.push(start + (ends[i] as number));
    this.count += ends.length;
  }

  /** Counts anew. */
  reuse(): void {
    this.count = 0;
  }

  get room(): number {
    return this.out.bytes.length + this.properties.bytes.length + this.id.bytes.length;
  }

  private settle(): void {
    if (this.only === undefined) return;
    this.out.put(this.only);
    this.only = undefined;
  }

  /** What has been written since the last call. */
  take(): { bytes: Uint8Array; ends: readonly number[] } {
    const taken = { bytes: this.only ?? copyOf(this.out.bytes, 0, this.out.length), ends: this.ends };
    this.only = undefined;
    this.out.length = 0;
    this.ends = [];
    return taken;
  }
}
