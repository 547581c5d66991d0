import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AccountError, toErrorCode } from './model.js';

const MAX_BYTES = 64 * 1024;

/**
 * A file for its owner alone.
 * @returns undefined where there is none
 * @throws AccountError where others may read or write it, or it cannot be read
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const found = await handle.stat();
    const { mode, size } = found;
    if (!found.isFile()) throw new AccountError('oauth.fileUnreadable', { code: 'no file' });
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new AccountError('oauth.fileExposed', { mode: (mode & 0o777).toString(8).padStart(4, '0') });
    }
    if (size > MAX_BYTES) throw new AccountError('oauth.fileMalformed', { reason: 'it is too large' });
    return await handle.readFile('utf8');
  } catch (error) {
    const code = toErrorCode(error);
    if (code === 'ENOENT') return undefined;
    throw error instanceof AccountError ? error : new AccountError('oauth.fileUnreadable', { code });
  } finally {
    await handle?.close();
  }
}

/**
 * Mode 0600, and whole or not at all: written beside, brought to the disk, then put in its place.
 * @throws AccountError
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    await writeToDisk(beside, text);
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(beside).catch(() => {});
    throw new AccountError('oauth.fileUnwritable', { code: toErrorCode(error) });
  }
}

export async function removePrivateFile(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}

async function writeToDisk(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The new name itself is on the disk only then. Not every file system lets a folder be synced. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
