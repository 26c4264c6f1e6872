import * as fs from 'node:fs';
import { promisify } from 'node:util';

/** A direct call that took longer found the disk, not the page cache. Shorter ones may as well be the scheduler's doing. */
const STALL_MS = 4;
/** After a stall of d ms all calls go through the thread pool for this many times d: at most 1 % of the time is ever lost to stalls. */
const STALL_FACTOR = 100;

export const FILE_MODE = 0o640;

type Eventually<T> = T | Promise<T>;

/** The short calls on files. Await them all: each decides for itself whether to be made directly or in the thread pool. */
export interface FileCalls {
  open(path: string, flags: number, mode?: number): Eventually<number>;
  close(file: number): Eventually<void>;
  fstat(file: number): Eventually<fs.Stats>;
  stat(path: string): Eventually<fs.Stats>;
  read(file: number, buffer: Buffer, position: number): Eventually<number>;
  writev(file: number, chunks: readonly Uint8Array[], position: number): Eventually<number>;
  mkdir(path: string, mode: number): Eventually<void>;
  rmdir(path: string): Eventually<void>;
  link(from: string, to: string): Eventually<void>;
  rename(from: string, to: string): Eventually<void>;
  unlink(path: string): Eventually<void>;
}

const pool = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fstat: promisify(fs.fstat) as (file: number) => Promise<fs.Stats>,
  stat: promisify(fs.stat) as (path: string) => Promise<fs.Stats>,
  read: promisify(fs.read),
  writev: promisify(fs.writev),
  mkdir: promisify(fs.mkdir) as (path: string, mode: number) => Promise<void>,
  rmdir: promisify(fs.rmdir) as (path: string) => Promise<void>,
  link: promisify(fs.link),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
};

/**
 * A call that the page cache answers takes 1 to 10 µs; its way through libuv's thread pool costs 20 to 40 µs of processor, and a small blob needs four
 * to eight calls. So calls are made directly, on the event loop's thread, until one stalls it (a cold disk, a journal being written); then they go
 * through the pool for a while; without `direct`, always. Syncs and bulk reads and writes are never here: they wait for the disk by nature.
 */
export function createFileCalls(direct: boolean): FileCalls {
  let pooledUntil = direct ? 0 : Infinity;

  function either<A extends unknown[], R>(
    direct: (...args: A) => R,
    pooled: (...args: A) => Promise<R>,
  ): (...args: A) => Eventually<R> {
    return (...args) => {
      const begun = performance.now();
      if (begun < pooledUntil) return pooled(...args);
      try {
        return direct(...args);
      } finally {
        const ended = performance.now();
        if (ended - begun > STALL_MS) pooledUntil = ended + (ended - begun) * STALL_FACTOR;
      }
    };
  }

  return {
    open: either(
      (path: string, flags: number, mode?: number) => fs.openSync(path, flags, mode),
      (path, flags, mode) => pool.open(path, flags, mode),
    ),
    close: either((file: number) => fs.closeSync(file), pool.close),
    fstat: either((file: number) => fs.fstatSync(file), pool.fstat),
    stat: either((path: string) => fs.statSync(path), pool.stat),
    read: either(
      (file: number, buffer: Buffer, position: number) => fs.readSync(file, buffer, 0, buffer.length, position),
      async (file, buffer, position) => (await pool.read(file, buffer, 0, buffer.length, position)).bytesRead,
    ),
    writev: either(
      (file: number, chunks: readonly Uint8Array[], position: number) => fs.writevSync(file, chunks, position),
      async (file, chunks, position) => (await pool.writev(file, chunks, position)).bytesWritten,
    ),
    mkdir: either((path: string, mode: number) => void fs.mkdirSync(path, mode), pool.mkdir),
    rmdir: either((path: string) => fs.rmdirSync(path), pool.rmdir),
    link: either((from: string, to: string) => fs.linkSync(from, to), pool.link),
    rename: either((from: string, to: string) => fs.renameSync(from, to), pool.rename),
    unlink: either((path: string) => fs.unlinkSync(path), pool.unlink),
  };
}

/** The system's code of an error: ENOENT, ENOSPC. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Undefined when what the call names is not there. */
export async function unlessAbsent<T>(call: () => Eventually<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What `work` makes of the open file; undefined when it is not there. A symbolic link is not followed. */
export async function withFile<T>(
  calls: FileCalls,
  path: string,
  flags: number,
  work: (file: number) => Promise<T>,
): Promise<T | undefined> {
  const file = await unlessAbsent(() => calls.open(path, flags | fs.constants.O_NOFOLLOW));
  if (file === undefined) return undefined;
  try {
    return await work(file);
  } finally {
    await calls.close(file);
  }
}

/** False where the file system has no hard links, or another file has the name: an unfinished try under the same id, which a rename replaces. */
export async function linked(calls: FileCalls, from: string, to: string): Promise<boolean> {
  try {
    await calls.link(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return (await calls.stat(from)).ino === (await calls.stat(to)).ino;
    if (
      code === 'EPERM' ||
      code === 'ENOTSUP' ||
      code === 'EOPNOTSUPP' ||
      code === 'ENOSYS' ||
      code === 'EXDEV' ||
      code === 'EMLINK'
    )
      return false;
    throw error;
  }
}
