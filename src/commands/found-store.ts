import { BlobStoreError, type BlobStore } from '../blobs/blob-store.js';
import { EVENT_GENERATION } from '../events/codec.js';
import { FIRST_INCARNATION } from '../events/log.js';
import type { Uid } from '../identifiers.js';
import type { Database, ReadTransaction } from '../keyvalue/database.js';
import { boundsOf, type KeyBounds, type Keyspace } from '../keyvalue/keyspace.js';
import { writeLive, type Live } from '../projections/live.js';
import { describeRecord, readRecord } from '../projections/migration.js';
import type { DirectoryName, Projection, ProjectionMode } from '../projections/projection.js';

/** The store and the blobs do not belong together, or are not what they should be. The message says what to do. */
export class StoreMismatchError extends Error {
  override readonly name = 'StoreMismatchError';
}

export interface Founding {
  readonly database: Database;
  readonly keyspaces: Readonly<Record<DirectoryName, Keyspace>>;
  readonly blobs: Pick<BlobStore, 'readIdentity' | 'isEmpty' | 'writeIdentity' | 'markFounded'>;
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
  if (identity !== undefined) {
    // What STORE names before that may be a store that was never finished.
    await founding.blobs.markFounded();
    return identity;
  }
  await checkUnused(founding);
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
  await checkPlatform(parts);
  const inBlobs = await parts.blobs.readIdentity();
  if (inBlobs === identity) return identity;
  throw new StoreMismatchError(
    inBlobs === undefined
      ? `the blob store is not this store's: it has no file STORE, and should have one that says ${identity}; check ARES_CLIENT_ADDRESS`
      : `the blob store belongs to the store ${inBlobs}, the database to ${identity}; check ARTS_DATABASE and ARES_CLIENT_ADDRESS`,
  );
}

async function checkPlatform({ database, keyspaces: { platform } }: Parts): Promise<void> {
  if ((await database.read((tx) => tx.get(platform.metaLive))) !== undefined) return;
  throw new StoreMismatchError(
    'the registry is set up, but ARTS_METADATA_DIRECTORY names a directory without a platform; it needs the one that it was set up with',
  );
}

/**
 * That a new store would come into directories that hold nothing else, and beside blobs that are nobody's: those that are not there yet are left out. Throws
 * StoreMismatchError.
 */
export async function checkFoundable(
  { database, blobs }: Pick<Founding, 'database' | 'blobs'>,
  keyspaces: Partial<Founding['keyspaces']>,
): Promise<void> {
  await checkUnused({ database, keyspaces });
  if (await blobs.isEmpty()) return;
  throw new StoreMismatchError(problemOfBlobs(await blobs.readIdentity()));
}

/** Samples of time may be there before a store is. */
async function checkUnused({
  database,
  keyspaces,
}: Pick<Founding, 'database'> & { readonly keyspaces: Partial<Founding['keyspaces']> }) {
  const { registry, platform } = keyspaces;
  await database.read(async (tx) => {
    // Set up meanwhile, by a process that started at the same moment.
    if (registry !== undefined && (await tx.get(registry.metaStore)) !== undefined) return;
    if (registry !== undefined && (await holdsMore(tx, registry))) {
      throw new StoreMismatchError(
        'ARTIFACT_STORE_DIRECTORY names a directory without a registry, but with keys of something else; a new registry needs a directory of its own',
      );
    }
    if (platform === undefined) return;
    const isRegistry = (await tx.get(platform.metaStore)) !== undefined;
    const isPlatform = !isRegistry && (await tx.get(platform.metaLive)) !== undefined;
    if (isPlatform || !(await holdsMore(tx, platform))) return;
    throw new StoreMismatchError(
      `ARTS_METADATA_DIRECTORY names a directory without a platform, but with keys of ${isRegistry ? 'a registry' : 'something else'}`,
    );
  });
}

async function holdsMore(tx: ReadTransaction, { directory, times }: Keyspace): Promise<boolean> {
  const { begin, end } = boundsOf(directory);
  const parts: readonly KeyBounds[] = [
    { begin, end: times.begin },
    { begin: times.end, end },
  ];
  const found = await Promise.all(parts.map((part) => tx.getRange(part.begin, part.end, { limit: 1 })));
  return found.flat().length > 0;
}

async function readStoreIdentity({ database, keyspaces: { registry, platform } }: Parts): Promise<Uid | undefined> {
  return database.read(async (tx) => {
    const migration = (await readRecord(tx, registry)) ?? (await readRecord(tx, platform));
    if (migration !== undefined) throw new StoreMismatchError(describeRecord(migration));
    return (await tx.get(registry.metaStore))?.toString() as Uid | undefined;
  });
}

type Claim = { readonly identity: string } | { readonly problem: string };

/** STORE first: a process that dies behind it finds a store without a database and goes on here. */
async function claimBlobs(founding: Founding, inBlobs: string | undefined): Promise<Claim> {
  const { blobs, identity } = founding;
  if (inBlobs !== undefined) {
    if (await blobs.isEmpty()) return { identity: inBlobs };
    return { problem: problemOfBlobs(inBlobs) };
  }
  try {
    await blobs.writeIdentity(identity);
    return { identity };
  } catch (error) {
    if (!(error instanceof BlobStoreError) || error.code !== 'not_empty') throw error;
    // A process that started at the same moment may have written its STORE.
    const other = await blobs.readIdentity();
    if (other !== undefined) return claimBlobs(founding, other);
    return { problem: problemOfBlobs(undefined) };
  }
}

/** Of a blob store that is not empty, `inBlobs` being its STORE. */
function problemOfBlobs(inBlobs: string | undefined): string {
  return inBlobs === undefined
    ? 'the database has no store in this directory, but the blob store is not empty and has no file STORE; check ARES_CLIENT_ADDRESS'
    : `the blob store belongs to the store ${inBlobs}, but the database has no store in this directory; check ARTS_DATABASE and ARTIFACT_STORE_DIRECTORY, or give a new store an empty blob store`;
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
