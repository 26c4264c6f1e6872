import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';

import { algorithmOf, finish, type Digest } from '../digest.js';
import { BlobStoreError, type BlobAddress, type BlobStore, type ByteRange } from './blob-store.js';
import type { Directories } from './directories.js';
import { hashFile, readWhole, SMALL_BYTES, writeAll } from './file-bytes.js';
import { linked, systemCode, unlessAbsent, withFile, type FileCalls } from './file-calls.js';
import type { LocalLayout, Target } from './local-layout.js';
import { sendBuffer, sendFile } from './send-file.js';
import type { StagedUploads } from './staged-uploads.js';
import { shortFile, storing, unknownUpload } from './storage-errors.js';

/** How often a commit whose directory is removed under it tries again. Each time a sweep of the same digest must come between two calls. */
const PLACING_TRIES = 20;

const { O_RDONLY, O_RDWR } = fs.constants;

const fdatasync = promisify(fs.fdatasync);

/** The files under `blobs/`. */
export function createCommittedBlobs(
  calls: FileCalls,
  directories: Directories,
  layout: LocalLayout,
  uploads: StagedUploads,
): Pick<BlobStore, 'commit' | 'put' | 'remove' | 'stat' | 'send' | 'readSmall'> {
  async function sizeOf(path: string): Promise<number | undefined> {
    return (await unlessAbsent(() => calls.stat(path)))?.size;
  }

  /** Gives the file at `from` its committed name, beside the one it has. */
  async function place(from: string, target: Target): Promise<void> {
    await directories.ensure(target.fan);
    await directories.make(target.directory);
    if (!(await linked(calls, from, target.path))) await calls.rename(from, target.path);
  }

  /** Syncs what has its committed name. The fan only now: before, a sweep could still have removed what it listed. */
  async function syncPlaced(file: number, id: string, from: string, target: Target): Promise<void> {
    try {
      await syncAll(file, target);
    } catch (error) {
      if (!isAbsent(error)) await uploads.dropAfterFailedSync(id, target.path, from);
      throw error;
    }
  }

  /** Places the open file and syncs it, its directory and the fan. */
  async function placeDurably(file: number, id: string, from: string, target: Target): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await place(from, target);
        await syncPlaced(file, id, from, target);
        return;
      } catch (error) {
        if (!isAbsent(error)) throw error;
        // Cancelled, or taken over and copied, by another process.
        if ((await sizeOf(from)) === undefined) throw unknownUpload(id);
        // A sweep removed the directory as empty between two of our calls, or who drops this very upload removed its committed name first; or the fan was
        // removed by hand.
        if (tries === PLACING_TRIES) throw error;
        directories.forget(target.fan);
      }
    }
  }

  /** Waits for all of them: no file may be closed while a call on it is under way. A failed sync is thrown before an absent directory. */
  async function syncAll(file: number, { directory, fan }: Target): Promise<void> {
    const synced = await Promise.allSettled([fdatasync(file), directories.sync(directory), directories.sync(fan)]);
    const failed = synced.filter((each) => each.status === 'rejected');
    const [first] = [...failed.filter(({ reason }) => !isAbsent(reason)), ...failed];
    if (first !== undefined) throw first.reason;
  }

  async function commit(id: string, digest: Digest): Promise<BlobAddress> {
    const from = layout.staged(id);
    const target = layout.targetOf(id, digest);
    return uploads.exclusively(id, () =>
      storing(`committing upload ${id}`, async () => {
        const done = await withFile(calls, from, O_RDWR, async (file) => {
          await placeDurably(file, id, from, target);
          return target.address;
        });
        return done ?? (await committedBefore(id, target));
      }),
    );
  }

  /** Without the staged file the committed one is believed only if it has all its bytes: it may be what a power cut left of an unfinished commit. */
  async function committedBefore(id: string, target: Target): Promise<BlobAddress> {
    const whole = await withFile(calls, target.path, O_RDWR, async (file) => {
      const algorithm = algorithmOf(target.address.digest);
      const hash = createHash(algorithm);
      await hashFile(file, (bytes) => void hash.update(bytes));
      if (finish(hash, algorithm) !== target.address.digest) return false;
      await syncAll(file, target);
      return true;
    }).catch((error: unknown) => {
      // Who took the upload over removed it while it was read.
      if (isAbsent(error)) return false;
      throw error;
    });
    if (whole !== true) throw unknownUpload(id);
    return target.address;
  }

  async function put(id: string, bytes: Uint8Array, digest: Digest): Promise<BlobAddress> {
    const from = layout.staged(id);
    const target = layout.targetOf(id, digest);
    return uploads.exclusively(id, () =>
      storing(`storing upload ${id}`, async () => {
        // Under its upload's name first, and until `release`: what a crash leaves is found by the id, wherever it happens.
        const file = await uploads.create(id);
        try {
          await writeAll(calls, file, [bytes], bytes.length, 0);
          await placeDurably(file, id, from, target);
        } catch (error) {
          await unlessAbsent(() => calls.unlink(from));
          throw error;
        } finally {
          await calls.close(file);
        }
        return target.address;
      }),
    );
  }

  // Not synced: what a power cut brings back is named by no record, and the collector finds it again.
  async function remove(address: BlobAddress): Promise<void> {
    const { path, directory } = layout.target(address);
    await storing(`removing ${path}`, async () => {
      await unlessAbsent(() => calls.unlink(path));
      try {
        await calls.rmdir(directory);
      } catch (error) {
        const code = systemCode(error);
        if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      }
    });
  }

  async function stat(address: BlobAddress): Promise<number | undefined> {
    const { path } = layout.target(address);
    return storing(`reading ${path}`, () => sizeOf(path));
  }

  async function send(address: BlobAddress, range: ByteRange | undefined, sink: () => Writable): Promise<boolean> {
    const { path } = layout.target(address);
    const found = await storing(`reading ${path}`, () =>
      withFile(calls, path, O_RDONLY, async (file) => {
        const { size } = await calls.fstat(file);
        const first = range?.first ?? 0;
        const length = (range?.last ?? size - 1) - first + 1;
        if (!Number.isSafeInteger(first) || !Number.isSafeInteger(length) || first < 0 || length < 0)
          throw new TypeError(`${JSON.stringify(range)} is no range`);
        // Said before the sink is asked for, while there may still be another way to say it than to break off.
        if (first + length > size) throw shortFile(path);
        if (length <= SMALL_BYTES) return { small: await readWhole(calls, file, path, first, length) };
        await sendFile(file, first, length, () => shortFile(path), sink());
        return {};
      }),
    );
    // The file is closed by now: a client that is slow to take a little holds none.
    if (found?.small !== undefined) await sendBuffer(found.small, sink());
    return found !== undefined;
  }

  async function readSmall(address: BlobAddress, limit: number): Promise<Buffer | undefined> {
    const { path } = layout.target(address);
    return storing(`reading ${path}`, () =>
      withFile(calls, path, O_RDONLY, async (file) => {
        const { size } = await calls.fstat(file);
        if (size > limit) throw new BlobStoreError('too_large', `${path} has ${size} bytes, more than ${limit}`);
        return readWhole(calls, file, path, 0, size);
      }),
    );
  }

  return { commit, put, remove, stat, send, readSmall };
}

const isAbsent = (error: unknown): boolean => systemCode(error) === 'ENOENT';
