import { type RequestHandler, Router } from 'express';
import { ServiceError, toMessage } from '../errors.js';
import type { SourceStatus } from '../query/index.js';
import { allowOnly } from './methods.js';

interface Watched {
  readonly name: string;
  readonly source: { status(): SourceStatus };
}

interface State {
  readonly status: 'ready' | 'unavailable';
  readonly [detail: string]: string | number | boolean;
}

function toState({ source }: Watched): State {
  const { isReady, detail } = source.status();
  return { status: isReady ? 'ready' : 'unavailable', ...detail };
}

export interface OpsParts {
  isStopping(): boolean;
  readonly replicas?: { state(): string } | undefined;
}

/**
 * Ready means able to serve: at least one of the modules is. What is down is told, and does not take the others out of
 * service; nor does what replicas have in common, without which each goes on by itself.
 */
function createReady(modules: readonly Watched[], { isStopping, replicas }: OpsParts): RequestHandler {
  return (_req, res) => {
    if (isStopping()) throw new ServiceError('unavailable', toMessage('http.stopping'));
    const upstream = Object.fromEntries(modules.map((module) => [module.name, toState(module)]));
    if (Object.values(upstream).every(({ status }) => status === 'unavailable')) {
      const values = { names: Object.keys(upstream).join(', '), detail: JSON.stringify(upstream) };
      throw new ServiceError('unavailable', toMessage('http.notReady', values));
    }
    res.json({ status: 'ready', upstream, ...(replicas && { shared: replicas.state() }) });
  };
}

/** `live`: the process answers. `ready`: it is able to serve; where it is not, a problem with status 503 says why. */
export function createOps(modules: readonly Watched[], parts: OpsParts): Router {
  const router = Router();
  const live = router.route('/health/live');
  live.get((_req, res) => void res.json({ status: 'live' }));
  live.all(allowOnly('GET, HEAD'));
  const ready = router.route('/health/ready');
  ready.get(createReady(modules, parts));
  ready.all(allowOnly('GET, HEAD'));
  return router;
}

/** `health` of one module: ready as it alone is. */
export function createModuleHealth(module: Watched, parts: OpsParts): Router {
  const router = Router();
  const health = router.route('/health');
  health.get(createReady([module], parts));
  health.all(allowOnly('GET, HEAD'));
  return router;
}
