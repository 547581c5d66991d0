/** The one layer of the upstream. */
export const SOURCE = 'urba:zone_urba';

/** The whole layer is this much GML, over and over. */
export const BLOCK_BYTES = 10e6;

/** How many features two points at the layer's corners find, by the western one's longitude. */
export const MET_AT: Readonly<Record<string, number>> = { '-6.1': 1, '-6.2': 10, '-6.3': 100, '-6.4': 1000 };

/** What is asked for: so many features by two points, or a number of blocks of the whole layer. */
export type Question = { readonly features: number } | { readonly blocks: number };
