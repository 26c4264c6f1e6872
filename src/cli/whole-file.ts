import { open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** The file can't be written; `message` names it and says why. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/**
 * Writes a file that is there when it is whole and on the disk: under its name stands what stood there before, or all of `chunks`. Where writing fails, or
 * `chunks` does, what was written is removed. Throws FileError and what `chunks` throws.
 */
export async function writeWholeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const target = resolve(path);
  const folder = dirname(target);
  const beside = join(folder, `.${basename(target)}.${process.pid}.part`);
  if ((await stat(target).catch(() => undefined))?.isDirectory() === true) throw new FileError(`${path} is a folder`);
  const file = await open(beside, 'w').catch(failed(path));
  try {
    for await (const chunk of chunks) await file.write(chunk).catch(failed(path));
    await file.sync().catch(failed(path));
    await file.close().catch(failed(path));
    await rename(beside, target).catch(failed(path));
    await syncFolder(folder).catch(failed(path));
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(beside).catch(() => undefined);
    throw error;
  }
}

// A rename is on the disk when its folder is.
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function failed(path: string): (error: unknown) => never {
  return (error) => {
    throw new FileError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  };
}
