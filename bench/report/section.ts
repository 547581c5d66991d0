/** A table of the results; cells are Markdown. */
export interface Table {
  readonly caption?: string;
  /** The first is aligned left, the others right. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What must hold, what was measured, and whether it does. */
export interface Demand {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** One part of the results. */
export interface Section {
  readonly title: string;
  /** How it was measured, a sentence or two each. */
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
  readonly demands: readonly Demand[];
  /** What README.md quotes of it. */
  readonly quoted: readonly Table[];
}
