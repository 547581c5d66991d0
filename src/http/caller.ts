import type { Request, Response } from 'express';
import type { Caller } from '../query/index.js';
import { toAddress } from './client-limit.js';
import { toLeftSignal } from './stream.js';

/** Who asks, with the credentials and the trace that stand in `res.locals`. */
export function toCaller(req: Request, res: Response): Caller {
  const { credentials = {}, trace } = res.locals;
  return {
    credentials,
    signal: toLeftSignal(res),
    address: toAddress(req),
    requestId: String(req.id),
    trace,
  };
}
