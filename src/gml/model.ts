/** How the coordinates under one srsName are read. */
export interface CrsReading {
  /** Coordinates come as (lat, lon) or (northing, easting): written the other way round. */
  readonly swap: boolean;
  /** Coordinates are degrees: an arc whose radius is a length cannot be drawn in them, and is a fault of its geometry. */
  readonly isGeographic?: boolean;
  /** Reprojection, applied after the swap; absent: numbers are copied digit by digit. */
  readonly transform?: (x: number, y: number) => readonly [number, number];
}

/** One attribute of a feature type, from its XML Schema. */
export interface SchemaAttribute {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'dateTime' | 'time' | 'object';
  /** The schema's own name of the type (`xsd:long`, `decimal`, `gml:CodeType`): bounds of literals follow from it. */
  readonly xsdType: string;
  readonly nullable: boolean;
  readonly repeated: boolean;
}

/** A feature type as its XML Schema declares it (WFS 1.1.0 §8, DescribeFeatureType). */
export interface FeatureType {
  readonly name: string;
  readonly namespace: string;
  /** In schema order, without geometries. */
  readonly attributes: readonly SchemaAttribute[];
  /** Every geometry attribute in schema order; the first is the feature's geometry. `type` is GeoJSON's, or `Geometry`. */
  readonly geometries: readonly { readonly name: string; readonly type: string }[];
}

/** `simd`: WebAssembly, where it has 128-bit SIMD; `typescript`: everywhere. */
export type GmlEngine = 'simd' | 'typescript';

export interface GmlConverterOptions {
  /** Types and order of the attributes. Absent: strings only, in the order they come. */
  readonly featureType?: FeatureType;
  /** Only these attributes are written; absent: all of the feature type's. */
  readonly propertyNames?: readonly string[];
  /** How coordinates under an srsName are read; asked once for each distinct srsName. */
  readonly crs: (srsName: string | undefined) => CrsReading;
  /** Where a geometry has no srsName, take the nearest enclosing Envelope's. A service never does: it may differ. */
  readonly srsNameFromEnvelope?: boolean;
  /** Which loop reads what is plain; what it makes of a document is the same. Absent: the fastest the machine has. */
  readonly engine?: GmlEngine;
  /** Named bounds; each has a default. Beyond one is a fault that names it. */
  readonly limits?: Partial<GmlLimits>;
}

export interface GmlLimits {
  /** Nested elements. */
  readonly depth: number;
  /** Bytes of one feature, as written. */
  readonly featureBytes: number;
  /** Bytes of one tag with its attributes. */
  readonly tagBytes: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Bytes of geometries with an id that are kept for references to them; earlier ones are forgotten. 0: none. */
  readonly referenceBytes: number;
  /** Pieces of markup that are remembered to read the next ones fast: more are read all the same. 0: none. */
  readonly memoTransitions: number;
  /** Bytes of them, and of what is known of the places between. */
  readonly memoBytes: number;
}

/**
 * Whole features as UTF-8, one `,` between two; `ends[i]` is the offset behind feature i. The bytes are the
 * caller's own: the converter does not touch them again.
 */
export interface Converted {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
}

/**
 * GML feature collections (3.1.1, 2.1.2, 3.2) to RFC 7946 features, a push at a time. Where a chunk is cut never
 * matters. No I/O, no promises. After a throw the converter is dead.
 * @throws GmlError, with line, column and element path
 */
export interface GmlConverter {
  /**
   * @param isMore whether another push follows at once: what is ready comes with that one, in one piece
   * @throws GmlError
   */
  push(bytes: Uint8Array, isMore?: boolean): Converted;
  /** The document is over. @throws GmlError where it is not whole */
  end(): Converted;
  /** The loop in use. */
  readonly engine: GmlEngine;
  /** Features written so far. */
  readonly numberOfFeatures: number;
  /** `numberOfFeatures` / `numberMatched` as the root element says it, once it has been read: what a hits answer holds. */
  readonly declaredCount: number | undefined;
  /**
   * Faults that cost a feature its geometry, by name, counted (`nanCoordinate: 2`); and `truncatedResponse`, where
   * a WFS 2.0 server says so of its answer without a report.
   */
  readonly warnings: Readonly<Record<string, number>>;
  /**
   * Makes it ready for another document of the same kind, with what was learnt of the markup so far: a fifth of the work
   * on an answer of ten features is to begin with nothing. `warnings` of before stay as they were.
   * @returns false where it cannot be: the document was not read to its end, had faults, or took too much room
   */
  reuse(): boolean;
}
