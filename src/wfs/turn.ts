/** What is done for answers in one turn of the event loop, in milliseconds; everybody else waits for so long at most. */
const TURN_MS = 3;

let begunAt: number | undefined;

const end = () => {
  begunAt = undefined;
};

/**
 * A promise of the next turn of the event loop, where this one has taken long enough; undefined: go on. An upstream that is
 * quicker than we are would hold up all others: Node reads up to 32 times from one socket before it looks at another.
 */
export function toNextTurn(): Promise<void> | undefined {
  if (begunAt === undefined) {
    begunAt = performance.now();
    setImmediate(end);
    return undefined;
  }
  if (performance.now() - begunAt < TURN_MS) return undefined;
  return new Promise((resolve) => setImmediate(resolve));
}
