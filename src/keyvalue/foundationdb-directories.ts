import { DatabaseUnusableError } from './database.js';
import type { FdbClient, NativeDatabase } from './foundationdb-binding.js';

/** The prefix that the directory layer gives a path; undefined when it is not there and not to be created. Rejects with an FdbError, too. */
export function openLayerDirectory(
  { layers }: FdbClient,
  native: NativeDatabase,
  path: readonly string[],
  { create }: { readonly create: boolean },
): Promise<Buffer | undefined> {
  const { directory } = layers;
  return worded(layers.DirectoryError, path, () =>
    new layers.Database(native, layers.root).doTn(async (tx) => {
      if (!create && !(await directory.exists(tx, path))) return undefined;
      const opened = await (create ? directory.createOrOpen(tx, path) : directory.open(tx, path));
      return Buffer.from(opened.getSubspace().prefix);
    }),
  );
}

export async function removeLayerDirectory(
  { layers }: FdbClient,
  native: NativeDatabase,
  path: readonly string[],
): Promise<void> {
  await worded(layers.DirectoryError, path, () =>
    new layers.Database(native, layers.root).doTn((tx) => layers.directory.removeIfExists(tx, path)),
  );
}

async function worded<T>(
  DirectoryError: FdbClient['layers']['DirectoryError'],
  path: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error;
    throw new DatabaseUnusableError(`the directory ${path.join('/')} can't be used: ${error.message}`, { cause: error });
  }
}
