import { type Message, type MessageId, ServiceError, toMessage } from '../errors.js';
import { Roster } from '../roster.js';
import { type Signal, sleep } from '../signal.js';

/**
 * How long a request may wait for the upstream, all its tries and steps together. Only waiting counts: the time a slow
 * reader takes is bounded elsewhere.
 */
export interface Deadline {
  /** Milliseconds in all. */
  readonly total: number;
  /** Milliseconds left. */
  readonly left: number;
  /**
   * @param timeoutMs for this step; the deadline itself may be nearer
   * @throws upstreamTimeout with the text `message`, or that of the deadline where that was the nearer
   */
  wait<T>(step: Promise<T>, timeoutMs: number, message: MessageId): Promise<T>;
  /** Nothing but waiting. @throws upstreamTimeout where there is not so much left; the signal's reason */
  pause(milliseconds: number, signal: Signal): Promise<void>;
}

export const createDeadline = (milliseconds: number): Deadline => new RequestDeadline(milliseconds);

/** Called when the time has come, unless it is taken away before; it takes itself away. */
interface Alarm {
  readonly at: number;
  ring(): void;
}

const WATCH_MS = 100;
const alarms = new Roster<Alarm>();
let watch: NodeJS.Timeout | undefined;

/**
 * One timer looks after all long waits, up to a tenth of a second late: nearly all end long before, and a timer of Node's for
 * each costs ten times what its place among others does.
 */
function setAlarm(milliseconds: number, ring: () => void): () => void {
  if (milliseconds < 10 * WATCH_MS) {
    const timer = setTimeout(ring, Math.max(0, milliseconds));
    return () => clearTimeout(timer);
  }
  watch ??= setInterval(ringDue, WATCH_MS);
  return alarms.add({ at: performance.now() + milliseconds, ring });
}

function ringDue(): void {
  const now = performance.now();
  for (const { at, ring } of alarms) if (at <= now) ring();
  if (!alarms.isEmpty) return;
  clearInterval(watch);
  watch = undefined;
}

class RequestDeadline implements Deadline {
  left: number;

  constructor(readonly total: number) {
    this.left = total;
  }

  wait<T>(step: Promise<T>, timeoutMs: number, message: MessageId): Promise<T> {
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      const isNearer = this.left < timeoutMs;
      let isOver = false;
      const settle = () => {
        if (isOver) return;
        isOver = true;
        takeAway();
        this.left -= performance.now() - begun;
      };
      const tooLate = () => {
        settle();
        reject(new ServiceError('upstreamTimeout', this.toText(timeoutMs, message, isNearer)));
      };
      const takeAway = setAlarm(Math.min(timeoutMs, this.left), tooLate);
      // after the timeout, what the step still says is heard by nobody
      step.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(error);
        },
      );
    });
  }

  pause(milliseconds: number, signal: Signal): Promise<void> {
    return this.wait(sleep(milliseconds, signal), Number.POSITIVE_INFINITY, 'wfs.noAnswer');
  }

  private toText(timeoutMs: number, message: MessageId, isNearer: boolean): Message {
    return isNearer
      ? toMessage('wfs.deadline', { seconds: toSeconds(this.total) })
      : toMessage(message, { seconds: toSeconds(timeoutMs) });
  }
}

const toSeconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
