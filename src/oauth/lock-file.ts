import { randomInt } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { open, readFile, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { AccountError, toErrorCode } from './model.js';

export interface LockTimes {
  /** How long to wait for another's lock. */
  readonly waitMs: number;
  /** Older locks are those of the dead: nobody works under one for so long. */
  readonly staleMs: number;
}

interface Owner {
  readonly pid: number;
  /** Where that pid means something. */
  readonly place: string;
}

/**
 * Runs `work` while the file `path` is ours. It is made with O_EXCL, so one process has it, also over containers that
 * share a folder; what a dead process left behind is removed: at once where its pid is known to be gone, else when it
 * is too old.
 * @throws AccountError where the lock cannot be made, or is not given up in time
 */
export async function withLockFile<T>(path: string, times: LockTimes, work: () => Promise<T>): Promise<T> {
  const identity = await acquire(path, times);
  try {
    return await work();
  } finally {
    // one that took too long has lost it: what is there now is somebody else's
    if ((await readIdentity(path)) === identity) await unlink(path).catch(() => {});
  }
}

async function acquire(path: string, { waitMs, staleMs }: LockTimes): Promise<string> {
  const until = Date.now() + waitMs;
  for (;;) {
    const identity = await create(path, JSON.stringify(self));
    if (identity !== undefined) return identity;
    await removeStale(path, staleMs);
    if (Date.now() > until) throw new AccountError('oauth.locked', {}, 5);
    await setTimeout(randomInt(20, 80));
  }
}

/** @returns undefined where the file is there already */
async function create(path: string, content: string): Promise<string | undefined> {
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      return toIdentity(await handle.stat({ bigint: true }));
    } catch (error) {
      await unlink(path);
      throw error;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = toErrorCode(error);
    if (code === 'EEXIST') return undefined;
    throw new AccountError('oauth.fileUnwritable', { code });
  }
}

/**
 * Removes a dead process's lock. Of several who find it, one may: who made the claim on this very lock. Who comes later
 * finds that the lock is another one.
 */
async function removeStale(path: string, staleMs: number): Promise<void> {
  const identity = await readIdentity(path);
  if (identity === undefined || !(await isStale(path, staleMs))) return;
  const claim = `${path}.${identity}`;
  if ((await create(claim, '')) === undefined) {
    if ((await toAgeMs(claim)) > staleMs) await unlink(claim).catch(() => {}); // its maker died too
    return;
  }
  try {
    if ((await readIdentity(path)) === identity) await unlink(path).catch(() => {});
  } finally {
    await unlink(claim).catch(() => {});
  }
}

async function isStale(path: string, staleMs: number): Promise<boolean> {
  if ((await toAgeMs(path)) > staleMs) return true;
  const owner = await readOwner(path);
  return owner !== undefined && owner.place === self.place && !isAlive(owner.pid);
}

/** @returns undefined where the file is gone, or its maker has not written it yet */
async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return toErrorCode(error) !== 'ESRCH';
  }
}

async function readIdentity(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && toIdentity(found);
}

/** Inode numbers are used again; with the time of creation they are not. */
function toIdentity({ ino, mtimeNs }: { ino: bigint; mtimeNs: bigint }): string {
  return `${ino}-${mtimeNs}`;
}

async function toAgeMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

/** Containers may share a host name, and all have a pid 1: on Linux the pid namespace tells them apart. */
function toPlace(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

const self: Owner = { pid: process.pid, place: toPlace() };
