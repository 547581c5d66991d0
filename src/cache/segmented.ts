/** Of all values, those that were asked for again may be so many. */
const PROTECTED = 0.8;

/**
 * The `max` values used last, in two segments (segmented LRU): what was asked for again gives way only once those are
 * 80 %. A run of keys that come once, made up or not, takes no place from the keys that stay.
 */
export interface Segmented<T> {
  readonly size: number;
  /** The value, now used last. */
  get(key: string): T | undefined;
  peek(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
}

export function createSegmented<T>(max: number): Segmented<T> {
  const once = new Map<string, T>(); // the one used last is the last in each
  const again = new Map<string, T>();
  const maxAgain = Math.floor(max * PROTECTED);

  function protect(key: string, value: T): void {
    again.delete(key);
    again.set(key, value);
    if (again.size > maxAgain) {
      const [oldest, its] = again.entries().next().value as [string, T];
      again.delete(oldest);
      once.set(oldest, its);
    }
  }

  return {
    get size() {
      return once.size + again.size;
    },
    get(key) {
      const value = once.get(key) ?? again.get(key);
      if (value === undefined) return undefined;
      once.delete(key);
      protect(key, value);
      return value;
    },
    peek: (key) => once.get(key) ?? again.get(key),
    set(key, value) {
      if (again.has(key)) again.set(key, value);
      else {
        once.delete(key);
        once.set(key, value);
      }
      // the new one is in `once`, and leaves only where there is no room at all
      if (once.size + again.size > max) once.delete(once.keys().next().value as string);
    },
    delete(key) {
      once.delete(key);
      again.delete(key);
    },
  };
}
