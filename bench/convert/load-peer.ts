import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { paths } from '../paths.js';

/** A package of `bench/peers`, which has types of its own or none: each reader states what it uses of it. */
export async function loadPeer<T>(name: string): Promise<T> {
  const { load } = (await import(pathToFileURL(join(paths.peers, 'load.mjs')).href)) as {
    load(name: string): Promise<T>;
  };
  return load(name);
}
