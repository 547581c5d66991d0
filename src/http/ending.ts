import { ServiceError, toMessage } from '../errors.js';
import type { FeatureSource } from '../query/index.js';
import { endFeatures } from './stream.js';

/**
 * A source whose work is given up when the process has to end: whoever has no answer by then is told so, instead of being
 * reset. Answers that have begun go on.
 */
export function createEndingSource(source: FeatureSource, ending: AbortSignal): FeatureSource {
  /** One listener for all: an AbortSignal looks through its listeners for each that is taken away. */
  const waiting = new Set<() => void>();
  ending.addEventListener('abort', () => waiting.forEach((end) => void end()), { once: true });
  const untilEnding = <T>(work: Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const end = () => reject(new ServiceError('unavailable', toMessage('http.stopping')));
      if (ending.aborted) end();
      waiting.add(end);
      const settled = () => waiting.delete(end);
      work.then(settled, settled);
      work.then(resolve, reject);
    });
  return {
    ...source,
    list: (caller) => untilEnding(source.list(caller)),
    describe: (name, caller) => untilEnding(source.describe(name, caller)),
    explain: (query, caller) => untilEnding(source.explain(query, caller)),
    search(query, caller) {
      const searching = source.search(query, caller);
      const abandon = () => void searching.then(({ features }) => endFeatures(features)).catch(() => {});
      return untilEnding(searching).catch((error: unknown) => {
        if (ending.aborted) abandon();
        throw error;
      });
    },
  };
}
