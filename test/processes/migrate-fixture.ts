import { createHash } from 'node:crypto';

import type { ErasureOfBlob } from '../../src/commands/erasure-notes.js';
import { clearContent, writeContent } from '../../src/events/content.js';
import { sampleTimeIn } from '../../src/events/sample-time.js';
import type { ImagePath, Uid } from '../../src/identifiers.js';
import type { Database, KeyValue } from '../../src/keyvalue/database.js';
import { boundsOf, createKeyspace, directoryPrefix, kindBounds, type Keyspace } from '../../src/keyvalue/keyspace.js';
import { addPulls } from '../../src/keyvalue/pull-counters.js';
import { SimulatedStore, VirtualClock, type SimulatedOptions } from '../../src/keyvalue/simulated.js';
import { abandonMigration, migrate, type Abandoned, type MigrateOptions } from '../../src/processes/migrate.js';
import { copiedKinds } from '../../src/processes/migrated-keys.js';
import { openEnd, type End } from '../../src/processes/migration-ends.js';
import type { Place } from '../../src/projections/migration.js';
import { encodeJson, type Projection } from '../../src/projections/projection.js';
import { createIds, sha256Of } from '../commands/fixture.js';
import { found, old, worker, type Process } from '../projections/builds-fixture.js';

export const sourcePlace: Place = { database: 'lmdb:/source', directories: { registry: 'registry', platform: 'topaz' } };
export const targetPlace: Place = { database: 'fdb:/target', directories: sourcePlace.directories };
export const renamedPlace: Place = { database: 'fdb:/target', directories: { registry: 'moved', platform: 'moved-topaz' } };

const prefixesOf = ({ directories }: Place) => ({
  registry: directoryPrefix(directories.registry),
  platform: directoryPrefix(directories.platform),
});

export const names = ['registry', 'platform'] as const;

/** A process at one of the two databases. */
export function endOn(database: Database, place: Place, projections: readonly Projection[] = old): End {
  return openEnd(database, place, prefixesOf(place), projections);
}

export interface Move {
  readonly clock: VirtualClock;
  readonly source: SimulatedStore;
  readonly target: SimulatedStore;
  readonly newId: () => Uid;
  /** Appends on the source, or on the target behind the migration. */
  writer(name: string, at?: 'source' | 'target'): Process;
}

/** A source with so many commits of five events, and keys of every other kind; an empty target. */
export async function openMove(commits: number, options: { readonly target?: SimulatedOptions } = {}): Promise<Move> {
  const clock = new VirtualClock();
  const source = new SimulatedStore({ seed: 1, clock });
  const target = new SimulatedStore({ seed: 2, clock, ...options.target });
  const newId = createIds();
  const founder = source.connect('founder');
  await found(founder, newId);
  const work = worker(newId);
  const writing = work(source.connect('writer'), 'writer', old);
  for (let commit = 0; commit < commits; commit += 1) await writing.append(5);
  for (const name of names) await fill(founder, createKeyspace(prefixesOf(sourcePlace)[name]), newId);
  return {
    clock,
    source,
    target,
    newId,
    writer: (name, at = 'source') => work((at === 'source' ? source : target).connect(name), name, old),
  };
}

/** Of every kind of key that is copied and that appends do not write. */
async function fill(database: Database, keyspace: Keyspace, newId: () => Uid): Promise<void> {
  await database.transact(async (tx) => {
    const large = Buffer.alloc(200_000, 7);
    await writeContent(tx, keyspace, sha256Of(large), large);
    const small = Buffer.from(keyspace.directory);
    await writeContent(tx, keyspace, sha256Of(small), small);
    const gone = Buffer.from(`{"layers":[{"digest":"${sha256Of(small)}"}],"in":"${keyspace.directory.toString('hex')}"}`);
    await writeContent(tx, keyspace, sha256Of(gone), gone);
    await clearContent(tx, keyspace, sha256Of(gone));
    const erasure: ErasureOfBlob = { kind: 'blob', digest: sha256Of(gone), generation: newId() };
    tx.set(keyspace.erasure(newId()), encodeJson(erasure));
    tx.set(keyspace.personal(newId(), 'name'), Buffer.from('Ada'));
    tx.set(keyspace.request(newId()), encodeJson({ address: '192.0.2.1' }));
    tx.set(keyspace.signingKey('kid'), Buffer.from('a private key'));
    tx.set(keyspace.command(newId()), encodeJson({ outcome: true, at: 1 }));
    tx.set(keyspace.idempotent(newId()), encodeJson({ outcome: true, fingerprint: 'f', at: 1 }));
    addPulls(tx, keyspace, { repository: newId(), image: '' as ImagePath, digest: sha256Of(small) }, 3, 1n);
    tx.set(keyspace.upload(newId()), encodeJson({ name: 'team/app' }));
    tx.set(keyspace.projection('gone', '1'), Buffer.from('not live'));
    await sampleTimeIn(tx, keyspace, 1, () => 1_767_225_600_000_000);
  });
}

export function migrateBy(
  move: Move,
  name: string,
  options: Partial<MigrateOptions> = {},
  to: Place = targetPlace,
): Promise<void> {
  return migrate(endOn(move.source.connect(name), sourcePlace), endOn(move.target.connect(name), to), {
    builder: { owner: name, release: 'this' },
    newId: move.newId,
    signal: new AbortController().signal,
    progress: () => undefined,
    done: () => undefined,
    clock: move.clock,
    page: { limit: 9, targetBytes: 100_000 },
    limit: 20,
    ...options,
  });
}

export function abandonBy(move: Move, name: string, isTargetThere = true): Promise<Abandoned> {
  const target = isTargetThere ? endOn(move.target.connect(name), targetPlace) : undefined;
  return abandonMigration(endOn(move.source.connect(name), sourcePlace), target);
}

/** All pairs of the kinds that are copied, as texts, less the directories' prefixes. */
export async function copiesOf(database: Database, place: Place): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const name of names) {
    const keyspace = createKeyspace(prefixesOf(place)[name]);
    for (const kind of copiedKinds) {
      const { begin, end } = kindBounds(keyspace, kind);
      const pairs = await database.read((tx) => tx.getRange(begin, end));
      texts.push(...pairs.map((pair) => `${name} ${kind} ${textOf(keyspace, pair)}`));
    }
  }
  return texts;
}

function textOf({ directory }: Keyspace, { key, value }: KeyValue): string {
  return `${key.subarray(directory.length).toString('hex')} ${createHash('sha256').update(value).digest('hex')}`;
}

/** All pairs of a place, whatever they are. */
export async function pairsOf(database: Database, place: Place): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const name of names) {
    const keyspace = createKeyspace(prefixesOf(place)[name]);
    const { begin, end } = boundsOf(keyspace.directory);
    const pairs = await database.read((tx) => tx.getRange(begin, end));
    texts.push(...pairs.map((pair) => `${name} ${textOf(keyspace, pair)}`));
  }
  return texts;
}
