/** How much may be spent on retries: a share of the requests, so that an upstream in trouble is not asked thrice as much. */
export interface Budget {
  /** A request was begun. */
  earn(): void;
  /** Whether one more retry may be spent. */
  spend(): boolean;
}

/** For an upstream that is asked little, whose first requests fail. */
const RESERVE = 10;
/** What a calm hour may leave for the first moments of a storm. */
const MOST = 50;

/** A token bucket that is filled by requests instead of by time (as in Finagle), which no library here does. */
export function createBudget(share: number): Budget {
  let tokens = RESERVE;
  return {
    earn() {
      tokens = Math.min(MOST, tokens + share);
    },
    spend() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
