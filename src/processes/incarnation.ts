import { createLog } from '../events/log.js';
import { versionOf, type Position } from '../events/position.js';
import { sampleTimeIn } from '../events/sample-time.js';
import type { Database, ReadTransaction } from '../keyvalue/database.js';
import { readNewestSample } from '../keyvalue/time-samples.js';
import { writeLive } from '../projections/live.js';
import { isOfAnotherCluster } from '../projections/log-cluster.js';
import { directoryNames, type DirectoryName } from '../projections/projection.js';
import type { LiveDirectory, Store } from '../projections/store.js';

/** A directory's incarnation, held against the versions of the database. */
export interface IncarnationState {
  readonly directory: DirectoryName;
  readonly incarnation: number;
  /** Of the log's last event. */
  readonly newest: Position | undefined;
  /** The last version that the incarnation has something of: an event, or a sample of time. */
  readonly reached: bigint | undefined;
  readonly readVersion: bigint;
  /** The database has versions to come that the incarnation had already: what is appended now would lie before what is there. */
  readonly isPast: boolean;
  /** The incarnation was written on another cluster: this one has a copy of it, restored from a backup. */
  readonly isElsewhere: boolean;
}

/** Why positions of the incarnation can't go on in this database, in words that go on behind the directory's name; undefined where they can. */
export function whyToRaise({ directory, isPast, isElsewhere, readVersion, reached }: IncarnationState): string | undefined {
  if (isPast)
    return `the database is at version ${readVersion}, behind the ${directory}'s log, which reaches version ${reached ?? 0n}`;
  return isElsewhere ? `the ${directory}'s log was written on another cluster` : undefined;
}

/** Throws LiveMismatchError. */
export async function readIncarnations(store: Store): Promise<readonly IncarnationState[]> {
  const { database } = store;
  return database.read((tx) =>
    Promise.all(directoryNames.map(async (name) => stateOf(tx, await store.readDirectory(tx, name), database))),
  );
}

async function stateOf(
  tx: ReadTransaction,
  { name, keyspace, live }: LiveDirectory,
  database: Database,
): Promise<IncarnationState> {
  const { incarnation } = live;
  const [newest, sample, readVersion, isElsewhere] = await Promise.all([
    createLog(keyspace).newest(tx, incarnation),
    readNewestSample(tx, keyspace.timeSamples(incarnation)),
    tx.readVersion(),
    isOfAnotherCluster(tx, database, keyspace),
  ]);
  // An event of the incarnation before may have any version.
  const appended = newest?.incarnation === incarnation ? versionOf(newest) : undefined;
  const reached = sample === undefined || (appended !== undefined && appended > sample.version) ? appended : sample.version;
  const isPast = reached !== undefined && reached > readVersion;
  return { directory: name, incarnation, newest, reached, readVersion, isPast, isElsewhere };
}

export interface RaisedIncarnation {
  readonly directory: DirectoryName;
  readonly from: number;
  readonly to: number;
}

/**
 * Raises the incarnation of the directories that need it, of all with `force`, each with the first sample of its time, in one transaction: positions that are given from
 * then on come after all that there are. Whoever serves meanwhile goes on in the new one. Gives what was raised.
 */
export async function raiseIncarnations(store: Store, force: boolean): Promise<readonly RaisedIncarnation[]> {
  const raised = (await readIncarnations(store))
    .filter((state) => force || whyToRaise(state) !== undefined)
    .map(({ directory, incarnation }) => ({ directory, from: incarnation, to: incarnation + 1 }));
  const clusterId = await store.database.clusterId?.();
  await store.database.transact(async (tx) => {
    // Both first: behind a write of `meta/live` the metadata version can't be read.
    const found = await Promise.all(raised.map(async (one) => ({ ...one, ...(await store.readDirectory(tx, one.directory)) })));
    for (const { from, to, keyspace, live } of found) {
      // Raised meanwhile, perhaps by this very transaction, whose commit nobody knew the outcome of.
      if (live.incarnation !== from) continue;
      writeLive(tx, keyspace, { ...live, incarnation: to });
      if (clusterId !== undefined) tx.set(keyspace.metaCluster, Buffer.from(clusterId));
      if (!store.database.quietVersions) await sampleTimeIn(tx, keyspace, to);
    }
  });
  return raised;
}

/** Notes in the directories that have no note yet which cluster their positions are of. */
export async function noteCluster({ database, keyspaces }: Store): Promise<void> {
  const clusterId = await database.clusterId?.();
  if (clusterId === undefined) return;
  const keys = directoryNames.map((name) => keyspaces[name].metaCluster);
  const read = (tx: ReadTransaction) => Promise.all(keys.map((key) => tx.get(key)));
  if (!(await database.read(read)).includes(undefined)) return;
  await database.transact(async (tx) => {
    for (const [at, noted] of (await read(tx)).entries()) {
      const key = keys[at];
      if (key !== undefined && noted === undefined) tx.set(key, Buffer.from(clusterId));
    }
  });
}
