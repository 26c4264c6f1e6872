import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';

import { finish, type Digest, type DigestAlgorithm } from '../digest.js';
import { BlobStoreError, type AppendOptions, type BlobStore, type CopyOptions, type StagedUpload } from './blob-store.js';
import { hashFile, writeAll } from './file-bytes.js';
import { FILE_MODE, systemCode, unlessAbsent, withFile, type FileCalls } from './file-calls.js';
import type { LocalLayout } from './local-layout.js';
import { pump } from './pump.js';
import { createRunningDigests } from './running-digests.js';
import { parseStagedName } from './staged-name.js';
import { storageError, storing, unknownUpload } from './storage-errors.js';

/** A big upload is synced behind its writing, every so many bytes: the commit has the last ones to wait for, not gigabytes. */
const SYNC_BYTES = 16 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const readBulk = promisify(fs.read);

type PortHalf = Pick<BlobStore, 'stage' | 'staged' | 'append' | 'copy' | 'digest' | 'release' | 'listStaged'>;

/** The first `size` bytes, or those that are there. */
async function* readPieces(file: number, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const piece = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, size - at));
    const { bytesRead } = await readBulk(file, piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** The files under `uploads/`. */
export interface StagedUploads extends PortHalf {
  /** Alone with the staged file, of this process, for as long as `work` takes. */
  exclusively<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** A new file of these bytes; what an earlier try left there is no longer the same file, since it may have a committed name as well. */
  create(id: string): Promise<number>;
  /** After a failed sync Linux holds pages for clean that never reached the disk, and a second sync succeeds: no byte of the files can be believed. */
  dropAfterFailedSync(id: string, ...paths: readonly string[]): Promise<void>;
  close(): void;
}

export function createStagedUploads(calls: FileCalls, layout: LocalLayout): StagedUploads {
  const digests = createRunningDigests();
  // An append and a commit of one upload never overlap: the committed file is the staged one under a second name.
  const busy = new Set<string>();
  let clones = true;

  async function exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (busy.has(id)) {
      const found = await unlessAbsent(() => calls.stat(layout.staged(id)));
      throw new BlobStoreError('wrong_offset', `upload ${id} is being written to`, found?.size);
    }
    busy.add(id);
    try {
      return await work();
    } finally {
      busy.delete(id);
    }
  }

  async function create(id: string): Promise<number> {
    digests.drop(id);
    const path = layout.staged(id);
    try {
      return await calls.open(path, O_CREAT | O_EXCL | O_WRONLY, FILE_MODE);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      await unlessAbsent(() => calls.unlink(path));
      return await calls.open(path, O_CREAT | O_EXCL | O_WRONLY, FILE_MODE);
    }
  }

  // Staging is not synced: an upload that a power cut takes away is begun anew by its client, and was promised to nobody.
  async function stage(id: string): Promise<void> {
    const path = layout.staged(id);
    await storing(`staging upload ${id}`, async () => {
      await calls.close(await calls.open(path, O_CREAT | O_WRONLY | O_NOFOLLOW, FILE_MODE));
    });
  }

  // Opened, not only asked for: NFS shows what another machine wrote to who opens the file after it was closed there.
  async function staged(id: string): Promise<StagedUpload | undefined> {
    const path = layout.staged(id);
    return storing(`reading upload ${id}`, () =>
      withFile(calls, path, O_RDONLY, async (file) => {
        const { size, nlink } = await calls.fstat(file);
        return { size, ...(nlink > 1 ? { committed: true } : {}) };
      }),
    );
  }

  async function append(id: string, source: Readable, options: AppendOptions): Promise<StagedUpload> {
    const path = layout.staged(id);
    return exclusively(id, async () => {
      const result = await storing(`writing upload ${id}`, () =>
        withFile(calls, path, O_RDWR, async (file) => {
          const { size, nlink } = await calls.fstat(file);
          if (nlink > 1) throw new BlobStoreError('upload_unknown', `upload ${id} is committed and takes no more bytes`);
          if (size !== options.offset) {
            throw new BlobStoreError('wrong_offset', `upload ${id} goes on at byte ${size}, not ${options.offset}`, size);
          }
          return appendTo(file, id, path, source, options);
        }),
      );
      if (result === undefined) throw unknownUpload(id);
      return result;
    });
  }

  async function appendTo(
    file: number,
    id: string,
    path: string,
    source: Readable,
    options: AppendOptions,
  ): Promise<StagedUpload> {
    const { offset, algorithm, signal } = options;
    const hash = digests.take(id, algorithm, offset);
    let size = offset;
    let unsynced = 0;
    let syncing: Promise<void> | undefined;
    let syncError: unknown;

    const sink = {
      see: (chunk: Buffer) => void hash?.update(chunk),
      async write(chunks: readonly Buffer[], bytes: number): Promise<void> {
        if (syncError !== undefined) throw syncError;
        await writeAll(calls, file, chunks, bytes, size);
        size += bytes;
        unsynced += bytes;
        if (unsynced < SYNC_BYTES || syncing !== undefined) return;
        unsynced = 0;
        syncing = fdatasync(file)
          .catch((error: unknown) => (syncError = error))
          .then(() => (syncing = undefined));
      },
    };

    let broken: Error | undefined;
    let failure: unknown;
    try {
      broken = await pump(source, sink, signal);
    } catch (error) {
      failure = error;
    }
    await syncing;
    if (syncError !== undefined) {
      await dropAfterFailedSync(id, path);
      throw storageError(syncError, `writing upload ${id}`);
    }
    if (failure !== undefined) {
      // The hash has seen bytes that are not in the file.
      await ftruncate(file, offset);
      throw storageError(failure, `writing upload ${id}`, offset);
    }
    if (hash !== undefined) digests.keep(id, { algorithm, hash, size });
    if (broken !== undefined) {
      throw new BlobStoreError('source_failed', `the stream of upload ${id} broke off: ${broken.message}`, size, {
        cause: broken,
      });
    }
    return { size };
  }

  async function dropAfterFailedSync(id: string, ...paths: readonly string[]): Promise<void> {
    digests.drop(id);
    for (const path of paths) await unlessAbsent(() => calls.unlink(path));
  }

  async function copy(from: string, to: string, options: CopyOptions): Promise<StagedUpload> {
    const path = layout.staged(to);
    return exclusively(to, () =>
      storing(`copying upload ${from}`, async () => {
        const copied = await withFile(calls, layout.staged(from), O_RDONLY, async (source) => {
          const { size, nlink } = await calls.fstat(source);
          await release(to);
          try {
            // The copy itself is gone where another process took the upload over in its turn, copied it, and dropped both.
            const copied = (await cloned(from, path))
              ? await unlessAbsent(() => calls.stat(path))
              : await copyBytes(source, size, to, options);
            return copied && { size: copied.size, ...(nlink > 1 ? { committed: true } : {}) };
          } catch (error) {
            await release(to);
            throw error;
          }
        });
        if (copied === undefined) throw unknownUpload(from);
        return copied;
      }),
    );
  }

  /** Whether the file system made a copy that shares the bytes' blocks: at once, however many they are. */
  async function cloned(from: string, path: string): Promise<boolean> {
    if (!clones) return false;
    try {
      await fs.promises.copyFile(layout.staged(from), path, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      // Whatever it is: the way byte by byte finds out. A file system that has no clones is not asked again.
      clones = !['ENOTSUP', 'EOPNOTSUPP', 'ENOTTY', 'EINVAL', 'ENOSYS', 'EXDEV'].includes(systemCode(error) ?? '');
      return false;
    }
  }

  // Not node's own copy: that one loops for ever on a file that becomes shorter, and the digest would cost a second reading.
  async function copyBytes(source: number, size: number, to: string, options: CopyOptions): Promise<StagedUpload> {
    const file = await create(to);
    const bytes = Readable.from(readPieces(source, size));
    try {
      return await appendTo(file, to, layout.staged(to), bytes, { ...options, offset: 0 });
    } finally {
      // No file may be closed while a call on it is under way; a generator is closed only when its last read is over.
      bytes.destroy();
      if (!bytes.closed) await once(bytes, 'close');
      await calls.close(file);
    }
  }

  async function digest(id: string, algorithm: DigestAlgorithm): Promise<Digest> {
    const path = layout.staged(id);
    const result = await storing(`reading upload ${id}`, async () => {
      const found = await unlessAbsent(() => calls.stat(path));
      if (found === undefined) return undefined;
      return (
        digests.digest(id, algorithm, found.size) ??
        (await withFile(calls, path, O_RDONLY, (file) => reread(file, id, algorithm)))
      );
    });
    if (result === undefined) throw unknownUpload(id);
    return result;
  }

  async function reread(file: number, id: string, algorithm: DigestAlgorithm): Promise<Digest> {
    const hash = createHash(algorithm);
    const size = await hashFile(file, (bytes) => void hash.update(bytes));
    digests.keep(id, { algorithm, hash: hash.copy(), size });
    return finish(hash, algorithm);
  }

  async function release(id: string): Promise<void> {
    const path = layout.staged(id);
    digests.drop(id);
    await storing(`dropping upload ${id}`, () => unlessAbsent(() => calls.unlink(path)));
  }

  async function* listStaged(): AsyncIterable<string> {
    for await (const { name } of await fs.promises.opendir(layout.uploads)) {
      if (parseStagedName(name) !== undefined) yield name;
    }
  }

  return {
    stage,
    staged,
    append,
    copy,
    digest,
    release,
    listStaged,
    exclusively,
    create,
    dropAfterFailedSync,
    close: () => digests.clear(),
  };
}
