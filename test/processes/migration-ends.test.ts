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
import { found } from '../projections/builds-fixture.js';
import { encodeRecord, type MigrationRecord } from '../../src/projections/migration.js';
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
