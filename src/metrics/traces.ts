/** What work belongs to in a trace: handed on, never looked at. */
export type TraceContext = object;

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One piece of work in a trace. */
export interface Span {
  /** For what is done as a part of it. */
  readonly context: TraceContext | undefined;
  /** Only the first call counts. @param fault why it did not succeed; absent: it did */
  end(about: Attributes & { readonly name?: string | undefined }, fault?: string): void;
}

/** Traces of requests, where somebody collects them. No key, geometry or query is part of one. */
export interface Tracing {
  /** A caller's request. @param headers may continue a trace of the caller (W3C Trace Context) */
  request(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Span;
  /** A request to the upstream. @param parent absent: work that is done for nobody in particular */
  upstream(operation: string, parent: TraceContext | undefined): Span;
}

const NO_SPAN: Span = { context: undefined, end: () => {} };

/** Nobody collects them. */
export const untraced: Tracing = { request: () => NO_SPAN, upstream: () => NO_SPAN };
