import { setTimeout as sleep } from 'node:timers/promises';
import { type MessageId, ServiceError, toMessage } from '../errors.js';

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
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export function createDeadline(milliseconds: number): Deadline {
  let left = milliseconds;
  const toText = (timeoutMs: number, message: MessageId, isNearer: boolean) =>
    isNearer
      ? toMessage('wfs.deadline', { seconds: toSeconds(milliseconds) })
      : toMessage(message, { seconds: toSeconds(timeoutMs) });
  const wait = <T>(step: Promise<T>, timeoutMs: number, message: MessageId): Promise<T> =>
    new Promise((resolve, reject) => {
      const begun = performance.now();
      const isNearer = left < timeoutMs;
      let isOver = false;
      const settle = () => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        left -= performance.now() - begun;
      };
      const tooLate = () => {
        settle();
        reject(new ServiceError('upstreamTimeout', toText(timeoutMs, message, isNearer)));
      };
      const timer = setTimeout(tooLate, Math.max(0, Math.min(timeoutMs, left)));
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
  return {
    total: milliseconds,
    get left() {
      return left;
    },
    wait,
    async pause(duration, signal) {
      await wait(
        sleep(duration, undefined, { signal, ref: false }),
        Number.POSITIVE_INFINITY,
        'wfs.noAnswer',
      );
    },
  };
}

const toSeconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
