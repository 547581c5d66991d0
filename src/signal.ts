/** What of an AbortSignal says that something is not wanted any more; an AbortSignal is one. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A signal that is aborted by who has it. Not an AbortController: Node (20) gives each AbortSignal a hidden class of its own,
 * so that all who look at one are slow, and its listeners cost ten times as much; every request has several signals.
 */
export class Abort implements Signal {
  aborted = false;
  reason: unknown = undefined;
  private listeners: Set<() => void> | undefined = undefined;

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners ?? []) listener();
    this.listeners = undefined;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** As the event comes once, so does each listener; who comes too late is not told, as with an AbortSignal. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return;
    this.listeners ??= new Set();
    this.listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners?.delete(listener);
  }
}

/** Aborted with `signal`, or by itself. */
export function follow(signal: Signal): Abort {
  const own = new Abort();
  if (signal.aborted) own.abort(signal.reason);
  else signal.addEventListener('abort', () => own.abort(signal.reason), { once: true });
  return own;
}

/** Settles like the work, or rejects with the signal's reason as soon as it is aborted; the work goes on for others. */
export function untilAborted<T>(work: Promise<T>, signal: Signal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener('abort', leave);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', leave);
        reject(error);
      },
    );
  });
}

/** Does not keep the process alive. @throws the signal's reason, as soon as it is aborted */
export function sleep(milliseconds: number, signal: Signal = new Abort()): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    }, milliseconds).unref();
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}
