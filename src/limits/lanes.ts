/** Who waits for a turn, by caller: callers take turns, however many each of them has waiting. */
export interface Lanes<T> {
  readonly size: number;
  add(lane: string, item: T): void;
  /** The next item of the caller whose turn it is, but of those only who may. */
  take(may: (lane: string) => boolean): T | undefined;
  remove(lane: string, item: T): boolean;
  /** Takes out what came last of the caller who has most waiting, where that is more than `lane` has. */
  evictFor(lane: string): T | undefined;
}

/** A queue a caller; a Map keeps the order of insertion, and whoever had a turn is inserted anew. */
export function createLanes<T>(): Lanes<T> {
  const lanes = new Map<string, T[]>();
  let size = 0;

  function takeOut(lane: string, at: number): T | undefined {
    const items = lanes.get(lane) ?? [];
    const [item] = items.splice(at, 1);
    if (items.length === 0) lanes.delete(lane);
    size -= 1;
    return item;
  }

  return {
    get size() {
      return size;
    },
    add(lane, item) {
      const items = lanes.get(lane);
      if (items === undefined) lanes.set(lane, [item]);
      else items.push(item);
      size += 1;
    },
    take(may) {
      for (const [lane, items] of lanes) {
        if (!may(lane)) continue;
        lanes.delete(lane);
        lanes.set(lane, items);
        return takeOut(lane, 0);
      }
      return undefined;
    },
    remove(lane, item) {
      const at = lanes.get(lane)?.indexOf(item) ?? -1;
      if (at < 0) return false;
      takeOut(lane, at);
      return true;
    },
    evictFor(lane) {
      let longest: readonly [string, number] = [lane, (lanes.get(lane)?.length ?? 0) + 1];
      for (const [name, { length }] of lanes) if (length > longest[1]) longest = [name, length];
      return longest[0] === lane ? undefined : takeOut(longest[0], longest[1] - 1);
    },
  };
}
