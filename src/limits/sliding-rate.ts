import type { RateShare } from './rate-share.js';

/** So many a second, over any second and not only over those of a clock. */
export interface SlidingRate {
  /** Milliseconds until one more may be taken; infinite while that depends on one that has not gone out yet. */
  readonly waitMs: number;
  /** Whose room is not free again. */
  readonly taken: number;
  take(): Taken;
}

export interface Taken {
  /** It goes out now: a second from now its room is free again. Only the first call counts. */
  sent(): void;
  /** It never went out. */
  forgo(): void;
}

/** A second, and what a request may be quicker on its way than the one a second before it. */
const WINDOW_MS = 1025;

/**
 * A log of the last second. Libraries count in windows of a clock (rate-limiter-flexible, p-queue), where twice as many
 * fit around the turn of one, which is what blocks an address at Géoplateforme. What counts is when a request goes out:
 * one that still connects holds its room until then, or those after it on warm connections would arrive beside it.
 */
export function createSlidingRate(share: Pick<RateShare, 'perSecond'>): SlidingRate {
  const sentAt: number[] = [];
  let unsent = 0;
  const forget = (now: number) => {
    while (sentAt[0] !== undefined && now - sentAt[0] >= WINDOW_MS) sentAt.shift();
  };
  return {
    get waitMs() {
      const now = performance.now();
      forget(now);
      const excess = unsent + sentAt.length - share.perSecond;
      if (excess < 0) return 0;
      const last = sentAt[excess]; // more than one too many, where the share has become smaller
      return last === undefined ? Number.POSITIVE_INFINITY : last + WINDOW_MS - now;
    },
    get taken() {
      forget(performance.now());
      return unsent + sentAt.length;
    },
    take() {
      unsent += 1;
      let isOut = false;
      const leave = (then: () => void) => {
        if (isOut) return;
        isOut = true;
        unsent -= 1;
        then();
      };
      return {
        sent: () =>
          leave(() => void (share.perSecond < Number.POSITIVE_INFINITY && sentAt.push(performance.now()))),
        forgo: () => leave(() => {}),
      };
    },
  };
}
