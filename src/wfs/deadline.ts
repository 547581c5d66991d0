import { type Message, type MessageId, ServiceError, toMessage } from '../errors.js';
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

/** Node keeps timers by their duration: whole tenths of a second share a list, where each fraction has one of its own. */
const TIMER_STEP_MS = 100;
const toTimer = (milliseconds: number) =>
  milliseconds < 10 * TIMER_STEP_MS
    ? Math.max(0, milliseconds)
    : Math.ceil(milliseconds / TIMER_STEP_MS) * TIMER_STEP_MS;

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
        clearTimeout(timer);
        this.left -= performance.now() - begun;
      };
      const tooLate = () => {
        settle();
        reject(new ServiceError('upstreamTimeout', this.toText(timeoutMs, message, isNearer)));
      };
      const timer = setTimeout(tooLate, toTimer(Math.min(timeoutMs, this.left)));
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
