import * as fs from 'node:fs';
import { resolve } from 'node:path';

import { BlobStoreError, type BlobStore } from './blob-store.js';
import { createCommittedBlobs } from './committed-blobs.js';
import { createDirectories } from './directories.js';
import { createFileCalls, unlessAbsent } from './file-calls.js';
import { createLayout } from './local-layout.js';
import { createStagedUploads } from './staged-uploads.js';
import { createStoreIdentity } from './store-identity.js';
import { storing } from './storage-errors.js';

export interface LocalBlobStoreOptions {
  /** Makes the directory and the two in it where they are not there. */
  readonly create: boolean;
  /** False makes no file call on the event loop's thread, for a directory that is a network file system; true unless told. */
  readonly direct?: boolean;
}

/**
 * The blob store in a directory of a file system, which several servers may share:
 *
 *     STORE                                            the identity
 *     FOUNDED                                          empty: the store of that identity is set up
 *     uploads/<upload>.<file>                          a staged upload
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
  const layout = createLayout(resolve(directory));
  const { root, uploads, blobs } = layout;
  const calls = createFileCalls(options.direct ?? true);
  const directories = createDirectories(calls);

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
  const identity = createStoreIdentity(calls, directories, layout);
  if ((await identity.readIdentity()) === undefined && (await fs.promises.readdir(blobs)).length > 0) {
    throw new BlobStoreError(
      'not_empty',
      `${root} has blobs but no file STORE that says whose they are; restore that file from the backup`,
    );
  }

  const staging = createStagedUploads(calls, layout);
  const { stage, staged, append, copy, digest, release, listStaged } = staging;
  return {
    stage,
    staged,
    append,
    copy,
    digest,
    release,
    listStaged,
    ...createCommittedBlobs(calls, directories, layout, staging),
    ...identity,
    close() {
      staging.close();
      return Promise.resolve();
    },
  };
}
