import { BlobStoreError } from './blob-store.js';
import { systemCode } from './file-calls.js';

/** Does the work; a system error on the way is the store's, and says what was being done. */
export async function storing<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error, doing);
  }
}

/** A system error as the store's; everything else as it is. */
export function storageError(error: unknown, doing: string, kept?: number): unknown {
  const code = systemCode(error);
  if (error instanceof BlobStoreError || !(error instanceof Error) || code === undefined || !('syscall' in error)) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const message = full ? `the disk is full, ${doing}` : `${doing} failed`;
  return new BlobStoreError(full ? 'storage_full' : 'storage_failed', `${message}: ${error.message}`, kept, { cause: error });
}

export const shortFile = (path: string): BlobStoreError =>
  new BlobStoreError('storage_failed', `${path} has fewer bytes than were asked for`);

export const unknownUpload = (id: string): BlobStoreError => new BlobStoreError('upload_unknown', `no upload ${id} is staged`);
