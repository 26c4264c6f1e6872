import { BlobStoreError, type BlobStore } from '../blobs/blob-store.js';
import { FIRST_INCARNATION } from '../events/log.js';
import type { Uid } from '../identifiers.js';
import type { Database } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { encodeLive } from '../projections/live.js';
import { type DirectoryName, type Projection } from '../projections/projection.js';

/** The store and the blobs do not belong together, or are not what they should be. The message says what to do. */
export class StoreMismatchError extends Error {
  override readonly name = 'StoreMismatchError';
}

export interface Founding {
  readonly database: Database;
  readonly keyspaces: Readonly<Record<DirectoryName, Keyspace>>;
  readonly blobs: Pick<BlobStore, 'readIdentity' | 'isEmpty' | 'writeIdentity'>;
  readonly projections: readonly Projection[];
  /** For a new store. */
  readonly identity: Uid;
  /** For a new store: 32 random bytes. */
  readonly salt: Buffer;
}

/**
 * Sets a new store up, or checks that this one and its blobs belong together; its identity. Two processes that start at once end with one store.
 * Throws StoreMismatchError.
 */
export async function foundStore(founding: Founding): Promise<Uid> {
  const { database, keyspaces, blobs } = founding;
  const inBlobs = await blobs.readIdentity();
  const inStore = await database.read((tx) => tx.get(keyspaces.registry.metaStore));
  if (inStore !== undefined) {
    const identity = inStore.toString() as Uid;
    if (inBlobs === identity) return identity;
    throw new StoreMismatchError(
      inBlobs === undefined
        ? `the blob store is not this store's: it has no file STORE, and should have one that says ${identity}; check ARES_CLIENT_ADDRESS`
        : `the blob store belongs to the store ${inBlobs}, the database to ${identity}; check ARTS_DATABASE and ARES_CLIENT_ADDRESS`,
    );
  }
  const identity = await claimBlobs(founding, inBlobs);
  await database.transact(async (tx) => {
    if ((await tx.get(keyspaces.registry.metaStore)) !== undefined) return;
    tx.set(keyspaces.registry.metaStore, Buffer.from(identity));
    tx.set(keyspaces.platform.metaSalt, founding.salt);
    for (const name of ['registry', 'platform'] as const) foundDirectory(name, founding, (key, value) => tx.set(key, value));
  });
  return foundStore(founding);
}

/** STORE first: a process that dies behind it finds a store without a database and goes on here. */
async function claimBlobs({ blobs, identity }: Founding, inBlobs: string | undefined): Promise<Uid> {
  if (inBlobs !== undefined) {
    if (await blobs.isEmpty()) return inBlobs as Uid;
    throw new StoreMismatchError(
      `the blob store belongs to the store ${inBlobs}, but the database is new; check ARTS_DATABASE, or give a new database an empty blob store`,
    );
  }
  try {
    await blobs.writeIdentity(identity);
    return identity;
  } catch (error) {
    if (!(error instanceof BlobStoreError) || error.code !== 'not_empty') throw error;
    throw new StoreMismatchError(
      'the database is new, but the blob store is not empty and has no file STORE; check ARES_CLIENT_ADDRESS',
    );
  }
}

const FIRST_BUILD = '1';

function foundDirectory(
  name: DirectoryName,
  { keyspaces, projections }: Founding,
  set: (key: Buffer, value: Buffer) => void,
): void {
  const mine = projections.filter((projection) => projection.directory === name);
  const live = mine.map((projection) => ({ name: projection.name, version: projection.version, build: FIRST_BUILD }));
  set(keyspaces[name].metaLive, encodeLive({ incarnation: FIRST_INCARNATION, projections: live }));
}
