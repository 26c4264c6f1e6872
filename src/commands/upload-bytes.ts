import { BlobStoreError, type BlobStore } from '../blobs/blob-store.js';
import { parseStagedName } from '../blobs/staged-name.js';
import type { Digest } from '../digest.js';
import type { Uid } from '../identifiers.js';
import { findBlob } from '../projections/blobs.js';
import type { Executor } from './execute.js';
import type { Forgotten } from './upload.js';

/** Drops the bytes of an upload that is forgotten. */
export async function dropUploadBytes(executor: Executor, blobs: BlobStore, { files, finished }: Forgotten): Promise<void> {
  for (const name of files) await dropStagedFile(executor, blobs, name, finished);
}

/**
 * Drops a staged file that no session names any more. `digest`: what its upload was finished with, where that is known. A process that died, or a commit that failed, between the blob store's commit and its event left the
 * bytes under their digest, too, where only the file's own id says whose they are.
 */
export async function dropStagedFile(executor: Executor, blobs: BlobStore, name: string, digest?: Digest): Promise<void> {
  const file = parseStagedName(name)?.file;
  if (file !== undefined && (await blobs.staged(name))?.committed === true) {
    for (const each of digest === undefined ? await digestsOf(blobs, name) : [digest]) {
      await dropGenerationUnlessLive(executor, blobs, each, file);
    }
  }
  await blobs.release(name);
}

/** The digests that a staged file's bytes may be committed under; none when another server was faster to drop them. */
async function digestsOf(blobs: BlobStore, name: string): Promise<readonly Digest[]> {
  try {
    return [await blobs.digest(name, 'sha256'), await blobs.digest(name, 'sha512')];
  } catch (error) {
    if (error instanceof BlobStoreError && error.code === 'upload_unknown') return [];
    throw error;
  }
}

/** Drops the bytes that a staged file committed under a digest, if they are not the ones that all links to it mean. */
export async function dropGenerationUnlessLive(
  executor: Executor,
  blobs: BlobStore,
  digest: Digest,
  generation: Uid,
): Promise<void> {
  const live = await executor.store.read((reading) => findBlob(reading, digest));
  if (live?.generation !== generation) await blobs.remove({ digest, generation });
}
