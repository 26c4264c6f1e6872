import { BlobStoreError, type BlobStore } from '../blobs/blob-store.js';
import { EVENT_GENERATION } from '../events/codec.js';
import { FIRST_INCARNATION } from '../events/log.js';
import type { Uid } from '../identifiers.js';
import type { Database } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { writeLive, type Live } from '../projections/live.js';
import type { DirectoryName, Projection, ProjectionMode } from '../projections/projection.js';

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
  /** For a new platform directory: 32 random bytes. */
  readonly salt: Buffer;
}

/**
 * Sets a new store up, or checks that this one and its blobs belong together; its identity. Any number of processes that start at once end with one store.
 * A platform directory that another registry has set up is joined as it is. Throws StoreMismatchError.
 */
export async function foundStore(founding: Founding): Promise<Uid> {
  const identity = await checkStore(founding);
  if (identity !== undefined) return identity;
  const claim = await claimBlobs(founding, await founding.blobs.readIdentity());
  if ('identity' in claim) await setUp(founding, claim.identity);
  // Unless another process has set the store up since, and taken an upload already: then the blobs are held against its identity.
  else if ((await readStoreIdentity(founding)) === undefined) throw new StoreMismatchError(claim.problem);
  return foundStore(founding);
}

type Parts = Pick<Founding, 'database' | 'keyspaces' | 'blobs'>;

/** The identity of a store that was set up; undefined where there is none. Throws StoreMismatchError when its blobs are another's. */
export async function checkStore(parts: Parts): Promise<Uid | undefined> {
  // The database first: a founding writes STORE before it, so whoever finds an identity in the database finds its STORE, too.
  const identity = await readStoreIdentity(parts);
  if (identity === undefined) return undefined;
  const inBlobs = await parts.blobs.readIdentity();
  if (inBlobs === identity) return identity;
  throw new StoreMismatchError(
    inBlobs === undefined
      ? `the blob store is not this store's: it has no file STORE, and should have one that says ${identity}; check ARES_CLIENT_ADDRESS`
      : `the blob store belongs to the store ${inBlobs}, the database to ${identity}; check ARTS_DATABASE and ARES_CLIENT_ADDRESS`,
  );
}

async function readStoreIdentity({ database, keyspaces }: Parts): Promise<Uid | undefined> {
  return (await database.read((tx) => tx.get(keyspaces.registry.metaStore)))?.toString() as Uid | undefined;
}

type Claim = { readonly identity: string } | { readonly problem: string };

/** STORE first: a process that dies behind it finds a store without a database and goes on here. */
async function claimBlobs(founding: Founding, inBlobs: string | undefined): Promise<Claim> {
  const { blobs, identity } = founding;
  if (inBlobs !== undefined) {
    if (await blobs.isEmpty()) return { identity: inBlobs };
    return {
      problem: `the blob store belongs to the store ${inBlobs}, but the database is new; check ARTS_DATABASE, or give a new database an empty blob store`,
    };
  }
  try {
    await blobs.writeIdentity(identity);
    return { identity };
  } catch (error) {
    if (!(error instanceof BlobStoreError) || error.code !== 'not_empty') throw error;
    // A process that started at the same moment may have written its STORE.
    const other = await blobs.readIdentity();
    if (other !== undefined) return claimBlobs(founding, other);
    return { problem: 'the database is new, but the blob store is not empty and has no file STORE; check ARES_CLIENT_ADDRESS' };
  }
}

/** In one transaction, so that a store is there with both its directories or not at all. */
async function setUp({ database, keyspaces, projections, salt }: Founding, identity: string): Promise<void> {
  const { registry, platform } = keyspaces;
  await database.transact(async (tx) => {
    if ((await tx.get(registry.metaStore)) !== undefined) return;
    tx.set(registry.metaStore, Buffer.from(identity));
    if ((await tx.get(registry.metaLive)) === undefined) writeLive(tx, registry, firstLive('registry', projections));
    // Several registries may share a platform: under another salt nobody whom it knows would be found by name again.
    if ((await tx.get(platform.metaLive)) !== undefined) return;
    writeLive(tx, platform, firstLive('platform', projections));
    if ((await tx.get(platform.metaSalt)) === undefined) tx.set(platform.metaSalt, salt);
  });
}

/** An async projection's build has a checkpoint of its own. */
function firstBuild(name: string, mode: ProjectionMode): string {
  return mode === 'async' ? `${name}-1` : '1';
}

function firstLive(name: DirectoryName, projections: readonly Projection[]): Live {
  const mine = projections.filter((projection) => projection.directory === name);
  const live = mine.map(({ name: one, version, mode }) => ({ name: one, version, build: firstBuild(one, mode), mode }));
  return { incarnation: FIRST_INCARNATION, events: EVENT_GENERATION, projections: live };
}
