import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 } from 'uuid';

import type { BlobStore } from './blobs/blob-store.js';
import { openLocalBlobStore } from './blobs/local.js';
import { createExecutor, type CommandContext, type Executor } from './commands/execute.js';
import { foundStore, StoreMismatchError } from './commands/found-store.js';
import { unusable, type Config } from './config.js';
import type { Uid } from './identifiers.js';
import type { Database } from './keyvalue/database.js';
import { directoryPrefix } from './keyvalue/keyspace.js';
import { openLmdb } from './keyvalue/lmdb.js';
import { registered } from './projections/registered.js';
import { createStore, type Store } from './projections/store.js';

/** The store, its blobs and the commands on them, as the settings name them. */
export interface OpenRegistry {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly executor: Executor;
  /** UUID of the store. */
  readonly identity: Uid;
  /** Throws when the file that is open is not the one that the next start would find. */
  checkDatabase(): Promise<void>;
  close(): Promise<void>;
}

export const newId = (): Uid => v7() as Uid;

/** `create`: sets up what is not there yet. Throws ConfigError and StoreMismatchError. */
export async function openRegistry(config: Config, create: boolean): Promise<OpenRegistry> {
  if (config.directory === config.metadataDirectory) {
    throw new StoreMismatchError(
      'ARTIFACT_STORE_DIRECTORY and ARTS_METADATA_DIRECTORY are the same; each needs a directory of its own',
    );
  }
  const database = await openDatabase(config, create);
  try {
    const blobs = await openBlobs(config, create);
    const prefixes = { registry: directoryPrefix(config.directory), platform: directoryPrefix(config.metadataDirectory) };
    const store = createStore(database, prefixes, registered);
    const { keyspaces } = store;
    if (!create && (await database.read((tx) => tx.get(keyspaces.registry.metaStore))) === undefined) {
      throw new StoreMismatchError(
        `lmdb:${config.database.folder} has no store in the directory ${config.directory}; check ARTS_DATABASE and ARTIFACT_STORE_DIRECTORY, or start the server first`,
      );
    }
    const identity = await foundStore({
      database,
      keyspaces,
      blobs,
      projections: registered,
      identity: newId(),
      salt: randomBytes(32),
    });
    const file = join(config.database.folder, 'store.mdb');
    const { ino } = await stat(file);
    const checkDatabase = async (): Promise<void> => {
      const now = await stat(file).catch(() => undefined);
      if (now?.ino !== ino) throw new Error("the database's file was taken away; what is written now is lost at the next start");
    };
    // A process that ends with the store open, by an error that nobody caught, would wait for ever: lmdb-js's own end locks what is gone (cleanupStrayTxns).
    // What was acknowledged is on the disk.
    const endAtOnce = (): void => void process.kill(process.pid, 'SIGKILL');
    process.once('exit', endAtOnce);
    const close = async (): Promise<void> => {
      await blobs.close();
      await database.close();
      process.off('exit', endAtOnce);
    };
    return { store, blobs, executor: createExecutor(store), identity, checkDatabase, close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openDatabase({ database: { folder } }: Config, create: boolean): Promise<Database> {
  try {
    return await openLmdb(folder, { create });
  } catch (error) {
    const accepted = create ? 'lmdb:<folder>, a folder to write to' : "the server's own setting, after its first start";
    throw unusable('ARTS_DATABASE', `lmdb:${folder}`, error, `${accepted}; a damaged store comes back from its backup`);
  }
}

async function openBlobs({ blobs: { folder } }: Config, create: boolean): Promise<BlobStore> {
  try {
    return await openLocalBlobStore(folder, { create });
  } catch (error) {
    const accepted = create
      ? 'a folder to write to, as a path or a file: URL'
      : "the server's own setting, after its first start";
    throw unusable('ARES_CLIENT_ADDRESS', folder, error, accepted);
  }
}

/** A command of the registry's own, or of an operator on this machine: nobody narrows what it may do. */
export function systemContext(): CommandContext {
  const requestId = newId();
  return {
    commandId: newId(),
    requestId,
    correlationId: requestId,
    actor: { kind: 'system', authentication: 'none' },
    occurredAt: Date.now() * 1_000,
    newId,
    judge: () => undefined,
  };
}
