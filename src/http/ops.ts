import { Router } from 'express';
import { ServiceError, toMessage } from '../errors.js';
import type { SourceStatus } from '../query/index.js';
import { allowOnly } from './methods.js';

export interface OpsParts {
  readonly modules: readonly { readonly name: string; readonly source: { status(): SourceStatus } }[];
  isStopping(): boolean;
}

const toDetail = (statuses: Record<string, SourceStatus>) =>
  Object.fromEntries(Object.entries(statuses).map(([name, { detail }]) => [name, detail]));

/**
 * `live`: the process answers. `ready`: it is able to serve; where it is not, a problem with status 503 says why.
 */
export function createOps({ modules, isStopping }: OpsParts): Router {
  const router = Router();
  const live = router.route('/health/live');
  live.get((_req, res) => void res.json({ status: 'live' }));
  live.all(allowOnly('GET, HEAD'));
  const ready = router.route('/health/ready');
  ready.get((_req, res) => {
    if (isStopping()) throw new ServiceError('unavailable', toMessage('http.stopping'));
    const statuses = Object.fromEntries(modules.map(({ name, source }) => [name, source.status()]));
    const unready = Object.keys(statuses).filter((name) => !statuses[name]?.isReady);
    if (unready.length > 0) {
      const detail = JSON.stringify(toDetail(statuses));
      throw new ServiceError(
        'unavailable',
        toMessage('http.notReady', { names: unready.join(', '), detail }),
      );
    }
    res.json({ status: 'ready', upstream: toDetail(statuses) });
  });
  ready.all(allowOnly('GET, HEAD'));
  return router;
}
