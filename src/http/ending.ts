import { ServiceError, toMessage } from '../errors.js';
import type { FeatureSource } from '../query/index.js';
import { Roster } from '../roster.js';
import { endFeatures } from './stream.js';

/**
 * A source whose work is given up when the process has to end: whoever has no answer by then is told so, instead of being
 * reset. Answers that have begun go on.
 */
export function createEndingSource(source: FeatureSource, ending: AbortSignal): FeatureSource {
  /** One listener for all: an AbortSignal looks through its listeners for each that is taken away. */
  const waiting = new Roster<() => void>();
  ending.addEventListener('abort', () => [...waiting].forEach((end) => void end()), { once: true });
  /** @param abandon what comes too late */
  const untilEnding = <T>(work: Promise<T>, abandon?: (late: T) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      const end = () => {
        reject(new ServiceError('unavailable', toMessage('http.stopping')));
        if (abandon !== undefined) work.then(abandon, () => {});
      };
      if (ending.aborted) end();
      const leave = waiting.add(end);
      work.then(
        (value) => {
          leave();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  return {
    ...source,
    list: (caller) => untilEnding(source.list(caller)),
    describe: (name, caller) => untilEnding(source.describe(name, caller)),
    explain: (query, caller) => untilEnding(source.explain(query, caller)),
    search: (query, caller) =>
      untilEnding(source.search(query, caller), ({ features }) => endFeatures(features)),
  };
}
