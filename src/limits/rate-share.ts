import { randomBytes } from 'node:crypto';
import type { MemberState, SharedStore } from '../cache/index.js';

/** Who uses a rate, as it is seen from outside. */
export interface RateUser {
  /** Taken within the last second, and not free again. */
  readonly taken: number;
  /** That, and what waits. */
  readonly wanted: number;
  /** There may be more to take. */
  wake(): void;
}

/** What this process may take of a rate: all of it, or its share. */
export interface RateShare {
  /** Now; it may change at any time. */
  readonly perSecond: number;
  attach?(user: RateUser): void;
}

export interface RateShareOptions {
  readonly store: SharedStore;
  /** Digest of what the rate is of. */
  readonly pool: string;
  /** Of all processes together. */
  readonly total: number;
  /** How long a new pool gives nothing; 0 where the store cannot have lost one. */
  readonly graceMs?: number;
}

export interface SharedRate extends RateShare {
  /** Others may take it, as soon as what was sent is a second old. */
  close(): Promise<void>;
}

/** So often the shares are agreed on anew; where somebody waits, oftener. */
const RENEW_MS = 500;
const HURRIED_MS = 100;
/** A member that is silent for so long has died, and its share is given to others. */
const TTL_MS = 15_000;
/** A pool that is new may be one whose store has lost it: who holds a share of it has so long to say so. */
const GRACE_MS = 2500;
/** Who was never given a share takes this part of the whole, as long as the store cannot be asked. */
const CAUTIOUS = 1 / 10;
const CAUTIOUS_AFTER_MS = 1000;
/** Longer than the second over which a rate holds (sliding-rate.ts). */
const WINDOW_MS = 1100;
/** Of an equal share, nobody has less than this part: it may be all it has, for as long as the store is away. */
const LEAST = 1 / 2;
/** Where there is less than one for each, they take turns. */
const TURN_MS = 3000;

/**
 * A share of a rate that many processes have together. Each keeps to its own share, over any second, and the store
 * sees to it that shares never add up to more than the whole: so no request waits for the store, and while that is away
 * everybody goes on with what it has. What is given back was not used for a second when another gets it.
 */
export function createRateShare(options: RateShareOptions): SharedRate {
  const { store, pool, total, graceMs = GRACE_MS } = options;
  const member = randomBytes(9).toString('base64url');
  let perSecond = 0;
  let user: RateUser | undefined;
  let others: readonly MemberState[] = [];
  let isGiven = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const begun = performance.now();

  function setShare(next: number): void {
    const isMore = next > perSecond;
    perSecond = next;
    if (isMore) user?.wake();
  }

  const toOwn = (): MemberState => ({
    name: member,
    // what was sent within the second counts, though it is not to be had any more
    held: Math.max(perSecond, user?.taken ?? 0),
    wanted: Math.min(total, Math.max(1, user?.wanted ?? 0)),
  });

  async function renew(): Promise<void> {
    const all = [toOwn(), ...others];
    const wish = isGiven ? toShare(member, all, total) : 0;
    const isNeeded = others.some(({ name, held }) => held < toShare(name, all, total));
    if (isGiven && wish < perSecond && isNeeded) setShare(wish);
    const { held, wanted } = toOwn();
    const request = { member, total, held, wanted, wish, ttlMs: TTL_MS, graceMs };
    const shared = await store.share(pool, request);
    others = shared.others;
    // what is given back slowly is confirmed as it is held, and not to be had any more
    if (shared.granted < perSecond || wish > perSecond)
      setShare(Math.min(shared.granted, Math.max(wish, perSecond)));
    isGiven = true;
  }

  async function keepRenewing(): Promise<void> {
    const wasGiven = isGiven;
    try {
      await renew();
    } catch {
      if (!isGiven && performance.now() - begun > CAUTIOUS_AFTER_MS && perSecond === 0) {
        setShare(Math.max(1, Math.floor(total * CAUTIOUS)));
      }
    }
    if (isClosed) return;
    const isShort = (user?.wanted ?? 0) > perSecond || perSecond === 0;
    timer = setTimeout(keepRenewing, wasGiven === isGiven ? (isShort ? HURRIED_MS : RENEW_MS) : 0).unref();
  }
  void keepRenewing();

  return {
    get perSecond() {
      return perSecond;
    },
    attach(given) {
      user = given;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      perSecond = 0;
      await store.leave(pool, member, WINDOW_MS).catch(() => {});
    },
  };
}

/**
 * What one of the members should hold: nobody more than it wants while others want more than they get (max-min
 * fairness), and what nobody wants by those who have least. The same for all who see the same.
 */
export function toShare(
  name: string,
  members: readonly MemberState[],
  total: number,
  now = Date.now(),
): number {
  const sorted = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const turn = total < sorted.length ? Math.floor(now / TURN_MS) % sorted.length : 0;
  const inTurn = [...sorted.slice(turn), ...sorted.slice(0, turn)];
  const least = Math.ceil((total * LEAST) / sorted.length);
  const shares = inTurn.map((member) => ({ ...member, share: 0, wanted: Math.max(least, member.wanted) }));
  let left = total;
  const fill = (isOpen: (member: (typeof shares)[number]) => boolean) => {
    for (let level = 1; left > 0 && level <= total; level += 1) {
      for (const member of shares) {
        if (left === 0 || member.share >= level || !isOpen(member)) continue;
        member.share += 1;
        left -= 1;
      }
    }
  };
  fill(({ share, wanted }) => share < wanted);
  fill(() => true);
  return shares.find((member) => member.name === name)?.share ?? 0;
}
