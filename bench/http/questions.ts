/** The one layer of the upstream. */
export const SOURCE = 'urba:zone_urba';

/** The whole layer is this much GML, over and over. */
export const BLOCK_BYTES = 10e6;

/** How many features a point meets, by its longitude. */
export const MET_AT: Readonly<Record<string, number>> = { 1: 1, 2: 10, 3: 100, 4: 1000 };

/** What is asked for: features that a point meets, or a number of blocks of the whole layer. */
export type Question = { readonly features: number } | { readonly blocks: number };
