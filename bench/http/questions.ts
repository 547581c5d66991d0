/** The one layer of the upstream. */
export const SOURCE = 'urba:zone_urba';

/** The whole layer is this much GML, over and over. */
export const BLOCK_BYTES = 10e6;

/** How many features a box finds, by its western edge. */
export const MET_AT: Readonly<Record<string, number>> = {
  '1.41': 1,
  '1.42': 10,
  '1.43': 100,
  '1.44': 1000,
};

/**
 * What is asked for: so many features by a box, which is another one for each `variant`; or a number of blocks of the
 * whole layer.
 */
export type Question = { readonly features: number; readonly variant: number } | { readonly blocks: number };
