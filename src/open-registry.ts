import { randomBytes } from 'node:crypto';
import type { Subscription } from 'rxjs';
import { v7 } from 'uuid';

import type { BlobStore } from './blobs/blob-store.js';
import { openLocalBlobStore } from './blobs/local.js';
import { createExecutor, type CommandContext, type Executor } from './commands/execute.js';
import { checkFoundable, checkStore, foundStore, StoreMismatchError } from './commands/found-store.js';
import { unusable, type Config } from './config.js';
import type { Uid } from './identifiers.js';
import type { Database } from './keyvalue/database.js';
import { createKeyspace } from './keyvalue/keyspace.js';
import { openDatabase, type OpenedDatabase } from './open-database.js';
import { noteCluster, readIncarnations, whyToRaise } from './processes/incarnation.js';
import { periodically } from './processes/periodic.js';
import { sampleTimes, TIME_SAMPLING_MS } from './processes/time-sampling.js';
import type { DirectoryName } from './projections/projection.js';
import { registered } from './projections/registered.js';
import { createStore, type Store } from './projections/store.js';

/** The store, its blobs and the commands on them, as the settings name them. */
export interface OpenRegistry {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly executor: Executor;
  /** UUID of the store. */
  readonly identity: Uid;
  /** As ARTS_DATABASE would name it. */
  readonly databaseName: string;
  /** What the log says of the store at a start. */
  readonly described: Readonly<Record<string, string>>;
  /** Throws when what is open is not what the next start would find. */
  checkDatabase(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** What the store is given in the database's place. */
  readonly observe?: (database: Database) => Database;
  /** Opens a database, too, whose versions are behind its log's, as a restored one's are. */
  readonly evenRestored?: boolean;
  /** Told when a sample of time could not be written. */
  readonly samplingFailed?: (error: unknown) => void;
}

export const newId = (): Uid => v7() as Uid;

/** `create`: sets up what is not there yet. Throws ConfigError, StoreMismatchError and LiveMismatchError. */
export async function openRegistry(config: Config, create: boolean, options: OpenOptions = {}): Promise<OpenRegistry> {
  if (config.directory === config.metadataDirectory) {
    throw new StoreMismatchError(
      'ARTIFACT_STORE_DIRECTORY and ARTS_METADATA_DIRECTORY are the same; each needs a directory of its own',
    );
  }
  const opened = await openDatabase(config.database, create);
  try {
    const database = options.observe?.(opened.database) ?? opened.database;
    const blobs = await openBlobs(config, create);
    const prefixes = await openDirectories(config, { ...opened, database }, blobs, create);
    const store = createStore(database, prefixes, registered, { anyCluster: options.evenRestored === true });
    const { keyspaces } = store;
    const parts = { database, keyspaces, blobs };
    const identity = create
      ? await foundStore({ ...parts, projections: registered, identity: newId(), salt: randomBytes(32) })
      : await checkStore(parts);
    if (identity === undefined)
      throw new StoreMismatchError(nothingIn(opened.name, 'ARTIFACT_STORE_DIRECTORY', config.directory));
    const sampling = options.evenRestored === true ? undefined : await startTime(store, opened, options.samplingFailed);
    const { directory, metadataDirectory } = config;
    return {
      store,
      blobs,
      executor: createExecutor(store),
      identity,
      databaseName: opened.name,
      described: { ...opened.described, directory, metadataDirectory, blobs: config.blobs.folder },
      checkDatabase: () => opened.checkThere(),
      async close() {
        sampling?.unsubscribe();
        await blobs.close();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function nothingIn(
  database: string,
  variable: 'ARTIFACT_STORE_DIRECTORY' | 'ARTS_METADATA_DIRECTORY',
  directory: string,
): string {
  return `${database} has no store in the directory ${directory}; check ARTS_DATABASE and ${variable}, or start the server first`;
}

/**
 * The prefixes of both directories. One that is not there is made where a new store is to begin, which is told before: whatever is refused leaves no
 * directory behind.
 */
async function openDirectories(
  { directory, metadataDirectory }: Config,
  opened: OpenedDatabase,
  blobs: BlobStore,
  create: boolean,
): Promise<Readonly<Record<DirectoryName, Buffer>>> {
  const { database, name } = opened;
  const registry = await opened.openDirectory(directory, { create: false });
  const keyspace = registry && createKeyspace(registry);
  // Before the platform is looked for: who sets a store up at this moment has made both directories by then.
  const isFounded = keyspace !== undefined && (await database.read((tx) => tx.get(keyspace.metaStore))) !== undefined;
  const platform = await opened.openDirectory(metadataDirectory, { create: false });
  if (registry !== undefined && platform !== undefined) return { registry, platform };
  if (isFounded) {
    throw new StoreMismatchError(
      `${name} has a registry in the directory ${directory}, but no directory ${metadataDirectory}; check ARTS_METADATA_DIRECTORY: a registry needs the platform that it was set up with`,
    );
  }
  if (!create) throw new StoreMismatchError(nothingIn(name, 'ARTIFACT_STORE_DIRECTORY', directory));
  const keyspaces = {
    ...(keyspace === undefined ? {} : { registry: keyspace }),
    ...(platform === undefined ? {} : { platform: createKeyspace(platform) }),
  };
  await checkFoundable({ database, blobs }, keyspaces);
  return { registry: await made(directory), platform: await made(metadataDirectory) };

  async function made(path: string): Promise<Buffer> {
    const prefix = await opened.openDirectory(path, { create: true });
    if (prefix === undefined) throw new Error(`the directory ${path} was made and is not there`);
    return prefix;
  }
}

/**
 * Nothing may be appended, nor any time be told, where the database has the versions still to come that its log had already; that it is another cluster than the log's
 * is told before, by the first that reads `meta/live`. The samples are written for as long as the store is open, by a command, too: without them time stands
 * still, and a lease that is renewed meanwhile runs out when the next process writes one.
 */
async function startTime(
  store: Store,
  opened: OpenedDatabase,
  samplingFailed: (error: unknown) => void = () => undefined,
): Promise<Subscription | undefined> {
  const [why] = (await readIncarnations(store)).flatMap((state) => whyToRaise(state) ?? []);
  if (why !== undefined) {
    throw new StoreMismatchError(
      `${opened.name} is not where its log was written: ${why}; if it was restored from a backup, run: artifact-store incarnation raise`,
    );
  }
  await noteCluster(store);
  await sampleTimes(store);
  opened.keepTimeBy(store.keyspaces.platform.times);
  if (store.database.quietVersions) return undefined;
  return periodically(TIME_SAMPLING_MS, () => sampleTimes(store), samplingFailed);
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
    judgeManaging: () => undefined,
  };
}
