import type { Source } from './conversion.js';
import type { Engine } from './engine.js';

/** What a measuring process is asked to do. */
export interface Job {
  readonly engines: readonly Engine[];
  readonly subject: string;
  /**
   * `features`: what it makes of the document, into `output`. `speed`: from memory, warm. `memory`: from the file, chunk
   * by chunk. `cold`: from importing the reader to the end of a small document.
   */
  readonly mode: 'features' | 'speed' | 'memory' | 'cold';
  readonly input: string;
  /** A small document of the same kind, to warm up with. */
  readonly warmup: string;
  readonly source: Source;
  readonly output?: string;
}

/** What it says of it. */
export interface Outcome {
  /** Without those it waited for a processor. */
  readonly seconds: number;
  readonly features: number;
  /** Of the process, in bytes. */
  readonly peakMemory: number;
  /** The share of wall time it waited for a processor: other work on the machine. */
  readonly waited: number;
  readonly variant?: string | undefined;
}
