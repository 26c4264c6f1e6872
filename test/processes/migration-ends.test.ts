import { afterEach, expect, test, vi } from 'vitest';

import { FIRST_INCARNATION } from '../../src/events/log.js';
import type { Database, Transaction } from '../../src/keyvalue/database.js';
import { ClusterTime } from '../../src/keyvalue/foundationdb-time.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { beat } from '../../src/processes/heartbeat.js';
import { checkIdle, claimTarget } from '../../src/processes/migration-ends.js';
import { sampleTimes } from '../../src/processes/time-sampling.js';
import { createIds } from '../commands/fixture.js';
import { found, old } from '../projections/builds-fixture.js';
import { abandonMigration, migrate } from '../../src/processes/migrate.js';
import { encodeRecord, type MigrationRecord, type Place } from '../../src/projections/migration.js';
import { foundStore } from '../../src/commands/found-store.js';
import { identityOnly } from '../support/blobs-identity.js';
import { endOn, sourcePlace, targetPlace } from './migrate-fixture.js';

afterEach(() => void vi.useRealTimers());

/** A database whose time is that of its samples, as a cluster's is. */
function onCluster(database: Database): Database {
  const time = new ClusterTime();
  time.keepBy(createKeyspace(directoryPrefix(sourcePlace.directories.platform)).timeSamples(FIRST_INCARNATION));
  const timed = <T extends object>(tx: T, snapshot: Transaction['snapshot']): T =>
    new Proxy(tx, {
      get(target, name) {
        if (name === 'time') return () => time.at(snapshot);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  return {
    quietVersions: false,
    read: (body) => database.read((tx) => body(timed(tx, tx))),
    transact: (body, options) => database.transact((tx) => body(timed(tx, tx.snapshot)), options),
    close: () => database.close(),
  };
}

test('a server that was killed on a cluster is forgotten after 30 s, though nobody has told the time since', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const clock = new VirtualClock();
  const newId = createIds();
  const database = onCluster(new SimulatedStore({ seed: 1, clock, versions: (time) => time }).connect());
  await found(database, newId);
  const source = endOn(database, sourcePlace);
  await sampleTimes(source.store);
  await beat(source.store, newId(), { release: 'this', host: 'front-1:77' });
  const pass = (ms: number): void => {
    clock.advance(ms);
    vi.setSystemTime(Date.now() + ms);
  };
  pass(20_000);
  await expect(checkIdle(source)).rejects.toThrow(/^servers run on the source: front-1:77 /);
  pass(11_000);
  await checkIdle(source);
});

test('a registry follows its platform only once the registry that took it along can give that up no more', async () => {
  const newId = createIds();
  const target = endOn(new SimulatedStore({ seed: 1, clock: new VirtualClock() }).connect(), targetPlace);
  const { metaLive, metaMigration } = target.store.keyspaces.platform;
  const ofAnother: MigrationRecord = {
    ...{ migration: newId(), from: sourcePlace, to: targetPlace, identity: newId(), state: 'copying', owner: 'first' },
    ...{ directories: ['registry', 'platform'], checkpoint: 'copied', pairs: 1, bytes: 1 },
  };
  await target.database.transact(async (tx) => {
    tx.set(metaLive, Buffer.from('{}'));
    tx.set(metaMigration, encodeRecord(ofAnother));
  });
  const mine: MigrationRecord = {
    ...{ ...ofAnother, migration: newId(), identity: newId(), owner: 'second' },
    ...{ directories: ['registry'], checkpoint: undefined },
  };
  await expect(claimTarget(target, mine, false)).rejects.toThrow(/^the directory topaz of .* is still being filled/);
  await target.database.transact(async (tx) => tx.clear(metaMigration));
  expect(await claimTarget(target, mine, false)).toEqual(mine);
});

test('a registry whose platform went with another one follows it there, also where a server of its own was killed', async () => {
  const clock = new VirtualClock();
  vi.useFakeTimers({ toFake: ['Date'], now: clock.now() });
  const newId = createIds();
  const stores = {
    source: new SimulatedStore({ seed: 1, clock, versions: (time) => time }),
    target: new SimulatedStore({ seed: 2, clock }),
  };
  const placed = (database: string, registry: string): Place => ({ database, directories: { registry, platform: 'topaz' } });
  const ends = (registry: string) => ({
    source: endOn(onCluster(stores.source.connect(registry)), placed('fdb:/source', registry)),
    target: endOn(stores.target.connect(registry), placed('lmdb:/target', registry)),
  });
  const [first, second] = [ends('registry'), ends('second')];
  for (const { source } of [first, second]) {
    const { database, store } = source;
    const salt = Buffer.alloc(32, 7);
    await foundStore({ database, keyspaces: store.keyspaces, blobs: identityOnly(), projections: old, identity: newId(), salt });
  }
  await sampleTimes(second.source.store);
  const move = ({ source, target }: typeof first): Promise<void> =>
    migrate(source, target, {
      builder: { owner: source.place.directories.registry, release: 'this' },
      ...{ newId, signal: new AbortController().signal, progress: () => undefined, done: () => undefined, clock, limit: 20 },
    });
  const killed = newId();
  await beat(second.source.store, killed, { release: 'this', host: 'front-1:77' });
  await expect(move(second)).rejects.toThrow(/^servers run on the source: /);
  await abandonMigration(second.source, second.target);
  await expect(move(first)).rejects.toThrow(/^servers run on the source: /);
  // The platform's may have been forgotten while the registry's was not looked at.
  await first.source.database.transact(async (tx) => tx.clear(first.source.store.keyspaces.platform.server(killed)));
  await move(first);
  await checkIdle(second.source);
  await move(second);
  for (const { source, target } of [first, second]) {
    await expect(source.store.read(() => Promise.resolve())).rejects.toThrow(/^this store was moved to lmdb:\/target at /);
    const incarnations = target.store.read(({ registry, platform }) =>
      Promise.resolve([registry.live.incarnation, platform.live.incarnation]),
    );
    expect(await incarnations).toEqual([2, 2]);
  }
});
