/**
 * What is there for a while, in the order it came. Not a Set or a Map: V8 gives those another table again and again, and an
 * old table that waits for a full collection keeps alive what was in it, with all that leads to.
 */
export class Roster<T> implements Iterable<T> {
  private first: Seat<T> | undefined = undefined;
  private last: Seat<T> | undefined = undefined;

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** @returns takes it away again; only the first call counts */
  add(value: T): () => void {
    const seat: Seat<T> = { value, before: this.last, after: undefined, isTaken: true };
    if (this.last === undefined) this.first = seat;
    else this.last.after = seat;
    this.last = seat;
    return () => this.leave(seat);
  }

  /** Each may be taken away meanwhile, and others come. */
  *[Symbol.iterator](): Generator<T, void, void> {
    const seats: Seat<T>[] = [];
    for (let seat = this.first; seat !== undefined; seat = seat.after) seats.push(seat);
    for (const seat of seats) if (seat.isTaken) yield seat.value as T;
  }

  private leave(seat: Seat<T>): void {
    if (!seat.isTaken) return;
    const { before, after } = seat;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    seat.isTaken = false;
    seat.value = seat.before = seat.after = undefined;
  }
}

interface Seat<T> {
  value: T | undefined;
  before: Seat<T> | undefined;
  after: Seat<T> | undefined;
  isTaken: boolean;
}
