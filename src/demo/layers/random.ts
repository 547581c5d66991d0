/** Numbers in [0, 1) that are the same on every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number in [0, 1) for a place in a grid, the same whoever asks: what two neighbours share is equal to the last digit. */
export const toHash = (...coordinates: readonly number[]): number =>
  createRandom(
    coordinates.reduce((seed, value) => Math.imul(seed ^ value, 0x9e3779b1) + 0x7f4a7c15, 28085),
  )();

export const toPick = <T>(random: () => number, choices: readonly [T, ...T[]]): T =>
  choices[Math.floor(random() * choices.length)] ?? choices[0];

/** To seven decimals of a degree, about a centimetre. */
export const toDegrees = (value: number): number => Math.round(value * 1e7) / 1e7;
