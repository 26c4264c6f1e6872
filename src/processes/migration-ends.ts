import { EVENT_GENERATION } from '../events/codec.js';
import { sampleTimeIn } from '../events/sample-time.js';
import type { Uid } from '../identifiers.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import type { Database, ReadTransaction } from '../keyvalue/database.js';
import { boundsOf, type Keyspace } from '../keyvalue/keyspace.js';
import { parseLive, writeLive } from '../projections/live.js';
import {
  clearMark,
  encodeRecord,
  flagsTo,
  identityOf,
  parseMark,
  readRecord,
  settingsOf,
  unfinishedIdentity,
  writeMark,
  type MigrationMark,
  type MigrationRecord,
  type Place,
} from '../projections/migration.js';
import { directoryNames, type DirectoryName, type Projection } from '../projections/projection.js';
import { listServers } from '../projections/servers.js';
import { createStore, type Store } from '../projections/store.js';
import { findUnknownKey } from './migrated-keys.js';
import { sampleTimes } from './time-sampling.js';

/** The transactions at both ends of a migration, each of which leaves both stores right wherever the process is killed. */

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** One of the two databases. */
export interface End {
  readonly database: Database;
  readonly place: Place;
  readonly store: Store;
}

export function openEnd(
  database: Database,
  place: Place,
  prefixes: Readonly<Record<DirectoryName, Buffer>>,
  projections: readonly Projection[],
): End {
  return { database, place, store: createStore(database, prefixes, projections) };
}

export function keyspaceOf({ store }: End, name: DirectoryName): Keyspace {
  return store.keyspaces[name];
}

/** What a source says of itself. */
export interface SourceState {
  readonly identity: Uid;
  readonly marks: Readonly<Record<DirectoryName, MigrationMark | undefined>>;
}

/** Throws MigrationError where there is no store. */
export async function readSource(source: End): Promise<SourceState> {
  return source.database.read(async (tx) => {
    const identity = identityOf(await tx.get(keyspaceOf(source, 'registry').metaStore));
    if (identity === undefined) {
      const record = await readRecord(tx, keyspaceOf(source, 'registry'));
      const why = record === undefined ? 'has no store' : `is being filled from ${record.from.database}`;
      throw new MigrationError(
        `${source.place.database} ${why} in the directory ${source.place.directories.registry}; check ARTS_DATABASE and ARTIFACT_STORE_DIRECTORY`,
      );
    }
    const [registry, platform] = await Promise.all(directoryNames.map((name) => readMark(tx, keyspaceOf(source, name))));
    return { identity, marks: { registry, platform } };
  });
}

async function readMark(tx: ReadTransaction, keyspace: Keyspace): Promise<MigrationMark | undefined> {
  const bytes = await tx.get(keyspace.metaLive);
  return bytes && parseMark(bytes);
}

export function isSamePlace(left: Place, right: Place): boolean {
  return left.database === right.database && directoryNames.every((name) => left.directories[name] === right.directories[name]);
}

/** Which directories a migration fills: a platform that another registry has moved to the same place before is joined there. */
export function directoriesToMove({ marks }: SourceState, to: Place): readonly DirectoryName[] {
  const { registry, platform } = marks;
  const isThere =
    platform?.state === 'moved' &&
    platform.migration !== registry?.migration &&
    platform.to.database === to.database &&
    platform.to.directories.platform === to.directories.platform;
  if (isThere) return ['registry'];
  if (platform !== undefined && platform.migration !== registry?.migration) {
    throw new MigrationError(
      `the platform's directory was moved to ${platform.to.database}, directory ${platform.to.directories.platform}, with another registry; this registry can only follow it there`,
    );
  }
  return directoryNames;
}

/** What a migration has left in the target that was not brought to its end. */
export async function findRecord(target: End): Promise<MigrationRecord | undefined> {
  return target.database.read((tx) => readRecord(tx, keyspaceOf(target, 'registry')));
}

/**
 * Takes the empty directories of the target for this migration, or takes over what an earlier process began. `isFenced`: the source has its mark. Throws
 * MigrationError.
 */
export async function claimTarget(target: End, record: MigrationRecord, isFenced: boolean): Promise<MigrationRecord> {
  return target.database.transact(async (tx) => {
    const registry = keyspaceOf(target, 'registry');
    const found = await readRecord(tx, registry);
    if (found !== undefined) {
      if (found.identity !== record.identity || !isSamePlace(found.from, record.from)) {
        throw new MigrationError(
          `${target.place.database} is being filled from ${found.from.database} by another migration, of the store ${found.identity}`,
        );
      }
      // Where the source was freed since, what was copied from it may be no longer so.
      if (found.state === 'abandoned' || (!isFenced && found.checkpoint !== undefined)) {
        throw new MigrationError(
          `${target.place.database} holds a migration that was given up and is not cleared yet; "artifact-store migrate --abandon ${flagsTo(target.place)}" clears it`,
        );
      }
      const claimed = { ...found, owner: record.owner };
      tx.set(registry.metaMigration, encodeRecord(claimed));
      return claimed;
    }
    for (const name of directoryNames) {
      const keyspace = keyspaceOf(target, name);
      if (!record.directories.includes(name)) {
        // It may be given up yet, and the platform be cleared.
        if ((await readRecord(tx, keyspace)) !== undefined) {
          throw new MigrationError(
            `the directory ${target.place.directories[name]} of ${target.place.database} is still being filled by the migration of another registry; go on with that first`,
          );
        }
        if ((await tx.get(keyspace.metaLive)) !== undefined) continue;
        throw new MigrationError(
          `${target.place.database} has no platform in the directory ${target.place.directories[name]}, to which it was moved; check --to-metadata-directory`,
        );
      }
      if (await isEmpty(tx, keyspace)) {
        tx.clearRange(keyspace.times.begin, keyspace.times.end);
        continue;
      }
      const other = await readRecord(tx, keyspace);
      const what = other === undefined ? 'is not empty' : `is being filled from ${other.from.database}`;
      throw new MigrationError(
        `the directory ${target.place.directories[name]} of ${target.place.database} ${what}; a migration needs directories of its own: --to-directory, --to-metadata-directory`,
      );
    }
    for (const name of record.directories) tx.set(keyspaceOf(target, name).metaMigration, encodeRecord(record));
    tx.set(registry.metaStore, unfinishedIdentity(record.migration));
    return record;
  });
}

/** Of all but samples of time, which a server may have written there before it found no store. */
async function isEmpty(tx: ReadTransaction, keyspace: Keyspace): Promise<boolean> {
  const { begin, end } = boundsOf(keyspace.directory);
  const { times } = keyspace;
  const found = await Promise.all([tx.getRange(begin, times.begin, { limit: 1 }), tx.getRange(times.end, end, { limit: 1 })]);
  return found.flat().length === 0;
}

/**
 * From here on nobody reads or writes the source, whatever release: transactions in flight have read `meta/live` and conflict. Throws MigrationError while a server
 * runs, LiveMismatchError where the store is a later release's.
 */
export async function fenceSource(source: End, record: MigrationRecord): Promise<void> {
  for (const name of record.directories) {
    const unknown = await findUnknownKey(source.database, keyspaceOf(source, name));
    if (unknown === undefined) continue;
    throw new MigrationError(
      `the directory ${source.place.directories[name]} has the key ${unknown}, which this release does not know; use the release that wrote it`,
    );
  }
  await source.database.transact(async (tx) => {
    const at = Number(await tx.time());
    // All that is read, then the marks: what `readDirectory` goes by can't be read any more once one is made.
    const lives = new Map<DirectoryName, Buffer>();
    for (const name of record.directories) {
      const live = await tx.get(keyspaceOf(source, name).metaLive);
      if (live === undefined) throw new MigrationError(`the ${name} directory of ${source.place.database} was never set up`);
      if (parseMark(live)?.migration === record.migration) continue;
      await source.store.readDirectory(tx, name);
      lives.set(name, live);
      // The mark of a platform that went before keeps them out, and time stands still there: none would be forgotten.
      if (!record.directories.includes('platform')) continue;
      const servers = await listServers(tx, source.store, name);
      if (servers.length > 0) throw new MigrationError(describeServers(servers, at));
    }
    for (const [name, live] of lives) {
      const mark: MigrationMark = { state: 'moving', migration: record.migration, to: record.to, at, live };
      writeMark(tx, keyspaceOf(source, name), mark);
    }
  });
}

/** Before anything is made in a target: whether servers run on a source that no migration has fenced. Throws MigrationError, LiveMismatchError. */
export async function checkIdle(source: End): Promise<void> {
  const { marks } = await readSource(source);
  // One mark is enough to keep every server out.
  if (directoryNames.some((name) => marks[name] !== undefined)) return;
  // Without a server nobody writes samples, and time stands still: one that was killed would never be forgotten.
  await sampleTimes(source.store);
  await source.database.read(async (tx) => {
    for (const name of directoryNames) {
      await source.store.readDirectory(tx, name);
      const servers = await listServers(tx, source.store, name);
      if (servers.length > 0) throw new MigrationError(describeServers(servers, Number(await tx.time())));
    }
  });
}

function describeServers(servers: readonly { readonly host: string; readonly at: number }[], now: number): string {
  const each = servers.map(({ host, at }) => `${host} (heard from ${Math.max(0, Math.round((now - at) / 1_000_000))} s ago)`);
  return `servers run on the source: ${each.join(', ')}; stop them first. One that was killed is forgotten after 30 s`;
}

/** `meta/live` of the directories that are filled, of the source's events and of no index yet, and the salt. */
export async function setUpTarget(source: End, target: End, record: MigrationRecord): Promise<void> {
  if (record.checkpoint !== undefined) return;
  for (const name of record.directories) {
    const from = keyspaceOf(source, name);
    const to = keyspaceOf(target, name);
    const { mark, salt } = await source.database.read(async (tx) => ({
      mark: await readMark(tx, from),
      salt: await tx.get(from.metaSalt),
    }));
    if (mark?.migration !== record.migration) throw lost(source);
    const live = parseLive(mark.live);
    await target.database.transact(async (tx) => {
      await heldRecord(tx, target, record);
      // Versions of another database: positions never repeat, and come after the old ones, by their incarnation.
      writeLive(tx, to, { incarnation: live.incarnation + 1, events: Math.max(live.events, EVENT_GENERATION), projections: [] });
      if (salt !== undefined) tx.set(to.metaSalt, salt);
    });
  }
}

/** The record's bytes while this process holds it. Throws MigrationError. */
export async function heldRecord(tx: ReadTransaction, target: End, { migration, owner }: MigrationRecord): Promise<Buffer> {
  const keyspace = keyspaceOf(target, 'registry');
  const found = await readRecord(tx, keyspace);
  if (found?.migration !== migration || found.state !== 'copying') throw lost(target);
  if (found.owner !== owner)
    throw new MigrationError(`another process goes on with this migration: ${found.owner.split(' ')[0] ?? ''}`);
  return encodeRecord(found);
}

function lost({ place }: End): MigrationError {
  return new MigrationError(`this migration was given up by another process, as ${place.database} says`);
}

/** The source is left for ever. From here on the target is opened, by this process or the next. */
export async function markMoved(source: End, record: MigrationRecord): Promise<void> {
  await source.database.transact(async (tx) => {
    const at = Number(await tx.time());
    for (const name of record.directories) {
      const keyspace = keyspaceOf(source, name);
      const mark = await readMark(tx, keyspace);
      if (mark?.migration !== record.migration) throw lost(source);
      if (mark.state === 'moving') writeMark(tx, keyspace, { ...mark, state: 'moved', at });
    }
  });
}

/** Servers may start on the target. */
export async function openTarget(target: End, record: MigrationRecord): Promise<void> {
  await target.database.transact(async (tx) => {
    const registry = keyspaceOf(target, 'registry');
    // The commit whose outcome nobody knew.
    if (identityOf(await tx.get(registry.metaStore)) === record.identity) return;
    await heldRecord(tx, target, record);
    for (const name of record.directories) {
      const keyspace = keyspaceOf(target, name);
      tx.clear(keyspace.metaMigration);
      if (target.database.quietVersions) continue;
      const { live } = await target.store.readDirectory(tx, name);
      await sampleTimeIn(tx, keyspace, live.incarnation);
    }
    tx.set(registry.metaStore, Buffer.from(record.identity));
    tx.touchMetadata();
  });
}

// ---- Giving a migration up.

/**
 * A migration that was not brought to its end: the source as it was before, whether there was something to give up. Throws MigrationError where it has come further
 * than the mark says that was read: then the target may be open.
 */
export async function freeSource(source: End, { migration, state }: MigrationMark): Promise<boolean> {
  return source.database.transact(async (tx) => {
    let isFreed = false;
    for (const name of directoryNames) {
      const keyspace = keyspaceOf(source, name);
      const mark = await readMark(tx, keyspace);
      if (mark?.migration !== migration) continue;
      if (mark.state !== state) throw new MigrationError(describeMoved(mark));
      clearMark(tx, keyspace, mark);
      isFreed = true;
    }
    return isFreed;
  });
}

/** No process goes on with it from here on. Undefined where the target has no record of it: it was brought to its end, or never begun. */
export async function abandonTarget(target: End, migration: Uid): Promise<MigrationRecord | undefined> {
  const registry = keyspaceOf(target, 'registry');
  return target.database.transact(async (tx) => {
    const found = await readRecord(tx, registry);
    if (found?.migration !== migration) return undefined;
    const abandoned: MigrationRecord = { ...found, state: 'abandoned' };
    tx.set(registry.metaMigration, encodeRecord(abandoned));
    return abandoned;
  });
}

const CLEARED = { limit: 10_000, targetBytes: 2_000_000 } as const;

/** One bounded transaction of clearing what an abandoned migration copied, the record last; whether there is more. */
export async function clearTarget(target: End, { migration, directories }: MigrationRecord): Promise<boolean> {
  return target.database.transact(async (tx) => {
    const found = await readRecord(tx, keyspaceOf(target, 'registry'));
    if (found?.migration !== migration || found.state !== 'abandoned') return false;
    for (const name of directories) {
      const { directory, metaMigration } = keyspaceOf(target, name);
      const { begin, end } = boundsOf(directory);
      const ranges: readonly (readonly [Buffer, Buffer])[] = [
        [begin, metaMigration],
        [keyAfter(metaMigration), end],
      ];
      for (const [from, to] of ranges) {
        const last = (await tx.snapshot.getRange(from, to, CLEARED)).at(-1);
        if (last === undefined) continue;
        tx.clearRange(from, keyAfter(last.key));
        return true;
      }
    }
    for (const name of directories) tx.clear(keyspaceOf(target, name).metaMigration);
    tx.touchMetadata();
    return false;
  });
}

/** For people. */
export function describeMoved({ to }: MigrationMark): string {
  return `this store was moved to ${to.database} already; start with ${settingsOf(to)}`;
}
