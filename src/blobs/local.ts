import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';

import { algorithmOf, finish, hexOf, parseDigest, type Digest, type DigestAlgorithm } from '../digest.js';
import { parseUid } from '../identifiers.js';
import {
  BlobStoreError,
  type AppendOptions,
  type BlobAddress,
  type BlobStore,
  type ByteRange,
  type StagedUpload,
} from './blob-store.js';
import { createDirectories } from './directories.js';
import { createFileCalls, systemCode, unlessAbsent } from './file-calls.js';
import { pump } from './pump.js';
import { createRunningDigests } from './running-digests.js';
import { sendBuffer, sendFile } from './send-file.js';

const FILE_MODE = 0o640;
/** Up to here bytes are read and written at once, with no file open between calls. */
const SMALL_BYTES = 64 * 1024;
const REREAD_BYTES = 1024 * 1024;
/** A big upload is synced behind its writing, every so many bytes: the commit has the last ones to wait for, not gigabytes. */
const SYNC_BYTES = 16 * 1024 * 1024;
/** How often a commit whose directory is removed under it tries again. Each time a sweep of the same digest must come between two calls. */
const PLACING_TRIES = 20;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const ftruncate = promisify(fs.ftruncate);
const readBulk = promisify(fs.read);
const writevBulk = promisify(fs.writev);

export interface LocalBlobStoreOptions {
  /** Makes the directory and the two in it where they are not there. */
  readonly create: boolean;
  /** False makes no file call on the event loop's thread, for a directory that is a network file system; true unless told. */
  readonly direct?: boolean;
}

interface Target {
  readonly address: BlobAddress;
  /** `blobs/<algorithm>/<first two hex>`: never removed. */
  readonly fan: string;
  /** `<fan>/<hex>`: removed with its last generation. */
  readonly directory: string;
  readonly path: string;
}

/**
 * The blob store in a directory of a local file system:
 *
 *     STORE                                            the identity
 *     uploads/<id>                                     a staged upload
 *     blobs/<algorithm>/<first two hex>/<hex>/<generation>
 *
 * Guaranteed when `commit` or `put` resolves: the bytes and every directory entry on the way to them survive a power cut. Not guaranteed: that staged
 * bytes survive one (their digest is computed anew by the next process), nor that a removal does (the collector finds the file again).
 *
 * A committed name appears before its bytes are durable: file and directories are then synced side by side, which a journal takes in one write, where
 * bytes first and names second need two. It is safe since nobody may use the name before the commit resolves: an event is appended only then, and a
 * commit that finds the work of an earlier process done hashes the bytes before it believes them.
 */
export async function openLocalBlobStore(directory: string, options: LocalBlobStoreOptions): Promise<BlobStore> {
  const root = resolve(directory);
  const uploads = join(root, 'uploads');
  const blobs = join(root, 'blobs');
  const identityFile = join(root, 'STORE');

  const calls = createFileCalls(options.direct ?? true);
  const directories = createDirectories(calls);
  const digests = createRunningDigests();
  // An append and a commit of one upload never overlap: the committed file is the staged one under a second name.
  const busy = new Set<string>();

  if (options.create) {
    await storing(`making ${root}`, async () => {
      await directories.ensure(uploads);
      await directories.ensure(blobs);
    });
  }
  for (const path of [uploads, blobs]) {
    const found = await storing(`opening ${root}`, () => unlessAbsent(() => calls.stat(path)));
    if (found?.isDirectory() !== true)
      throw new BlobStoreError('storage_failed', `${root} is no blob store: it has no directory ${path}`);
  }
  if ((await readIdentity()) === undefined && (await fs.promises.readdir(blobs)).length > 0) {
    throw new BlobStoreError(
      'not_empty',
      `${root} has blobs but no file STORE that says whose they are; restore that file from the backup`,
    );
  }

  function stagedPath(id: string): string {
    if (parseUid(id) === undefined) throw new TypeError(`${JSON.stringify(id)} is no upload id`);
    return `${uploads}/${id}`;
  }

  function targetOf(address: BlobAddress): Target {
    const { digest, generation } = address;
    if (parseDigest(digest) === undefined) throw new TypeError(`${JSON.stringify(digest)} is no digest`);
    if (parseUid(generation) === undefined) throw new TypeError(`${JSON.stringify(generation)} is no generation`);
    const hex = hexOf(digest);
    const fan = `${blobs}/${algorithmOf(digest)}/${hex.slice(0, 2)}`;
    return { address, fan, directory: `${fan}/${hex}`, path: `${fan}/${hex}/${generation}` };
  }

  const unknownUpload = (id: string) => new BlobStoreError('upload_unknown', `no upload ${id} is staged`);
  const shortFile = (path: string) => new BlobStoreError('storage_failed', `${path} has fewer bytes than were asked for`);

  /** Alone with the upload for as long as `work` takes. */
  async function exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (busy.has(id)) throw new BlobStoreError('wrong_offset', `upload ${id} is being written to`, await sizeOf(stagedPath(id)));
    busy.add(id);
    try {
      return await work();
    } finally {
      busy.delete(id);
    }
  }

  async function sizeOf(path: string): Promise<number | undefined> {
    return (await unlessAbsent(() => calls.stat(path)))?.size;
  }

  async function withFile<T>(path: string, flags: number, work: (file: number) => Promise<T>): Promise<T | undefined> {
    const file = await unlessAbsent(() => calls.open(path, flags | O_NOFOLLOW));
    if (file === undefined) return undefined;
    try {
      return await work(file);
    } finally {
      await calls.close(file);
    }
  }

  /** Opens a new file; what an earlier try left there is no longer the same file, since it may have a committed name as well. */
  async function createStaged(path: string): Promise<number> {
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
    const path = stagedPath(id);
    await storing(`staging upload ${id}`, async () => {
      await calls.close(await calls.open(path, O_CREAT | O_WRONLY | O_NOFOLLOW, FILE_MODE));
    });
  }

  async function staged(id: string): Promise<StagedUpload | undefined> {
    const path = stagedPath(id);
    const found = await storing(`reading upload ${id}`, () => unlessAbsent(() => calls.stat(path)));
    return found === undefined ? undefined : { size: found.size, ...(found.nlink > 1 ? { committed: true } : {}) };
  }

  async function append(id: string, source: Readable, options: AppendOptions): Promise<StagedUpload> {
    const path = stagedPath(id);
    return exclusively(id, async () => {
      const result = await storing(`writing upload ${id}`, () =>
        withFile(path, O_RDWR, async (file) => {
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
        await writeAll(file, chunks, bytes, size);
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

  async function writeAll(file: number, chunks: readonly Uint8Array[], bytes: number, position: number): Promise<void> {
    let rest = chunks;
    for (let at = 0; at < bytes;) {
      const written =
        bytes <= SMALL_BYTES
          ? await calls.writev(file, rest, position + at)
          : (await writevBulk(file, rest, position + at)).bytesWritten;
      at += written;
      // A disk that fills up takes a part, and says so only at the next call.
      if (at < bytes) rest = after(rest, written);
    }
  }

  /** After a failed sync Linux holds pages for clean that never reached the disk, and a second sync succeeds: no byte of the file can be believed. */
  async function dropAfterFailedSync(id: string, ...paths: readonly string[]): Promise<void> {
    digests.drop(id);
    for (const path of paths) await unlessAbsent(() => calls.unlink(path));
  }

  async function digest(id: string, algorithm: DigestAlgorithm): Promise<Digest> {
    const path = stagedPath(id);
    const result = await storing(`reading upload ${id}`, async () => {
      const size = await sizeOf(path);
      if (size === undefined) return undefined;
      return digests.digest(id, algorithm, size) ?? (await withFile(path, O_RDONLY, (file) => reread(file, id, algorithm)));
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

  /** Gives the file at `from` its committed name, beside the one it has. */
  async function place(from: string, target: Target): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await directories.ensure(target.fan);
        await directories.make(target.directory);
        if (!(await linked(from, target.path))) await calls.rename(from, target.path);
        return;
      } catch (error) {
        // A sweep removed the directory as empty between our two calls, or the fan was removed by hand. Or the staged file is gone.
        if (systemCode(error) !== 'ENOENT' || tries === PLACING_TRIES || (await sizeOf(from)) === undefined) throw error;
        directories.forget(target.fan);
      }
    }
  }

  /** False where the file system has no hard links, or another file has the name: an unfinished try under the same id, which a rename replaces. */
  async function linked(from: string, to: string): Promise<boolean> {
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

  /** Places the open file and syncs it, its directory and the fan. The fan only now: before, a sweep could still have removed what it listed. */
  async function placeDurably(file: number, id: string, from: string, target: Target): Promise<void> {
    await place(from, target);
    try {
      await allSettled([fdatasync(file), directories.sync(target.directory), directories.sync(target.fan)]);
    } catch (error) {
      await dropAfterFailedSync(id, target.path, from);
      throw error;
    }
  }

  async function commit(id: string, digest: Digest): Promise<BlobAddress> {
    const from = stagedPath(id);
    const target = targetOf({ digest, generation: id });
    return exclusively(id, () =>
      storing(`committing upload ${id}`, async () => {
        const done = await withFile(from, O_RDWR, async (file) => {
          await placeDurably(file, id, from, target);
          return target.address;
        });
        return done ?? (await committedBefore(id, target));
      }),
    );
  }

  /** Without the staged file the committed one is believed only if it has all its bytes: it may be what a power cut left of an unfinished commit. */
  async function committedBefore(id: string, target: Target): Promise<BlobAddress> {
    const whole = await withFile(target.path, O_RDWR, async (file) => {
      const algorithm = algorithmOf(target.address.digest);
      const hash = createHash(algorithm);
      await hashFile(file, (bytes) => void hash.update(bytes));
      if (finish(hash, algorithm) !== target.address.digest) return false;
      await allSettled([fdatasync(file), directories.sync(target.directory), directories.sync(target.fan)]);
      return true;
    });
    if (whole !== true) throw unknownUpload(id);
    return target.address;
  }

  async function put(id: string, bytes: Uint8Array, digest: Digest): Promise<BlobAddress> {
    const from = stagedPath(id);
    const target = targetOf({ digest, generation: id });
    return exclusively(id, () =>
      storing(`storing upload ${id}`, async () => {
        digests.drop(id);
        // Under its upload's name first, and until `release`: what a crash leaves is found by the id, wherever it happens.
        const file = await createStaged(from);
        try {
          await writeAll(file, [bytes], bytes.length, 0);
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

  async function release(id: string): Promise<void> {
    const path = stagedPath(id);
    digests.drop(id);
    await storing(`dropping upload ${id}`, () => unlessAbsent(() => calls.unlink(path)));
  }

  // Not synced: what a power cut brings back is named by no record, and the collector finds it again.
  async function remove(address: BlobAddress): Promise<void> {
    const { path, directory } = targetOf(address);
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
    const { path } = targetOf(address);
    return storing(`reading ${path}`, () => sizeOf(path));
  }

  async function send(address: BlobAddress, range: ByteRange | undefined, sink: () => Writable): Promise<boolean> {
    const { path } = targetOf(address);
    const found = await storing(`reading ${path}`, () =>
      withFile(path, O_RDONLY, async (file) => {
        const { size } = await calls.fstat(file);
        const first = range?.first ?? 0;
        const length = (range?.last ?? size - 1) - first + 1;
        if (!Number.isSafeInteger(first) || !Number.isSafeInteger(length) || first < 0 || length < 0)
          throw new TypeError(`${JSON.stringify(range)} is no range`);
        // Said before the sink is asked for, while there may still be another way to say it than to break off.
        if (first + length > size) throw shortFile(path);
        if (length <= SMALL_BYTES) return { small: await readWhole(file, path, first, length) };
        await sendFile(file, first, length, () => shortFile(path), sink());
        return {};
      }),
    );
    // The file is closed by now: a client that is slow to take a little holds none.
    if (found?.small !== undefined) await sendBuffer(found.small, sink());
    return found !== undefined;
  }

  async function readSmall(address: BlobAddress, limit: number): Promise<Buffer | undefined> {
    const { path } = targetOf(address);
    return storing(`reading ${path}`, () =>
      withFile(path, O_RDONLY, async (file) => {
        const { size } = await calls.fstat(file);
        if (size > limit) throw new BlobStoreError('too_large', `${path} has ${size} bytes, more than ${limit}`);
        return readWhole(file, path, 0, size);
      }),
    );
  }

  async function readWhole(file: number, path: string, position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let at = 0;
    while (at < length) {
      const rest = at === 0 ? buffer : buffer.subarray(at);
      const bytes =
        length <= SMALL_BYTES
          ? await calls.read(file, rest, position + at)
          : (await readBulk(file, rest, 0, rest.length, position + at)).bytesRead;
      if (bytes === 0) throw shortFile(path);
      at += bytes;
    }
    return buffer;
  }

  async function* listStaged(): AsyncIterable<string> {
    for await (const { name } of await fs.promises.opendir(uploads)) if (parseUid(name) !== undefined) yield name;
  }

  async function readIdentity(): Promise<string | undefined> {
    return storing(`reading ${identityFile}`, () => unlessAbsent(() => fs.promises.readFile(identityFile, 'utf8')));
  }

  async function isEmpty(): Promise<boolean> {
    return storing(`reading ${root}`, async () => (await strangerIn(root)) === undefined);
  }

  async function writeIdentity(identity: string): Promise<void> {
    await storing(`writing ${identityFile}`, async () => {
      const other = (await readIdentity()) === undefined ? await strangerIn(root) : 'STORE';
      if (other !== undefined)
        throw new BlobStoreError('not_empty', `${root} holds ${other}; a new store begins in an empty directory`);
      const temporary = `${identityFile}.${randomUUID()}`;
      const file = await calls.open(temporary, O_CREAT | O_EXCL | O_WRONLY, FILE_MODE);
      try {
        try {
          await writeAll(file, [Buffer.from(identity)], Buffer.byteLength(identity), 0);
          // The bytes first, then the name: a STORE without its content would be a store that nobody can open.
          await fsync(file);
        } finally {
          await calls.close(file);
        }
        // A link, since it refuses to replace the STORE of another process that begins at the same moment.
        if (!(await linked(temporary, identityFile))) {
          if ((await sizeOf(identityFile)) !== undefined)
            throw new BlobStoreError('not_empty', `${root} has become another store meanwhile`);
          await calls.rename(temporary, identityFile);
        }
      } finally {
        await unlessAbsent(() => calls.unlink(temporary));
      }
      await directories.sync(root);
    });
  }

  return {
    stage,
    staged,
    append,
    digest,
    commit,
    put,
    release,
    remove,
    stat,
    send,
    readSmall,
    listStaged,
    readIdentity,
    isEmpty,
    writeIdentity,
    close() {
      digests.clear();
      return Promise.resolve();
    },
  };
}

/** What a directory holds besides its STORE that an empty store does not. A file system's own lost+found, and what a crash left of a STORE, do not count. */
async function strangerIn(root: string): Promise<string | undefined> {
  for (const name of await fs.promises.readdir(root)) {
    if (name === 'lost+found' || name === 'STORE' || name.startsWith('STORE.')) continue;
    if (name !== 'uploads' && name !== 'blobs') return name;
    const [inside] = await fs.promises.readdir(join(root, name));
    if (inside !== undefined) return `${name}/${inside}`;
  }
  return undefined;
}

function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (skip < chunk.length) return [chunk.subarray(skip), ...chunks.slice(index + 1)];
    skip -= chunk.length;
  }
  return [];
}

/** Reads the next piece while `see` is busy with the last. Answers the size. */
async function hashFile(file: number, see: (bytes: Buffer) => void): Promise<number> {
  let size = 0;
  let [current, other] = [Buffer.allocUnsafeSlow(REREAD_BYTES), Buffer.allocUnsafeSlow(REREAD_BYTES)];
  let bytes = (await readBulk(file, current, 0, REREAD_BYTES, 0)).bytesRead;
  while (bytes > 0) {
    size += bytes;
    const next = readBulk(file, other, 0, REREAD_BYTES, size);
    see(current.subarray(0, bytes));
    bytes = (await next).bytesRead;
    [current, other] = [other, current];
  }
  return size;
}

/** Waits for all of them, then throws what the first that failed threw: no file may be closed while a call on it is under way. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason;
}

async function storing<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error, doing);
  }
}

/** A system error as the store's; everything else as it is. */
function storageError(error: unknown, doing: string, kept?: number): unknown {
  const code = systemCode(error);
  if (error instanceof BlobStoreError || !(error instanceof Error) || code === undefined || !('syscall' in error)) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const message = full ? `the disk is full, ${doing}` : `${doing} failed`;
  return new BlobStoreError(full ? 'storage_full' : 'storage_failed', `${message}: ${error.message}`, kept, { cause: error });
}
