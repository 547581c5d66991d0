import { type Message, type MessageId, ServiceError, toMessage } from '../errors.js';

/** Where in a document something stands. */
export interface Place {
  /** From 1; lines end at LF. */
  readonly line: number;
  /** From 1, in characters (code points). */
  readonly column: number;
  /** The open elements as written, from the root: `wfs:FeatureCollection/gml:featureMember`. Empty outside the root. */
  readonly path: string;
}

/** A document that is not well-formed, not GML, or beyond a bound. */
export class GmlError extends ServiceError {
  readonly line: number;
  readonly column: number;
  readonly path: string;

  constructor(text: Message, place: Place, cause?: unknown) {
    super('upstreamUnusable', text, cause === undefined ? {} : { cause });
    this.line = place.line;
    this.column = place.column;
    this.path = place.path;
  }
}

/** One exception of a report (OWS Common 1.0 §8, WFS 1.0.0 §7.7): decoded text, bounded in size. */
export interface GmlException {
  readonly code?: string;
  readonly locator?: string;
  readonly text: string;
}

/** An exception report in place of features, or among them. */
export class GmlExceptionReport extends GmlError {
  readonly exceptions: readonly GmlException[];

  constructor(exceptions: readonly GmlException[], place: Place) {
    const text = exceptions.map((exception) => exception.text || exception.code || '').join('; ');
    super(toMessage('gml.exceptionReport', { text }), place);
    this.exceptions = exceptions;
  }
}

export function toGmlError(
  id: MessageId,
  place: Place,
  values: Message['values'] = {},
  cause?: unknown,
): GmlError {
  const { line, column, path } = place;
  const where = toMessage(path === '' ? 'gml.at' : 'gml.atIn', { line, column, path });
  return new GmlError(toMessage(id, { ...values, where, line, column, path }), place, cause);
}
