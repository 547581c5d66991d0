import { ServiceError, toMessage } from '../errors.js';
import type { Signal } from '../signal.js';
import { createLanes } from './lanes.js';
import type { RateShare } from './rate-share.js';
import { createSlidingRate, type Taken } from './sliding-rate.js';

export interface GateOptions {
  /** Inside at once. */
  readonly maxConcurrency: number;
  /** Let in over any second: a number, or what others leave of one. */
  readonly perSecond: number | RateShare;
  /** Waiting at once. */
  readonly maxQueued: number;
}

/** Who wants to be let in. */
export interface Visitor {
  /** The caller: callers take turns. */
  readonly lane: string;
  /** What it is part of: work that is inside already, and needs a second place to go on, goes first. */
  readonly work: object;
  /** Aborted: no longer wanted. */
  readonly signal: Signal;
}

export interface Place {
  /** The request has gone out. Called again or not at all, it went out with the first call, or when it left. */
  sent(): void;
  /** It is over. Only the first of `leave` and `forgo` counts. */
  leave(): void;
  /** It was not sent at all, and counts for nothing. */
  forgo(): void;
}

export interface Gate {
  readonly queued: number;
  readonly inside: number;
  /**
   * `place` is there at once where nobody else waits and there is room; else it rejects with `unavailable` where too many
   * wait, or the signal's reason. `withdraw` gives it up, given or not.
   */
  enter(visitor: Visitor): Entry;
}

interface Entry {
  readonly place: Place | Promise<Place>;
  withdraw(): void;
}

interface Waiter extends Visitor {
  grant(place: Place): void;
  refuse(reason: unknown): void;
}

/** One caller may not take all: what it holds and reads slowly would keep everybody else out. */
const SHARE_OF_ONE = 3 / 4;

/**
 * So many at once and so many a second, in the order of turns. p-queue and bottleneck have one queue, where whoever
 * asks most is served most, and no way to let work that is inside already finish first.
 */
export function createGate(options: GateOptions): Gate {
  const { maxConcurrency, maxQueued } = options;
  const share: RateShare =
    typeof options.perSecond === 'number' ? { perSecond: options.perSecond } : options.perSecond;
  const rate = createSlidingRate(share);
  const lanes = createLanes<Waiter>();
  const urgent: Waiter[] = [];
  const insideOf = createCounter<string>();
  const worksInside = createCounter<object>();
  const mostOfOne = Math.ceil(maxConcurrency * SHARE_OF_ONE);
  let inside = 0;
  let timer: NodeJS.Timeout | undefined;

  const isUrgent = ({ work }: Visitor) => worksInside.get(work) > 0;

  function createPlace({ lane, work }: Visitor, taken: Taken): Place {
    inside += 1;
    insideOf.add(lane, 1);
    worksInside.add(work, 1);
    let isInside = true;
    const leave = () => {
      if (!isInside) return;
      isInside = false;
      inside -= 1;
      insideOf.add(lane, -1);
      worksInside.add(work, -1);
      letIn();
    };
    const sent = () => {
      taken.sent();
      if (lanes.size + urgent.length > 0) letIn(); // when the next may go is known only now
    };
    return {
      sent,
      leave() {
        taken.sent();
        leave();
      },
      forgo() {
        taken.forgo();
        leave();
      },
    };
  }

  const hasWaiting = () => urgent.length > 0 || lanes.size > 0;

  function letIn(): void {
    while (inside < maxConcurrency && hasWaiting()) {
      const { waitMs } = rate;
      if (waitMs > 0) {
        wakeIn(waitMs);
        return;
      }
      const waiter = urgent.shift() ?? lanes.take((lane) => insideOf.get(lane) < mostOfOne);
      if (waiter === undefined) return;
      waiter.grant(createPlace(waiter, rate.take()));
    }
  }

  function wakeIn(milliseconds: number): void {
    clearTimeout(timer);
    if (milliseconds === Number.POSITIVE_INFINITY) return; // one that goes out wakes, or a larger share
    timer = setTimeout(letIn, Math.ceil(milliseconds)).unref();
  }

  function leaveQueue(waiter: Waiter): void {
    const at = urgent.indexOf(waiter);
    if (at >= 0) urgent.splice(at, 1);
    else lanes.remove(waiter.lane, waiter);
  }

  /** Every place is held by work that waits for another one: none would ever be free. */
  function isStuck(waiter: Waiter): boolean {
    if (inside < maxConcurrency) return false;
    const waiting = new Set([waiter, ...urgent].map(({ work }) => work));
    return [...worksInside.keys()].every((work) => waiting.has(work));
  }

  function queue(waiter: Waiter): void {
    if (isUrgent(waiter)) queueFirst(waiter);
    else queueInLane(waiter);
    letIn();
  }

  function queueFirst(waiter: Waiter): void {
    if (isStuck(waiter)) waiter.refuse(toFull());
    else urgent.push(waiter);
  }

  function queueInLane(waiter: Waiter): void {
    const isFull = lanes.size >= maxQueued;
    const refused = isFull ? (lanes.evictFor(waiter.lane) ?? waiter) : undefined;
    refused?.refuse(toFull());
    if (refused !== waiter) lanes.add(waiter.lane, waiter);
  }

  function toFull(): ServiceError {
    return toBusyError(Math.ceil(lanes.size / share.perSecond));
  }

  const queued = () => urgent.length + lanes.size;
  share.attach?.({
    get taken() {
      return rate.taken;
    },
    get wanted() {
      return rate.taken + queued();
    },
    wake: letIn,
  });

  return {
    get queued() {
      return queued();
    },
    get inside() {
      return inside;
    },
    enter,
  };

  /** Who is let in at once takes no promise. */
  function enter(visitor: Visitor): Entry {
    let held: Place | undefined;
    let refused: { readonly reason: unknown } | undefined;
    let settle: { resolve(place: Place): void; reject(reason: unknown): void } | undefined;
    const end = () => visitor.signal.removeEventListener('abort', abort);
    const waiter: Waiter = {
      grant(given) {
        end();
        held = given;
        settle?.resolve(given);
      },
      refuse(reason) {
        end();
        refused = { reason };
        settle?.reject(reason);
      },
      ...visitor, // last: what is spread first and added to has a hidden class of its own (V8 11.3)
    };
    const giveUp = (reason: unknown) => {
      leaveQueue(waiter);
      waiter.refuse(reason);
    };
    const abort = () => giveUp(visitor.signal.reason);
    const withdraw = () => {
      if (held !== undefined) held.forgo();
      else giveUp(toFull());
    };
    const toPlace = () => {
      if (held !== undefined) return held;
      if (refused !== undefined) return Promise.reject(refused.reason);
      visitor.signal.addEventListener('abort', abort, { once: true });
      return new Promise<Place>((resolve, reject) => {
        settle = { resolve, reject };
      });
    };
    if (visitor.signal.aborted) waiter.refuse(visitor.signal.reason);
    else queue(waiter);
    return { place: toPlace(), withdraw };
  }
}

/** Too much is wanted at once. @param seconds until it is worth to ask again, as far as that can be known */
export function toBusyError(seconds: number): ServiceError {
  const bounded = Math.min(60, Math.max(1, Number.isFinite(seconds) ? seconds : 1));
  return new ServiceError('unavailable', toMessage('limits.busy'), {
    headers: { 'Retry-After': String(bounded) },
  });
}

function createCounter<K>() {
  const counts = new Map<K, number>();
  return {
    get: (key: K) => counts.get(key) ?? 0,
    keys: () => counts.keys(),
    add(key: K, by: number) {
      const count = (counts.get(key) ?? 0) + by;
      if (count === 0) counts.delete(key);
      else counts.set(key, count);
    },
  };
}
