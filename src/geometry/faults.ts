import { type Message, type MessageId, toMessage } from '../errors.js';

/** One fault of a GeoJSON document. */
export interface GeometryFault {
  /** JSON pointer (RFC 6901) into the document: `/features/2/geometry/coordinates/0`. */
  readonly pointer: string;
  readonly message: Message;
}

/** Beyond this many faults a caller learns nothing new, and a hostile document would only cost more. */
const MAX_FAULTS = 20;

/** The faults found so far, up to a bound. */
export class FaultList {
  readonly faults: GeometryFault[] = [];

  get isFull(): boolean {
    return this.faults.length >= MAX_FAULTS;
  }

  add(pointer: string, id: MessageId, values: Message['values'] = {}): void {
    if (!this.isFull) this.faults.push({ pointer, message: toMessage(id, values) });
  }
}
