import type { Message } from '../errors.js';
import type { Bbox, Geometry } from '../geometry/index.js';
import type { Signal } from '../signal.js';
import type { Format } from './format.js';

export type { Bbox } from '../geometry/index.js';

/** One attribute filter: the feature's value is any of `values`; `null` stands for null or empty. */
export interface AttributeFilter {
  /** As the caller wrote it; the source matches it exactly, else without case when unambiguous. */
  readonly name: string;
  /** Text as in a query string, or a JSON number or boolean, which compare by value. */
  readonly values: readonly (string | number | boolean | null)[];
  /** Name of the request parameter the filter came from, for faults (`code_dep`, `property:geom`). */
  readonly parameter: string;
}

/**
 * What is asked, checked as far as that is possible without knowing the source. Everything is combined with And;
 * `geometries` among themselves with Or.
 */
export interface SearchQuery {
  /** The feature type's name as the caller wrote it (`BDTOPO_V3:commune`). */
  readonly source: string;
  /** Simple or Multi* geometries in WGS84 lon/lat, valid by `geometry/`'s checks; a feature intersects at least one. */
  readonly geometries?: readonly Geometry[];
  /** West, south, east, north in degrees; west > east crosses the antimeridian (RFC 7946 §5.2). */
  readonly bbox?: Bbox;
  readonly featureIds?: readonly string[];
  readonly attributes: readonly AttributeFilter[];
  /** Only these attributes; absent: all. Geometry and id always come. */
  readonly propertyNames?: readonly string[];
  readonly sortBy?: { readonly name: string; readonly descending: boolean };
  /** Features in a page, at least 1. */
  readonly limit: number;
  /** Features skipped before the page, at least 0. */
  readonly startIndex: number;
  readonly count: 'auto' | 'always' | 'never';
  /** Each feature is to tell how much of it `geometries`, or else `bbox`, share with it. */
  readonly overlap?: true;
  /** How the caller wants the answer written; absent: by `Accept`. The features are the same. */
  readonly format?: Format;
  /** How it would be asked is wanted, not the features. */
  readonly explain?: true;
}

/** What the caller brought to be let in upstream. Never logged, never part of a message. */
export interface Credentials {
  readonly apikey?: string;
  readonly token?: string;
}

/** For whom, and until when, something is asked. */
export interface Caller {
  readonly credentials: Credentials;
  /** Aborted when the caller leaves: everything begun for it ends. */
  readonly signal: Signal;
  /** Where the request comes from: callers take turns where they must wait. */
  readonly address?: string;
  /** Request id, for the log. */
  readonly requestId?: string;
  /** What the work for the caller belongs to in a trace, for who traces it. */
  readonly trace?: object | undefined;
}

/**
 * Whole GeoJSON Features (RFC 7946 §3.2) as UTF-8. `bytes` holds them one after another with one `,` between two;
 * `ends[i]` is the offset behind feature i, so feature i is `bytes[i === 0 ? 0 : ends[i - 1] + 1 .. ends[i]]`.
 */
export interface FeatureBatch {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
}

/** What is known once the last feature of a page has come. */
export interface PageEnd {
  readonly numberReturned: number;
  /** Features that match in all; absent where it is not known for sure. */
  readonly numberMatched?: number;
  /** How to ask for the next page: there exactly when more features exist. */
  readonly next?: { readonly startIndex: number } | { readonly featureIds: readonly string[] };
  /** What a reader of the page should know: something may be missing, or change, or rest on an assumption. */
  readonly warnings?: readonly Message[];
}

/** How long an answer is good, for whoever asks again. */
export interface Validity {
  /** Names these features: opaque, of letters, digits, `-` and `_`, and never used for others. */
  readonly tag: string;
  /** Whole seconds since the upstream was asked for them; absent: it is asked for this caller. */
  readonly ageS?: number;
  /** Seconds since the upstream was asked, for which the same question gets the same answer. */
  readonly freshS: number;
  /** Seconds behind those, for which it does while the upstream cannot be asked. */
  readonly staleIfErrorS: number;
  /** Callers with a key of their own get answers of their own. */
  readonly isByKey: boolean;
}

/** A page that is there already. */
export interface WholePage {
  readonly batches: readonly FeatureBatch[];
  readonly end: PageEnd;
}

/** A page of features: whole features as they arrive; the generator's return value ends the page. */
export interface Answer {
  /** The answer was asked with a key or token of the caller's own: nobody else may be given it. */
  readonly isPrivate: boolean;
  /** Absent: it is good for this caller, now. */
  readonly validity?: Validity;
  /** All that `features` will give, where nothing of it has to be waited for. */
  readonly whole?: WholePage;
  /**
   * Ending it early (`return()`) aborts the upstream request. An error thrown by it after the first batch is a late
   * fault: what was sent so far must not be taken for a whole answer.
   */
  readonly features: AsyncGenerator<FeatureBatch, PageEnd, void>;
}

/** JSON types of attribute values, with the XSD types behind them kept apart where the format differs. */
export type ValueType = 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'dateTime' | 'time' | 'object';

export interface Attribute {
  readonly name: string;
  readonly type: ValueType;
  readonly nullable: boolean;
  /** maxOccurs > 1: the value is an array. */
  readonly repeated: boolean;
}

/** One feature type of the catalogue. */
export interface SourceSummary {
  readonly name: string;
  readonly title?: string;
  readonly abstract?: string;
  readonly keywords: readonly string[];
  /** WGS84 lon/lat. */
  readonly bbox?: Bbox;
  /** The CRS the upstream stores it in, as the upstream names it. */
  readonly crs?: string;
}

/** The whole catalogue, in the upstream's order, and what the upstream says of itself. */
export interface SourceList {
  readonly title?: string;
  readonly abstract?: string;
  readonly keywords: readonly string[];
  readonly provider?: { readonly name?: string; readonly site?: string };
  readonly contact?: {
    readonly name?: string;
    readonly position?: string;
    readonly email?: string;
    readonly phone?: string;
  };
  readonly fees?: string;
  readonly accessConstraints?: string;
  readonly sources: readonly SourceSummary[];
}

export interface SourceDescription extends SourceSummary {
  readonly attributes: readonly Attribute[];
  /** Absent: a feature type without geometry. */
  readonly geometry?: { readonly name: string; readonly type: string };
  /** What was learnt about how the upstream answers for this source; plain JSON. */
  readonly upstream?: Readonly<Record<string, unknown>>;
}

/** How a search would be asked of the upstream. */
export interface Explanation {
  /** The first request; keys are masked. */
  readonly request: {
    readonly method: 'GET' | 'POST';
    readonly url: string;
    readonly contentType?: string;
    readonly body?: string;
  };
  /** What was learnt of the upstream and the source; plain JSON. */
  readonly upstream: Readonly<Record<string, unknown>>;
  /** What is done upstream and what here, in words. */
  readonly steps: readonly Message[];
}

export interface SourceStatus {
  /** Able to serve: false only where that is known without a caller's key. */
  readonly isReady: boolean;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Where features come from. `http` asks it and `wfs` is one; they meet only here. Errors are `ServiceError`s.
 */
export interface FeatureSource {
  /** The catalogue. @throws keyMissing, keyRefused, upstream* */
  list(caller: Caller): Promise<SourceList>;
  /** One source. @throws notFound with the nearest names */
  describe(source: string, caller: Caller): Promise<SourceDescription>;
  /**
   * Resolves once the first features, or the end of an empty answer, have come: what is thrown here is an answer of
   * its own; what the generator throws later is a late fault.
   * @throws invalidRequest with every fault against the schema
   */
  search(query: SearchQuery, caller: Caller): Promise<Answer>;
  /** The same, for callers without a key, where the answer is there already; else nothing is asked of anybody. */
  kept?(query: SearchQuery): Promise<Answer | undefined>;
  /** How the search would be asked. @throws as `search` does before it asks */
  explain(query: SearchQuery, caller: Caller): Promise<Explanation>;
  status(): SourceStatus;
}
